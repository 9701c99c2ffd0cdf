/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one rule writes: its statistics, window and caps. Made by match/ from the rule file, read by
 * the worker's deltas and by the aggregator; immutable.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum statistic {
	STAT_COUNT, /* matches in the window; integer */
	STAT_TOTAL, /* running total of matches; integer */
	STAT_SUM,
	STAT_MIN,
	STAT_MAX,
	STAT_MEAN, /* always a float */
	STAT_LAST,
	STAT_FIRST,
};

struct metric_field {
	enum statistic stat;
	struct str key; /* escaped as a field key already; borrowed from the rule set */
};

struct metric_def {
	struct str rule; /* name, for counters and messages */
	uint32_t index;  /* position in its rule set */
	uint16_t target; /* where its points go (pipeline/target.h) */
	bool per_match;  /* every = match: one point a match, window_ns unused */
	bool time_received;
	bool integer; /* value statistics are integers (else floats) */
	bool has_value;
	int64_t window_ns;   /* length of a window; they start at multiples of it since 1970 */
	int64_t lateness_ns; /* a window is kept this long after its end */
	int64_t expire_ns;   /* a series without a match for this long writes no more zeros and is
				freed */
	uint32_t max_series;
	struct metric_field *fields;
	size_t n_fields;
	struct str overflow_series; /* `measurement,tag=_other,...`: where matches beyond max_series
				       go */
};
