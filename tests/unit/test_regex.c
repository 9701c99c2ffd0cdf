/* SPDX-License-Identifier: Apache-2.0 */
/* Searches: what they find, and that no pattern and no message makes one run on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "match/breaker.h"
#include "match/cpu_time.h"
#include "match/regex.h"

struct search_case {
	const char *pattern, *subject;
	enum regex_result result;
	const char *groups; /* `<0><1>...`, `-` for one that took no part */
};

static const struct search_case searches[] = {
	{ "b+", "abbc", REGEX_MATCH, "<bb>" },
	{ "x", "abbc", REGEX_NONE, "" },
	{ "", "", REGEX_MATCH, "<>" },
	{ "$", "abc", REGEX_MATCH, "<>" },
	{ "^ ?b", " b", REGEX_MATCH, "< b>" },
	{ "(?<a>x)|(?<b>y)", "y", REGEX_MATCH, "<y>-<y>" },
	{ "(?<a>x)|(?<b>y)", "x", REGEX_MATCH, "<x><x>-" },
	{ "a(?<e>)b", "ab", REGEX_MATCH, "<ab><>" },
	{ "(?|(?<n>a)|(?<n>b))c", "bc", REGEX_MATCH, "<bc><b>" },
	{ "(?<=a)b", "ab", REGEX_MATCH, "<b>" },
	{ ".", "\xff", REGEX_MATCH, "<\xff>" }, /* bytes */
	{ "\xc3\xa4", "\xc3\xa4", REGEX_MATCH, "<\xc3\xa4>" },
	{ "(?i)OUT of", "Out Of memory", REGEX_MATCH, "<Out Of>" },
	{ "(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", REGEX_LIMIT,
		"" },
	/* what a match must contain is looked for first: the same results, and sooner */
	{ "(?<p>\\S+) invoked oom-killer", "x java invoked oom-killer:", REGEX_MATCH,
		"<java invoked oom-killer><java>" },
	{ "(?<p>\\S+) invoked oom-killer", " invoked oom-killer:", REGEX_NONE, "" },
	{ "(?<p>\\S+) invoked oom-killer", "java invoked oom-kille", REGEX_NONE, "" },
	{ "(a+)+ end$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", REGEX_NONE,
		"" },
};

static void
test_search(void **state)
{
	struct regex_scratch *scratch = regex_scratch_new();

	(void)state;
	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
		const struct search_case *c = &searches[i];
		struct buf why = BUF_EMPTY, text = BUF_EMPTY;
		struct str groups[8];
		size_t offset;
		struct regex *regex = regex_new(str_from(c->pattern), &why, &offset);

		assert_non_null(regex);
		enum regex_result result = regex_search(
			regex, scratch, str_from(c->subject), groups);
		if (result != c->result)
			fail_msg("%s in %s gave %d", c->pattern, c->subject, (int)result);
		for (size_t k = 0; result == REGEX_MATCH && k <= regex_groups(regex); k++) {
			buf_add_text(&text, str_present(groups[k]) ? "<" : "-");
			buf_add(&text, groups[k]);
			buf_add_text(&text, str_present(groups[k]) ? ">" : "");
		}
		assert_string_equal(buf_cstr(&text), c->groups);
		buf_fini(&text);
		buf_fini(&why);
		regex_free(&regex);
	}
	regex_scratch_free(&scratch);
}

static struct str
filled(char *space, size_t len, const char *fill)
{
	size_t n = strlen(fill);

	for (size_t i = 0; i < len; i++)
		space[i] = fill[i % n];
	return (struct str){ space, len };
}

/* A match behind the first pieces of a long message is found, at every place. */
static void
test_long_subject(void **state)
{
	struct regex_scratch *scratch = regex_scratch_new();
	static char space[REGEX_MAX_SUBJECT + 10];
	struct buf why = BUF_EMPTY;
	struct str groups[2];
	size_t offset;
	struct regex *regex = regex_new(STR("(?<=x)(\\d+) end"), &why, &offset);

	(void)state;
	for (size_t at = 1; at + 6 <= sizeof(space); at += at < 200 ? 1 : 97) {
		struct str subject = filled(space, sizeof(space), "x");

		memcpy(space + at, "42 end", 6);
		enum regex_result want = at + 6 <= REGEX_MAX_SUBJECT ? REGEX_MATCH : REGEX_NONE;
		assert_int_equal(regex_search(regex, scratch, subject, groups), want);
		if (want == REGEX_MATCH)
			assert_ptr_equal(groups[1].ptr, space + at);
	}
	regex_free(&regex);
	/* The cap is no end of line. */
	regex = regex_new(STR("(x)$"), &why, &offset);
	assert_int_equal(
		regex_search(regex, scratch, filled(space, REGEX_MAX_SUBJECT + 1, "x"), groups),
		REGEX_NONE);
	assert_int_equal(
		regex_search(regex, scratch, filled(space, REGEX_MAX_SUBJECT, "x"), groups),
		REGEX_MATCH);
	assert_ptr_equal(groups[1].ptr, space + REGEX_MAX_SUBJECT - 1);
	regex_free(&regex);
	/* A pattern that needs more steps than the first piece allows is found all the same. */
	regex = regex_new(STR("^(x|xy)+?\"!"), &why, &offset);
	filled(space, REGEX_MAX_SUBJECT, "x");
	memcpy(space + REGEX_MAX_SUBJECT - 2, "\"!", 2);
	assert_int_equal(
		regex_search(regex, scratch, (struct str){ space, REGEX_MAX_SUBJECT }, groups),
		REGEX_MATCH);
	regex_free(&regex);
	buf_fini(&why);
	regex_scratch_free(&scratch);
}

