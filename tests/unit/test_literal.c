/* SPDX-License-Identifier: Apache-2.0 */
/* The literal of a pattern: what it is, and that PCRE2 never matches without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "base/clock.h"
#include "match/literal.h"

struct literal_case {
	const char *pattern, *literal;
};

static const struct literal_case cases[] = {
	{ "", "" },
	{ "a", "a" },
	{ "out of memory", "out of memory" },
	{ "(?<proc>\\S+) invoked oom-killer", " invoked oom-killer" },
	{ "(?<proc>\\S+)\\[(?<pid>\\d+)\\]: segfault", "]: segfault" },
	{ "(?<probe>\\w+) probe failed for (?<ns>[^/]+)/", " probe failed for " },
	{ "Killed process (?<pid>\\d+) \\((?<proc>.+)\\).* anon-rss:(?<rss>\\d+)kB",
		"Killed process " },
	{ "\" (?<status>5\\d\\d) \\d", "\" " },
	{ "acct=\"(?<acct>[^\"]+)\".* res=failed", " res=failed" },
	/* the longest; of equal ones the first */
	{ "ab.cde.f", "cde" },
	{ "ab.cd", "ab" },
	{ "^abc$", "abc" },
	/* no more than 32 bytes */
	{ "0123456789abcdef0123456789abcdefg", "0123456789abcdef0123456789abcdef" },
	{ "0123456789abcdef0123456789abcdefg?", "0123456789abcdef0123456789abcdef" },
	{ "0123456789abcdef0123456789abcdef?", "0123456789abcdef0123456789abcde" },
	/* quantifiers */
	{ "abcd?ef", "abc" },
	{ "abcd*ef", "abc" },
	{ "abcd+ef", "abcd" },
	{ "abcd+?ef", "abcd" },
	{ "abcd++ef", "abcd" },
	{ "abcd{0,1}efgh", "efgh" },
	{ "abcd{2}ef", "abc" },
	{ "abcd{2,}+ef", "abc" },
	{ "ab{,2}cd", "cd" }, /* four bytes for PCRE2 10.42, a quantifier since 10.43 */
	{ "ab{ 1, 2 }cd", "cd" },
	{ "ab{c}d", "ab{c}d" },
	{ "ab{2cd", "ab{2cd" },
	{ "\\d{12}ab", "ab" },
	{ "(ab)?c", "c" },
	{ "ab+{0}c", "" },
	{ "ab?\?+c", "" },
	/* escapes */
	{ "a\\.b\\[c\\]\\\\\\/\\ \\_\\<", "a.b[c]\\/ _<" },
	{ "a\\.+bc?", "a." },
	{ "ab\\bcd\\tefg\\n", "efg" },
	{ "ab\\x41c", "" },
	{ "ab\\101c", "" },
	{ "(a)\\1bc", "" },
	{ "ab\\cAc", "" },
	{ "ab\\p{L}c", "" },
	{ "ab\\N{U+41}c", "" },
	{ "ab\\Kcde", "cde" },
	{ "ab\\Q.\\Ecd", "" },
	{ "ab\\Qcd", "" },
	{ "ab\\E?cd", "" },
	{ "ab\\g{1}cd", "" },
	/* classes */
	{ "ab[cd]efg", "efg" },
	{ "[]ab]cd", "cd" },
	{ "[^]ab]cd", "cd" },
	{ "[\\]ab]cd", "cd" },
	{ "[[:alpha:]b]cd", "cd" },
	{ "[[:^alpha:]b]cd", "cd" },
	{ "[[ab]cd", "cd" },
	{ "[a[:]cd:]ef", "" },
	{ "[\\x00-\\x1f\\d]cd", "cd" },
	{ "[\\Q]\\E]cd", "" },
	{ "[\\c]]cd", "" },
	{ "[\\E]ab]cd", "" },
	/* groups */
	{ "a(?:bcd|e)fg", "fg" },
	{ "a(b(c)d[)](\\))e)fgh", "fgh" },
	{ "a(?=bcd)bc", "bc" },
	{ "a(?!bcd)bc", "bc" },
	{ "(?<=abc)de", "de" },
	{ "(?<!abc)de", "de" },
	{ "(?>abc)de", "de" },
	{ "(?|(abc)|(d))ef", "ef" },
	{ "(?P<n>abc)de", "de" },
	{ "(?'n'abc)de", "de" },
	{ "(a)+{0}bc", "" },
	/* what gives up */
	{ "abc|d", "" },
	{ "(a|b)c|d", "" },
	{ "(?i)abc", "" },
	{ "abc(?i)d", "" },
	{ "abc((?x)d)", "" },
	{ "abc(?i:d)", "" },
	{ "abc(?^)d", "" },
	{ "abc(?#d)", "" },
	{ "(*ACCEPT)abc", "" },
	{ "(?:x(*ACCEPT))?abc", "" },
	{ "(*LF)abc", "" },
	{ "abc(?1)(d)", "" },
	{ "abc(?R)?", "" },
	{ "abc(?&n)(?<n>d)", "" },
	{ "abc(?P>n)(?P<n>d)", "" },
	{ "(a)?(?(1)b|c)def", "" },
	{ "abc(?C1)", "" },
	/* wrong patterns do no harm */
	{ "abc(", "" },
	{ "abc)", "" },
	{ "abc[", "" },
	{ "abc[a", "" },
	{ "abc\\", "" },
	{ "abc[\\", "" },
	{ "abc(\\", "" },
	{ "abc[[:", "" },
	{ "*abc", "" },
	/* bytes */
	{ "\xc3\xa4\xff.", "\xc3\xa4\xff" },
	{ "\xc3\xa4?x", "\xc3" },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct literal literal = literal_of(str_from(cases[i].pattern));

		if (!str_is((struct str){ literal.bytes, literal.len }, cases[i].literal))
			fail_msg("%s: \"%.*s\" instead of \"%s\"", cases[i].pattern,
				(int)literal.len, literal.bytes, cases[i].literal);
	}
}

