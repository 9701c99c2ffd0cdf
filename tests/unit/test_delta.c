/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "metric/delta.h"
#include "metric/series_table.h"

static const struct metric_def rule0 = {
	.index = 0, .integer = true, .has_value = true, .window_ns = 10
};
static const struct metric_def rule1 = {
	.index = 1, .integer = true, .has_value = true, .window_ns = 100
};
static const struct metric_def rule16 = {
	.index = 16, .integer = true, .has_value = true, .window_ns = 10
};

static void
add(struct delta *delta, const struct metric_def *def, struct str series, int64_t value,
	int64_t time)
{
	delta_add(delta, def, series, (union metric_value){ .integer = value }, time);
}

static void
expect_window(const struct delta *delta, size_t *cursor, uint32_t rule, const char *series,
	int64_t start, int64_t count, int64_t sum)
{
	struct delta_window window;

	assert_true(delta_next_window(delta, cursor, &window));
	assert_int_equal(window.rule, rule);
	assert_int_equal(window.series.len, strlen(series));
	assert_memory_equal(window.series.ptr, series, strlen(series));
	assert_int_equal(window.start_ns, start);
	assert_int_equal(window.accum.count, count);
	assert_int_equal(window.accum.sum.integer, sum);
}

static void
expect_end(const struct delta *delta, size_t *cursor)
{
	struct delta_window window;

	assert_false(delta_next_window(delta, cursor, &window));
	assert_false(delta_next_window(delta, cursor, &window));
}

static void
windows_in_order_of_arrival(void **state)
{
	struct delta *delta = delta_new();
	size_t cursor = 0;

	(void)state;
	assert_true(delta_empty(delta));
	expect_end(delta, &cursor);
	add(delta, &rule0, STR("b"), 1, 15);
	add(delta, &rule0, STR("b"), 2, 19);  /* the same again */
	add(delta, &rule1, STR("b"), 3, 15);  /* another rule */
	add(delta, &rule0, STR("a"), 4, 12);  /* another series */
	add(delta, &rule0, STR("b"), 5, 20);  /* the next window */
	add(delta, &rule0, STR("b"), 6, 10);  /* back in the first */
	add(delta, &rule16, STR("b"), 7, 10); /* shares rule0's place for the recent one */
	add(delta, &rule0, STR("b"), 8, -1);
	add(delta, &rule0, STR(""), 9, 0);
	add(delta, &rule0, STR(""), 10, 9);
	expect_window(delta, &cursor, 0, "b", 10, 3, 9);
	expect_window(delta, &cursor, 1, "b", 0, 1, 3);
	expect_window(delta, &cursor, 0, "a", 10, 1, 4);
	expect_window(delta, &cursor, 0, "b", 20, 1, 5);
	expect_window(delta, &cursor, 16, "b", 10, 1, 7);
	expect_window(delta, &cursor, 0, "b", -10, 1, 8);
	expect_window(delta, &cursor, 0, "", 0, 2, 19);
	expect_end(delta, &cursor);
	assert_int_equal(delta_entries(delta), 7);
	assert_false(delta_empty(delta));
	delta_free(&delta);
	assert_null(delta);
	delta_free(&delta);
}

static void
many_series(void **state)
{
	enum { SERIES = 5000, ROUNDS = 3 };
	struct delta *delta = delta_new();
	size_t cursor = 0;
	char text[32];

	(void)state;
	for (int round = 0; round < ROUNDS; round++)
		for (int n = 0; n < SERIES; n++) {
			snprintf(text, sizeof(text), "m,host=%d", n);
			add(delta, &rule0, str_from(text), n, n);
		}
	assert_int_equal(delta_entries(delta), SERIES);
	for (int n = 0; n < SERIES; n++) {
		snprintf(text, sizeof(text), "m,host=%d", n);
		expect_window(delta, &cursor, 0, text, n / 10 * 10, ROUNDS, (int64_t)n * ROUNDS);
	}
	expect_end(delta, &cursor);
	delta_free(&delta);
}

