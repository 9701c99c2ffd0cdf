/* SPDX-License-Identifier: Apache-2.0 */
/* when.FIELD = CONDITION, one at a time, against one message. */
#include "rule_fixture.h"

/* Dots in an ID and in a parameter, an escaped quote, an element without parameters. */
static const char message[] = "<28>1 2026-11-20T10:00:00Z n1.example kern:el 512 ID47 "
			      "[x@1 a=\"1\" b=\"q\\\"q\"][y.z@1 c=\"old\" c.d=\"new\"][flag][d "
			      "k=\"1\" k=\"2\"] Out of memory: 42";

struct condition_case {
	const char *when;
	bool holds;
};

static const struct condition_case cases[] = {
	{ "severity = warning", true }, /* 28 = daemon, warning */
	{ "severity = err | warning", true },
	{ "severity = err | crit", false },
	{ "severity = <= warning", true },
	{ "severity = <= err", false },
	{ "severity = < warning", false },
	{ "severity = >= warning", true },
	{ "severity = > warning", false },
	{ "severity = ! warning", false },
	{ "severity = !<= err", true },
	{ "severity = warn*", true },
	{ "severity = /^warn/", true },
	{ "facility = daemon", true },
	{ "facility = local* | daemon", true },
	{ "facility = local*", false },
	{ "facility = ! kern", true },
	{ "hostname = n1.example", true },
	{ "hostname = n1", false },
	{ "hostname = n*", true },
	{ "hostname = *.example", true },
	{ "hostname = N1.example", false },
	{ "hostname = /^n\\d\\./", true },
	{ "hostname = !/^n\\d\\./", false },
	{ "hostname = /a|n1/", true },
	{ "appname = kern:el", true },
	{ "appname = a|kern:el|b", true },
	{ "procid = 512", true },
	{ "procid = >= 512", true },
	{ "procid = > 512", false },
	{ "procid = < 1e3", true },
	{ "procid = ! < 1e3", false },
	{ "hostname = >= 1", false }, /* not a number */
	{ "hostname = ! >= 1", true },
	{ "msgid = ID*", true },
	{ "source = 10.0.0.9", true },
	{ "source = 10.*", true },
	{ "message = /of mem/", true },
	{ "message = /^of mem/", false },
	{ "message = Out of memory: 42", true },
	{ "message = Out of", false },
	{ "message = *memory*", true },
	{ "sd.x@1.a = 1", true },
	{ "sd.x@1.a = >= 1", true },
	{ "sd.x@1.b = q\"q", true },
	{ "sd.x@1.b = /^q.q$/", true },
	{ "sd.y.z@1.c = old", true },
	{ "sd.y.z@1.c.d = new", true },
	{ "sd.y.z@1.d = *", false }, /* absent */
	{ "sd.y.z@1.d = ! *", true },
	{ "sd.y.z@1.d = ! /x/", true },
	{ "sd.flag = true", true },
	{ "sd.d.k = 2", true }, /* of equal keys the last */
	{ "sd.d.k = 1", false },
	{ "sd.x@1 = *", false },
};

static bool
counts(const char *when, struct str line)
{
	struct buf text = BUF_EMPTY;
	struct log_record *record = malloc(sizeof(*record));
	struct rule_input input = rule_message(record, line);
	struct delta *delta = delta_new();

	buf_printf(&text, "[rule x]\nwhen.%s\n", when);
	struct ruleset *ruleset = good_rules(buf_cstr(&text));
	struct matcher *matcher = matcher_new(ruleset);
	matcher_run(matcher, &input, delta);
	bool counted = !delta_empty(delta);
	delta_free(&delta);
	matcher_free(&matcher);
	ruleset_unref(&ruleset);
	free(record);
	buf_fini(&text);
	return counted;
}

static void
test_conditions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (counts(cases[i].when, str_from(message)) != cases[i].holds)
			fail_msg("when.%s should %shold", cases[i].when,
				cases[i].holds ? "" : "not ");
}

/* An absent field satisfies only `!`. */
static void
test_absent(void **state)
{
	static const char *const fields[] = { "hostname", "appname", "procid", "msgid", "message",
		"sd.a.b" };
	static const struct condition_case conditions[] = {
		{ "= *", false },
		{ "= x | -", false },
		{ "= /^/", false },
		{ "= < 5", false },
		{ "= ! *", true },
		{ "= ! x", true },
		{ "= ! /^/", true },
		{ "= ! < 5", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		for (size_t k = 0; k < sizeof(conditions) / sizeof(conditions[0]); k++) {
			char when[64];

			snprintf(when, sizeof(when), "%s %s", fields[i], conditions[k].when);
			if (counts(when, STR("<14>1 - - - - - -")) != conditions[k].holds)
				fail_msg("when.%s", when);
		}
	}
}

/* All conditions of a rule must hold. */
static void
test_all_hold(void **state)
{
	(void)state;
	assert_true(counts("appname = kern:el\nwhen.message = /memory/\nwhen.severity = <= warning",
		str_from(message)));
	assert_false(counts("appname = kern:el\nwhen.message = /memory/\nwhen.severity = <= err",
		str_from(message)));
	assert_false(
		counts("appname = kern:el\nwhen.message = /nothing/\nwhen.severity = <= warning",
			str_from(message)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_all_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
