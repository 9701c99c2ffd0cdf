/* SPDX-License-Identifier: Apache-2.0 */
/* 64-bit hash of bytes (XXH3): fast, not secret. xxHash stays behind this file. */
#pragma once

#include <stdint.h>

#include "base/str.h"

uint64_t hash64(struct str s, uint64_t seed);

/* Mixes one word well (the finisher of MurmurHash3, public domain). */
static inline uint64_t
hash_mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ (x >> 33);
}
