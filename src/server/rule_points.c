/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rule_points.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { OFFSET_BITS = 20 };

struct rule_points {
	struct status *status;
	struct flow *flow;
	struct mailbox *sender;
	uint32_t n_workers;
	size_t n_rules;
	struct batch **open;             /* per target: points being collected */
	struct rule_counters *by_worker; /* [worker][rule], the latest of each */
};

static void
post_batch(struct rule_points *points, uint16_t target)
{
	struct batch *batch = points->open[target];

	if (batch == NULL)
		return;
	points->open[target] = NULL;
	batch_seal(batch);
	batch->mail.kind = SENDER_RULE_BATCH;
	mailbox_post(points->sender, &batch->mail);
}

static void
emit(void *ctx, uint16_t target, struct str line)
{
	struct rule_points *points = ctx;
	const struct pipeline_shared *shared = points->status->shared;

	if (points->open[target] == NULL)
		points->open[target] = batch_new(target, false, 0, clock_monotonic_ns());
	struct batch *batch = points->open[target];
	buf_add(&batch->lines, line);
	buf_add_char(&batch->lines, '\n');
	batch->points++;
	if (batch->points >= shared->batch_points || batch->lines.len >= shared->batch_bytes)
		post_batch(points, target);
}

struct rule_points *
rule_points_new(
	struct status *status, struct flow *flow, struct mailbox *sender, uint32_t n_workers)
{
	const struct pipeline_shared *shared = status->shared;
	struct rule_points *points = xcalloc(1, sizeof(*points));
	uint32_t offset = 0;

	*points = (struct rule_points){ .status = status,
		.flow = flow,
		.sender = sender,
		.n_workers = n_workers,
		.n_rules = ruleset_size(shared->ruleset) };
	/* Window times of this process life are apart from those of every other, before it and
	 * beside it. */
	if (getrandom(&offset, sizeof(offset), 0) != (ssize_t)sizeof(offset))
		offset = (uint32_t)clock_realtime_ns();
	const struct aggregator_options options = { .max_series =
							    shared->settings->metrics.max_series,
		.offset_ns = offset & ((1U << OFFSET_BITS) - 1) };
	status->aggregator = aggregator_new(
		ruleset_defs(shared->ruleset), points->n_rules, &options, emit, points);
	status->rules = xcalloc(points->n_rules + 1, sizeof(*status->rules));
	points->by_worker = xcalloc(points->n_rules * n_workers + 1, sizeof(*points->by_worker));
	points->open = xcalloc(shared->n_targets, sizeof(struct batch *));
	return points;
}

void
rule_points_free(struct rule_points **points)
{
	struct rule_points *p = *points;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->status->shared->n_targets; i++)
		if (p->open[i] != NULL)
			batch_unref(&p->open[i]);
	aggregator_free(&p->status->aggregator);
	free(p->status->rules);
	p->status->rules = NULL;
	free(p->open);
	free(p->by_worker);
	free(p);
	*points = NULL;
}

static void
add_counters(struct rule_counters *into, const struct rule_counters *from)
{
	into->evaluated += from->evaluated;
	into->matched += from->matched;
	into->step_limit += from->step_limit;
	into->bad_value += from->bad_value;
	into->no_value += from->no_value;
	into->over_budget += from->over_budget;
	into->suspended += from->suspended;
	into->ns += from->ns;
}

void
rule_points_take(struct rule_points *points, struct work_letter *letter)
{
	size_t n = points->n_rules;

	memcpy(points->by_worker + letter->worker * n, letter->counters,
		n * sizeof(letter->counters[0]));
	for (size_t i = 0; i < n; i++) {
		points->status->rules[i] = (struct rule_counters){ 0 };
		for (size_t w = 0; w < points->n_workers; w++)
			add_counters(&points->status->rules[i], &points->by_worker[w * n + i]);
	}
	if (letter->delta != NULL) {
		aggregator_merge(points->status->aggregator, letter->delta, clock_realtime_ns());
		atomic_fetch_sub(&points->flow->delta_bytes, letter->charged);
		delta_free(&letter->delta);
	}
	free(letter);
}

void
rule_points_tick(struct rule_points *points)
{
	aggregator_tick(points->status->aggregator, clock_realtime_ns());
}

void
rule_points_close(struct rule_points *points)
{
	aggregator_close(points->status->aggregator, clock_realtime_ns());
}

void
rule_points_post(struct rule_points *points)
{
	for (size_t i = 0; i < points->status->shared->n_targets; i++)
		post_batch(points, (uint16_t)i);
}
