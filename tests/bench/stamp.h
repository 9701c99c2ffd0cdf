/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time stamps of the generated messages. The width of a run's stamps never changes, so they are
 * patched in place.
 *
 *      live    2026-11-20T10:00:00.123456+00:00     fresh for every message, as rsyslog writes it
 *      second  2026-11-20T10:00:00+00:00            the second the program started in, for all
 * messages at      any RFC 3339 stamp, as given, for all messages
 *
 * RFC 3164 messages carry `Nov 20 10:00:00` (UTC) in each mode.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum stamp_mode { STAMP_LIVE, STAMP_SECOND, STAMP_AT };

enum { STAMP_MAX = 64 };

struct stamp {
	char text[STAMP_MAX]; /* the current stamp, NUL-terminated */
	uint32_t len;
	bool live;
	bool rfc3164;
	int64_t second; /* of text */
};

/* `at` is the stamp for STAMP_AT. False when it is not RFC 3339. */
bool
stamp_init(struct stamp *stamp, enum stamp_mode mode, const char *at, bool rfc3164, int64_t now_ns);

/* Sets a live stamp to that time; does nothing to the others. */
void stamp_set(struct stamp *stamp, int64_t now_ns);