static void
test_rare(void **state)
{
	(void)state;
	assert_int_equal(literal_of(STR("Killed process ")).rare, 0);
	assert_int_equal(literal_of(STR("(a) invoked oom-killer")).rare, 5);
	assert_int_equal(literal_of(STR("e te")).rare, 2);
}

static void
test_in(void **state)
{
	static const struct {
		const char *subject;
		bool in;
	} subjects[] = {
		{ "", false },
		{ "a", false },
		{ "axb", true },
		{ "ax", false },
		{ "xb", false },
		{ "aaxb", true },
		{ "xxaxbxx", true },
		{ "xaxxaxb", true },
		{ "axaxaxa", false },
	};
	const struct literal literal = literal_of(STR("axb"));

	(void)state;
	assert_int_equal(literal.rare, 1);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		/* The exact size, so that a byte too far is seen by the address sanitizer. */
		size_t len = strlen(subjects[i].subject);
		char *copy = malloc(len + (len == 0));

		memcpy(copy, subjects[i].subject, len);
		if (literal_in(&literal, (struct str){ copy, len }) != subjects[i].in)
			fail_msg("\"%s\"", subjects[i].subject);
		free(copy);
	}
}

/* Patterns are drawn from these; most wrong ones PCRE2 refuses. */
static const char *const tokens[] = { "a", "b", "c", "a", "b", "c", "ab", "bc", ".", "^", "$", "|",
	"(", "(", ")", ")", "(?:", "(?|", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?<n>", "(?P<m>",
	"(?'o'", "(?i)", "(?i:", "(?x)", "(?^)", "(?-i)", "(?#", "(?1)", "(?R)", "(?&n)", "(?P>m)",
	"(?(1)", "(*ACCEPT)", "(*F)", "(*SKIP)", "(*pla:", "(?*", "(?C1)", "*", "+", "?", "+", "?",
	"{0}", "{2}", "{0,1}", "{,2}", "{ 1 }", "{", "}", "2", ",", " ", "#", "\n", "[", "]", "[^",
	"[ab]", "[^a]", "[]a]", "[^]a]", "[[:alpha:]]", "[a[:^space:]b]", "[:", ":]", "[.",
	"[=", "-", ":", "\\", "\\[", "\\]", "\\.", "\\(", "\\)", "\\\\", "\\d", "\\S", "\\b", "\\B",
	"\\K", "\\A", "\\z", "\\Q", "\\E", "\\x61", "\\x{62}", "\\141", "\\1", "\\g{1}", "\\k<n>",
	"\\cA", "\\c]", "\\N", "\\pL", "\\p{L}", "\\R", "\\X", "\\h" };

static uint64_t
roll(uint64_t *seed, uint64_t sides) /* splitmix64 */
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % sides;
}

/* Plain characters of the pattern, some of them left out or doubled: such a subject often matches,
 * or nearly. */
static void
draw_subject(uint64_t *seed, struct str pattern, struct buf *subject)
{
	static const char others[] = "abcABC[]{}.2 \\";

	buf_clear(subject);
	for (size_t i = 0; i < pattern.len; i++) {
		uint64_t what = roll(seed, 12);
		char c = what == 0 ? others[roll(seed, sizeof(others) - 1)] : pattern.ptr[i];

		if (what > 1 && strchr("abc[]{}.2, ", c) == NULL)
			continue;
		buf_add_char(subject, c);
		if (what == 2)
			buf_add_char(subject, c);
	}
}

/* How many of some subjects it matched that way. */
static unsigned
check_pattern(uint64_t *seed, struct str pattern, struct buf *subject)
{
	int error;
	size_t offset;
	unsigned matched = 0;
	struct literal literal = literal_of(pattern);
	pcre2_code *code = pcre2_compile(
		(PCRE2_SPTR)pattern.ptr, pattern.len, 0, &error, &offset, NULL);

	if (code == NULL || literal.len == 0) {
		pcre2_code_free(code);
		return 0;
	}
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
	for (int i = 0; i < 4; i++) {
		draw_subject(seed, pattern, subject);
		struct str s = buf_str(subject);
		int rc = pcre2_match(code, (PCRE2_SPTR)s.ptr, s.len, 0, 0, data, NULL);

		if (rc < 0)
			continue;
		matched++;
		if (!literal_in(&literal, s))
			fail_msg("%.*s matches \"%.*s\", where \"%.*s\" is not", (int)pattern.len,
				pattern.ptr, (int)s.len, s.ptr, (int)literal.len, literal.bytes);
	}
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return matched;
}

static void
test_never_without(void **state)
{
	enum { ROUNDS = 200000 };
	uint64_t seed = (uint64_t)clock_monotonic_ns();
	struct buf pattern = BUF_EMPTY, subject = BUF_EMPTY;
	unsigned matched = 0;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	for (int round = 0; round < ROUNDS; round++) {
		buf_clear(&pattern);
		for (uint64_t n = 1 + roll(&seed, 8); n > 0; n--)
			buf_add_text(
				&pattern, tokens[roll(&seed, sizeof(tokens) / sizeof(tokens[0]))]);
		matched += check_pattern(&seed, buf_str(&pattern), &subject);
	}
	print_message("%u matches\n", matched);
	assert_true(matched > ROUNDS / 20); /* or the test says nothing */
	buf_fini(&pattern);
	buf_fini(&subject);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_rare),
		cmocka_unit_test(test_in),
		cmocka_unit_test(test_never_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
