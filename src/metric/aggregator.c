/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a window's point is written (live):
 *  - At the first tick at or after its end. One longer than 10 s also every 10 s before that, while
 *    it changes.
 *  - A late change (the window is over, and was written since or is new) at the next tick, but a
 *    rule's late changes at most once a second. Later windows of the series are written again too
 *    when the rule has `total`, which runs on through them.
 *  - When a window ends, series that have none then get a zero, until `expire`. After a pause
 *    (suspend) only for the last 10 windows. A late match does not raise a zero's `total`.
 *  - Over by more than lateness, a window is freed. A match that comes later still reopens it under
 *    a nanosecond offset of its own: one more point, so the sum stays exact. 1,024 of those at most
 *    wait for the next tick.
 * Virtual clock: once, when it is over by more than lateness or at close; a reopened one at close.
 *
 * State follows the latest time ever given. A clock that was set back would open windows again
 * under the offset they had, and overwrite points; so those count as late until it has caught up.
 *
 * A window's `total` is the series' as of that window's end, whenever it is written.
 */
#include "metric/aggregator.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "metric/due.h"
#include "metric/fields.h"
#include "metric/line_protocol.h"
#include "metric/series.h"
#include "metric/window.h"

#define REFRESH_NS (10 * NS_PER_SEC)
#define LATE_NS    (1 * NS_PER_SEC)

enum { MAX_ZEROS = 10, MAX_REOPENED = 1024, OFFSET_BITS = 20, MAX_INT = 21 };

struct rule {
	const struct metric_def *def;
	struct series_set set;
	struct window **changed; /* every window with its mark set, in order of the change */
	size_t n_changed, cap_changed;
	size_t n_reopened;
	bool writes_total;
	bool late_written;
	int64_t late_wall_ns; /* when late changes were last written */
	struct rule_state state;
};

struct aggregator {
	struct aggregator_options options;
	aggregator_emit_fn *emit;
	void *emit_ctx;
	struct rule *rules;
	size_t n_rules;
	struct series_room room;
	struct due_list due; /* empty between calls */
	struct buf line;
	bool started;
	int64_t now_ns;   /* latest time given */
	int64_t wall_ns;  /* last time given */
	int64_t zeros_ns; /* windows that ended until then have had their zeros */
	uint32_t reopened_offset;
};

enum which { WHICH_TICK, WHICH_LATE, WHICH_ALL };

/* ---- Life ---- */

static bool
has_stat(const struct metric_def *def, enum statistic stat)
{
	for (size_t i = 0; i < def->n_fields; i++)
		if (def->fields[i].stat == stat)
			return true;
	return false;
}

struct aggregator *
aggregator_new(const struct metric_def *const *defs, size_t n_defs,
	const struct aggregator_options *options, aggregator_emit_fn *emit, void *emit_ctx)
{
	struct aggregator *aggregator = xcalloc(1, sizeof(*aggregator));

	aggregator->options = *options;
	aggregator->emit = emit;
	aggregator->emit_ctx = emit_ctx;
	aggregator->room.max = options->max_series;
	aggregator->reopened_offset = options->offset_ns;
	aggregator->n_rules = n_defs;
	aggregator->rules = xcalloc(n_defs, sizeof(*aggregator->rules));
	for (size_t i = 0; i < n_defs; i++) {
		struct rule *rule = &aggregator->rules[i];

		assert(defs[i]->index == i);
		rule->def = defs[i];
		rule->writes_total = has_stat(defs[i], STAT_TOTAL);
		series_set_init(&rule->set, defs[i], &aggregator->room);
	}
	return aggregator;
}

void
aggregator_free(struct aggregator **aggregator)
{
	if (*aggregator == NULL)
		return;
	for (size_t i = 0; i < (*aggregator)->n_rules; i++) {
		series_set_fini(&(*aggregator)->rules[i].set);
		free((*aggregator)->rules[i].changed);
	}
	free((*aggregator)->rules);
	due_list_fini(&(*aggregator)->due);
	buf_fini(&(*aggregator)->line);
	free(*aggregator);
	*aggregator = NULL;
}

