/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time of the calling thread: what a search really cost, whatever else the machine did
 * meanwhile. A system call. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline int64_t
cpu_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
