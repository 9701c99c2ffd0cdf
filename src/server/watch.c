/* SPDX-License-Identifier: Apache-2.0 */
/* Problems that no single message shows, said once each with what to do about them. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/diag.h"
#include "server/status.h"

enum {
	UNPARSABLE_AFTER = 100, /* messages of a listener, none of them readable */
	RULE_QUIET_AFTER_S = 600,
};

struct watch {
	const struct status *status;
	bool *listener_said;
	uint64_t *drops_said;
	bool rules_said;
};

struct watch *
watch_new(const struct status *status)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));
	size_t n = status->shared->settings->n_listens;

	watch->status = status;
	watch->listener_said = xcalloc(n + 1, sizeof(*watch->listener_said));
	watch->drops_said = xcalloc(n + 1, sizeof(*watch->drops_said));
	return watch;
}

void
watch_free(struct watch **watch)
{
	if (*watch == NULL)
		return;
	free((*watch)->listener_said);
	free((*watch)->drops_said);
	free(*watch);
	*watch = NULL;
}

static void
look_at_listener(struct watch *watch, size_t i)
{
	const struct listen_settings *listener = &watch->status->shared->settings->listens[i];
	const struct listener_tally *tally = &watch->status->snapshot->tally->listeners[i];
	uint64_t drops = watch->status->flow->listeners[i].kernel_drops;

	if (!watch->listener_said[i] && tally->received >= UNPARSABLE_AFTER &&
		tally->by_format[LOG_FORMAT_RAW] + tally->skipped[SKIP_MEMORY] >= tally->received) {
		watch->listener_said[i] = true;
		diag_warn("listener_unparsable", DIAG_TEXT("listener", listener->name),
			DIAG_INT("messages", tally->received),
			DIAG_TEXT("msg",
				"none of this listener's messages is syslog; they are kept as raw "
				"text. Check that the "
				"sender uses syslog (RFC 5424 or 3164), TLS only to a tls:// "
				"address, and the right framing"));
	}
	if (watch->drops_said[i] == 0 && drops > 0) {
		watch->drops_said[i] = drops;
		diag_warn("udp_kernel_drops", DIAG_TEXT("listener", listener->name),
			DIAG_INT("dropped", drops),
			DIAG_TEXT("msg",
				"the kernel's receive buffer was full; raise net.core.rmem_max, or "
				"send over TCP"));
	}
}

static void
look_at_rules(struct watch *watch)
{
	const struct ruleset *rules = watch->status->shared->ruleset;

	watch->rules_said = true;
	for (size_t i = 0; i < ruleset_size(rules); i++) {
		const struct rule_counters *counters = &watch->status->rules[i];

		if (counters->matched == 0)
			diag_info("rule_never_matched",
				DIAG_STR("rule", ruleset_rule(rules, i)->name),
				DIAG_INT("searched", counters->evaluated),
				DIAG_TEXT("msg",
					"no match in the first ten minutes; `logmill explain -c "
					"FILE 'LINE'` tells why a line "
					"does not match"));
	}
}

void
watch_look(struct watch *watch, int64_t monotonic_ns)
{
	for (size_t i = 0; i < watch->status->shared->settings->n_listens; i++)
		look_at_listener(watch, i);
	if (!watch->rules_said &&
		monotonic_ns - watch->status->started_ns >= RULE_QUIET_AFTER_S * NS_PER_SEC)
		look_at_rules(watch);
}
