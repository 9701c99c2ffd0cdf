/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suspends a pattern that keeps being slow: three searches over budget within 10 s rest it for 60
 * s, and for twice as long (up to 10 min) each time it starts again within 10 min of coming back.
 * Times are of any one monotonic clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_BUDGET_NS INT64_C(2000000) /* of one search */

struct breaker {            /* zeroed = closed, never had a strike */
	int64_t strikes[2]; /* the two strikes before the next one, older first */
	unsigned n_strikes;
	int64_t open_until; /* ns; 0 = not open */
	int64_t closed_at;  /* when it last came back */
	int64_t rest;       /* ns, of the last suspension; 0 = none yet */
};

/* A search was over budget. True when the pattern is suspended from now. */
bool breaker_strike(struct breaker *breaker, int64_t now_ns);

/* True while suspended. Look only when open_until is not 0. */
bool breaker_open(struct breaker *breaker, int64_t now_ns);