static void
set_clock(struct aggregator *aggregator, int64_t now_ns)
{
	if (!aggregator->started)
		aggregator->now_ns = aggregator->zeros_ns = now_ns;
	aggregator->started = true;
	aggregator->wall_ns = now_ns;
	if (now_ns > aggregator->now_ns)
		aggregator->now_ns = now_ns;
}

/* ---- Windows ---- */

static int64_t
end_of(const struct rule *rule, int64_t start_ns)
{
	return time_add(start_ns, rule->def->window_ns);
}

/* Over by more than lateness. */
static bool
is_gone(const struct aggregator *aggregator, const struct rule *rule, int64_t start_ns)
{
	return time_add(end_of(rule, start_ns), rule->def->lateness_ns) < aggregator->now_ns;
}

static uint32_t
next_reopened_offset(struct aggregator *aggregator)
{
	uint32_t mask = (UINT32_C(1) << OFFSET_BITS) - 1;

	aggregator->reopened_offset = (aggregator->reopened_offset + 1) & mask;
	/* All round: the offset of ordinary windows would overwrite them. */
	if (aggregator->reopened_offset == (aggregator->options.offset_ns & mask))
		aggregator->reopened_offset = (aggregator->reopened_offset + 1) & mask;
	return aggregator->reopened_offset;
}

static struct window *
open_window(
	struct aggregator *aggregator, struct rule *rule, struct series *series, int64_t start_ns)
{
	struct window *window = series_add_window(series, start_ns);

	window->settled = end_of(rule, start_ns) <= aggregator->now_ns;
	window->refresh_ns = rule->def->window_ns > REFRESH_NS
		? time_add(aggregator->now_ns, REFRESH_NS)
		: INT64_MAX;
	window->reopened = is_gone(aggregator, rule, start_ns);
	if (window->reopened)
		rule->n_reopened++;
	if (!aggregator->options.virtual_clock)
		window->offset_ns = window->reopened ? next_reopened_offset(aggregator)
						     : aggregator->options.offset_ns;
	return window;
}

static void
mark_changed(struct rule *rule, struct window *window)
{
	if (window->changed)
		return;
	window->changed = true;
	if (rule->n_changed == rule->cap_changed) {
		rule->cap_changed = rule->cap_changed == 0 ? 16 : rule->cap_changed * 2;
		rule->changed = xrealloc(
			rule->changed, rule->cap_changed * sizeof(struct window *));
	}
	rule->changed[rule->n_changed++] = window;
}

static void
free_windows(const struct aggregator *aggregator, struct rule *rule)
{
	for (struct series *series = series_first(&rule->set); series != NULL;
		series = series_next(series)) {
		struct window *newer;

		for (struct window *window = series->oldest; window != NULL; window = newer) {
			newer = window->newer;
			/* Under the virtual clock, what was written is over. */
			if (!aggregator->options.virtual_clock &&
				!is_gone(aggregator, rule, window->start_ns))
				break;
			if (window->changed)
				continue;
			if (window->reopened)
				rule->n_reopened--;
			series_drop_window(window);
		}
	}
}

/* ---- Writing ---- */

static void
emit_line(struct aggregator *aggregator, const struct rule *rule, int64_t time_ns)
{
	struct buf *line = &aggregator->line;

	buf_add_char(line, ' ');
	buf_add_int(line, time_ns);
	aggregator->emit(aggregator->emit_ctx, rule->def->target, buf_str(line));
}

static void
write_due(struct aggregator *aggregator, const struct rule *rule, const struct due *due)
{
	static const struct accum zero = { 0 };
	const struct window *window = due->window;
	struct buf *line = &aggregator->line;
	uint32_t offset_ns = window != NULL ? window->offset_ns : aggregator->options.offset_ns;

	buf_clear(line);
	buf_add(line, due->series->entry.key);
	buf_add_char(line, ' ');
	size_t fields_at = line->len;

	fields_add(line, rule->def, window != NULL ? &window->accum : &zero,
		series_total_at(due->series, due->start_ns));
	if (line->len > fields_at)
		emit_line(aggregator, rule, time_add(due->start_ns, offset_ns));
}

