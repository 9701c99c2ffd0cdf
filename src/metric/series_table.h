/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table keyed by bytes that also remembers the order of insertion, so that what is written
 * from it comes in the same order every time. The entry is the first member of the caller's struct:
 *
 *      struct series { struct table_entry entry; ... };
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct table_entry {
	struct table_entry *chain;       /* next in the bucket */
	struct table_entry *prev, *next; /* order of insertion */
	uint64_t hash;
	struct str key; /* the bytes lie behind the caller's struct */
};

struct series_table {
	struct table_entry **buckets;
	size_t n_buckets; /* a power of two, or 0 */
	size_t count;
	struct table_entry *first, *last;
	uint64_t seed;
};

void series_table_init(struct series_table *table);
void series_table_fini(struct series_table *table); /* frees the entries too */

struct table_entry *series_table_find(const struct series_table *table, struct str key);

/*
 * Adds a zeroed entry of `size` bytes (the caller's struct); key (borrowed) is copied and must not
 * be in the table. Valid until series_table_remove().
 */
void *series_table_add(struct series_table *table, struct str key, size_t size);
void series_table_remove(struct series_table *table, struct table_entry *entry); /* frees it */
