/* SPDX-License-Identifier: Apache-2.0 */
/* Times of windows: half-open pieces [start, start + length) of message time, starting at multiples
 * of length. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* a + b, b >= 0, stopping at the last time there is. */
static inline int64_t
time_add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* a - b, whatever the two are; stops at the ends. */
static inline int64_t
time_diff(int64_t a, int64_t b)
{
	int64_t diff;

	if (__builtin_sub_overflow(a, b, &diff))
		return a < b ? INT64_MIN : INT64_MAX;
	return diff;
}

/* Start of the window that holds time, before 1970 too. */
static inline int64_t
window_start(int64_t time_ns, int64_t length_ns)
{
	assert(length_ns > 0);
	int64_t into = time_ns % length_ns;
	int64_t start;

	if (into < 0)
		into += length_ns;
	return __builtin_sub_overflow(time_ns, into, &start) ? INT64_MIN : start;
}

static inline bool
window_holds(int64_t start_ns, int64_t length_ns, int64_t time_ns)
{
	return time_ns >= start_ns && (uint64_t)time_ns - (uint64_t)start_ns < (uint64_t)length_ns;
}
