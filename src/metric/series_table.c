/* SPDX-License-Identifier: Apache-2.0 */
#include "metric/series_table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hash.h"

enum { MIN_BUCKETS = 16 };

void
series_table_init(struct series_table *table)
{
	/* The address as seed: a sender cannot know which series share a bucket. */
	*table = (struct series_table){ .seed = hash_mix((uint64_t)(uintptr_t)table) };
}

void
series_table_fini(struct series_table *table)
{
	struct table_entry *next;

	for (struct table_entry *entry = table->first; entry != NULL; entry = next) {
		next = entry->next;
		free(entry);
	}
	free(table->buckets);
	*table = (struct series_table){ 0 };
}

static struct table_entry **
bucket_of(const struct series_table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->n_buckets - 1)];
}

struct table_entry *
series_table_find(const struct series_table *table, struct str key)
{
	if (table->count == 0)
		return NULL;
	uint64_t hash = hash64(key, table->seed);
	struct table_entry *entry = *bucket_of(table, hash);

	while (entry != NULL && (entry->hash != hash || !str_equal(entry->key, key)))
		entry = entry->chain;
	return entry;
}

static void
link_bucket(struct series_table *table, struct table_entry *entry)
{
	struct table_entry **bucket = bucket_of(table, entry->hash);

	entry->chain = *bucket;
	*bucket = entry;
}

static void
grow(struct series_table *table)
{
	free(table->buckets);
	table->n_buckets = table->n_buckets == 0 ? MIN_BUCKETS : table->n_buckets * 2;
	table->buckets = xcalloc(table->n_buckets, sizeof(struct table_entry *));
	for (struct table_entry *entry = table->first; entry != NULL; entry = entry->next)
		link_bucket(table, entry);
}

void *
series_table_add(struct series_table *table, struct str key, size_t size)
{
	assert(size >= sizeof(struct table_entry));
	if (table->count == table->n_buckets)
		grow(table);
	char *memory = xcalloc(1, size + key.len);
	struct table_entry *entry = (void *)memory;

	if (key.len > 0)
		memcpy(memory + size, key.ptr, key.len);
	entry->key = (struct str){ memory + size, key.len };
	entry->hash = hash64(key, table->seed);
	link_bucket(table, entry);
	entry->prev = table->last;
	*(table->last != NULL ? &table->last->next : &table->first) = entry;
	table->last = entry;
	table->count++;
	return memory;
}

void
series_table_remove(struct series_table *table, struct table_entry *entry)
{
	struct table_entry **link = bucket_of(table, entry->hash);

	while (*link != entry)
		link = &(*link)->chain;
	*link = entry->chain;
	*(entry->prev != NULL ? &entry->prev->next : &table->first) = entry->next;
	*(entry->next != NULL ? &entry->next->prev : &table->last) = entry->prev;
	table->count--;
	free(entry);
}
