/* SPDX-License-Identifier: Apache-2.0 */
/* The aggregator's caps, and what expires and comes back. */
#include "unit/aggregator_fixture.h"

#include <malloc.h>

/* ---- max_series ---- */

static void
beyond_the_rules_cap(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	def.max_series = 2;
	start(&f, &def, 1, false, 100);
	match(&f, "m,a=1", 101 * S, 101 * S);
	match(&f, "m,a=2", 102 * S, 102 * S);
	match(&f, "m,a=3", 103 * S, 103 * S);
	match(&f, "m,a=4", 104 * S, 104 * S);
	match(&f, "m,a=1", 105 * S, 105 * S);
	match(&f, "m,a=_other", 106 * S, 106 * S); /* from the sender itself: not folded */
	tick(&f, 110 * S,
		"m,a=1 count=2i,total=2i 100000000007\n"
		"m,a=2 count=1i,total=1i 100000000007\n"
		"m,a=_other count=3i,total=3i 100000000007\n");
	struct rule_state now = rule_state(&f, 0);

	assert_int_equal(now.series, 3);
	assert_int_equal(now.overflow, 2);
	assert_int_equal(now.matches, 6);
	assert_int_equal(now.last_match_ns, 106 * S);
	expect_series(&f, 0, 2,
		"m,a=1 total=2 last=105000000000\n"
		"m,a=2 total=1 last=102000000000\n");
	expect_series(&f, 0, 0, "");
	stop(&f);
}

static void
beyond_the_cap_of_all(void **state)
{
	struct metric_def defs[2] = { rule_def(), rule_def() };
	struct fixture f;

	(void)state;
	defs[1].index = 1;
	defs[1].overflow_series = STR("n,a=_other");
	start(&f, defs, 2, false, 3);
	match(&f, "m,a=1", 101 * S, 101 * S);
	match(&f, "m,a=2", 101 * S, 101 * S);
	match_value(&f, 1, "n,a=1", (union metric_value){ 0 }, 101 * S, 101 * S);
	match_value(&f, 1, "n,a=2", (union metric_value){ 0 }, 101 * S, 101 * S);
	match(&f, "m,a=3", 101 * S, 101 * S);
	tick(&f, 110 * S,
		"m,a=1 count=1i,total=1i 100000000007\n"
		"m,a=2 count=1i,total=1i 100000000007\n"
		"m,a=_other count=1i,total=1i 100000000007\n"
		"n,a=1 count=1i,total=1i 100000000007\n"
		"n,a=_other count=1i,total=1i 100000000007\n");
	assert_int_equal(rule_state(&f, 0).overflow, 1);
	assert_int_equal(rule_state(&f, 1).overflow, 1);
	stop(&f);
}

/* ---- expire ---- */

static void
expired_series_give_room(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	def.max_series = 1;
	def.expire_ns = 20 * S;
	def.lateness_ns = 0;
	start(&f, &def, 1, false, 1);
	match(&f, "m,a=1", 101 * S, 101 * S);
	match(&f, "m,a=1", 102 * S, 102 * S);
	tick(&f, 110 * S, "m,a=1 count=2i,total=2i 100000000007\n");
	tick(&f, 122 * S, "m,a=1 count=0i,total=2i 110000000007\n");
	assert_int_equal(rule_state(&f, 0).series, 1); /* at 20 s still there */
	tick(&f, 122 * S + 1, "");
	assert_int_equal(rule_state(&f, 0).series, 0);
	match(&f, "m,a=2", 123 * S, 123 * S);
	tick(&f, 130 * S, "m,a=2 count=1i,total=1i 120000000007\n");
	tick(&f, 151 * S, "m,a=2 count=0i,total=1i 130000000007\n");
	assert_int_equal(rule_state(&f, 0).overflow, 0);
	/* Parked: as many as max_series, so a=1 made way for a=2. */
	match(&f, "m,a=2", 152 * S, 152 * S);
	tick(&f, 160 * S, "m,a=2 count=1i,total=2i 150000000007\n");
	tick(&f, 200 * S, "m,a=2 count=0i,total=2i 160000000007\n");
	match(&f, "m,a=1", 201 * S, 201 * S);
	tick(&f, 210 * S, "m,a=1 count=1i,total=1i 200000000007\n");
	stop(&f);
}

