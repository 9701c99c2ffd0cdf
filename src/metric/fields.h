/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a metric point as line protocol: `count=3i,total=9i,mean=1.5`. */
#pragma once

#include "base/buf.h"
#include "metric/accum.h"
#include "metric/metric_def.h"

/*
 * Appends the rule's statistics in its order. An accum with count 0 gives a zero point: what has no
 * value without a match (min, max, mean, last, first) is left out. Appends nothing when nothing is
 * left.
 */
void
fields_add(struct buf *out, const struct metric_def *def, const struct accum *accum, int64_t total);
