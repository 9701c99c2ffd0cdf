/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metric/accum.h"
#include "metric/stamps.h"
#include "metric/window.h"

static const struct metric_def ints = { .integer = true, .has_value = true };
static const struct metric_def floats = { .integer = false, .has_value = true };
static const struct metric_def no_value = { .integer = true };

static union metric_value
i(int64_t value)
{
	return (union metric_value){ .integer = value };
}

static union metric_value
d(double value)
{
	return (union metric_value){ .number = value };
}

static void
statistics_of_integers(void **state)
{
	struct accum a = { 0 };

	(void)state;
	accum_add(&a, &ints, i(5), 200);
	accum_add(&a, &ints, i(-3), 100); /* out of order: the first by message time */
	accum_add(&a, &ints, i(9), 150);
	assert_int_equal(a.count, 3);
	assert_int_equal(a.sum.integer, 11);
	assert_int_equal(a.min.integer, -3);
	assert_int_equal(a.max.integer, 9);
	assert_int_equal(a.first.integer, -3);
	assert_int_equal(a.last.integer, 5);
	assert_int_equal(a.first_ns, 100);
	assert_int_equal(a.last_ns, 200);
}

static void
statistics_of_floats(void **state)
{
	struct accum a = { 0 };

	(void)state;
	accum_add(&a, &floats, d(-0.5), 2);
	accum_add(&a, &floats, d(-2.25), 1);
	assert_true(a.sum.number == -2.75);
	assert_true(a.min.number == -2.25);
	assert_true(a.max.number == -0.5);
	assert_true(a.first.number == -2.25);
	assert_true(a.last.number == -0.5);
}

static void
equal_times(void **state)
{
	struct accum a = { 0 }, b = { 0 };

	(void)state;
	accum_add(&a, &ints, i(1), 7);
	accum_add(&b, &ints, i(2), 7);
	accum_merge(&a, &ints, &b);
	assert_int_equal(a.first.integer, 1);
	assert_int_equal(a.last.integer, 2);
}

static void
sums_stop_at_the_ends(void **state)
{
	struct accum a = { 0 }, b = { 0 }, c = { 0 }, e = { 0 };

	(void)state;
	accum_add(&a, &ints, i(INT64_MAX), 1);
	accum_add(&a, &ints, i(1), 2);
	assert_int_equal(a.sum.integer, INT64_MAX);
	accum_add(&b, &ints, i(INT64_MIN), 1);
	accum_add(&b, &ints, i(-1), 2);
	assert_int_equal(b.sum.integer, INT64_MIN);
	accum_add(&c, &floats, d(DBL_MAX), 1);
	accum_add(&c, &floats, d(DBL_MAX), 2);
	assert_true(c.sum.number == DBL_MAX);
	accum_add(&e, &floats, d(-DBL_MAX), 1);
	accum_add(&e, &floats, d(-DBL_MAX), 2);
	assert_true(e.sum.number == -DBL_MAX);
}

static void
merging_nothing(void **state)
{
	struct accum a = { 0 }, empty = { 0 };

	(void)state;
	accum_add(&a, &ints, i(4), -10);
	accum_merge(&a, &ints, &empty);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.min.integer, 4);
	assert_int_equal(a.last_ns, -10); /* not the empty one's 0 */
	accum_merge(&empty, &ints, &a);
	assert_memory_equal(&a, &empty, sizeof(a));
}

static void
without_a_value(void **state)
{
	struct accum a = { 0 };

	(void)state;
	accum_add(&a, &no_value, i(0), 3);
	accum_add(&a, &no_value, i(0), 9);
	assert_int_equal(a.count, 2);
	assert_int_equal(a.first_ns, 3);
	assert_int_equal(a.last_ns, 9);
}

static void
window_starts(void **state)
{
	static const struct {
		int64_t time, length, start;
	} cases[] = {
		{ 0, 10, 0 },
		{ 9, 10, 0 },
		{ 10, 10, 10 },
		{ -1, 10, -10 },
		{ -10, 10, -10 },
		{ -11, 10, -20 },
		{ INT64_MAX, 10, INT64_MAX - 7 },
		{ INT64_MIN, 10, INT64_MIN }, /* there is no earlier one */
		{ INT64_MIN + 7, 10, INT64_MIN },
		{ INT64_MIN + 8, 10, INT64_MIN + 8 },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		int64_t start = window_start(cases[n].time, cases[n].length);

		assert_int_equal(start, cases[n].start);
		assert_true(window_holds(start, cases[n].length, cases[n].time));
	}
	assert_false(window_holds(-10, 10, 0));
	assert_false(window_holds(-10, 10, -11));
	assert_false(window_holds(INT64_MIN, 10, INT64_MAX));
}

static void
times_stop_at_the_ends(void **state)
{
	(void)state;
	assert_int_equal(time_add(5, 3), 8);
	assert_int_equal(time_add(INT64_MAX - 1, 3), INT64_MAX);
	assert_int_equal(time_diff(5, 8), -3);
	assert_int_equal(time_diff(INT64_MAX, -1), INT64_MAX);
	assert_int_equal(time_diff(INT64_MIN, 1), INT64_MIN);
}

static void
stamps_are_taken_once(void **state)
{
	static const struct {
		int64_t asked, given;
	} cases[] = {
		{ 100, 100 }, { 100, 101 }, { 103, 103 }, { 100, 102 }, { 100, 104 }, { 101, 105 },
		{ 99, 99 }, { 99, 106 }, { -5, -5 }, { -5, -4 }, { INT64_MAX, INT64_MAX },
		{ INT64_MAX, INT64_MAX }, /* nowhere to go */
	};
	struct stamps stamps = { 0 };

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		assert_int_equal(stamps_take(&stamps, cases[n].asked), cases[n].given);
}

/* A sender that stamps in seconds, and others in between: the second in use is not forgotten. */
static void
stamps_remember_what_is_in_use(void **state)
{
	struct stamps stamps = { 0 };

	(void)state;
	for (int64_t n = 0; n < 100000; n++) {
		assert_int_equal(stamps_take(&stamps, 1000000000), 1000000000 + n);
		assert_int_equal(stamps_take(&stamps, 5000000000 + n * 10), 5000000000 + n * 10);
	}
	assert_int_equal(stamps.n, STAMPS_MAX);
}

static void
stamps_forget_the_longest_unused(void **state)
{
	struct stamps stamps = { 0 };

	(void)state;
	for (int64_t n = 0; n < STAMPS_MAX; n++)
		stamps_take(&stamps, n * 10);
	assert_int_equal(stamps_take(&stamps, 0), 1); /* used again: 10 is the oldest now */
	assert_int_equal(stamps_take(&stamps, 9990), 9990);
	assert_int_equal(stamps_take(&stamps, 0), 2);
	assert_int_equal(stamps_take(&stamps, 20), 21);
	assert_int_equal(stamps_take(&stamps, 10), 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statistics_of_integers),
		cmocka_unit_test(statistics_of_floats),
		cmocka_unit_test(equal_times),
		cmocka_unit_test(sums_stop_at_the_ends),
		cmocka_unit_test(merging_nothing),
		cmocka_unit_test(without_a_value),
		cmocka_unit_test(window_starts),
		cmocka_unit_test(times_stop_at_the_ends),
		cmocka_unit_test(stamps_are_taken_once),
		cmocka_unit_test(stamps_remember_what_is_in_use),
		cmocka_unit_test(stamps_forget_the_longest_unused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
