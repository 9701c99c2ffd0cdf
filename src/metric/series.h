/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The series of one rule and their windows, within the caps.
 *
 *      delta's text --admit--> series: total, windows  --quiet for expire--> parked: total only
 * --comes back--> series
 *                        \---> the overflow series, when the rule or the process has no room
 *
 * A rule with every = match has no windows: its series hold the total of each group, and its tag
 * sets (what its points carry) are what the caps count. A group is alive no longer than its last
 * tag set, so groups need no cap of their own.
 */
#pragma once

#include "metric/accum.h"
#include "metric/metric_def.h"
#include "metric/series_table.h"
#include "metric/stamps.h"

struct window {
	struct window *older, *newer; /* by start; one window a start */
	struct series *series;
	int64_t start_ns;
	int64_t refresh_ns; /* when an open window is due for writing */
	uint32_t offset_ns; /* added to start_ns in its point's time */
	bool changed;       /* since it was last written */
	bool settled;       /* written or opened after its end: changes are late ones */
	bool reopened;      /* opened when the first window of this time was gone */
	struct accum accum;
};

struct series {
	struct table_entry entry;
	uint64_t ordinal; /* order of creation */
	struct window *newest, *oldest;
	int64_t total;
	int64_t created_ns, seen_ns; /* clock at first and last merge */
	int64_t last_match_ns;       /* message time */
};

struct tag_set {
	struct table_entry entry;
	int64_t seen_ns;
	struct stamps stamps;
};

struct series_room { /* shared by all rules */
	uint64_t used, max;
};

struct series_set {
	const struct metric_def *def;
	struct series_room *room;
	struct series_table series, tag_sets, parked;
	uint64_t used; /* of max_series; the overflow series does not count */
	uint64_t next_ordinal;
	int64_t overflow_total; /* parked */
};

/* Borrows def and room until fini. */
void
series_set_init(struct series_set *set, const struct metric_def *def, struct series_room *room);
void series_set_fini(struct series_set *set);

/* The series for text, or else (*overflow) the overflow series. Valid until series_set_expire(). */
struct series *
series_set_admit(struct series_set *set, struct str text, int64_t now_ns, bool *overflow);

/* every = match: the tag set for text and its group; the overflow series for both without room. */
struct tag_set *series_set_admit_match(struct series_set *set, struct str text, struct str group,
	int64_t now_ns, struct series **group_series, bool *overflow);

/* Frees what has had no match for longer than expire and holds no window; totals are parked. */
void series_set_expire(struct series_set *set, int64_t now_ns);

/* How many are alive: what the caps count, and the overflow series. */
size_t series_set_alive(const struct series_set *set);

static inline struct series *
series_first(const struct series_set *set)
{
	return (struct series *)(void *)set->series.first;
}

static inline struct series *
series_next(const struct series *series)
{
	return (struct series *)(void *)series->entry.next;
}

/* The window that starts then, or NULL. */
struct window *series_find_window(const struct series *series, int64_t start_ns);
/* A new one, zeroed; there must be none with this start. Valid until series_drop_window(). */
struct window *series_add_window(struct series *series, int64_t start_ns);
void series_drop_window(struct window *window); /* takes; frees */

/* The total as of the end of the window that starts then: without what newer windows hold. */
int64_t series_total_at(const struct series *series, int64_t start_ns);
