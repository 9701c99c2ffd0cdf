/* SPDX-License-Identifier: Apache-2.0 */
/* What rules make of messages: series, values, fields, counters, explanations. Errors are in
 * test_rule_errors.c. */
#include "rule_fixture.h"

#include "match/matcher.h"

#define AT(s, host, app, text) "<4>1 2026-11-20T10:00:" s "Z " host " " app " - - - " text "\n"

static const char oom_rule[] =
	"[rule oom_kill]\nwhen.appname = kernel\n"
	"match = Killed process (?<pid>\\d+) \\((?<proc>.+)\\).* anon-rss:(?<rss>\\d+)kB\n"
	"group_by = hostname proc\nvalue = rss:KiB\nfields = count total sum=rss_bytes max\n";

struct count_case {
	const char *what, *rules, *lines, *expected;
};

static const struct count_case cases[] = {
	{ "no condition counts everything", "[rule all]\n",
		AT("00", "n1", "a", "x") AT("12", "n2", "b", "y"),
		"all @0 x1 sum=-\nall @10 x1 sum=-\n" },
	{ "windows, series and values", oom_rule,
		AT("00", "n1", "kernel",
			"Killed process 1 (java) total-vm:1kB, anon-rss:8kB, file-rss:0kB") AT("09",
			"n1", "kernel",
			" Killed process 2 (java) total-vm:1kB, anon-rss:2kB") AT("10", "n1",
			"kernel", "Killed process 3 (java) total-vm:1kB, anon-rss:1kB") AT("10",
			"n1", "kernel",
			"Killed process 3 ((sd-pam)) total-vm:1kB, anon-rss:1kB") AT("10", "n1",
			"kernel", "Killed process 3 (Web Content) total-vm:1kB, anon-rss:0kB")
			AT("10", "n1", "sshd", "Killed process 3 (java) total-vm:1kB, anon-rss:1kB")
				AT("10", "n1", "kernel",
					"oom_reaper: reaped process 4321 (java), now anon-rss:0kB"),
		"oom_kill,hostname=n1,proc=java @0 x2 sum=10240i\n"
		"oom_kill,hostname=n1,proc=java @10 x1 sum=1024i\n"
		"oom_kill,hostname=n1,proc=(sd-pam) @10 x1 sum=1024i\n"
		"oom_kill,hostname=n1,proc=Web\\ Content @10 x1 sum=0i\n" },
	{ "tags are sorted, escaped, and left out when absent or empty",
		"[rule x]\nmeasurement = a b,c\nmatch = (?<z>\\S*);(?<b>q)?;(?<a>.*)\ngroup_by = z "
		"hostname a b\n"
		"tags = m=1 env=p,d k=v=w\n",
		AT("00", "n1", "x", ";;a=b c,d\\") AT("00", "-", "x", "zz;q;\\"),
		"a\\ b\\,c,a=a\\=b\\ c\\,d,env=p\\,d,hostname=n1,k=v\\=w,m=1 @0 x1 sum=-\n"
		"a\\ b\\,c,b=q,env=p\\,d,k=v\\=w,m=1,z=zz @0 x1 sum=-\n" },
	{ "a group hides the header field of its name",
		"[rule x]\nmatch = host=(?<hostname>\\S+)\ngroup_by = hostname appname\n",
		AT("00", "n1", "app", "host=other"), "x,appname=app,hostname=other @0 x1 sum=-\n" },
	{ "header fields as tags",
		"[rule x]\ngroup_by = severity facility source sd.a@1.b procid msgid\n",
		"<4>1 2026-11-20T10:00:00Z n1 k 12 ID [a@1 b=\"q\\\"q\"] x\n",
		"x,facility=kern,msgid=ID,procid=12,sd.a@1.b=q\"q,severity=warning,source=10.0.0.9 "
		"@0 x1 sum=-\n" },
	{ "a value from the header", "[rule x]\nvalue = procid:int\n",
		"<4>1 2026-11-20T10:00:00Z n1 k 12 - - x\n<4>1 2026-11-20T10:00:00Z n1 k ab - - x\n"
		"<4>1 2026-11-20T10:00:00Z n1 k - - - x\n",
		"x @0 x1 sum=12i\n" },
	{ "floats", "[rule x]\nmatch = took (?<t>\\S+)\nvalue = t:duration\nfields = count mean\n",
		AT("00", "n1", "x", "took 5ms") AT("00", "n1", "x", "took 1.5s")
			AT("00", "n1", "x", "took long"),
		"x @0 x2 sum=1.5049999999999999\n" },
	{ "time = received", "[rule x]\ntime = received\nevery = 1m\n", AT("00", "n1", "x", "y"),
		"x @60 x1 sum=-\n" },
	{ "every = 1s", "[rule x]\nevery = 1s\n",
		AT("01.9", "n1", "x", "y") AT("02", "n1", "x", "y"),
		"x @1 x1 sum=-\nx @2 x1 sum=-\n" },
	{ "no message at all: no match, yet a rule without match counts it",
		"[rule m]\nmatch = .*\n[rule n]\nevery = window\n",
		"<4>1 2026-11-20T10:00:00Z n1 k - - -\n", "n @0 x1 sum=-\n" },
	{ "every = match",
		"[rule oom]\nmeasurement = k8s\nwhen.appname = kernel\nwhen.message = /sacrifice/\n"
		"match = Kill process (?<pid>\\d+) \\(+(?<proc>.+?)\\)+ score (?<score>\\d+)\n"
		"group_by = proc\nevery = match\ntags = pid zone=a\nfields = total=count "
		"score:int\n",
		AT("00", "n1", "kernel",
			"Kill process 24572 (java) score 1984 or sacrifice child") AT("03", "n1",
			"kernel",
			" Memory cgroup: Kill process 7 ((sd-pam)) score 0 or sacrifice child")
			AT("03", "n1", "kernel",
				"Kill process 7 (x) score 99999999999999999999 or sacrifice child")
				AT("03", "n1", "kernel", "Kill process 24572 (java) score 1984"),
		"k8s,pid=24572,proc=java,zone=a | k8s,proc=java | score=1984i | - @0\n"
		"k8s,pid=7,proc=sd-pam,zone=a | k8s,proc=sd-pam | score=0i | - @3\n" },
	{ "every = match, fields",
		"[rule x]\nmatch = (?<n>\\d+)(?: (?<s>.+))?\nevery = match\nfields = n:float msgid "
		"count\n"
		"group_by = hostname\ntags = s a=b\n",
		AT("00", "n1", "k", "12 a\"b\\c d") AT("01", "n2", "k", "7"),
		"x,a=b,hostname=n1,s=a\"b\\c\\ d | x,hostname=n1 | n=12 | - @0\n"
		"x,a=b,hostname=n2 | x,hostname=n2 | n=7 | - @1\n" },
	{ "every = match, texts",
		"[rule x]\nmatch = (?<s>.+)\nevery = match\nfields = s hostname\n",
		AT("00", "n1", "k", "a\"b\\c d"),
		"x | x | s=\"a\\\"b\\\\c d\",hostname=\"n1\" | - @0\n" },
	{ "every = match: nothing to write is no point",
		"[rule x]\nmatch = a(?<s>b)?\nevery = match\nfields = s\n",
		AT("00", "n1", "k", "a") AT("01", "n1", "k", "ab"), "x | x | s=\"b\" | - @1\n" },
};