/* Quiet for long, but a window is kept for late matches: the series stays as long as the window. */
static void
windows_keep_their_series(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	start(&f, &def, 1, false, 100);
	match(&f, "m", 101 * S, 101 * S);
	tick(&f, 170 * S, "m count=1i,total=1i 100000000007\n");
	assert_int_equal(rule_state(&f, 0).series, 1);
	tick(&f, 170 * S + 1, "");
	assert_int_equal(rule_state(&f, 0).series, 0);
	stop(&f);
}

static void
totals_outlive_their_series(void **state)
{
	enum { SERIES = 50 };
	struct metric_def def = rule_def();
	struct fixture f;
	char text[32];

	(void)state;
	def.lateness_ns = 0;
	start(&f, &def, 1, true, 100);
	for (int round = 1; round <= 5; round++) {
		int64_t time_ns = round * 100 * S;

		for (int n = 0; n < SERIES; n++) {
			snprintf(text, sizeof(text), "m,a=%d", n);
			for (int i = 0; i <= n; i++)
				match(&f, text, time_ns, time_ns);
		}
		aggregator_tick(f.aggregator, time_ns + 50 * S);
		assert_int_equal(rule_state(&f, 0).series, 0);
	}
	buf_clear(&f.lines);
	match(&f, "m,a=49", 600 * S, 600 * S);
	match(&f, "m,a=0", 600 * S, 600 * S);
	finish(&f, 600 * S,
		"m,a=49 count=1i,total=251i 600000000000\n"
		"m,a=0 count=1i,total=6i 600000000000\n");
	stop(&f);
}

/* ---- Hostile input ---- */

static void
sum_total(void *ctx, struct str series, int64_t total, int64_t last_match_ns)
{
	(void)series;
	(void)last_match_ns;
	*(int64_t *)ctx += total;
}

static void
million_series(void **state)
{
	enum { SERIES = 1000000, CAP = 1000, EACH = 1000 };
	struct metric_def def = rule_def();
	struct fixture f;
	size_t full = 0;
	int64_t total = 0;
	char text[40];

	(void)state;
	def.max_series = CAP;
	start(&f, &def, 1, false, 1000000);
	for (int n = 0; n < SERIES; n += EACH) {
		struct delta *delta = delta_new();

		for (int i = n; i < n + EACH; i++) {
			snprintf(text, sizeof(text), "m,a=%d", i);
			delta_add(delta, &def, str_from(text), (union metric_value){ 0 }, 101 * S);
		}
		aggregator_merge(f.aggregator, delta, 101 * S);
		delta_free(&delta);
		if (n == CAP)
			full = mallinfo2().uordblks; /* 0 under a sanitizer's allocator */
	}
	/* A million series would be 100 MB; malloc's own caches are some KiB. */
	assert_in_range(mallinfo2().uordblks, 0, full + 65536);
	assert_int_equal(rule_state(&f, 0).series, CAP + 1);
	assert_int_equal(rule_state(&f, 0).overflow, SERIES - CAP);
	aggregator_each_series(f.aggregator, 0, SIZE_MAX, sum_total, &total);
	assert_int_equal(total, SERIES);
	aggregator_tick(f.aggregator, 110 * S);
	assert_int_equal(f.n_lines, CAP + 1);
	stop(&f);
}

/* One old stamp a window, again and again between two ticks: the windows do not pile up, and no
 * match is lost. */
static void
many_old_stamps(void **state)
{
	enum { MATCHES = 10000, HELD = 1024 };
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	for (int virtual_clock = 0; virtual_clock < 2; virtual_clock++) {
		start(&f, &def, 1, virtual_clock != 0, 100);
		for (int n = 0; n < MATCHES; n++)
			match(&f, "m", n * 10 * S, 1000000 * S);
		assert_int_equal(f.n_lines, MATCHES / HELD * HELD);
		aggregator_close(f.aggregator, 1000000 * S);
		assert_int_equal(f.n_lines, MATCHES);
		assert_int_equal(rule_state(&f, 0).late, MATCHES);
		stop(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beyond_the_rules_cap),
		cmocka_unit_test(beyond_the_cap_of_all),
		cmocka_unit_test(expired_series_give_room),
		cmocka_unit_test(windows_keep_their_series),
		cmocka_unit_test(totals_outlive_their_series),
		cmocka_unit_test(million_series),
		cmocka_unit_test(many_old_stamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
