/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about wrong rules: exact texts, all of them at once. */
#include "rule_fixture.h"

#define ALL_FIELDS "severity facility hostname appname procid msgid source message sd.ID.PARAM"
#define ALL_STATS  "count total sum min max mean last first"

struct error_case {
	const char *keys, *errors; /* of [rule x], from line 2 on */
};

static const struct error_case cases[] = {
	/* when */
	{ "when.appname =",
		"r.ini:2: [rule x] when.appname: the condition is empty (allowed: a | b, glob*, "
		"/regex/, <= "
		"warning, >= 500, ! in front)\n" },
	{ "when.appname = !",
		"r.ini:2: [rule x] when.appname: the condition is empty (allowed: a | b, glob*, "
		"/regex/, <= "
		"warning, >= 500, ! in front)\n" },
	{ "when.appname = a | | b",
		"r.ini:2: [rule x] when.appname: nothing at one side of a | (a | b)\n" },
	{ "when.appname = a | !b",
		"r.ini:2: [rule x] when.appname: ! stands in front of the whole condition (! a | "
		"b)\n" },
	{ "when.appname = a | /b/",
		"r.ini:2: [rule x] when.appname: a /regex/ stands alone (/a|b/)\n" },
	{ "when.appname = /usr/bin/x",
		"r.ini:2: [rule x] when.appname: a regex needs a / at both ends and something "
		"between (/err(or)?/); it stands alone\n" },
	{ "when.appname = //",
		"r.ini:2: [rule x] when.appname: a regex needs a / at both ends and something "
		"between "
		"(/err(or)?/); it stands alone\n" },
	{ "when.appname = /a(/",
		"r.ini:2: [rule x] when.appname: missing closing parenthesis, at byte 2 of the "
		"pattern\n"
		"    a(\n      ^\n" },
	{ "when.severity = <= bad",
		"r.ini:2: [rule x] when.severity: \"bad\" is not a severity (emerg alert crit err "
		"warning notice info debug)\n" },
	{ "when.severity = warn",
		"r.ini:2: [rule x] when.severity: \"warn\" is not a severity (emerg alert crit err "
		"warning notice info debug)\n" },
	{ "when.facility = kernel",
		"r.ini:2: [rule x] when.facility: \"kernel\" is not a facility (kern user mail "
		"daemon auth syslog lpr news "
		"uucp cron authpriv ftp ntp security console cron2 local0 local1 local2 local3 "
		"local4 local5 local6 "
		"local7)\n" },
	{ "when.facility = <= kern",
		"r.ini:2: [rule x] when.facility: facilities have no order (allowed: a | b, glob*, "
		"/regex/, ! in front)\n" },
	{ "when.procid = >= many",
		"r.ini:2: [rule x] when.procid: \"many\" is not a number (>= 500)\n" },
	{ "when.status = 500",
		"r.ini:2: [rule x] when.status: no such field (allowed: " ALL_FIELDS
		"; keys of json, logfmt and kv are not supported yet)\n" },
	{ "when.json.a.b = 500",
		"r.ini:2: [rule x] when.json.a.b: not supported yet (leave it out)\n" },
	{ "when.mem.pod = 5",
		"r.ini:2: [rule x] when.mem.pod: not supported yet (leave it out)\n" },
	/* match */
	{ "match =",
		"r.ini:2: [rule x] match: the pattern is empty (leave it out to count every "
		"message)\n" },
	{ "match = Killed (process\ngroup_by = nobody",
		"r.ini:2: [rule x] match: missing closing parenthesis, at byte 15 of the pattern\n"
		"    Killed (process\n                   ^\n" },
	{ "match = ab[z-a]",
		"r.ini:2: [rule x] match: range out of order in character class, at byte 5 of the "
		"pattern\n"
		"    ab[z-a]\n         ^\n" },
	{ "match = \xc3\xa4(",
		"r.ini:2: [rule x] match: missing closing parenthesis, at byte 3 of the pattern\n"
		"    \xc3\xa4(\n      ^\n" },
	{ "match = "
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)"
	  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		"r.ini:2: [rule x] match: unmatched closing parenthesis, at byte 72 of the "
		"pattern\n"
		"    "
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)"
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
		"                                                                ^\n" },
	{ "match = (*UTF)a",
		"r.ini:2: [rule x] match: using UTF is disabled by the application, at byte 6 of "
		"the pattern\n"
		"    (*UTF)a\n          ^\n" },
	/* group_by, tags, measurement */
	{ "match = (?<pid>\\d+) (?<proc>x)\ngroup_by = prc",
		"r.ini:3: [rule x] group_by: no group or field is named \"prc\" (groups: pid proc; "
		"fields: " ALL_FIELDS ")\n" },
	{ "group_by = prc\nvalue = y",
		"r.ini:2: [rule x] group_by: no group or field is named \"prc\" (groups: none; "
		"fields: " ALL_FIELDS ")\n"
		"r.ini:3: [rule x] value: no group or field is named \"y\" (groups: none; "
		"fields: " ALL_FIELDS ")\n" },
	{ "group_by =",
		"r.ini:2: [rule x] group_by: the value is empty (leave it out for a single "
		"series)\n" },
	{ "group_by = hostname hostname",
		"r.ini:2: [rule x] group_by: hostname is a tag already\n" },
	{ "match = (?<time>\\d)\ngroup_by = time",
		"r.ini:3: [rule x] group_by: a tag cannot be named \"time\"\n" },
	{ "group_by = hostname\ntags = hostname=x",
		"r.ini:3: [rule x] tags: hostname is a tag already\n" },
	{ "tags = hostname",
		"r.ini:2: [rule x] tags: hostname alone needs every = match (allowed: NAME=value; "
		"group_by makes "
		"series)\n" },
	{ "tags = a= b=\\ =c",
		"r.ini:2: [rule x] tags: \"a=\" has no value (allowed: NAME=value)\n"
		"r.ini:2: [rule x] tags: \"b=\\\" has no value (allowed: NAME=value)\n"
		"r.ini:2: [rule x] tags: a tag cannot be named \"\"\n" },
	{ "tags =", "r.ini:2: [rule x] tags: the value is empty (leave it out instead)\n" },
	{ "measurement = # a",
		"r.ini:2: [rule x] measurement: \"# a\" cannot be a measurement's name\n" },
	{ "measurement =", "r.ini:2: [rule x] measurement: \"\" cannot be a measurement's name\n" },
	/* value, fields */
	{ "value = procid:kib",
		"r.ini:2: [rule x] value: \"kib\" is not a unit (allowed: int float bytes KiB MiB "
		"ms us s duration)\n" },
	{ "value = procid msgid",
		"r.ini:2: [rule x] value: one name is needed (allowed: NAME[:unit])\n" },
	{ "value =", "r.ini:2: [rule x] value: one name is needed (allowed: NAME[:unit])\n" },
	{ "fields = count sum",
		"r.ini:2: [rule x] fields: sum needs a value (value = NAME[:unit])\n" },
	{ "fields =", "r.ini:2: [rule x] fields: the value is empty (allowed: " ALL_STATS ")\n" },
	{ "fields = p95",
		"r.ini:2: [rule x] fields: p95 is not supported yet (allowed: " ALL_STATS ")\n" },
	{ "fields = stddev=s distinct rate p50 p90 p99",
		"r.ini:2: [rule x] fields: stddev is not supported yet (allowed: " ALL_STATS ")\n"
		"r.ini:2: [rule x] fields: distinct is not supported yet (allowed: " ALL_STATS ")\n"
		"r.ini:2: [rule x] fields: rate is not supported yet (allowed: " ALL_STATS ")\n"
		"r.ini:2: [rule x] fields: p50 is not supported yet (allowed: " ALL_STATS ")\n"
		"r.ini:2: [rule x] fields: p90 is not supported yet (allowed: " ALL_STATS ")\n"
		"r.ini:2: [rule x] fields: p99 is not supported yet (allowed: " ALL_STATS ")\n" },
	{ "fields = cuont",
		"r.ini:2: [rule x] fields: \"cuont\" is not a statistic (allowed: " ALL_STATS
		"; captures only with every = match)\n" },
	{ "every = match\nfields = avg=a",
		"r.ini:3: [rule x] fields: \"avg\" is not a statistic (allowed: " ALL_STATS ")\n" },
	{ "every = match\nfields = avg:int",
		"r.ini:3: [rule x] fields: no group or field is named \"avg\" (groups: none; "
		"fields: " ALL_FIELDS ")\n" },
	{ "every = match\nfields = procid:x",
		"r.ini:3: [rule x] fields: \"x\" is not a unit (allowed: int float bytes KiB "
		"MiB ms us s duration)\n" },
	{ "fields = count count", "r.ini:2: [rule x] fields: count is a field already\n" },
	{ "fields = count=a total=a", "r.ini:2: [rule x] fields: a is a field already\n" },
	{ "every = match\nfields = procid procid:int",
		"r.ini:3: [rule x] fields: procid is a field already\n" },
	{ "group_by = hostname\nfields = count=hostname",
		"r.ini:3: [rule x] fields: hostname is a tag already\n" },
	{ "fields = count=time total=",
		"r.ini:2: [rule x] fields: a field cannot be named \"time\"\n"
		"r.ini:2: [rule x] fields: a field cannot be named \"\"\n" },
	/* plain values */
	{ "every = 10",
		"r.ini:2: [rule x] every: \"10\" is no such time (allowed: 100ms to 1d, match, "
		"window)\n" },
	{ "every = 50ms",
		"r.ini:2: [rule x] every: \"50ms\" is no such time (allowed: 100ms to 1d, match, "
		"window)\n" },
	{ "time = now",
		"r.ini:2: [rule x] time: \"now\" is no such time (allowed: message|received)\n" },
	{ "max_series = 0",
		"r.ini:2: [rule x] max_series: \"0\" is no such number (allowed: 1 to "
		"10000000)\n" },
	{ "expire = 0s",
		"r.ini:2: [rule x] expire: \"0s\" is no such time (allowed: 1s to 36500d)\n" },
	{ "output = main new",
		"r.ini:2: [rule x] output: no output is named \"new\" (configured: main old)\n" },
	{ "output =",
		"r.ini:2: [rule x] output: the value is empty (leave it out for all outputs)\n" },
	{ "database =", "r.ini:2: [rule x] database: the value is empty (leave it out instead)\n" },
	{ "lateness = 1m",
		"r.ini:2: [rule x] lateness: is the same for all rules (put it into [metrics])\n" },
	/* examples */
	{ "example =", "r.ini:2: [rule x] example: the value is empty (leave it out instead)\n" },
	{ "example.0 = x",
		"r.ini:2: [rule x] example.0: \"0\" is no such number (allowed: 1 to 9999)\n" },
	{ "reject.x = x",
		"r.ini:2: [rule x] reject.x: \"x\" is no such number (allowed: 1 to 9999)\n" },
	{ "example = x\nexample.1 = y",
		"r.ini:3: [rule x] example.1: number 1 stands already in line 2\n" },
	{ "reject = x\nexpect = y",
		"r.ini:3: [rule x] expect: there is no example with number 1\n" },
	{ "example = x\nexpect = y\nexpect.1 = z",
		"r.ini:4: [rule x] expect.1: example 1 has an expect already\n" },
	/* unknown, or not yet */
	{ "grup_by = x", "r.ini:2: [rule x] grup_by: unknown key (did you mean \"group_by\"?)\n" },
	{ "exampel.2 = x",
		"r.ini:2: [rule x] exampel.2: unknown key (did you mean \"example.2\"?)\n" },
	{ "colour = red",
		"r.ini:2: [rule x] colour: unknown key (allowed: description when.FIELD match "
		"group_by tags value "
		"fields every measurement output database retention_policy max_series expire time "
		"example expect "
		"reject)\n" },
	{ "parse = json\nmatch.procid = x\nrollup = 1m>a\nonce_per = pid within 10s\nremember = a "
	  "by b for 10s\nabsent = 5m\n"
	  "truncate = 1ms\npreset.a = b\nadvance = 1s\nbuckets = 1 2\nwarn = count > 1\ncrit.reset "
	  "= 1\ntimer.start = x",
		"r.ini:2: [rule x] parse: not supported yet (leave it out)\n"
		"r.ini:3: [rule x] match.procid: not supported yet (leave it out)\n"
		"r.ini:4: [rule x] rollup: not supported yet (leave it out)\n"
		"r.ini:5: [rule x] once_per: not supported yet (leave it out)\n"
		"r.ini:6: [rule x] remember: not supported yet (leave it out)\n"
		"r.ini:7: [rule x] absent: not supported yet (leave it out)\n"
		"r.ini:8: [rule x] truncate: not supported yet (leave it out)\n"
		"r.ini:9: [rule x] preset.a: not supported yet (leave it out)\n"
		"r.ini:10: [rule x] advance: not supported yet (leave it out)\n"
		"r.ini:11: [rule x] buckets: not supported yet (leave it out)\n"
		"r.ini:12: [rule x] warn: not supported yet (leave it out)\n"
		"r.ini:13: [rule x] crit.reset: not supported yet (leave it out)\n"
		"r.ini:14: [rule x] timer.start: not supported yet (leave it out)\n" },
	/* the next rule is read all the same */
	{ "max_series = x\n[rule y]\nexpire = x\n[patterns]\nIP = \\d+\n[rule]\n[other]",
		"r.ini:2: [rule x] max_series: \"x\" is no such number (allowed: 1 to 10000000)\n"
		"r.ini:4: [rule y] expire: \"x\" is no such time (allowed: 1s to 36500d)\n"
		"r.ini:5: [patterns]: not supported yet (leave it out)\n"
		"r.ini:7: [rule]: a rule needs a name ([rule NAME])\n"
		"r.ini:8: [other]: unknown section (rule files have [rule NAME])\n" },
};

static void
test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text = BUF_EMPTY;
		struct err err = ERR_NONE;

		buf_printf(&text, "[rule x]\n%s\n", cases[i].keys);
		assert_null(rules_from_text(buf_cstr(&text), &err));
		assert_string_equal(buf_cstr(&err.text), cases[i].errors);
		assert_int_not_equal(err.count, 0);
		err_fini(&err);
		buf_fini(&text);
	}
}

static void
test_too_many_tags(void **state)
{
	struct buf text = BUF_EMPTY;
	struct err err = ERR_NONE;

	(void)state;
	buf_add_text(&text, "[rule x]\ntags =");
	for (int i = 0; i < 33; i++)
		buf_printf(&text, " t%d=v", i);
	assert_null(rules_from_text(buf_cstr(&text), &err));
	assert_string_equal(buf_cstr(&err.text), "r.ini:2: [rule x] tags: more than 32 tags\n");
	err_fini(&err);
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_too_many_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
