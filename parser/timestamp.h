/* SPDX-License-Identifier: Apache-2.0 */
/* Private to this library: the two kinds of stamps, read without libc's clock, locale, or zone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TIMESTAMP_MAX_DIGITS = 9 }; /* of a fraction of a second */

struct timestamp {
	bool in_range;  /* false: a real date, but beyond what 64 bits of ns hold (1677 to 2262) */
	uint8_t digits; /* of the fraction, 0 to 9 */
	int64_t ns;     /* since 1970 UTC */
};

/*
 * Both read a stamp at *p and move *p behind it. False: *p is then at the first byte with which no
 * stamp can go on (the end, when it is cut short).
 */

/* 2026-11-20T23:00:00.123456+01:00: RFC 3339 with T and Z in capitals, no leap second (RFC 5424
 * section 6.2.3). */
bool timestamp_rfc3339(const char **p, const char *end, struct timestamp *out);

/* Nov 20 23:00:00, Nov  2 or Nov 02 or Nov 2: no year, so the one that puts it nearest to now_ns.
 * UTC. */
bool timestamp_rfc3164(const char **p, const char *end, int64_t now_ns, struct timestamp *out);