static void
bytes_in_use(void **state)
{
	struct delta *delta = delta_new();
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text));
	size_t before = delta_bytes(delta);

	assert_true(before < 1000);
	add(delta, &rule0, (struct str){ text, sizeof(text) }, 1, 1);
	size_t one = delta_bytes(delta);

	assert_in_range(one, before + 1000, before + 6000);
	for (int n = 0; n < 1000; n++)
		add(delta, &rule0, (struct str){ text, sizeof(text) }, 1, 1);
	assert_int_equal(delta_bytes(delta), one); /* the same series: no more memory */
	for (int n = 0; n < 100; n++)
		delta_add_match(delta, &rule0, STR(""), (struct str){ text, sizeof(text) }, STR(""),
			(union metric_value){ 0 }, n);
	assert_in_range(delta_bytes(delta), one + 100000, one + 200000);
	delta_free(&delta);
}

static void
expect_text(struct str text, const char *expected)
{
	assert_true(str_present(text));
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.ptr, expected, strlen(expected));
}

static void
matches_in_order(void **state)
{
	struct delta *delta = delta_new();
	struct delta_match match;
	size_t cursor = 0;

	(void)state;
	assert_false(delta_next_match(delta, &cursor, &match));
	delta_add_match(delta, &rule0, STR("m"), STR("m,pid=1"), STR("a=1i"),
		(union metric_value){ .integer = 5 }, 42);
	delta_add_match(delta, &rule1, STR("n"), STR("n"), STR_ABSENT,
		(union metric_value){ .integer = 6 }, 41);
	assert_int_equal(delta_entries(delta), 2);
	assert_false(delta_empty(delta));

	assert_true(delta_next_match(delta, &cursor, &match));
	assert_int_equal(match.rule, 0);
	expect_text(match.group, "m");
	expect_text(match.series, "m,pid=1");
	expect_text(match.fields, "a=1i");
	assert_int_equal(match.value.integer, 5);
	assert_int_equal(match.time_ns, 42);

	assert_true(delta_next_match(delta, &cursor, &match));
	assert_int_equal(match.rule, 1);
	expect_text(match.group, "n");
	expect_text(match.series, "n");
	expect_text(match.fields, "");
	assert_int_equal(match.time_ns, 41);
	assert_false(delta_next_match(delta, &cursor, &match));
	delta_free(&delta);
}

struct item {
	struct table_entry entry;
	int number;
};

static void
table_finds_and_keeps_order(void **state)
{
	enum { ITEMS = 1000 };
	struct series_table table;
	char text[32];
	int expected = 1;

	(void)state;
	series_table_init(&table);
	assert_null(series_table_find(&table, STR("0")));
	for (int n = 0; n < ITEMS; n++) {
		snprintf(text, sizeof(text), "%d", n);
		((struct item *)series_table_add(&table, str_from(text), sizeof(struct item)))
			->number = n;
	}
	assert_in_range(table.n_buckets, ITEMS, 4 * ITEMS); /* grown: short chains */
	for (int n = 0; n < ITEMS; n += 2) { /* the even ones, the first among them */
		snprintf(text, sizeof(text), "%d", n);
		series_table_remove(&table, series_table_find(&table, str_from(text)));
		assert_null(series_table_find(&table, str_from(text)));
	}
	series_table_remove(&table, table.last);
	assert_int_equal(table.count, ITEMS / 2 - 1);
	for (const struct table_entry *entry = table.first; entry != NULL; entry = entry->next) {
		snprintf(text, sizeof(text), "%d", expected);
		assert_int_equal(((const struct item *)(const void *)entry)->number, expected);
		assert_ptr_equal(series_table_find(&table, str_from(text)), entry);
		expected += 2;
	}
	assert_int_equal(expected, ITEMS - 1);
	series_table_fini(&table);
	assert_int_equal(table.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_in_order_of_arrival),
		cmocka_unit_test(many_series),
		cmocka_unit_test(bytes_in_use),
		cmocka_unit_test(matches_in_order),
		cmocka_unit_test(table_finds_and_keeps_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
