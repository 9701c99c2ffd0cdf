/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

static int64_t
read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

int64_t
clock_realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t
clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void
clock_format(struct buf *out, int64_t time_ns, unsigned digits)
{
	int64_t rest = time_ns % NS_PER_SEC;
	time_t sec = (time_t)(time_ns / NS_PER_SEC);
	struct tm tm;

	if (rest < 0) {
		rest += NS_PER_SEC;
		sec--;
	}
	gmtime_r(&sec, &tm);
	buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (digits > 0) {
		buf_printf(out, ".%09lld", (long long)rest);
		out->len -= 9 - (digits > 9 ? 9 : digits);
	}
	buf_add_char(out, 'Z');
}
