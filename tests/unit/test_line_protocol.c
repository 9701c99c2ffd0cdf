/* SPDX-License-Identifier: Apache-2.0 */
/* Line protocol: what is written is read back the same, whatever bytes go in; bad lines are refused
 * with the reason. */
#include "support/cmocka_all.h"

#include "base/utf8.h"
#include "metric/line_protocol.h"

static struct buf
written(char *(*put)(char *, struct str), struct str text)
{
	struct buf out = BUF_EMPTY;
	char *start = buf_reserve(&out, text.len * LP_GROWTH + 2);

	out.len = (size_t)(put(start, text) - start);
	return out;
}

static void
escapes(void **state)
{
	static const struct {
		char *(*put)(char *, struct str);
		struct str in;
		const char *out;
	} cases[] = {
		{ lp_put_measurement, STR_INIT("a b,c=d"), "a\\ b\\,c=d" },
		{ lp_put_key, STR_INIT("a b,c=d"), "a\\ b\\,c\\=d" },
		{ lp_put_key, STR_INIT("tail\\\\"), "tail" }, { lp_put_key, STR_INIT("\\"), "" },
		{ lp_put_key, STR_INIT("in\\side"), "in\\side" },
		{ lp_put_key, STR_INIT("x\ny\t\x7f"), "x\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd" },
		{ lp_put_key, STR_INIT("nul\0!"), "nul\xef\xbf\xbd!" },
		{ lp_put_key, STR_INIT("gr\xc3\xbc\xc3\x9f\x65"), "gr\xc3\xbc\xc3\x9f\x65" },
		{ lp_put_key, STR_INIT("bad\xff\xc3"), "bad\xef\xbf\xbd\xef\xbf\xbd" },
		{ lp_put_string, STR_INIT(""), "\"\"" },
		{ lp_put_string, STR_INIT("say \"hi\" \\ bye"), "\"say \\\"hi\\\" \\\\ bye\"" },
		{ lp_put_string, STR_INIT("line1\nline2\ttab\r"), "\"line1\nline2\ttab\r\"" },
		{ lp_put_string, STR_INIT("a\0b"),
			"\"a\xef\xbf\xbd"
			"b\"" },
		{ lp_put_string, STR_INIT("0123456789abcdef\xf0\x9f\x98\x80!"),
			"\"0123456789abcdef\xf0\x9f\x98\x80!\"" },
		{ lp_put_string, STR_INIT("\xed\xa0\x80"),
			"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* a surrogate */
		{ lp_put_string, STR_INIT("\xc0\xaf"),
			"\"\xef\xbf\xbd\xef\xbf\xbd\"" }, /* overlong */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = written(cases[i].put, cases[i].in);

		assert_string_equal(buf_cstr(&out), cases[i].out);
		buf_fini(&out);
	}
}

static void
numbers(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = { { 0, "0" }, { 1.5, "1.5" }, { 0.1, "0.1" }, { -2, "-2" }, { 1e21, "1e+21" },
		{ 0.0054, "0.0054" }, { 1.0 / 3, "0.3333333333333333" },
		{ 123456789012.5, "123456789012.5" } };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		*lp_put_float(text, cases[i].value) = '\0';
		assert_string_equal(text, cases[i].text);
	}
	*lp_put_int(text, INT64_MIN) = '\0';
	assert_string_equal(text, "-9223372036854775808i");
}

static void
series_are_sorted(void **state)
{
	struct lp_tag tags[] = { { STR_INIT("proc"), STR_INIT("java vm") },
		{ STR_INIT("env"), STR_INIT("a=b") }, { STR_INIT("empty"), STR_INIT("") },
		{ STR_INIT("gone"), STR_INIT("\\\\") }, { STR_INIT("env"), STR_INIT("second") } };
	struct buf out = BUF_EMPTY;

	(void)state;
	lp_add_series(&out, STR("oom kill"), tags, 5);
	assert_string_equal(buf_cstr(&out), "oom\\ kill,env=a\\=b,proc=java\\ vm");
	buf_fini(&out);
}

/* What the format keeps of arbitrary bytes, done the slow way. */
static struct buf
sanitised(struct str in, bool name)
{
	struct buf out = BUF_EMPTY;
	const unsigned char *p = (const unsigned char *)in.ptr, *end = p + in.len;

	if (name)
		while (end > p && end[-1] == '\\')
			end--;
	while (p < end) {
		size_t n = *p < 0x80 ? 1 : utf8_length(p, (const unsigned char *)in.ptr + in.len);

		if (n == 0 || *p == 0 || (name && (*p < ' ' || *p == 0x7f))) {
			buf_add_text(&out, UTF8_REPLACEMENT);
			n = 1;
		} else {
			buf_add(&out, (struct str){ (const char *)p, n });
		}
		p += n;
	}
	return out;
}

