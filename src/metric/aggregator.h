/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one owner of metric state: merges what workers counted (metric/delta.h) into series and
 * windows, and writes points.
 *
 *      delta --merge--> series -> windows (by message time) --tick--> `series count=3i,total=9i
 * 1795168800000000000`
 *
 * A window's point holds its running value at the window's start time, so writing it again corrects
 * it. Live: every tick writes the windows that changed, and zeros for quiet series until `expire`.
 * Virtual clock (replay, rule tests): each window is written once, when the clock has passed its
 * end by `lateness` or at aggregator_close(). Single-threaded.
 */
#pragma once

#include "metric/delta.h"

/* Receives one finished line, without LF (borrowed). target as in metric_def. */
typedef void aggregator_emit_fn(void *ctx, uint16_t target, struct str line);

struct aggregator_options {
	bool virtual_clock;  /* no zeros, no nanosecond offset, each window once */
	uint32_t max_series; /* over all rules; a rule's own cap is in its metric_def */
	uint32_t
		offset_ns; /* 20 bits, added to window times: unique per process life (live only) */
};

struct aggregator;

/* defs[i]->index == i; borrows defs until aggregator_free. */
struct aggregator *aggregator_new(const struct metric_def *const *defs, size_t n_defs,
	const struct aggregator_options *options, aggregator_emit_fn *emit, void *emit_ctx);
void aggregator_free(struct aggregator **aggregator);

/* Adds a delta's counts; matches of every = match rules are emitted at once. now_ns: wall or
 * virtual clock. */
void aggregator_merge(struct aggregator *aggregator, const struct delta *delta, int64_t now_ns);

/* Writes what is due at now_ns, and frees windows past lateness and series past expire. */
void aggregator_tick(struct aggregator *aggregator, int64_t now_ns);

/* Writes every window that changed since it was last written (shutdown; end of replay; rule tests).
 */
void aggregator_close(struct aggregator *aggregator, int64_t now_ns);

/* What /metrics and the page show of a rule. */
struct rule_state {
	uint64_t matches;      /* running total */
	uint64_t series;       /* alive now, `_other` included */
	uint64_t overflow;     /* matches folded into `_other` */
	uint64_t late;         /* matches whose window was gone: written to a reopened window */
	int64_t last_match_ns; /* message time; 0 = never */
};
void
aggregator_rule_state(const struct aggregator *aggregator, uint32_t rule, struct rule_state *state);

/* Calls fn for up to `limit` series of a rule: the series text, its running total. */
void aggregator_each_series(const struct aggregator *aggregator, uint32_t rule, size_t limit,
	void (*fn)(void *ctx, struct str series, int64_t total, int64_t last_match_ns), void *ctx);
