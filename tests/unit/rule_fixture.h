/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from text, messages from text, and what they add to a delta as text. */
#pragma once

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "match/ruleset.h"
#include "parser/log_parse.h"

/* 2026-11-20T10:00:00Z */
#define RULE_T0 INT64_C(1795168800000000000)

static char rule_output_main[] = "main", rule_output_old[] = "old";
static struct output_settings rule_outputs[] = { { .name = rule_output_main },
	{ .name = rule_output_old } };

/* NULL when there were errors; they are then in err. */
static inline struct ruleset *
rules_from_text(const char *text, struct err *err)
{
	struct settings settings = {
		.metrics = { .every_ns = 10000000000,
			.lateness_ns = 300000000000,
			.expire_ns = 3600000000000,
			.max_series = 10000 },
		.outputs = rule_outputs,
		.n_outputs = 2,
	};
	struct ruleset *ruleset = NULL;

	if (ini_read_text(&settings.rules, "r.ini", str_from(text), err))
		ruleset = ruleset_new(&settings, err);
	ini_fini(&settings.rules);
	return ruleset;
}

static inline struct ruleset *
good_rules(const char *text)
{
	struct err err = ERR_NONE;
	struct ruleset *ruleset = rules_from_text(text, &err);

	if (ruleset == NULL)
		fail_msg("%s", buf_cstr(&err.text));
	assert_int_equal(err.count, 0);
	err_fini(&err);
	return ruleset;
}

static inline struct rule_input
rule_message(struct log_record *record, struct str line)
{
	const struct log_parse_options options = { LOG_PARSE_AUTO, true, RULE_T0 };

	log_parse(line, &options, record);
	return (struct rule_input){
		.record = record,
		.source = STR("10.0.0.9"),
		.time_ns = record->has_time ? record->time_ns : RULE_T0,
		.received_ns = RULE_T0 + 60000000000,
	};
}

static inline void
add_value(struct buf *out, const struct metric_def *def, union metric_value value)
{
	if (!def->has_value)
		buf_add_char(out, '-');
	else if (def->integer)
		buf_printf(out, "%" PRId64 "i", value.integer);
	else
		buf_printf(out, "%.17g", value.number);
}

/*
 * One line each: `SERIES @START-T0 in s xCOUNT sum=V`, and for every = match `SERIES | GROUP |
 * FIELDS | V @TIME-T0`.
 */
static inline void
delta_to_text(const struct delta *delta, const struct ruleset *ruleset, struct buf *out)
{
	struct delta_window window;
	struct delta_match match;

	for (size_t cursor = 0; delta_next_window(delta, &cursor, &window);) {
		buf_add(out, window.series);
		buf_printf(out,
			" @%" PRId64 " x%" PRId64 " sum=", (window.start_ns - RULE_T0) / 1000000000,
			window.accum.count);
		add_value(out, ruleset_defs(ruleset)[window.rule], window.accum.sum);
		buf_add_char(out, '\n');
	}
	for (size_t cursor = 0; delta_next_match(delta, &cursor, &match);) {
		buf_printf(out, "%.*s | %.*s | %.*s | ", (int)match.series.len, match.series.ptr,
			(int)match.group.len, match.group.ptr, (int)match.fields.len,
			match.fields.ptr);
		add_value(out, ruleset_defs(ruleset)[match.rule], match.value);
		buf_printf(out, " @%" PRId64 "\n", (match.time_ns - RULE_T0) / 1000000000);
	}
}

/* Runs all rules on each line of `lines` (LF between them). */
static inline void
run_lines(struct matcher *matcher, const char *lines, struct delta *delta)
{
	struct log_record *record = malloc(sizeof(*record));

	assert_non_null(record);
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");
		struct rule_input input = rule_message(record, (struct str){ lines, len });

		matcher_run(matcher, &input, delta);
		lines += len + (lines[len] == '\n');
	}
	free(record);
}

static inline void
assert_counts(const char *rules, const char *lines, const char *expected)
{
	struct ruleset *ruleset = good_rules(rules);
	struct matcher *matcher = matcher_new(ruleset);
	struct delta *delta = delta_new();
	struct buf text = BUF_EMPTY;

	run_lines(matcher, lines, delta);
	delta_to_text(delta, ruleset, &text);
	assert_string_equal(buf_cstr(&text), expected);
	buf_fini(&text);
	delta_free(&delta);
	matcher_free(&matcher);
	ruleset_unref(&ruleset);
}
