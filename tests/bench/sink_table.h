/* SPDX-License-Identifier: Apache-2.0 */
/* A map from 64-bit hashes to integers: open addressing, grows, never forgets. Hashes are taken as
 * unique. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct table {
	struct table_slot {
		uint64_t key; /* 0 = free */
		int64_t value;
	} * slots;
	size_t capacity; /* 0 or a power of two */
	size_t used;
};

/* The value of that key, made with `initial` when new. Valid until the next call. */
int64_t *table_at(struct table *table, uint64_t key, int64_t initial);
void table_fini(struct table *table);
