/* SPDX-License-Identifier: Apache-2.0 */
/* The points of one rule that are to be written now, put into the order they are written in. */
#pragma once

#include "metric/series.h"

struct due {
	int64_t start_ns;
	const struct series *series;
	const struct window *window; /* NULL: a zero */
};

struct due_list { /* all zero = empty */
	struct due *items;
	size_t n, cap;
};

void due_list_fini(struct due_list *list);
void due_list_add(struct due_list *list, struct due due);
/* By time, then in the order the series were made. */
void due_list_sort(struct due_list *list);
