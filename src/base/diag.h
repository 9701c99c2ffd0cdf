/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's own log: one logfmt line an event on stderr.
 *
 *      diag_warn("delivery_failed", DIAG_TEXT("output", name), DIAG_INT("status", 503));
 *      time=2026-11-20T10:00:00.123Z level=warn event=delivery_failed output=main status=503
 *
 * Values are quoted when they need it, control and non-ASCII bytes are escaped, and each is cut at
 * 256 bytes: nothing from the wire can forge a line. Thread-safe (one write(2) a line). What an
 * attacker or an outage can trigger goes through a diag_limit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum diag_level { DIAG_DEBUG, DIAG_INFO, DIAG_WARN, DIAG_ERROR };

struct diag_field {
	const char *key; /* NULL ends the list */
	enum { DIAG_IS_TEXT, DIAG_IS_INT } kind;
	struct str text;
	int64_t number;
};

#define DIAG_TEXT(k, s) \
	((struct diag_field){ .key = (k), .kind = DIAG_IS_TEXT, .text = str_from(s) })
#define DIAG_STR(k, s) ((struct diag_field){ .key = (k), .kind = DIAG_IS_TEXT, .text = (s) })
#define DIAG_INT(k, n) \
	((struct diag_field){ .key = (k), .kind = DIAG_IS_INT, .number = (int64_t)(n) })

/* Each takes an event name and at least one field. */
#define diag_debug(event, ...) \
	diag_write(DIAG_DEBUG, event, (const struct diag_field[]){ __VA_ARGS__, { .key = NULL } })
#define diag_info(event, ...) \
	diag_write(DIAG_INFO, event, (const struct diag_field[]){ __VA_ARGS__, { .key = NULL } })
#define diag_warn(event, ...) \
	diag_write(DIAG_WARN, event, (const struct diag_field[]){ __VA_ARGS__, { .key = NULL } })
#define diag_error(event, ...) \
	diag_write(DIAG_ERROR, event, (const struct diag_field[]){ __VA_ARGS__, { .key = NULL } })

void diag_write(enum diag_level level, const char *event, const struct diag_field *fields);

/* Lines below this level are not written. Set once, before threads start. */
void diag_set_level(enum diag_level level);

/* At most one line per interval and cause: true when this one may be written. Not thread-safe: one
 * owner each. */
struct diag_limit {
	int64_t next_ns;     /* monotonic */
	uint64_t suppressed; /* since the last line that was let through; reset by it */
};
bool diag_allowed(struct diag_limit *limit, int64_t monotonic_ns, int64_t interval_ns);
