/* SPDX-License-Identifier: Apache-2.0 */
/* What all workers share, built once from the settings: compiled rules, the table of targets, batch
 * sizes. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "pipeline.h"

/* Rules that write to the same place share a target; target 0 is where raw log points go. */
static uint16_t
find_target(struct pipeline_shared *shared, const struct rule_info *rule)
{
	uint64_t all = shared->settings->n_outputs >= 64
		? UINT64_MAX
		: (UINT64_C(1) << shared->settings->n_outputs) - 1;
	struct target wanted = { rule->outputs != 0 ? rule->outputs : all, rule->database,
		rule->retention_policy };

	for (size_t i = 0; i < shared->n_targets; i++) {
		const struct target *t = &shared->targets[i];

		if (t->outputs == wanted.outputs && str_equal(t->database, wanted.database) &&
			str_equal(t->retention_policy, wanted.retention_policy))
			return (uint16_t)i;
	}
	shared->targets[shared->n_targets] = wanted;
	return (uint16_t)shared->n_targets++;
}

static void
choose_batch_size(struct pipeline_shared *shared)
{
	const struct settings *settings = shared->settings;

	shared->batch_points = 5000;
	shared->batch_bytes = 1 << 20;
	shared->flush_interval_ns = NS_PER_SEC;
	for (size_t i = 0, seen = 0; i < settings->n_outputs; i++) {
		const struct output_settings *output = &settings->outputs[i];

		if (output->kind != OUTPUT_INFLUXDB)
			continue;
		if (seen == 0 || output->batch_points < shared->batch_points)
			shared->batch_points = output->batch_points;
		if (seen == 0 || output->batch_bytes < shared->batch_bytes)
			shared->batch_bytes = output->batch_bytes;
		if (seen == 0 || output->flush_interval_ns < shared->flush_interval_ns)
			shared->flush_interval_ns = output->flush_interval_ns;
		seen++;
	}
}

bool
pipeline_shared_init(
	struct pipeline_shared *shared, const struct settings *settings, struct err *err)
{
	*shared = (struct pipeline_shared){ .settings = settings };
	shared->ruleset = ruleset_new(settings, err);
	if (shared->ruleset == NULL)
		return false;
	size_t n = ruleset_size(shared->ruleset);
	if (n >= UINT16_MAX)
		return err_add(
			err, "%zu rules are more than logmill takes (%d)", n, UINT16_MAX - 1);
	shared->targets = xcalloc(n + 1, sizeof(*shared->targets));
	shared->targets[0] = (struct target){ .outputs = settings->logs.outputs };
	shared->n_targets = 1;
	for (size_t i = 0; i < n; i++)
		ruleset_set_target(
			shared->ruleset, i, find_target(shared, ruleset_rule(shared->ruleset, i)));
	choose_batch_size(shared);
	shared->slots = time_slots_new(clock_realtime_ns());
	shared->names = sd_names_new();
	return true;
}

void
pipeline_shared_fini(struct pipeline_shared *shared)
{
	if (shared->ruleset != NULL)
		ruleset_unref(&shared->ruleset);
	free(shared->targets);
	if (shared->slots != NULL)
		time_slots_free(&shared->slots);
	if (shared->names != NULL)
		sd_names_free(&shared->names);
}
