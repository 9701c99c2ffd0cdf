/* SPDX-License-Identifier: Apache-2.0 */
/* Rules with every = match. */
#include "unit/aggregator_fixture.h"

static struct metric_def
per_match_def(struct metric_field *fields, size_t n_fields)
{
	struct metric_def def = rule_def();

	def.per_match = true;
	def.has_value = true;
	def.window_ns = 0;
	def.expire_ns = 100 * S;
	def.fields = fields;
	def.n_fields = n_fields;
	return def;
}

static void
one_point_a_match(void **state)
{
	struct metric_field fields[] = { field(STAT_COUNT, "n"), field(STAT_TOTAL, "count"),
		field(STAT_SUM, "sum"), field(STAT_MEAN, "mean"), field(STAT_LAST, "last") };
	struct metric_def def = per_match_def(fields, 5);
	struct fixture f;

	(void)state;
	start(&f, &def, 1, false, 100);
	match_point(&f, "k8s,proc=java", "k8s,pid=1,proc=java", "score=9i", 6, 101 * S, 102 * S);
	match_point(&f, "k8s,proc=java", "k8s,pid=2,proc=java", "", 7, 100 * S, 102 * S);
	match_point(&f, "k8s,proc=perl", "k8s,pid=3,proc=perl", "score=1i,x=\"y\"", 8, 102 * S,
		102 * S);
	expect_lines(&f,
		"k8s,pid=1,proc=java n=1i,count=1i,sum=6i,mean=6,last=6i,score=9i 101000000000\n"
		"k8s,pid=2,proc=java n=1i,count=2i,sum=7i,mean=7,last=7i 100000000000\n"
		"k8s,pid=3,proc=perl n=1i,count=1i,sum=8i,mean=8,last=8i,score=1i,x=\"y\" "
		"102000000000\n");
	tick(&f, 120 * S, "");
	finish(&f, 121 * S, "");
	struct rule_state now = rule_state(&f, 0);

	assert_int_equal(now.matches, 3);
	assert_int_equal(now.series, 3);
	assert_int_equal(now.last_match_ns, 102 * S);
	stop(&f);
}

static void
only_captures(void **state)
{
	struct metric_def def = per_match_def(NULL, 0);
	struct fixture f;

	(void)state;
	start(&f, &def, 1, false, 100);
	match_point(&f, "m", "m", "score=9i", 0, 5, 102 * S);
	match_point(&f, "m", "m", "", 0, 6, 102 * S); /* no field at all: no point */
	expect_lines(&f, "m score=9i 5\n");
	assert_int_equal(rule_state(&f, 0).matches, 2);
	stop(&f);
}

static void
equal_times_are_moved_apart(void **state)
{
	struct metric_field fields[] = { field(STAT_TOTAL, "n") };
	struct metric_def def = per_match_def(fields, 1);
	struct fixture f;

	(void)state;
	for (int virtual_clock = 0; virtual_clock < 2; virtual_clock++) {
		start(&f, &def, 1, virtual_clock != 0, 100);
		match_point(&f, "m", "m,p=1", "", 0, 100, 0);
		match_point(&f, "m", "m,p=1", "", 0, 100, 0);
		match_point(&f, "m", "m,p=2", "", 0, 100, 0); /* another series */
		match_point(&f, "m", "m,p=1", "", 0, 101, 0);
		expect_lines(&f,
			virtual_clock
				? "m,p=1 n=1i 100\nm,p=1 n=2i 100\nm,p=2 n=3i 100\nm,p=1 n=4i 101\n"
				: "m,p=1 n=1i 100\nm,p=1 n=2i 101\nm,p=2 n=3i 100\nm,p=1 n=4i "
				  "102\n");
		stop(&f);
	}
}

static void
beyond_the_cap_every_match(void **state)
{
	struct metric_field fields[] = { field(STAT_TOTAL, "n") };
	struct metric_def def = per_match_def(fields, 1);
	struct fixture f;

	(void)state;
	def.max_series = 2;
	def.expire_ns = 10 * S;
	start(&f, &def, 1, false, 100);
	match_point(&f, "m,a=x", "m,a=x,p=1", "", 0, 1, 100 * S);
	match_point(&f, "m,a=x", "m,a=x,p=2", "", 0, 2, 100 * S);
	match_point(&f, "m,a=x", "m,a=x,p=3", "c=1i", 0, 3, 100 * S);
	match_point(&f, "m,a=y", "m,a=y,p=1", "", 0, 3, 105 * S);
	match_point(&f, "m,a=x", "m,a=x,p=1", "", 0, 4, 105 * S);
	expect_lines(&f,
		"m,a=x,p=1 n=1i 1\n"
		"m,a=x,p=2 n=2i 2\n"
		"m,a=_other n=1i,c=1i 3\n"
		"m,a=_other n=2i 4\n" /* two matches at 3 folded into one series */
		"m,a=x,p=1 n=3i 4\n");
	assert_int_equal(rule_state(&f, 0).overflow, 2);
	assert_int_equal(rule_state(&f, 0).series, 3);
	expect_series(&f, 0, 9, "m,a=x total=3 last=4\nm,a=_other total=2 last=3\n");
	tick(&f, 110 * S + 1, ""); /* p=2 is quiet for longer than 10 s */
	assert_int_equal(rule_state(&f, 0).series, 2);
	match_point(&f, "m,a=y", "m,a=y,p=1", "", 0, 5, 111 * S);
	expect_lines(&f, "m,a=y,p=1 n=1i 5\n");
	/* All gone; the group goes on where it was. */
	tick(&f, 200 * S, "");
	assert_int_equal(rule_state(&f, 0).series, 0);
	match_point(&f, "m,a=x", "m,a=x,p=9", "", 0, 6, 201 * S);
	match_point(&f, "m,a=_other", "m,a=_other", "", 0, 7, 201 * S);
	expect_lines(&f, "m,a=x,p=9 n=4i 6\nm,a=_other n=3i 7\n");
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_point_a_match),
		cmocka_unit_test(only_captures),
		cmocka_unit_test(equal_times_are_moved_apart),
		cmocka_unit_test(beyond_the_cap_every_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
