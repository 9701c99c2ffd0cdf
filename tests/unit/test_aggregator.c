/* SPDX-License-Identifier: Apache-2.0 */
/* Which point the aggregator writes when: rules with windows, live and under the virtual clock. */
#include "unit/aggregator_fixture.h"

/* ---- Live: windows ---- */

static void
written_at_the_end_of_the_window(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	start(&f, &def, 1, false, 100);
	match(&f, "m,a=x", 101 * S, 101 * S);
	tick(&f, 101 * S + S / 2, "");
	match(&f, "m,a=x", 109 * S, 109 * S);
	tick(&f, 110 * S - 1, "");
	tick(&f, 110 * S, "m,a=x count=2i,total=2i 100000000007\n");
	tick(&f, 110 * S + S / 2, "");
	match(&f, "m,a=x", 110 * S, 111 * S);
	tick(&f, 120 * S + 1, "m,a=x count=1i,total=3i 110000000007\n");
	stop(&f);
}

static void
all_statistics(void **state)
{
	struct metric_field fields[] = { field(STAT_COUNT, "n"), field(STAT_TOTAL, "total"),
		field(STAT_SUM, "sum"), field(STAT_MIN, "min"), field(STAT_MAX, "max"),
		field(STAT_MEAN, "mean"), field(STAT_LAST, "last"), field(STAT_FIRST, "first") };
	struct metric_def defs[2] = { rule_def(), rule_def() };
	struct fixture f;

	(void)state;
	for (int i = 0; i < 2; i++) {
		defs[i].index = (uint32_t)i;
		defs[i].has_value = true;
		defs[i].fields = fields;
		defs[i].n_fields = sizeof(fields) / sizeof(fields[0]);
		defs[i].expire_ns = 10 * S;
	}
	defs[1].integer = false;
	defs[1].target = 3;
	start(&f, defs, 2, false, 100);
	match_value(&f, 1, "g", (union metric_value){ .number = 0.5 }, 102 * S, 102 * S);
	match_value(&f, 1, "g", (union metric_value){ .number = -1.25 }, 101 * S, 102 * S);
	match_value(&f, 0, "m", (union metric_value){ .integer = 4 }, 102 * S, 102 * S);
	match_value(&f, 0, "m", (union metric_value){ .integer = -7 }, 101 * S, 102 * S);
	match_value(&f, 0, "m", (union metric_value){ .integer = 5 }, 101 * S + 1, 102 * S);
	tick(&f, 110 * S,
		"m n=3i,total=3i,sum=2i,min=-7i,max=5i,mean=0.6666666666666666,last=4i,first=-7i "
		"100000000007\n"
		"3: g n=2i,total=2i,sum=-0.75,min=-1.25,max=0.5,mean=-0.375,last=0.5,first=-1.25 "
		"100000000007\n");
	/* Quiet: only what is a number without a match. */
	tick(&f, 120 * S, "");
	stop(&f);
}

static void
long_windows_are_refreshed(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	def.window_ns = 60 * S;
	start(&f, &def, 1, false, 100);
	match(&f, "m", 121 * S, 121 * S);
	tick(&f, 131 * S - 1, "");
	tick(&f, 131 * S, "m count=1i,total=1i 120000000007\n");
	tick(&f, 142 * S, ""); /* did not change */
	match(&f, "m", 142 * S, 142 * S);
	tick(&f, 142 * S + 1, "m count=2i,total=2i 120000000007\n");
	match(&f, "m", 143 * S, 143 * S);
	tick(&f, 152 * S, "");
	tick(&f, 152 * S + 1, "m count=3i,total=3i 120000000007\n");
	match(&f, "m", 179 * S, 179 * S);
	tick(&f, 180 * S, "m count=4i,total=4i 120000000007\n"); /* its end */
	stop(&f);
}

static void
windows_before_1970(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	start(&f, &def, 1, false, 100);
	match(&f, "m", -1, -1);
	match(&f, "m", -10 * S, -1);
	match(&f, "m", -10 * S - 1, -1);
	tick(&f, 0, "m count=1i,total=1i -19999999993\nm count=2i,total=3i -9999999993\n");
	stop(&f);
}