static void
test_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].what);
		assert_counts(cases[i].rules, cases[i].lines, cases[i].expected);
	}
}

/* A tag's text is cut at 256 bytes, not inside a character. */
static void
test_long_tag(void **state)
{
	struct buf line = BUF_EMPTY, expected = BUF_EMPTY;

	(void)state;
	buf_add_text(&line, "<4>1 2026-11-20T10:00:00Z n1 k - - - ");
	buf_add_text(&expected, "x,t=");
	for (int i = 0; i < 255; i++) {
		buf_add_char(&line, 'a');
		buf_add_char(&expected, 'a');
	}
	buf_add_text(&line, "\xe2\x82\xac more");
	buf_add_text(&expected, " @0 x1 sum=-\n");
	assert_counts(
		"[rule x]\nmatch = (?<t>.+)\ngroup_by = t\n", buf_cstr(&line), buf_cstr(&expected));
	buf_fini(&line);
	buf_fini(&expected);
}

struct runner {
	struct ruleset *ruleset;
	struct matcher *matcher;
	struct delta *delta;
};

static struct runner
runner_new(const char *rules)
{
	struct runner r = { good_rules(rules), NULL, delta_new() };

	r.matcher = matcher_new(r.ruleset);
	return r;
}

static void
runner_free(struct runner *r)
{
	delta_free(&r->delta);
	matcher_free(&r->matcher);
	ruleset_unref(&r->ruleset);
}

