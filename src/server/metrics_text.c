/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /metrics. Conservation holds in every scrape, since all of it comes from one snapshot of the
 * sender: received{listener} = points made + skipped{listener,reason} accepted{output} +
 * restored{output} = written + rejected{reason} + dropped{reason} + queued Everything known in
 * advance is there from the start, as 0.
 */
#include "server/status.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const char *const reject_names[] = {
#define X(id, name) name,
	REJECT_REASONS(X)
#undef X
};

static const char *const skip_names[] = {
#define X(id, name) name,
	SKIP_REASONS(X)
#undef X
};

static const char *const error_names[] = {
#define X(id, name, text) name,
	LOG_ERRORS(X)
#undef X
};

static const char *const format_names[] = { "rfc5424", "rfc3164", "raw" };

static void
head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Prometheus label values escape backslash, quote and LF; names from configuration hold none of
 * them but may later. */
static void
label(struct buf *out, const char *key, struct str value)
{
	buf_printf(out, "%s=\"", key);
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '\\' || value.ptr[i] == '"')
			buf_add_char(out, '\\');
		buf_add_char(out, value.ptr[i]);
	}
	buf_add_char(out, '"');
}

static void
sample(struct buf *out, const char *name, const char *key, struct str value, const char *key2,
	const char *value2, uint64_t number)
{
	buf_add_text(out, name);
	buf_add_char(out, '{');
	label(out, key, value);
	if (key2 != NULL) {
		buf_add_char(out, ',');
		label(out, key2, str_from(value2));
	}
	buf_add_text(out, "} ");
	buf_add_uint(out, number);
	buf_add_char(out, '\n');
}

/* What is counted for each listener: one number, or one for each value of a second label. */
struct tally_family {
	const char *name, *help;
	const char *label;         /* NULL: one number */
	const char *const *values; /* of the label */
	size_t n;
	size_t offset; /* of the first number in struct listener_tally */
};

#define TALLY(member) offsetof(struct listener_tally, member)
static const struct tally_family tally_families[] = {
	{ "logmill_messages_received_total", "Messages received.", NULL, NULL, 1, TALLY(received) },
	{ "logmill_messages_skipped_total", "Messages that made no raw log point, by reason.",
		"reason", skip_names, SKIP_REASON_COUNT, TALLY(skipped) },
	{ "logmill_received_bytes_total", "Bytes of messages received, framing not counted.", NULL,
		NULL, 1, TALLY(bytes) },
	{ "logmill_messages_parsed_total",
		"Messages by the format they were read as; raw: not readable.", "format",
		format_names, 3, TALLY(by_format) },
	{ "logmill_parse_errors_total", "Messages that were not clean, by the first thing wrong.",
		"reason", error_names + 1, LOG_ERR_COUNT - 1, TALLY(parse_errors[1]) },
	{ "logmill_messages_truncated_total",
		"Messages cut at max_message_size or by the end of a stream.", NULL, NULL, 1,
		TALLY(truncated) },
	{ "logmill_clock_skew_total", "Messages whose own time was too old or in the future.", NULL,
		NULL, 1, TALLY(clock_skew) },
};

static void
write_tally(const struct status *status, struct buf *out, const struct tally_family *family)
{
	const struct settings *settings = status->shared->settings;

	head(out, family->name, "counter", family->help);
	for (size_t i = 0; i < settings->n_listens; i++) {
		const char *tally = (const char *)&status->snapshot->tally->listeners[i];

		for (size_t v = 0; v < family->n; v++) {
			uint64_t number;

			memcpy(&number, tally + family->offset + v * sizeof(number),
				sizeof(number));
			sample(out, family->name, "listener", str_from(settings->listens[i].name),
				family->label, family->label != NULL ? family->values[v] : NULL,
				number);
		}
	}
}

static void
write_listeners(const struct status *status, struct buf *out)
{
	for (size_t i = 0; i < sizeof(tally_families) / sizeof(tally_families[0]); i++)
		write_tally(status, out, &tally_families[i]);
}