static void
order_of_lines(void **state)
{
	struct metric_def defs[2] = { rule_def(), rule_def() };
	struct fixture f;

	(void)state;
	defs[1].index = 1;
	defs[1].target = 2;
	start(&f, defs, 2, false, 100);
	match_value(&f, 1, "z", (union metric_value){ 0 }, 95 * S, 95 * S);
	match(&f, "m,a=2", 105 * S, 95 * S);
	match(&f, "m,a=1", 105 * S, 95 * S);
	match(&f, "m,a=1", 95 * S, 95 * S);
	match(&f, "m,a=2", 95 * S, 95 * S);
	tick(&f, 110 * S,
		"m,a=2 count=1i,total=1i 90000000007\n"
		"m,a=1 count=1i,total=1i 90000000007\n"
		"m,a=2 count=1i,total=2i 100000000007\n"
		"m,a=1 count=1i,total=2i 100000000007\n"
		"2: z count=1i,total=1i 90000000007\n");
	stop(&f);
}

/* ---- Live: late matches ---- */

static void
late_changes_once_a_second(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	start(&f, &def, 1, false, 100);
	match(&f, "m", 101 * S, 101 * S);
	tick(&f, 110 * S, "m count=1i,total=1i 100000000007\n");
	match(&f, "m", 102 * S, 111 * S);
	tick(&f, 111 * S + S / 2, "m count=2i,total=2i 100000000007\n");
	match(&f, "m", 103 * S, 111 * S + S / 2);
	match(&f, "m", 93 * S, 111 * S + S / 2); /* over already when it opens: late too */
	tick(&f, 112 * S, "");
	match(&f, "m", 104 * S, 112 * S);
	tick(&f, 112 * S + S / 2,
		"m count=1i,total=1i 90000000007\nm count=4i,total=5i 100000000007\n");
	tick(&f, 115 * S, "");
	assert_int_equal(rule_state(&f, 0).late, 0); /* within lateness */
	stop(&f);
}

static void
late_match_raises_later_totals(void **state)
{
	struct metric_field only_count[] = { field(STAT_COUNT, "count") };
	struct metric_def defs[2] = { rule_def(), rule_def() };
	struct fixture f;

	(void)state;
	defs[1].index = 1;
	defs[1].fields = only_count;
	defs[1].n_fields = 1;
	start(&f, defs, 2, false, 100);
	for (uint32_t rule = 0; rule < 2; rule++) {
		match_value(&f, rule, "m", (union metric_value){ 0 }, 101 * S, 101 * S);
		match_value(&f, rule, "m", (union metric_value){ 0 }, 111 * S, 111 * S);
	}
	tick(&f, 120 * S,
		"m count=1i,total=1i 100000000007\nm count=1i,total=2i 110000000007\n"
		"m count=1i 100000000007\nm count=1i 110000000007\n");
	match_value(&f, 0, "m", (union metric_value){ 0 }, 101 * S, 121 * S);
	match_value(&f, 1, "m", (union metric_value){ 0 }, 101 * S, 121 * S);
	tick(&f, 122 * S,
		"m count=2i,total=2i 100000000007\nm count=1i,total=3i 110000000007\n"
		"m count=2i 100000000007\n");
	stop(&f);
}

static void
beyond_lateness_reopened(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	def.lateness_ns = 30 * S;
	start(&f, &def, 1, false, 100);
	match(&f, "m", 101 * S, 101 * S);
	tick(&f, 110 * S, "m count=1i,total=1i 100000000007\n");
	tick(&f, 140 * S, ""); /* 110 + 30: kept at the very end of lateness */
	match(&f, "m", 102 * S, 140 * S);
	tick(&f, 140 * S, "m count=2i,total=2i 100000000007\n");
	tick(&f, 140 * S + 1, ""); /* gone */
	match(&f, "m", 103 * S, 140 * S + 1);
	match(&f, "m", 104 * S, 140 * S + 1);
	tick(&f, 142 * S, "m count=2i,total=4i 100000000008\n");
	match(&f, "m", 105 * S, 143 * S);
	match(&f, "m,a=1", 91 * S, 143 * S); /* a new series is as late */
	tick(&f, 144 * S,
		"m,a=1 count=1i,total=1i 90000000010\nm count=1i,total=5i 100000000009\n");
	tick(&f, 150 * S, "");
	assert_int_equal(rule_state(&f, 0).late, 4);
	assert_int_equal(rule_state(&f, 0).matches, 6);
	stop(&f);
}

/* The sum over all points of a window is the number of its matches, although the clock was set back
 * by an hour. */
