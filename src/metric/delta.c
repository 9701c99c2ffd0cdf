/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On the path of every match, so: no malloc once the arrays are warm, and a hash only when the
 * series differs from the one this rule had just before.
 *
 *      slots (open addressing) --index + 1--> entries --offset--> text (all bytes, one arena)
 *
 * The last entry of each rule is remembered (rules that share index % 16 share a place): logs
 * repeat themselves, and a compare is cheaper than hash and lookup. The hash is seeded with the
 * delta's address, which a sender cannot know.
 */
#include "metric/delta.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "metric/window.h"

enum { N_RECENT = 16, MIN_SLOTS = 64 };

struct entry {
	uint64_t hash;
	int64_t start_ns;
	size_t series_at;
	size_t series_len;
	uint32_t rule;
	struct accum accum;
};

struct match {
	size_t text_at; /* group, series, fields, one behind the other */
	size_t group_len, series_len, fields_len;
	union metric_value value;
	int64_t time_ns;
	uint32_t rule;
};

struct delta {
	struct buf text;
	struct entry *entries;
	size_t n_entries, cap_entries;
	struct match *matches;
	size_t n_matches, cap_matches;
	uint32_t *slots; /* 0 = empty; at most half of them used */
	size_t n_slots;  /* a power of two, or 0 */
	uint64_t seed;
	uint32_t recent[N_RECENT]; /* like slots */
};

struct delta *
delta_new(void)
{
	struct delta *delta = xcalloc(1, sizeof(*delta));

	delta->seed = hash_mix((uint64_t)(uintptr_t)delta);
	return delta;
}

void
delta_free(struct delta **delta)
{
	if (*delta == NULL)
		return;
	buf_fini(&(*delta)->text);
	free((*delta)->entries);
	free((*delta)->matches);
	free((*delta)->slots);
	free(*delta);
	*delta = NULL;
}

static struct str
text_at(const struct delta *delta, size_t at, size_t len)
{
	return (struct str){ delta->text.ptr != NULL ? delta->text.ptr + at : "", len };
}

static bool
entry_is(const struct delta *delta, const struct entry *entry, uint32_t rule, struct str series)
{
	return entry->rule == rule &&
		str_equal(text_at(delta, entry->series_at, entry->series_len), series);
}

static void
put_slot(struct delta *delta, uint64_t hash, uint32_t number)
{
	size_t i = hash & (delta->n_slots - 1);

	while (delta->slots[i] != 0)
		i = (i + 1) & (delta->n_slots - 1);
	delta->slots[i] = number;
}

static void
grow_slots(struct delta *delta)
{
	free(delta->slots);
	delta->n_slots = delta->n_slots == 0 ? MIN_SLOTS : delta->n_slots * 2;
	delta->slots = xcalloc(delta->n_slots, sizeof(*delta->slots));
	for (size_t i = 0; i < delta->n_entries; i++)
		put_slot(delta, delta->entries[i].hash, (uint32_t)i + 1);
}

/* Returns the new entry's number (index + 1). */
static uint32_t
add_entry(struct delta *delta, uint64_t hash, uint32_t rule, struct str series, int64_t start_ns)
{
	if ((delta->n_entries + 1) * 2 > delta->n_slots)
		grow_slots(delta);
	if (delta->n_entries == delta->cap_entries) {
		delta->cap_entries = delta->cap_entries == 0 ? 16 : delta->cap_entries * 2;
		delta->entries = xrealloc(
			delta->entries, delta->cap_entries * sizeof(*delta->entries));
	}
	assert(delta->n_entries < UINT32_MAX);
	delta->entries[delta->n_entries++] = (struct entry){
		.hash = hash,
		.start_ns = start_ns,
		.series_at = delta->text.len,
		.series_len = series.len,
		.rule = rule,
	};
	buf_add(&delta->text, series);
	put_slot(delta, hash, (uint32_t)delta->n_entries);
	return (uint32_t)delta->n_entries;
}