static void
write_all_due(struct aggregator *aggregator, const struct rule *rule)
{
	due_list_sort(&aggregator->due);
	for (size_t i = 0; i < aggregator->due.n; i++)
		write_due(aggregator, rule, &aggregator->due.items[i]);
	aggregator->due.n = 0;
}

/* By the clock as it is: the limit holds after it was set back, too. */
static bool
late_allowed(const struct aggregator *aggregator, const struct rule *rule)
{
	int64_t since_ns = time_diff(aggregator->wall_ns, rule->late_wall_ns);

	return !rule->late_written || since_ns < 0 || since_ns >= LATE_NS;
}

static bool
is_due(const struct aggregator *aggregator, const struct rule *rule, const struct window *window,
	enum which which, bool late_ok)
{
	if (which == WHICH_ALL)
		return true;
	if (aggregator->options.virtual_clock)
		return is_gone(aggregator, rule, window->start_ns) &&
			(!window->reopened || which == WHICH_LATE);
	if (window->settled)
		return late_ok;
	return aggregator->now_ns >= end_of(rule, window->start_ns) ||
		aggregator->now_ns >= window->refresh_ns;
}

/* Moves the changed windows that are due to aggregator->due. */
static void
collect_changed(struct aggregator *aggregator, struct rule *rule, enum which which)
{
	bool late_ok = which == WHICH_LATE || late_allowed(aggregator, rule);
	size_t n_kept = 0;

	for (size_t i = 0; i < rule->n_changed; i++) {
		struct window *window = rule->changed[i];

		if (!is_due(aggregator, rule, window, which, late_ok)) {
			rule->changed[n_kept++] = window;
			continue;
		}
		if (window->settled) {
			rule->late_written = true;
			rule->late_wall_ns = aggregator->wall_ns;
		}
		window->changed = false;
		window->settled = aggregator->now_ns >= end_of(rule, window->start_ns);
		if (window->refresh_ns != INT64_MAX)
			window->refresh_ns = time_add(aggregator->now_ns, REFRESH_NS);
		due_list_add(
			&aggregator->due, (struct due){ window->start_ns, window->series, window });
	}
	rule->n_changed = n_kept;
}

/* Zeros for the window that has just ended at end_ns. */
static void
collect_zeros(struct aggregator *aggregator, const struct rule *rule, int64_t end_ns)
{
	int64_t start_ns = end_ns - rule->def->window_ns;

	for (const struct series *series = series_first(&rule->set); series != NULL;
		series = series_next(series)) {
		bool alive = series->created_ns < end_ns &&
			time_diff(end_ns, series->seen_ns) <= rule->def->expire_ns;

		if (alive && series_find_window(series, start_ns) == NULL)
			due_list_add(&aggregator->due, (struct due){ start_ns, series, NULL });
	}
}

static void
collect_all_zeros(struct aggregator *aggregator, const struct rule *rule)
{
	int64_t end_ns = window_start(aggregator->now_ns, rule->def->window_ns);

	for (int n = 0; n < MAX_ZEROS && end_ns > aggregator->zeros_ns; n++) {
		collect_zeros(aggregator, rule, end_ns);
		end_ns -= rule->def->window_ns;
	}
}

/* ---- Merging ---- */

static struct rule *
rule_at(struct aggregator *aggregator, uint32_t index)
{
	assert(index < aggregator->n_rules);
	return &aggregator->rules[index];
}

static void
count_matches(
	struct rule *rule, struct series *series, int64_t count, int64_t last_ns, bool overflow)
{
	if (rule->state.matches == 0 || last_ns > rule->state.last_match_ns)
		rule->state.last_match_ns = last_ns;
	if (series->last_match_ns == 0 || last_ns > series->last_match_ns)
		series->last_match_ns = last_ns;
	rule->state.matches += (uint64_t)count;
	if (overflow)
		rule->state.overflow += (uint64_t)count;
	series->total += count;
}