/* With PCRE2's match limit alone (50,000) some of these run for more than a minute. */
static const char *const hostile[] = { "a*a*\\d", "q?(a*)(a*)\\d", "(?<=a)a*a*\\d",
	"(?:a|(?=a*\\d))*\\d", "(?:a(?=a*\\d|))*\\d", "(?:a(?!.*x)(?!.*y))*\\d", "(a*)\\1\\d",
	"(a+)\\1+\\d", "(a+)+$", "(a|aa)+$", ".*?.*?\\d", "(.*)(.*)(.*)\\d", "(?:(a)|b)*c?\\d" };

static void
test_hostile(void **state)
{
	struct regex_scratch *scratch = regex_scratch_new();
	static char space[REGEX_MAX_SUBJECT];
	int64_t worst = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct buf why = BUF_EMPTY;
		struct str groups[8];
		size_t offset;
		struct regex *regex = regex_new(str_from(hostile[i]), &why, &offset);

		assert_non_null(regex);
		for (int shape = 0; shape < 2; shape++) {
			struct str subject = filled(space, sizeof(space) - 1, "a");

			space[sizeof(space) - 1] = '!';
			if (shape == 1)
				memset(space, 'b', 1000);
			subject.len++;
			int64_t start = cpu_time_ns();
			assert_int_not_equal(
				regex_search(regex, scratch, subject, groups), REGEX_MATCH);
			int64_t elapsed = cpu_time_ns() - start;
			if (elapsed > worst)
				worst = elapsed;
		}
		regex_free(&regex);
		buf_fini(&why);
	}
	print_message("worst search: %lld us of CPU time\n", (long long)(worst / 1000));
	assert_true(worst < INT64_C(500000000)); /* ten times the usual figure */
	regex_scratch_free(&scratch);
}

struct bad_pattern {
	const char *pattern, *why;
	size_t offset;
};

static const struct bad_pattern bad_patterns[] = {
	{ "a(b", "missing closing parenthesis", 3 },
	{ "ab)", "unmatched closing parenthesis", 2 },
	{ "(*UTF)a", "using UTF is disabled by the application", 6 },
	{ "(?J)(?<n>a)|(?<n>b)", "two groups are named n (use (?|...|...))", 0 },
	{ "(?&x)", "reference to non-existent subpattern", 3 },
};

static void
test_bad_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_patterns) / sizeof(bad_patterns[0]); i++) {
		struct buf why = BUF_EMPTY;
		size_t offset = 0;

		assert_null(regex_new(str_from(bad_patterns[i].pattern), &why, &offset));
		assert_string_equal(buf_cstr(&why), bad_patterns[i].why);
		assert_int_equal(offset, bad_patterns[i].offset);
		buf_fini(&why);
	}
	struct buf many = BUF_EMPTY, why = BUF_EMPTY;
	size_t offset;
	for (int i = 0; i < 256; i++)
		buf_add_text(&many, "(a)?");
	assert_null(regex_new(buf_str(&many), &why, &offset));
	assert_string_equal(
		buf_cstr(&why), "more than 255 groups (use (?:...) where nothing is captured)");
	many.len -= 4;
	struct regex *regex = regex_new(buf_str(&many), &why, &offset);
	assert_int_equal(regex_groups(regex), 255);
	regex_free(&regex);
	buf_fini(&many);
	buf_fini(&why);
}

static void
test_names(void **state)
{
	struct buf why = BUF_EMPTY;
	size_t offset;
	struct regex *regex = regex_new(STR("(x)(?<zeta>a)(?<alpha>b)"), &why, &offset);

	(void)state;
	assert_int_equal(regex_names(regex), 2);
	assert_string_equal(regex_name(regex, 0).ptr, "alpha");
	assert_int_equal(regex_number(regex, 0), 3);
	assert_string_equal(regex_name(regex, 1).ptr, "zeta");
	assert_int_equal(regex_number(regex, 1), 2);
	regex_free(&regex);
	buf_fini(&why);
}

static void
test_breaker(void **state)
{
	const int64_t s = NS_PER_SEC;
	struct breaker b = { .open_until = 0 };

	(void)state;
	assert_false(breaker_open(&b, 1));
	assert_false(breaker_strike(&b, 1 * s));
	assert_false(breaker_strike(&b, 5 * s));
	assert_false(breaker_strike(&b, 12 * s)); /* the first is 11 s ago */
	assert_true(breaker_strike(&b, 15 * s));  /* 5, 12, 15 */
	assert_true(breaker_open(&b, 15 * s));
	assert_true(breaker_open(&b, 75 * s - 1));
	assert_false(breaker_open(&b, 75 * s));
	static const int rests[] = { 120, 240, 480, 600, 600 };
	int64_t now = 75 * s;
	for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		assert_false(breaker_strike(&b, now));
		assert_false(breaker_strike(&b, now));
		assert_true(breaker_strike(&b, now));
		now += rests[i] * s;
		assert_true(breaker_open(&b, now - 1));
		assert_false(breaker_open(&b, now));
	}
	now += 600 * s; /* well for 10 min: it starts from 60 s again */
	assert_false(breaker_strike(&b, now));
	assert_false(breaker_strike(&b, now));
	assert_true(breaker_strike(&b, now));
	assert_false(breaker_open(&b, now + 60 * s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_long_subject),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_bad_patterns),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_breaker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
