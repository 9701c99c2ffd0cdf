/* SPDX-License-Identifier: Apache-2.0 */
#include "metric/series.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "metric/window.h"

struct parked {
	struct table_entry entry;
	int64_t total;
};

void
series_set_init(struct series_set *set, const struct metric_def *def, struct series_room *room)
{
	*set = (struct series_set){ .def = def, .room = room };
	series_table_init(&set->series);
	series_table_init(&set->tag_sets);
	series_table_init(&set->parked);
}

void
series_set_fini(struct series_set *set)
{
	for (struct series *series = series_first(set); series != NULL;
		series = series_next(series))
		for (struct window *window = series->oldest, *newer; window != NULL;
			window = newer) {
			newer = window->newer;
			series_drop_window(window);
		}
	series_table_fini(&set->series);
	series_table_fini(&set->tag_sets);
	series_table_fini(&set->parked);
}

static bool
is_overflow(const struct series_set *set, struct str text)
{
	return str_equal(text, set->def->overflow_series);
}

static bool
has_room(const struct series_set *set, struct str text)
{
	return is_overflow(set, text) ||
		(set->used < set->def->max_series && set->room->used < set->room->max);
}

static void
take_room(struct series_set *set, struct str text)
{
	if (is_overflow(set, text))
		return;
	set->used++;
	set->room->used++;
}

static void
give_room(struct series_set *set, struct str text)
{
	if (is_overflow(set, text))
		return;
	assert(set->used > 0 && set->room->used > 0);
	set->used--;
	set->room->used--;
}

/*
 * Totals outlive their series, as many as there may be series; the one parked first goes first.
 * The overflow series always has room.
 */
static void
park(struct series_set *set, const struct series *series)
{
	if (is_overflow(set, series->entry.key)) {
		set->overflow_total = series->total;
		return;
	}
	struct parked *parked = series_table_add(
		&set->parked, series->entry.key, sizeof(struct parked));

	parked->total = series->total;
	if (set->parked.count > set->def->max_series)
		series_table_remove(&set->parked, set->parked.first);
}

static int64_t
unpark(struct series_set *set, struct str text)
{
	if (is_overflow(set, text))
		return set->overflow_total;
	struct parked *parked = (void *)series_table_find(&set->parked, text);
	int64_t total = parked != NULL ? parked->total : 0;

	if (parked != NULL)
		series_table_remove(&set->parked, &parked->entry);
	return total;
}

static struct series *
add_series(struct series_set *set, struct str text, int64_t now_ns)
{
	struct series *series = series_table_add(&set->series, text, sizeof(struct series));

	series->ordinal = set->next_ordinal++;
	series->total = unpark(set, text);
	series->created_ns = now_ns;
	return series;
}

struct series *
series_set_admit(struct series_set *set, struct str text, int64_t now_ns, bool *overflow)
{
	struct series *series = (void *)series_table_find(&set->series, text);

	*overflow = series == NULL && !has_room(set, text);
	if (*overflow) {
		text = set->def->overflow_series;
		series = (void *)series_table_find(&set->series, text);
	}
	if (series == NULL) {
		take_room(set, text);
		series = add_series(set, text, now_ns);
	}
	series->seen_ns = now_ns;
	return series;
}

struct tag_set *
series_set_admit_match(struct series_set *set, struct str text, struct str group, int64_t now_ns,
	struct series **group_series, bool *overflow)
{
	struct tag_set *tags = (void *)series_table_find(&set->tag_sets, text);

	*overflow = tags == NULL && !has_room(set, text);
	if (*overflow) {
		text = group = set->def->overflow_series;
		tags = (void *)series_table_find(&set->tag_sets, text);
	}
	if (tags == NULL) {
		take_room(set, text);
		tags = series_table_add(&set->tag_sets, text, sizeof(*tags));
	}
	tags->seen_ns = now_ns;
	*group_series = (void *)series_table_find(&set->series, group);
	if (*group_series == NULL)
		*group_series = add_series(set, group, now_ns);
	(*group_series)->seen_ns = now_ns;
	return tags;
}

static bool
is_expired(const struct series_set *set, int64_t seen_ns, int64_t now_ns)
{
	return time_diff(now_ns, seen_ns) > set->def->expire_ns;
}

void
series_set_expire(struct series_set *set, int64_t now_ns)
{
	struct table_entry *next;

	for (struct table_entry *entry = set->series.first; entry != NULL; entry = next) {
		const struct series *series = (const void *)entry;

		next = entry->next;
		if (series->newest != NULL || !is_expired(set, series->seen_ns, now_ns))
			continue;
		park(set, series);
		if (!set->def->per_match)
			give_room(set, entry->key);
		series_table_remove(&set->series, entry);
	}
	for (struct table_entry *entry = set->tag_sets.first; entry != NULL; entry = next) {
		next = entry->next;
		if (!is_expired(
			    set, ((const struct tag_set *)(const void *)entry)->seen_ns, now_ns))
			continue;
		give_room(set, entry->key);
		series_table_remove(&set->tag_sets, entry);
	}
}

size_t
series_set_alive(const struct series_set *set)
{
	return set->def->per_match ? set->tag_sets.count : set->series.count;
}

/* From the newest: nearly every match belongs there. */
struct window *
series_find_window(const struct series *series, int64_t start_ns)
{
	struct window *window = series->newest;

	while (window != NULL && window->start_ns > start_ns)
		window = window->older;
	return window != NULL && window->start_ns == start_ns ? window : NULL;
}

struct window *
series_add_window(struct series *series, int64_t start_ns)
{
	struct window *window = xcalloc(1, sizeof(*window));
	struct window *newer = NULL, *older = series->newest;

	while (older != NULL && older->start_ns > start_ns) {
		newer = older;
		older = older->older;
	}
	assert(older == NULL || older->start_ns != start_ns);
	window->series = series;
	window->start_ns = start_ns;
	window->older = older;
	window->newer = newer;
	*(older != NULL ? &older->newer : &series->oldest) = window;
	*(newer != NULL ? &newer->older : &series->newest) = window;
	return window;
}

void
series_drop_window(struct window *window)
{
	struct series *series = window->series;

	*(window->older != NULL ? &window->older->newer : &series->oldest) = window->newer;
	*(window->newer != NULL ? &window->newer->older : &series->newest) = window->older;
	free(window);
}

int64_t
series_total_at(const struct series *series, int64_t start_ns)
{
	int64_t total = series->total;

	for (const struct window *window = series->newest;
		window != NULL && window->start_ns > start_ns; window = window->older)
		total -= window->accum.count;
	return total;
}