static void
test_counters(void **state)
{
	struct runner r = runner_new(
		"[rule x]\nwhen.appname = a\nmatch = v=(?<v>\\S+)?\nvalue = v:int\n");

	(void)state;
	run_lines(r.matcher,
		AT("00", "n", "b", "v=1") AT("00", "n", "a", "w") AT("00", "n", "a", "v=1") AT(
			"00", "n", "a", "v=x") AT("00", "n", "a", "v=") AT("00", "n", "a", "v=2"),
		r.delta);
	const struct rule_counters *c = matcher_counters(r.matcher, 0);
	assert_int_equal(c->evaluated, 5);
	assert_int_equal(c->matched, 2);
	assert_int_equal(c->bad_value, 1);
	assert_int_equal(c->no_value, 1);
	assert_int_equal(c->step_limit, 0);
	assert_int_equal(c->over_budget, 0);
	assert_int_equal(c->suspended, 0);
	runner_free(&r);
}

/* Equal patterns and conditions of several rules are evaluated once a message; the counters of each
 * rule still count. */
static void
test_evaluated_once(void **state)
{
	struct runner r = runner_new(
		"[rule a]\nwhen.message = /k+/\nmatch = (?<n>\\d+)\nvalue = n\n"
		"[rule b]\nwhen.message = /k+/\nmatch = (?<n>\\d+)\ngroup_by = n\n"
		"[rule c]\nwhen.message = ! /k+/\nmatch = (?<n>\\d+)\n"
		"[rule d]\nmatch = k+\n"
		"[rule e]\nwhen.hostname = n\nwhen.appname = a\n[rule f]\nwhen.appname = a\n");

	(void)state;
	assert_int_equal(r.ruleset->n_searches, 2);
	assert_int_equal(r.ruleset->n_conditions,
		4); /* !/k+/ is a condition of its own, on the same search */
	run_lines(r.matcher,
		AT("00", "n", "a", "k 1") AT("00", "n", "a", "z 2") AT("00", "n", "b", "k"),
		r.delta);
	assert_int_equal(r.matcher->searches[0].searches, 3); /* k+ */
	assert_int_equal(r.matcher->searches[1].searches, 3); /* \d+: by a, c, a */
	static const struct {
		uint64_t evaluated, matched;
	} expected[] = { { 2, 1 }, { 2, 1 }, { 1, 1 }, { 3, 2 }, { 2, 2 }, { 2, 2 } };
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(matcher_counters(r.matcher, i)->evaluated, expected[i].evaluated);
		assert_int_equal(matcher_counters(r.matcher, i)->matched, expected[i].matched);
	}
	runner_free(&r);
}

/* A rule that backtracks without end is cut off and counted, and after three slow searches
 * suspended; others go on. */
static void
test_step_limit(void **state)
{
	struct runner r = runner_new(
		"[rule slow]\nmatch = (?:a(?!.*x)(?!.*y))*\\d\n"
		"[rule steps]\nmatch = (a+)+$\n[rule not]\nwhen.message = ! /(a+)+$/\n"
		"[rule good]\nmatch = a!\n");
	struct buf line = BUF_EMPTY;

	(void)state;
	buf_add_text(&line, "<4>1 2026-11-20T10:00:00Z n k - - - ");
	for (int i = 0; i < 8000; i++)
		buf_add_char(&line, 'a');
	buf_add_char(&line, '!');
	for (int i = 0; i < 10; i++)
		run_lines(r.matcher, buf_cstr(&line), r.delta);
	const struct rule_counters *slow = matcher_counters(r.matcher, 0);
	assert_int_equal(slow->matched, 0);
	assert_int_equal(
		slow->step_limit, 4); /* the first puts it under watch, three count against it */
	assert_int_equal(slow->over_budget, 3);
	assert_int_equal(slow->suspended, 6);
	for (size_t i = 1; i <= 2; i++) { /* given up quickly; `!` does not hold either */
		assert_int_equal(matcher_counters(r.matcher, i)->step_limit, 10);
		assert_int_equal(matcher_counters(r.matcher, i)->over_budget, 0);
		assert_int_equal(matcher_counters(r.matcher, i)->matched, 0);
	}
	assert_int_equal(matcher_counters(r.matcher, 3)->matched, 10);
	buf_fini(&line);
	runner_free(&r);
}

