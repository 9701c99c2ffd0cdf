/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of structured-data field names: hashes in an open-addressed table that only grows, by
 * compare-and-swap. A 64-bit hash stands for the name: two names that share one would only share a
 * place under the cap.
 */
#include "output/sd_names.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { NAMES_SLOTS = 4096 };

struct sd_names {
	_Atomic uint32_t count;
	_Atomic uint64_t hash[NAMES_SLOTS]; /* 0 = free */
};

struct sd_names *
sd_names_new(void)
{
	return xcalloc(1, sizeof(struct sd_names));
}

void
sd_names_free(struct sd_names **names)
{
	free(*names);
	*names = NULL;
}

bool
sd_names_admit(struct sd_names *names, uint64_t hash)
{
	hash += hash == 0;
	for (uint64_t i = hash;; i++) {
		_Atomic uint64_t *slot = &names->hash[i % NAMES_SLOTS];
		uint64_t held = atomic_load_explicit(slot, memory_order_relaxed);

		if (held == hash)
			return true;
		if (held != 0)
			continue; /* at most SD_NAMES_MAX of NAMES_SLOTS are taken: a free one comes
				   */
		if (atomic_fetch_add_explicit(&names->count, 1, memory_order_relaxed) >=
			SD_NAMES_MAX) {
			atomic_fetch_sub_explicit(&names->count, 1, memory_order_relaxed);
			return false;
		}
		if (atomic_compare_exchange_strong_explicit(
			    slot, &held, hash, memory_order_relaxed, memory_order_relaxed))
			return true;
		atomic_fetch_sub_explicit(&names->count, 1, memory_order_relaxed);
		if (held == hash)
			return true;
	}
}
