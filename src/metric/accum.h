/* SPDX-License-Identifier: Apache-2.0 */
/* The statistics of one window of one series: exact, mergeable in any order. */
#pragma once

#include <stdint.h>

#include "metric/metric_def.h"

union metric_value { /* which one is told by metric_def.integer */
	int64_t integer;
	double number;
};

struct accum {
	int64_t count;
	union metric_value sum, min, max, first, last; /* meaningless while count is 0 */
	int64_t first_ns, last_ns;                     /* message times of first and last */
};

void accum_add(struct accum *accum, const struct metric_def *def, union metric_value value,
	int64_t time_ns);
/* Integer sums stop at the ends of int64 rather than wrap. Equal times: `last` is the later one
 * merged, `first` the earlier. */
void accum_merge(struct accum *into, const struct metric_def *def, const struct accum *from);