static void
write_connections(const struct status *status, struct buf *out)
{
	const struct settings *settings = status->shared->settings;

	head(out, "logmill_connections", "gauge", "Open TCP and TLS connections.");
	for (size_t i = 0; i < settings->n_listens; i++)
		sample(out, "logmill_connections", "listener", str_from(settings->listens[i].name),
			NULL, NULL, status->flow->listeners[i].open);
	head(out, "logmill_connections_accepted_total", "counter", "Connections accepted.");
	for (size_t i = 0; i < settings->n_listens; i++)
		sample(out, "logmill_connections_accepted_total", "listener",
			str_from(settings->listens[i].name), NULL, NULL,
			status->flow->listeners[i].accepted);
	head(out, "logmill_connection_errors_total", "counter",
		"Connections refused or closed for a reason of theirs.");
	for (size_t i = 0; i < settings->n_listens; i++) {
		const struct listener_gauges *g = &status->flow->listeners[i];
		struct str name = str_from(settings->listens[i].name);

		sample(out, "logmill_connection_errors_total", "listener", name, "reason",
			"max_connections", g->refused);
		sample(out, "logmill_connection_errors_total", "listener", name, "reason",
			"bad_frame", g->bad_frames);
		sample(out, "logmill_connection_errors_total", "listener", name, "reason", "tls",
			g->tls_failed);
		sample(out, "logmill_connection_errors_total", "listener", name, "reason", "reset",
			g->failed);
	}
	head(out, "logmill_udp_kernel_drops_total", "counter",
		"Datagrams the kernel dropped because its buffer was full.");
	for (size_t i = 0; i < settings->n_listens; i++)
		if (settings->listens[i].transport == LISTEN_UDP)
			sample(out, "logmill_udp_kernel_drops_total", "listener",
				str_from(settings->listens[i].name), NULL, NULL,
				status->flow->listeners[i].kernel_drops);
	head(out, "logmill_workers_paused", "gauge",
		"Workers that do not read because too much is queued.");
	buf_printf(out, "logmill_workers_paused %u\n", (unsigned)status->flow->paused);
	head(out, "logmill_paused_seconds_total", "counter",
		"Time that workers did not read, summed over workers.");
	buf_printf(out, "logmill_paused_seconds_total %.3f\n",
		(double)status->flow->paused_ns / (double)NS_PER_SEC);
}

static uint64_t
count_of(const struct output_counts *counts, int which)
{
	switch (which) {
	case 0: return counts->accepted;
	case 1: return 0; /* restored: nothing outlives the process without a spool */
	case 2: return counts->written;
	default: return counts->queued;
	}
}

/* kind 0: raw log points, 1: points of rules. */
static void
write_points(const struct status *status, struct buf *out, size_t kind, const char *prefix,
	const char *what)
{
	static const struct {
		const char *name, *type, *help;
	} simple[] = { { "accepted_total", "counter", "given to the output" },
		{ "restored_total", "counter", "found in the spool at start" },
		{ "written_total", "counter", "known to be stored" },
		{ "queued", "gauge", "held: queued, being sent or waiting for another try" } };
	const struct settings *settings = status->shared->settings;
	char name[128];

	for (int s = 0; s < 4; s++) {
		snprintf(name, sizeof(name), "%s_%s", prefix, simple[s].name);
		buf_printf(out, "# HELP %s %s %s.\n# TYPE %s %s\n", name, what, simple[s].help,
			name, simple[s].type);
		for (size_t i = 0; i < status->snapshot->n_outputs; i++)
			sample(out, name, "output", str_from(settings->outputs[i].name), NULL, NULL,
				count_of(&status->snapshot->outputs[i].counts[kind], s));
	}
	snprintf(name, sizeof(name), "%s_rejected_total", prefix);
	buf_printf(out, "# HELP %s %s refused by the database for good.\n# TYPE %s counter\n", name,
		what, name);
	for (size_t i = 0; i < status->snapshot->n_outputs; i++)
		for (size_t r = 0; r < REJECT_REASON_COUNT; r++)
			sample(out, name, "output", str_from(settings->outputs[i].name), "reason",
				reject_names[r],
				status->snapshot->outputs[i].counts[kind].rejected[r]);
	snprintf(name, sizeof(name), "%s_dropped_total", prefix);
	buf_printf(out, "# HELP %s %s given up for lack of room.\n# TYPE %s counter\n", name, what,
		name);
	for (size_t i = 0; i < status->snapshot->n_outputs; i++)
		sample(out, name, "output", str_from(settings->outputs[i].name), "reason", "full",
			status->snapshot->outputs[i].counts[kind].dropped);
}