/* 256 messages: one is timed and counts for all of them. */
static void
test_sampled_time(void **state)
{
	struct runner r = runner_new("[rule x]\n");

	(void)state;
	for (int i = 0; i < 255; i++)
		run_lines(r.matcher, AT("00", "n", "a", "y"), r.delta);
	assert_int_equal(matcher_counters(r.matcher, 0)->ns, 0);
	run_lines(r.matcher, AT("00", "n", "a", "y"), r.delta);
	assert_int_not_equal(matcher_counters(r.matcher, 0)->ns, 0);
	assert_int_equal(matcher_counters(r.matcher, 0)->ns % 256, 0);
	runner_free(&r);
}

struct explain_case {
	const char *rule, *line, *text;
};

static const struct explain_case explains[] = {
	{ "when.appname = kernel", AT("00", "n1", "sshd", "x"),
		"when.appname: is \"sshd\", needs kernel\n" },
	{ "when.procid = ! 5", "<4>1 - n1 sshd 5 - - x", "when.procid: is \"5\", needs ! 5\n" },
	{ "when.sd.a.b = x*", AT("00", "n1", "sshd", "x"), "when.sd.a.b: is absent, needs x*\n" },
	{ "when.severity = <= err", AT("00", "n1", "sshd", "x"),
		"when.severity: is \"warning\", needs <= err\n" },
	{ "when.message = /^x$/", AT("00", "n1", "sshd", "x\ty"),
		"when.message: is \"x\\x09y\", needs /^x$/\n" },
	{ "match = ab+", AT("00", "n1", "sshd", " a \"c\""),
		"match: no match; the message is \" a \"c\"\", the pattern ab+\n" },
	{ "match = ab+", "<4>1 - n1 sshd - - -", "match: there is no message to search in\n" },
	{ "match = (a+)+$", AT("00", "n1", "k", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
		"match: given up: the search took too many steps or too long; the message is "
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", the pattern (a+)+$\n" },
	{ "when.message = ! /(a+)+$/", AT("00", "n1", "k", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
		"when.message: given up: the search took too many steps or too long; is "
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", needs ! /(a+)+$/\n" },
	{ "match = (?<v>\\S+) KB\nvalue = v:KiB", AT("00", "n1", "k", "abc KB"),
		"value: v is \"abc\", not a number (KiB)\n" },
	{ "match = (?<v>\\d)? KB\nvalue = v", AT("00", "n1", "k", "abc KB"),
		"value: v is absent\n" },
	{ "match = (?<v>\\S+)\nevery = match\nfields = v:int", AT("00", "n1", "k", "abc"),
		"fields: v is \"abc\", not a number (int)\n" },
	{ "match = (?<v>\\S+) (?<w>x)?", AT("00", "n1", "k", "abc KB"),
		"matched\n  v = \"abc\"\n  w = absent\n" },
	{ "when.hostname = n1", AT("00", "n1", "k", "abc KB"), "matched\n" },
};

static void
test_explain(void **state)
{
	struct log_record *record = malloc(sizeof(*record));

	(void)state;
	for (size_t i = 0; i < sizeof(explains) / sizeof(explains[0]); i++) {
		const struct explain_case *c = &explains[i];
		struct buf rules = BUF_EMPTY, text = BUF_EMPTY;
		struct str line = str_trim(str_from(c->line));
		struct rule_input input = rule_message(record, line);

		buf_printf(&rules, "[rule other]\n[rule x]\n%s\n", c->rule);
		struct runner r = runner_new(buf_cstr(&rules));
		bool matched = matcher_explain(r.matcher, 1, &input, r.delta, &text);
		assert_string_equal(buf_cstr(&text), c->text);
		assert_int_equal(matched, strncmp(c->text, "matched", 7) == 0);
		assert_int_equal(delta_empty(r.delta), !matched);
		runner_free(&r);
		buf_fini(&rules);
		buf_fini(&text);
	}
	free(record);
}

static void
test_definition(void **state)
{
	struct ruleset *ruleset = good_rules(
		"[rule full]\ndescription = What it is\nmatch = (?<a>x)(?<b>y)\ngroup_by = b\ntags "
		"= env=p a\n"
		"every = match\nvalue = a:MiB\nfields = last=latest first hostname\nmeasurement = "
		"m\noutput = old\n"
		"database = db\nretention_policy = rp\nmax_series = 7\nexpire = 2m\n"
		"example.10 = e10\nreject = r\nexample = e1\nexpect.10 = x10\nreject.10 = r10\n"
		"[rule plain]\nvalue = procid\n");
	const struct rule_info *info = ruleset_rule(ruleset, 0);
	const struct metric_def *def = ruleset_defs(ruleset)[0];

	(void)state;
	assert_int_equal(ruleset_size(ruleset), 2);
	assert_ptr_equal(info->def, def);
	assert_string_equal(info->name.ptr, "full");
	assert_string_equal(info->description.ptr, "What it is");
	assert_string_equal(info->file.ptr, "r.ini");
	assert_int_equal(info->line, 1);
	assert_int_equal(info->outputs, 2);
	assert_string_equal(info->database.ptr, "db");
	assert_string_equal(info->retention_policy.ptr, "rp");
	assert_true(def->per_match && def->integer && def->has_value && !def->time_received);
	assert_int_equal(def->max_series, 7);
	assert_int_equal(def->expire_ns, INT64_C(120000000000));
	assert_int_equal(def->lateness_ns, INT64_C(300000000000));
	assert_int_equal(def->n_fields, 2);
	assert_int_equal(def->fields[0].stat, STAT_LAST);
	assert_true(str_is(def->fields[0].key, "latest"));
	assert_int_equal(def->fields[1].stat, STAT_FIRST);
	assert_true(str_is(def->overflow_series, "m,a=_other,b=_other,env=p"));
	assert_int_equal(info->n_examples, 4);
	static const int numbers[] = { 1, 1, 10, 10 };
	static const char *const texts[] = { "e1", "r", "e10", "r10" };
	for (size_t i = 0; i < 4; i++) {
		const struct rule_example *example = &info->examples[i];

		assert_int_equal(example->number, numbers[i]);
		assert_true(str_is(i % 2 == 0 ? example->example : example->reject, texts[i]));
		assert_false(str_present(i % 2 == 0 ? example->reject : example->example));
		assert_int_equal(example->n_expects, i == 2);
	}
	assert_true(str_is(info->examples[2].expects[0], "x10"));
	assert_int_equal(info->examples[2].line, 15);

	def = ruleset_defs(ruleset)[1];
	assert_int_equal(def->index, 1);
	assert_int_equal(def->window_ns, INT64_C(10000000000));
	assert_false(def->integer);
	assert_int_equal(def->n_fields, 6); /* count sum min max mean last */
	assert_int_equal(def->fields[5].stat, STAT_LAST);
	assert_true(str_is(def->overflow_series, "plain"));
	assert_int_equal(ruleset_rule(ruleset, 1)->outputs, 0);
	assert_int_equal(def->target, 0);
	ruleset_set_target(ruleset, 1, 9);
	assert_int_equal(def->target, 9);
	struct ruleset *other = ruleset_ref(ruleset);
	ruleset_unref(&ruleset);
	assert_null(ruleset);
	assert_int_equal(ruleset_size(other), 2);
	ruleset_unref(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_long_tag),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_evaluated_once),
		cmocka_unit_test(test_step_limit),
		cmocka_unit_test(test_sampled_time),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