static void
clock_set_back(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	def.lateness_ns = 0;
	def.expire_ns = 3600 * S;
	start(&f, &def, 1, false, 100);
	match(&f, "m", 3701 * S, 3701 * S);
	tick(&f, 3710 * S, "m count=1i,total=1i 3700000000007\n");
	tick(&f, 3711 * S, "");
	match(&f, "m", 3701 * S, 3711 * S);
	tick(&f, 3711 * S, "m count=1i,total=2i 3700000000008\n");
	match(&f, "m", 3702 * S, 102 * S);
	tick(&f, 102 * S, "m count=1i,total=3i 3700000000009\n");
	match(&f, "m", 3703 * S, 102 * S);
	tick(&f, 102 * S + S / 2, ""); /* once a second all the same */
	tick(&f, 103 * S, "m count=1i,total=4i 3700000000010\n");
	tick(&f, 200 * S, "");
	/* No zeros for times that had theirs; on from where it was. */
	tick(&f, 3720 * S, "m count=0i,total=4i 3710000000007\n");
	stop(&f);
}

static void
offsets_go_round(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	def.lateness_ns = 0;
	def.window_ns = 3000000 * S; /* ends at 0, and the next one after the test */
	start(&f, &def, 1, false, 100);
	/* 2^20 offsets, less the ordinary one: the last before it, then the first after it again.
	 */
	for (int64_t n = 1; n < (1 << 20); n++) {
		match(&f, "m", -1, 2 * n * S);
		buf_clear(&f.lines);
		aggregator_tick(f.aggregator, 2 * n * S);
	}
	expect_lines(&f, "m count=1i,total=1048575i -2999999999999994\n");
	match(&f, "m", -1, 2900000 * S);
	tick(&f, 2900000 * S, "m count=1i,total=1048576i -2999999999999992\n");
	stop(&f);
}

/* ---- Live: zeros ---- */

static void
zeros_until_expire(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	def.expire_ns = 25 * S;
	start(&f, &def, 1, false, 100);
	match(&f, "m", 101 * S, 106 * S);
	tick(&f, 110 * S, "m count=1i,total=1i 100000000007\n");
	tick(&f, 119 * S, "");
	tick(&f, 120 * S, "m count=0i,total=1i 110000000007\n");
	tick(&f, 120 * S + S / 2, "");
	tick(&f, 130 * S, "m count=0i,total=1i 120000000007\n");
	tick(&f, 140 * S, ""); /* 34 s since the match */
	match(&f, "m", 141 * S, 141 * S);
	tick(&f, 150 * S, "m count=1i,total=2i 140000000007\n");
	stop(&f);
}

static void
late_match_overwrites_the_zero(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	def.expire_ns = 100 * S;
	start(&f, &def, 1, false, 100);
	match(&f, "m", 101 * S, 101 * S);
	tick(&f, 110 * S, "m count=1i,total=1i 100000000007\n");
	tick(&f, 120 * S, "m count=0i,total=1i 110000000007\n");
	match(&f, "m", 119 * S, 121 * S);
	tick(&f, 121 * S, "m count=1i,total=2i 110000000007\n");
	stop(&f);
}

static void
zeros_after_a_pause(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	def.expire_ns = 1000 * S;
	start(&f, &def, 1, false, 100);
	match(&f, "m", 101 * S, 101 * S);
	tick(&f, 110 * S, "m count=1i,total=1i 100000000007\n");
	match(&f, "n", 505 * S, 505 * S); /* new: nothing before its own time */
	aggregator_tick(f.aggregator, 512 * S);
	assert_int_equal(f.n_lines, 11);
	expect_lines(&f,
		"m count=0i,total=1i 410000000007\n"
		"m count=0i,total=1i 420000000007\n"
		"m count=0i,total=1i 430000000007\n"
		"m count=0i,total=1i 440000000007\n"
		"m count=0i,total=1i 450000000007\n"
		"m count=0i,total=1i 460000000007\n"
		"m count=0i,total=1i 470000000007\n"
		"m count=0i,total=1i 480000000007\n"
		"m count=0i,total=1i 490000000007\n"
		"m count=0i,total=1i 500000000007\n"
		"n count=1i,total=1i 500000000007\n");
	stop(&f);
}

