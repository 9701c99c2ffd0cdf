/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one worker's messages added to the metrics since it last handed over: per (rule, series,
 * window) a small sum, and for rules with every = match the matches themselves, in order. The
 * worker fills one without locks and posts it to the aggregator (metric/aggregator.h), which alone
 * knows the running state; deltas of all workers add up in any order.
 *
 *      worker: delta_add ... delta_add -> post -> aggregator_merge -> delta_free
 */
#pragma once

#include "base/buf.h"
#include "metric/accum.h"
#include "metric/metric_def.h"

struct delta;

struct delta *delta_new(void);
void delta_free(struct delta **delta);

/* One match of a windowed rule. series: `measurement,tag=value...` (borrowed). window start is
 * worked out from time_ns. */
void delta_add(struct delta *delta, const struct metric_def *def, struct str series,
	union metric_value value, int64_t time_ns);

/*
 * One match of a rule with every = match. group: the series of its group_by set (running totals
 * count per group); series: that plus the tags; fields: the capture fields already encoded
 * (`a=1i,b="x"`) or empty; borrowed.
 */
void delta_add_match(struct delta *delta, const struct metric_def *def, struct str group,
	struct str series, struct str fields, union metric_value value, int64_t time_ns);

bool delta_empty(const struct delta *delta);
size_t delta_bytes(const struct delta *delta); /* memory in use: hand over early when it grows */
size_t delta_entries(const struct delta *delta);

/* ---- For the aggregator ---- */

struct delta_window { /* one (rule, series, window) */
	uint32_t rule;
	struct str series;
	int64_t start_ns;
	struct accum accum;
};
struct delta_match {
	uint32_t rule;
	struct str group, series, fields;
	union metric_value value;
	int64_t time_ns;
};
/* In order of arrival; views valid until the delta is freed. False at the end. *cursor starts at 0.
 */
bool delta_next_window(const struct delta *delta, size_t *cursor, struct delta_window *window);
bool delta_next_match(const struct delta *delta, size_t *cursor, struct delta_match *match);
