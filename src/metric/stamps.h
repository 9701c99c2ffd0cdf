/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the points of one series apart: InfluxDB merges two points of a series that share a
 * nanosecond. Remembers the latest stretches of time that were taken, not single stamps: a thousand
 * matches within one second of a sender that stamps in seconds are one stretch of a thousand
 * nanoseconds.
 */
#pragma once

#include <stdint.h>

enum { STAMPS_MAX = 32 };

struct stamps { /* all zero = none taken */
	uint32_t n;
	struct {
		int64_t start_ns, end_ns; /* taken: start <= time < end */
	} taken[STAMPS_MAX]; /* last used first; beyond the maximum the one unused for longest is
				forgotten */
};

/* The first free nanosecond at or after time_ns; it is taken then. */
int64_t stamps_take(struct stamps *stamps, int64_t time_ns);