static void
merge_window(struct aggregator *aggregator, const struct delta_window *from)
{
	struct rule *rule = rule_at(aggregator, from->rule);
	bool overflow;
	struct series *series = series_set_admit(
		&rule->set, from->series, aggregator->now_ns, &overflow);
	struct window *window = series_find_window(series, from->start_ns);

	if (window == NULL)
		window = open_window(aggregator, rule, series, from->start_ns);
	accum_merge(&window->accum, rule->def, &from->accum);
	count_matches(rule, series, from->accum.count, from->accum.last_ns, overflow);
	if (window->reopened)
		rule->state.late += (uint64_t)from->accum.count;
	mark_changed(rule, window);
	if (rule->writes_total)
		for (window = window->newer; window != NULL; window = window->newer)
			mark_changed(rule, window);
	if (rule->n_reopened >= MAX_REOPENED) {
		collect_changed(aggregator, rule, WHICH_LATE);
		write_all_due(aggregator, rule);
		free_windows(aggregator, rule);
	}
}

static void
merge_match(struct aggregator *aggregator, const struct delta_match *match)
{
	struct rule *rule = rule_at(aggregator, match->rule);
	struct series *group;
	bool overflow;
	struct tag_set *tags = series_set_admit_match(
		&rule->set, match->series, match->group, aggregator->now_ns, &group, &overflow);
	struct accum one = { 0 };
	struct buf *line = &aggregator->line;

	count_matches(rule, group, 1, match->time_ns, overflow);
	accum_add(&one, rule->def, match->value, match->time_ns);
	buf_clear(line);
	buf_add(line, tags->entry.key);
	buf_add_char(line, ' ');
	size_t fields_at = line->len;

	fields_add(line, rule->def, &one, group->total);
	if (line->len > fields_at && match->fields.len > 0)
		buf_add_char(line, ',');
	buf_add(line, match->fields);
	if (line->len > fields_at)
		emit_line(aggregator, rule,
			aggregator->options.virtual_clock
				? match->time_ns
				: stamps_take(&tags->stamps, match->time_ns));
}

void
aggregator_merge(struct aggregator *aggregator, const struct delta *delta, int64_t now_ns)
{
	struct delta_window window;
	struct delta_match match;
	size_t cursor = 0;

	set_clock(aggregator, now_ns);
	while (delta_next_window(delta, &cursor, &window))
		merge_window(aggregator, &window);
	cursor = 0;
	while (delta_next_match(delta, &cursor, &match))
		merge_match(aggregator, &match);
}

/* ---- Ticks ---- */

void
aggregator_tick(struct aggregator *aggregator, int64_t now_ns)
{
	set_clock(aggregator, now_ns);
	for (size_t i = 0; i < aggregator->n_rules; i++) {
		struct rule *rule = &aggregator->rules[i];

		if (!rule->def->per_match) {
			collect_changed(aggregator, rule, WHICH_TICK);
			if (!aggregator->options.virtual_clock)
				collect_all_zeros(aggregator, rule);
			write_all_due(aggregator, rule);
			free_windows(aggregator, rule);
		}
		series_set_expire(&rule->set, aggregator->now_ns);
	}
	aggregator->zeros_ns = aggregator->now_ns;
}

void
aggregator_close(struct aggregator *aggregator, int64_t now_ns)
{
	set_clock(aggregator, now_ns);
	for (size_t i = 0; i < aggregator->n_rules; i++) {
		struct rule *rule = &aggregator->rules[i];

		collect_changed(aggregator, rule, WHICH_ALL);
		write_all_due(aggregator, rule);
		free_windows(aggregator, rule);
	}
}

/* ---- Looking ---- */

void
aggregator_rule_state(const struct aggregator *aggregator, uint32_t rule, struct rule_state *state)
{
	assert(rule < aggregator->n_rules);
	*state = aggregator->rules[rule].state;
	state->series = series_set_alive(&aggregator->rules[rule].set);
}

void
aggregator_each_series(const struct aggregator *aggregator, uint32_t rule, size_t limit,
	void (*fn)(void *ctx, struct str series, int64_t total, int64_t last_match_ns), void *ctx)
{
	assert(rule < aggregator->n_rules);
	const struct series *series = series_first(&aggregator->rules[rule].set);

	for (size_t n = 0; n < limit && series != NULL; n++, series = series_next(series))
		fn(ctx, series->entry.key, series->total, series->last_match_ns);
}