static struct str
random_text(uint64_t *seed, char *text, size_t most)
{
	static const char nasty[] = "\\\\\", =\n\r\t\0#i\"";
	size_t n = test_random(seed) % most;

	for (size_t i = 0; i < n; i++) {
		uint64_t r = test_random(seed);

		text[i] = r % 3 == 0 ? nasty[(r >> 8) % (sizeof(nasty) - 1)]
			: r % 3 == 1 ? (char)('a' + (r >> 8) % 26)
				     : (char)(r >> 8);
	}
	return (struct str){ text, n };
}

static void
what_is_written_is_read(void **state)
{
	uint64_t seed = test_seed();
	struct lp_point *point = malloc(sizeof(*point));
	char a[40], b[40], c[200];

	(void)state;
	for (int round = 0; round < 200000; round++) {
		struct str name = random_text(&seed, a, sizeof(a)),
			   value = random_text(&seed, b, sizeof(b));
		struct str text = random_text(&seed, c, sizeof(c));
		struct lp_tag tag = { STR("k"), value };
		struct buf line = BUF_EMPTY, scratch = BUF_EMPTY,
			   tag_wanted = sanitised(value, true), wanted = sanitised(text, false);
		struct buf key = written(lp_put_key, name), string = written(lp_put_string, text);
		const char *why = NULL;

		lp_add_series(&line, STR("m"), &tag, 1);
		buf_add_char(&line, ' ');
		if (key.len == 0)
			buf_add_char(&line, 'f');
		buf_add(&line, buf_str(&key));
		buf_add_char(&line, '=');
		buf_add(&line, buf_str(&string));
		buf_add_text(&line, " 42\nrest");
		struct str rest = buf_str(&line);
		assert_true(lp_read(&rest, &scratch, point, &why));
		assert_true(str_is(rest, "rest"));
		assert_true(point->has_time && point->time_ns == 42);
		assert_int_equal(point->n_tags, tag_wanted.len > 0 ? 1 : 0);
		if (tag_wanted.len > 0)
			assert_true(str_equal(point->tags[0].value, buf_str(&tag_wanted)));
		assert_int_equal(point->n_fields, 1);
		assert_true(str_equal(point->fields[0].text, buf_str(&wanted)));
		buf_fini(&line);
		buf_fini(&scratch);
		buf_fini(&tag_wanted);
		buf_fini(&wanted);
		buf_fini(&key);
		buf_fini(&string);
	}
	free(point);
}

static void
reading(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{ "m", "missing fields" },
		{ "m ", "bad field key" },
		{ "m f", "bad field key" },
		{ "m,k= f=1", "bad tag value" },
		{ "m,k f=1", "bad tag key" },
		{ "m f=\"x", "unbalanced quotes" },
		{ "m f=1u", NULL },
		{ "m f=nan", NULL },
		{ "m f=1 12x", "bad timestamp (nanoseconds)" },
		{ "m f=1 12 13", "text after the timestamp" },
		{ "m f=99999999999999999999i", "bad integer" },
		{ " f=1", "empty name" },
	};
	struct lp_point *point = malloc(sizeof(*point));
	struct buf scratch = BUF_EMPTY;
	const char *why;
	struct str rest = str_from("a\\,b,t=v\\ w f=1i,g=2.5,h=t,s=\"x\\\"\\\\\" 5\nbad\nm f=1\n");

	(void)state;
	assert_true(lp_read(&rest, &scratch, point, &why));
	assert_true(str_is(point->measurement, "a,b"));
	assert_true(str_is(point->tags[0].value, "v w"));
	assert_int_equal(point->n_fields, 4);
	assert_true(point->fields[0].type == LP_INT && point->fields[0].integer == 1);
	assert_true(point->fields[1].type == LP_FLOAT && point->fields[1].number == 2.5);
	assert_true(point->fields[2].type == LP_BOOL && point->fields[2].integer == 1);
	assert_true(point->fields[3].type == LP_STRING && str_is(point->fields[3].text, "x\"\\"));
	assert_false(
		lp_read(&rest, &scratch, point, &why)); /* and the line behind it is still read */
	assert_true(lp_read(&rest, &scratch, point, &why));
	assert_false(point->has_time);
	assert_int_equal(rest.len, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rest = str_from(bad[i].line);
		why = NULL;
		assert_false(lp_read(&rest, &scratch, point, &why));
		assert_non_null(why);
		if (bad[i].why != NULL)
			assert_string_equal(why, bad[i].why);
	}
	buf_fini(&scratch);
	free(point);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(numbers),
		cmocka_unit_test(series_are_sorted),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(reading),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
