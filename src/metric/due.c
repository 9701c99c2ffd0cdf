/* SPDX-License-Identifier: Apache-2.0 */
#include "metric/due.h"

#include <stdlib.h>

#include "base/alloc.h"

void
due_list_fini(struct due_list *list)
{
	free(list->items);
	*list = (struct due_list){ 0 };
}

void
due_list_add(struct due_list *list, struct due due)
{
	if (list->n == list->cap) {
		list->cap = list->cap == 0 ? 16 : list->cap * 2;
		list->items = xrealloc(list->items, list->cap * sizeof(*list->items));
	}
	list->items[list->n++] = due;
}

static int
compare(const void *left, const void *right)
{
	const struct due *a = left, *b = right;

	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return a->series->ordinal < b->series->ordinal ? -1 : 1;
}

void
due_list_sort(struct due_list *list)
{
	if (list->n > 1)
		qsort(list->items, list->n, sizeof(*list->items), compare);
}
