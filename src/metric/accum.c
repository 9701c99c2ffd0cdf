/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything here gives the same result in whatever order accums are merged (as far as float
 * addition does), because workers hand over when they like. Sums stop at the ends of their type: a
 * hostile value spoils its own window's sum, but it never turns it around, and never makes a number
 * that line protocol cannot say.
 */
#include "metric/accum.h"

#include <float.h>

static union metric_value
sum_of(const struct metric_def *def, union metric_value a, union metric_value b)
{
	union metric_value sum;

	if (def->integer) {
		if (__builtin_add_overflow(a.integer, b.integer, &sum.integer))
			sum.integer = a.integer < 0 ? INT64_MIN : INT64_MAX;
		return sum;
	}
	sum.number = a.number + b.number;
	if (sum.number > DBL_MAX)
		sum.number = DBL_MAX;
	else if (sum.number < -DBL_MAX)
		sum.number = -DBL_MAX;
	return sum;
}

static bool
less(const struct metric_def *def, union metric_value a, union metric_value b)
{
	return def->integer ? a.integer < b.integer : a.number < b.number;
}

void
accum_add(struct accum *accum, const struct metric_def *def, union metric_value value,
	int64_t time_ns)
{
	const struct accum one = {
		.count = 1,
		.sum = value,
		.min = value,
		.max = value,
		.first = value,
		.last = value,
		.first_ns = time_ns,
		.last_ns = time_ns,
	};

	accum_merge(accum, def, &one);
}

void
accum_merge(struct accum *into, const struct metric_def *def, const struct accum *from)
{
	if (from->count == 0)
		return;
	if (into->count == 0) {
		*into = *from;
		return;
	}
	into->count += from->count;
	if (from->first_ns < into->first_ns) {
		into->first_ns = from->first_ns;
		into->first = from->first;
	}
	if (from->last_ns >= into->last_ns) {
		into->last_ns = from->last_ns;
		into->last = from->last;
	}
	if (!def->has_value)
		return;
	into->sum = sum_of(def, into->sum, from->sum);
	if (less(def, from->min, into->min))
		into->min = from->min;
	if (less(def, into->max, from->max))
		into->max = from->max;
}
