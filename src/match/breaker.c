/* SPDX-License-Identifier: Apache-2.0 */
#include "match/breaker.h"

#include "base/clock.h"

enum { STRIKES = 3 };

static const int64_t STRIKE_WINDOW = 10 * NS_PER_SEC;
static const int64_t MIN_REST = 60 * NS_PER_SEC, MAX_REST = 600 * NS_PER_SEC;

bool
breaker_strike(struct breaker *breaker, int64_t now_ns)
{
	if (breaker->n_strikes < STRIKES - 1) {
		breaker->strikes[breaker->n_strikes++] = now_ns;
		return false;
	}
	int64_t first = breaker->strikes[0];
	breaker->strikes[0] = breaker->strikes[1];
	breaker->strikes[1] = now_ns;
	if (now_ns - first > STRIKE_WINDOW)
		return false;
	bool again = breaker->rest != 0 && now_ns - breaker->closed_at < MAX_REST;
	breaker->rest = again ? breaker->rest * 2 : MIN_REST;
	if (breaker->rest > MAX_REST)
		breaker->rest = MAX_REST;
	breaker->open_until = now_ns + breaker->rest;
	breaker->n_strikes = 0;
	return true;
}

bool
breaker_open(struct breaker *breaker, int64_t now_ns)
{
	if (breaker->open_until == 0)
		return false;
	if (now_ns < breaker->open_until)
		return true;
	breaker->closed_at = breaker->open_until;
	breaker->open_until = 0;
	return false;
}