static void
zeros_of_values(void **state)
{
	struct metric_field no_zero[] = { field(STAT_MIN, "min"), field(STAT_MEAN, "mean") };
	struct metric_field sum[] = { field(STAT_LAST, "last"), field(STAT_SUM, "sum"),
		field(STAT_COUNT, "count") };
	struct metric_def defs[3] = { rule_def(), rule_def(), rule_def() };
	struct fixture f;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		defs[i].index = i;
		defs[i].has_value = true;
		defs[i].integer = i != 2;
		defs[i].expire_ns = 15 * S;
		defs[i].fields = i == 0 ? no_zero : sum;
		defs[i].n_fields = i == 0 ? 2 : 3;
	}
	start(&f, defs, 3, false, 100);
	match_value(&f, 0, "a", (union metric_value){ .integer = 1 }, 105 * S, 105 * S);
	match_value(&f, 1, "b", (union metric_value){ .integer = 2 }, 105 * S, 105 * S);
	match_value(&f, 2, "c", (union metric_value){ .number = 3 }, 105 * S, 105 * S);
	tick(&f, 110 * S,
		"a min=1i,mean=1 100000000007\nb last=2i,sum=2i,count=1i 100000000007\n"
		"c last=3,sum=3,count=1i 100000000007\n");
	tick(&f, 120 * S, "b sum=0i,count=0i 110000000007\nc sum=0,count=0i 110000000007\n");
	tick(&f, 130 * S, "");
	stop(&f);
}

/* ---- Close, virtual clock ---- */

static void
close_writes_what_changed(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	start(&f, &def, 1, false, 100);
	match(&f, "m", 101 * S, 101 * S);
	tick(&f, 110 * S, "m count=1i,total=1i 100000000007\n");
	match(&f, "m", 111 * S, 111 * S);
	finish(&f, 112 * S, "m count=1i,total=2i 110000000007\n");
	finish(&f, 112 * S, "");
	stop(&f);
}

static void
virtual_clock_writes_once(void **state)
{
	struct metric_def def = rule_def();
	struct fixture f;

	(void)state;
	def.lateness_ns = 30 * S;
	def.expire_ns = 1000 * S;
	start(&f, &def, 1, true, 100);
	match(&f, "m", 101 * S, 101 * S);
	tick(&f, 120 * S, "");
	match(&f, "m", 121 * S, 121 * S);
	match(&f, "m", 102 * S, 140 * S);
	tick(&f, 140 * S, "");
	tick(&f, 140 * S + 1, "m count=2i,total=2i 100000000000\n"); /* total: as of its end */
	match(&f, "m", 103 * S, 141 * S);
	tick(&f, 150 * S, "");
	finish(&f, 150 * S, "m count=1i,total=3i 100000000000\nm count=1i,total=4i 120000000000\n");
	finish(&f, 150 * S, "");
	assert_int_equal(rule_state(&f, 0).late, 1);
	stop(&f);
}

/* ---- Nothing ---- */

static void
quiet_rules(void **state)
{
	struct metric_def def = rule_def();
	struct aggregator *none = NULL;
	struct fixture f;

	(void)state;
	start(&f, &def, 1, false, 100);
	tick(&f, 100 * S, "");
	finish(&f, 200 * S, "");
	struct rule_state now = rule_state(&f, 0);

	assert_int_equal(now.matches + now.series + now.overflow + now.late, 0);
	assert_int_equal(now.last_match_ns, 0);
	stop(&f);
	start(&f, NULL, 0, false, 100); /* no rules at all */
	tick(&f, 100 * S, "");
	stop(&f);
	aggregator_free(&none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_at_the_end_of_the_window),
		cmocka_unit_test(all_statistics),
		cmocka_unit_test(long_windows_are_refreshed),
		cmocka_unit_test(windows_before_1970),
		cmocka_unit_test(order_of_lines),
		cmocka_unit_test(late_changes_once_a_second),
		cmocka_unit_test(late_match_raises_later_totals),
		cmocka_unit_test(beyond_lateness_reopened),
		cmocka_unit_test(clock_set_back),
		cmocka_unit_test(offsets_go_round),
		cmocka_unit_test(zeros_until_expire),
		cmocka_unit_test(late_match_overwrites_the_zero),
		cmocka_unit_test(zeros_after_a_pause),
		cmocka_unit_test(zeros_of_values),
		cmocka_unit_test(close_writes_what_changed),
		cmocka_unit_test(virtual_clock_writes_once),
		cmocka_unit_test(quiet_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
