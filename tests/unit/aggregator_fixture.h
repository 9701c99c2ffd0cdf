/* SPDX-License-Identifier: Apache-2.0 */
/* What the aggregator's tests share: rules, matches as they come from a worker, and the lines
 * written, as one text. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "metric/aggregator.h"

#define S NS_PER_SEC

enum { OFFSET = 7 };

static inline struct metric_field
field(enum statistic stat, const char *key)
{
	return (struct metric_field){ stat, str_from(key) };
}

/* count total in windows of 10 s, no lateness to wait for, room for 100 series. */
static struct metric_field count_total[2];

static inline struct metric_def
rule_def(void)
{
	count_total[0] = field(STAT_COUNT, "count");
	count_total[1] = field(STAT_TOTAL, "total");
	return (struct metric_def){
		.rule = STR("rule"),
		.integer = true,
		.window_ns = 10 * S,
		.lateness_ns = 60 * S,
		.expire_ns = 0,
		.max_series = 100,
		.fields = count_total,
		.n_fields = 2,
		.overflow_series = STR("m,a=_other"),
	};
}

struct fixture {
	const struct metric_def *defs[4];
	struct aggregator *aggregator;
	struct buf lines;
	uint64_t n_lines;
};

static inline void
collect(void *ctx, uint16_t target, struct str line)
{
	struct fixture *f = ctx;

	f->n_lines++;
	if (target != 0)
		buf_printf(&f->lines, "%u: ", target);
	buf_add(&f->lines, line);
	buf_add_char(&f->lines, '\n');
}

static inline void
start(struct fixture *f, const struct metric_def *defs, size_t n_defs, bool virtual_clock,
	uint32_t max_series)
{
	struct aggregator_options options = {
		.virtual_clock = virtual_clock,
		.max_series = max_series,
		.offset_ns = OFFSET,
	};

	*f = (struct fixture){ 0 };
	for (size_t i = 0; i < n_defs; i++)
		f->defs[i] = &defs[i];
	f->aggregator = aggregator_new(f->defs, n_defs, &options, collect, f);
}

static inline void
stop(struct fixture *f)
{
	aggregator_free(&f->aggregator);
	assert_null(f->aggregator);
	buf_fini(&f->lines);
}

/* One match of a rule with windows, handed over alone. */
static inline void
match_value(struct fixture *f, uint32_t rule, const char *series, union metric_value value,
	int64_t time_ns, int64_t now_ns)
{
	struct delta *delta = delta_new();

	delta_add(delta, f->defs[rule], str_from(series), value, time_ns);
	aggregator_merge(f->aggregator, delta, now_ns);
	delta_free(&delta);
}

static inline void
match(struct fixture *f, const char *series, int64_t time_ns, int64_t now_ns)
{
	match_value(f, 0, series, (union metric_value){ 0 }, time_ns, now_ns);
}

/* One match of a rule with every = match. */
static inline void
match_point(struct fixture *f, const char *group, const char *series, const char *fields,
	int64_t value, int64_t time_ns, int64_t now_ns)
{
	struct delta *delta = delta_new();

	delta_add_match(delta, f->defs[0], str_from(group), str_from(series), str_from(fields),
		(union metric_value){ .integer = value }, time_ns);
	aggregator_merge(f->aggregator, delta, now_ns);
	delta_free(&delta);
}

/* The lines written since the last look. */
static inline void
expect_lines(struct fixture *f, const char *expected)
{
	assert_string_equal(buf_cstr(&f->lines), expected);
	buf_clear(&f->lines);
	f->n_lines = 0;
}

static inline void
tick(struct fixture *f, int64_t now_ns, const char *expected)
{
	aggregator_tick(f->aggregator, now_ns);
	expect_lines(f, expected);
}

static inline void
finish(struct fixture *f, int64_t now_ns, const char *expected)
{
	aggregator_close(f->aggregator, now_ns);
	expect_lines(f, expected);
}

static inline struct rule_state
rule_state(const struct fixture *f, uint32_t rule)
{
	struct rule_state state;

	aggregator_rule_state(f->aggregator, rule, &state);
	return state;
}

static inline void
add_series_text(void *ctx, struct str series, int64_t total, int64_t last_match_ns)
{
	buf_printf(ctx, "%.*s total=%lld last=%lld\n", (int)series.len, series.ptr,
		(long long)total, (long long)last_match_ns);
}

static inline void
expect_series(const struct fixture *f, uint32_t rule, size_t limit, const char *expected)
{
	struct buf text = BUF_EMPTY;

	aggregator_each_series(f->aggregator, rule, limit, add_series_text, &text);
	assert_string_equal(buf_cstr(&text), expected);
	buf_fini(&text);
}