static void
write_outputs(const struct status *status, struct buf *out)
{
	const struct settings *settings = status->shared->settings;
	const struct snapshot *snapshot = status->snapshot;

	write_points(status, out, 0, "logmill_points", "Raw log points");
	write_points(status, out, 1, "logmill_rule_points", "Points of rules");
	head(out, "logmill_output_up", "gauge", "1 while the output takes what it is given.");
	for (size_t i = 0; i < snapshot->n_outputs; i++)
		sample(out, "logmill_output_up", "output", str_from(settings->outputs[i].name),
			NULL, NULL, snapshot->outputs[i].healthy);
	head(out, "logmill_output_queued_bytes", "gauge",
		"Bytes of line protocol held for the output.");
	for (size_t i = 0; i < snapshot->n_outputs; i++)
		sample(out, "logmill_output_queued_bytes", "output",
			str_from(settings->outputs[i].name), NULL, NULL,
			snapshot->outputs[i].queued_bytes);
	head(out, "logmill_output_requests_total", "counter", "Requests by result.");
	for (size_t i = 0; i < snapshot->n_outputs; i++) {
		struct str name = str_from(settings->outputs[i].name);

		sample(out, "logmill_output_requests_total", "output", name, "result", "ok",
			snapshot->outputs[i].requests_ok);
		sample(out, "logmill_output_requests_total", "output", name, "result", "failed",
			snapshot->outputs[i].requests_failed);
	}
	head(out, "logmill_output_retries_total", "counter",
		"Requests that sent the same points again.");
	for (size_t i = 0; i < snapshot->n_outputs; i++)
		sample(out, "logmill_output_retries_total", "output",
			str_from(settings->outputs[i].name), NULL, NULL,
			snapshot->outputs[i].retries);
}

static void
write_rules(const struct status *status, struct buf *out)
{
	static const char *const names[] = { "logmill_rule_matches_total",
		"logmill_rule_evaluations_total", "logmill_rule_series",
		"logmill_rule_overflow_total", "logmill_rule_late_total" };
	static const char *const helps[] = { "Messages that a rule matched.",
		"Messages whose text a rule searched.", "Series of a rule now.",
		"Matches folded into _other.", "Matches whose window was gone already." };
	const struct ruleset *rules = status->shared->ruleset;
	size_t n = ruleset_size(rules);

	for (size_t k = 0; k < 5; k++) {
		head(out, names[k], k == 2 ? "gauge" : "counter", helps[k]);
		for (size_t i = 0; i < n; i++) {
			struct rule_state state;

			aggregator_rule_state(status->aggregator, (uint32_t)i, &state);
			const uint64_t values[] = { status->rules[i].matched,
				status->rules[i].evaluated, state.series, state.overflow,
				state.late };
			sample(out, names[k], "rule", ruleset_rule(rules, i)->name, NULL, NULL,
				values[k]);
		}
	}
	head(out, "logmill_rule_errors_total", "counter",
		"Messages that a rule could not be tried on or counted, by reason.");
	for (size_t i = 0; i < n; i++) {
		const struct rule_counters *c = &status->rules[i];
		struct str name = ruleset_rule(rules, i)->name;

		sample(out, "logmill_rule_errors_total", "rule", name, "reason", "step_limit",
			c->step_limit);
		sample(out, "logmill_rule_errors_total", "rule", name, "reason", "bad_value",
			c->bad_value);
		sample(out, "logmill_rule_errors_total", "rule", name, "reason", "no_value",
			c->no_value);
		sample(out, "logmill_rule_errors_total", "rule", name, "reason", "over_budget",
			c->over_budget);
		sample(out, "logmill_rule_errors_total", "rule", name, "reason", "suspended",
			c->suspended);
	}
}

void
metrics_write(const struct status *status, struct buf *out)
{
	head(out, "logmill_build_info", "gauge", "1, with the version as label.");
	buf_add_text(out, "logmill_build_info{version=\"" LOGMILL_VERSION "\"} 1\n");
	head(out, "logmill_uptime_seconds", "gauge", "Time since the start.");
	buf_printf(out, "logmill_uptime_seconds %.3f\n",
		(double)(clock_monotonic_ns() - status->started_ns) / (double)NS_PER_SEC);
	write_listeners(status, out);
	write_connections(status, out);
	write_outputs(status, out);
	write_rules(status, out);
}
