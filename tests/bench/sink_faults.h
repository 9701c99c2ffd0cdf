/* SPDX-License-Identifier: Apache-2.0 */
/* What the sink does wrong on request, and when: `KIND:DURATION@START`, e.g. `503:3s@4s`, times
 * from the sink's start. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum fault_action {
	FAULT_NONE,
	FAULT_STATUS, /* answers a status, stores nothing */
	FAULT_HANG,   /* never answers, stores nothing */
	FAULT_RESET,  /* stores, then resets the connection in mid-answer */
	FAULT_SLOW,   /* stores, answers FAULT_SLOW_MS later */
};

enum { FAULT_SLOW_MS = 1000 };

struct fault {
	enum fault_action action;
	int status;
	int64_t from_ns, until_ns; /* since the start */
};

/* False when the text is not understood. */
bool fault_parse(const char *text, struct fault *fault);
