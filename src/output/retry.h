/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do with InfluxDB's answer to one request: a pure function of the attempt, the answer and
 * the time, the table of docs/delivery.md in code. A point is done when it was inside a request
 * answered 204, or alone in one answered 400.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum { RETRY_BODY_MAX = 8192 }; /* bytes of an error body that are read */

struct retry_answer {
	int status;             /* HTTP status; 0 = no answer (refused, reset, timeout, TLS) */
	struct str body;        /* at most RETRY_BODY_MAX */
	int64_t retry_after_ns; /* -1 = not given */
	uint64_t random;        /* for jitter */
};

struct retry_attempt {
	uint32_t points;   /* lines in the request */
	uint32_t failures; /* earlier answers in a row that called for a back-off, of this output */
	uint32_t holds; /* earlier answers in a row that called for a hold, of this output or target
			 */
	uint32_t server_errors; /* answers 500 to exactly these lines while the canary was good */
	bool canary_good;       /* with status 500: a small canary write has succeeded since */
	bool is_canary;         /* this is the answer to the canary itself: its 500 is an outage */
};

enum retry_action {
	RETRY_DONE,   /* all lines stored (rejected_points of them refused for good by the retention
			 policy) */
	RETRY_LATER,  /* same bytes again after wait_ns; the whole output waits (canary_good: only
			 these lines) */
	RETRY_SPLIT,  /* halve: too large (remember the size) */
	RETRY_BISECT, /* halve: some line in it is bad; side queue */
	RETRY_CANARY, /* 500: write a canary first, then ask again */
	RETRY_REJECT, /* a single line refused for good */
	RETRY_CREATE_DATABASE, /* then again */
	RETRY_HOLD,            /* configuration: wait wait_ns, re-read the secret, say so */
};

struct retry_decision {
	enum retry_action action;
	int64_t wait_ns;
	uint32_t rejected_points; /* with RETRY_DONE: beyond the retention policy */
	const char *reason; /* static: label of a counter and of a log line ("parse", "field_type",
			       "unauthorized", ...) */
};

struct retry_decision
retry_decide(const struct retry_attempt *attempt, const struct retry_answer *answer);

/* Retry-After: seconds or an HTTP date (RFC 9110 10.2.3); -1 when neither. now_ns: wall clock. */
int64_t retry_after_ns(struct str header, int64_t now_ns);
