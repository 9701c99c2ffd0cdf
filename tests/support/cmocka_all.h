/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka with what it wants included before it, and a seed for property tests: printed, or given as
 * TEST_SEED. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static inline uint64_t
test_seed(void)
{
	const char *given = getenv("TEST_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	printf("TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/* splitmix64 (Vigna, public domain) */
static inline uint64_t
test_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}