static uint32_t
find_or_add(struct delta *delta, uint32_t rule, struct str series, int64_t start_ns)
{
	uint64_t seed = delta->seed ^ hash_mix((uint64_t)start_ns + rule);
	uint64_t hash = hash64(series, seed);

	if (delta->n_slots == 0)
		return add_entry(delta, hash, rule, series, start_ns);
	for (size_t i = hash & (delta->n_slots - 1); delta->slots[i] != 0;
		i = (i + 1) & (delta->n_slots - 1)) {
		const struct entry *entry = &delta->entries[delta->slots[i] - 1];

		if (entry->hash == hash && entry->start_ns == start_ns &&
			entry_is(delta, entry, rule, series))
			return delta->slots[i];
	}
	return add_entry(delta, hash, rule, series, start_ns);
}

void
delta_add(struct delta *delta, const struct metric_def *def, struct str series,
	union metric_value value, int64_t time_ns)
{
	uint32_t *recent = &delta->recent[def->index % N_RECENT];
	const struct entry *entry = *recent != 0 ? &delta->entries[*recent - 1] : NULL;

	if (entry == NULL || !window_holds(entry->start_ns, def->window_ns, time_ns) ||
		!entry_is(delta, entry, def->index, series))
		*recent = find_or_add(
			delta, def->index, series, window_start(time_ns, def->window_ns));
	accum_add(&delta->entries[*recent - 1].accum, def, value, time_ns);
}

void
delta_add_match(struct delta *delta, const struct metric_def *def, struct str group,
	struct str series, struct str fields, union metric_value value, int64_t time_ns)
{
	if (delta->n_matches == delta->cap_matches) {
		delta->cap_matches = delta->cap_matches == 0 ? 16 : delta->cap_matches * 2;
		delta->matches = xrealloc(
			delta->matches, delta->cap_matches * sizeof(*delta->matches));
	}
	delta->matches[delta->n_matches++] = (struct match){
		.text_at = delta->text.len,
		.group_len = group.len,
		.series_len = series.len,
		.fields_len = fields.len,
		.value = value,
		.time_ns = time_ns,
		.rule = def->index,
	};
	buf_add(&delta->text, group);
	buf_add(&delta->text, series);
	buf_add(&delta->text, fields);
}

bool
delta_empty(const struct delta *delta)
{
	return delta->n_entries == 0 && delta->n_matches == 0;
}

size_t
delta_bytes(const struct delta *delta)
{
	return sizeof(*delta) + delta->text.cap + delta->cap_entries * sizeof(*delta->entries) +
		delta->cap_matches * sizeof(*delta->matches) +
		delta->n_slots * sizeof(*delta->slots);
}

size_t
delta_entries(const struct delta *delta)
{
	return delta->n_entries + delta->n_matches;
}

bool
delta_next_window(const struct delta *delta, size_t *cursor, struct delta_window *window)
{
	if (*cursor >= delta->n_entries)
		return false;
	const struct entry *entry = &delta->entries[(*cursor)++];

	*window = (struct delta_window){
		.rule = entry->rule,
		.series = text_at(delta, entry->series_at, entry->series_len),
		.start_ns = entry->start_ns,
		.accum = entry->accum,
	};
	return true;
}

bool
delta_next_match(const struct delta *delta, size_t *cursor, struct delta_match *out)
{
	if (*cursor >= delta->n_matches)
		return false;
	const struct match *match = &delta->matches[(*cursor)++];
	size_t series_at = match->text_at + match->group_len;

	*out = (struct delta_match){
		.rule = match->rule,
		.group = text_at(delta, match->text_at, match->group_len),
		.series = text_at(delta, series_at, match->series_len),
		.fields = text_at(delta, series_at + match->series_len, match->fields_len),
		.value = match->value,
		.time_ns = match->time_ns,
	};
	return true;
}
