/* SPDX-License-Identifier: Apache-2.0 */
#include "sink_table.h"

#include <stdlib.h>

#include "util.h"

static struct table_slot *
find(struct table_slot *slots, size_t capacity, uint64_t key)
{
	size_t i = key & (capacity - 1);

	while (slots[i].key != 0 && slots[i].key != key)
		i = (i + 1) & (capacity - 1);
	return &slots[i];
}

static void
grow(struct table *table)
{
	size_t capacity = table->capacity > 0 ? table->capacity * 2 : 4096;
	struct table_slot *slots = must_calloc(capacity, sizeof(*slots));

	for (size_t i = 0; i < table->capacity; i++)
		if (table->slots[i].key != 0)
			*find(slots, capacity, table->slots[i].key) = table->slots[i];
	free(table->slots);
	table->slots = slots;
	table->capacity = capacity;
}

int64_t *
table_at(struct table *table, uint64_t key, int64_t initial)
{
	if (key == 0)
		key = 1;
	if (table->used * 3 >= table->capacity * 2)
		grow(table);
	struct table_slot *slot = find(table->slots, table->capacity, key);
	if (slot->key == 0) {
		*slot = (struct table_slot){ key, initial };
		table->used++;
	}
	return &slot->value;
}

void
table_fini(struct table *table)
{
	free(table->slots);
	*table = (struct table){ 0 };
}
