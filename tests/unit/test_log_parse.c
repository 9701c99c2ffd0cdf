/* SPDX-License-Identifier: Apache-2.0 */
/* Every case whole, in strict mode too, and every prefix of it from a buffer whose last byte is a
 * page's last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "log_parse_cases.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char *guard; /* the first byte that must not be touched */
static size_t room; /* bytes before it */

static int
set_up(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)state;
	room = 16 * page;
	char *map = mmap(
		NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(map != MAP_FAILED);
	guard = map + room;
	return mprotect(guard, page, PROT_NONE);
}

static int
tear_down(void **state)
{
	(void)state;
	return munmap(guard - room, room + (size_t)sysconf(_SC_PAGESIZE));
}

static struct str
guarded(struct str s)
{
	assert_true(s.len <= room);
	if (s.len > 0)
		memcpy(guard - s.len, s.ptr, s.len);
	return (struct str){ guard - s.len, s.len };
}

static bool
parse(struct str frame, enum log_format_option format, bool best_effort, struct log_record *record)
{
	struct log_parse_options options = { format, best_effort, NOW };

	memset(record, 0xee, sizeof(*record));
	return log_parse(frame, &options, record);
}

static void
assert_text(const char *what, struct str actual, const char *expected)
{
	bool equal = expected == NULL ? !str_present(actual)
				      : str_present(actual) && actual.len == strlen(expected) &&
			memcmp(actual.ptr, expected, actual.len) == 0;

	if (!equal)
		fail_msg("%s is \"%.*s\" (%s), not \"%s\"", what, (int)actual.len,
			str_present(actual) ? actual.ptr : "",
			str_present(actual) ? "present" : "absent",
			expected != NULL ? expected : "(absent)");
}

static void
assert_structured_data(const struct log_record *r, const struct parse_case *c)
{
	size_t n = 0;

	for (; n < COUNT(c->sd) && c->sd[n].id != NULL; n++) {
		assert_true(n < r->n_sd);
		assert_text("sd id", r->sd[n].id, c->sd[n].id);
		assert_text("sd name", r->sd[n].name, c->sd[n].name);
		assert_text("sd value", r->sd[n].value, c->sd[n].value);
		assert_int_equal(r->sd[n].escaped, c->sd[n].escaped);
	}
	assert_int_equal(r->n_sd, n);
	assert_text("sd_rest", r->sd_rest, c->sd_rest);
}

static void
assert_record(const struct log_record *r, struct str frame, const struct parse_case *c)
{
	assert_ptr_equal(r->frame.ptr, frame.ptr);
	assert_int_equal(r->frame.len, frame.len);
	assert_string_equal(log_error_name(r->error), log_error_name(c->error));
	assert_int_equal(r->column, c->column);
	assert_int_equal(r->format, c->format);
	assert_int_equal(r->facility, c->pri / 8);
	assert_int_equal(r->severity, c->pri % 8);
	assert_int_equal(r->version, c->version);
	assert_int_equal(r->has_time, c->has_time);
	assert_int_equal(r->time_ns, c->time_ns);
	assert_int_equal(r->time_digits, c->digits);
	assert_text("hostname", r->hostname, c->hostname);
	assert_text("appname", r->appname, c->appname);
	assert_text("procid", r->procid, c->procid);
	assert_text("msgid", r->msgid, c->msgid);
	assert_text("message", r->message, c->message);
	assert_structured_data(r, c);
}

/* In strict mode: all of the frame but blanks at its end (ASCII's are enough here). */
static void
assert_raw(const struct log_record *r, struct str frame, const struct parse_case *c)
{
	struct parse_case raw = { .error = c->error, .column = c->column, RAW };
	char text[4096];
	size_t n = frame.len;

	while (n > 0 && strchr(" \t\r\n", frame.ptr[n - 1]) != NULL)
		n--;
	assert_true(n < sizeof(text));
	if (n > 0)
		memcpy(text, frame.ptr, n);
	text[n] = '\0';
	raw.message = c->error == LOG_ERR_EMPTY ? NULL : text;
	assert_record(r, frame, &raw);
}

static void
check_case(const struct parse_case *c)
{
	struct log_record record;
	struct str frame = guarded(c->frame);

	print_message("    %.*s\n", (int)(frame.len < 100 ? frame.len : 100), frame.ptr);
	assert_int_equal(parse(frame, c->option, true, &record), c->error == LOG_ERR_NONE);
	assert_record(&record, frame, c);
	assert_int_equal(parse(frame, c->option, false, &record), c->error == LOG_ERR_NONE);
	if (c->error == LOG_ERR_NONE)
		assert_record(&record, frame, c);
	else
		assert_raw(&record, frame, c);
	for (size_t n = 0; n <= c->frame.len; n++) {
		frame = guarded((struct str){ c->frame.ptr, n });
		for (int format = LOG_PARSE_AUTO; format <= LOG_PARSE_RFC3164; format++) {
			parse(frame, (enum log_format_option)format, true, &record);
			assert_true(!str_present(record.message) ||
				record.message.ptr + record.message.len <= guard);
		}
	}
}

static void
test_rfc5424(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rfc5424_cases); i++)
		check_case(&rfc5424_cases[i]);
}

static void
test_soft_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(soft_cases); i++)
		check_case(&soft_cases[i]);
}

static void
test_hard_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hard_cases); i++)
		check_case(&hard_cases[i]);
}

static void
test_bad_stamps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_stamps); i++) {
		char frame[100], message[100];
		int n = snprintf(frame, sizeof(frame), "<1>1 %s", bad_stamps[i].stamp);
		if (bad_stamps[i].at <= strlen(bad_stamps[i].stamp)) /* not one that is cut short */
			n = snprintf(frame, sizeof(frame), "<1>1 %s h", bad_stamps[i].stamp);
		snprintf(message, sizeof(message), "%s", frame + 5);
		struct parse_case c = { { frame, (size_t)n }, .pri = 1, .version = 1,
			.error = LOG_ERR_TIMESTAMP, .column = 5 + bad_stamps[i].at,
			.message = message };
		check_case(&c);
	}
}

static void
test_rfc3164(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rfc3164_cases); i++)
		check_case(&rfc3164_cases[i]);
}

static void
test_raw(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(raw_cases); i++)
		check_case(&raw_cases[i]);
}

/* All 192 values, and none more. */
static void
test_pri(void **state)
{
	(void)state;
	for (unsigned pri = 0; pri <= 1000; pri++) {
		struct log_record record;
		char frame[40];
		int n = snprintf(frame, sizeof(frame), "<%u>1 - - - - - -", pri);
		bool clean = parse((struct str){ frame, (size_t)n }, LOG_PARSE_AUTO, true, &record);
		assert_int_equal(clean, pri <= 191);
		assert_int_equal(record.facility * 8 + record.severity, pri <= 191 ? pri : 13);
	}
}

/* The year of a stamp without one, seen from other days than NOW. */
static void
test_nearest_year(void **state)
{
	static const struct {
		int64_t now; /* seconds */
		const char *stamp;
		int64_t expected;
	} cases[] = {
		{ 1798761605, "Dec 31 23:59:58", 1798761598 }, /* on 2027-01-01 */
		{ 1798761605, "Jan  1 00:00:05", 1798761605 },
		{ 1798761598, "Jan  1 00:00:05", 1798761605 }, /* on 2026-12-31 */
		{ 1798761598, "Dec 31 23:59:58", 1798761598 },
		{ 1798761605, "Jul  2 12:00:05",
			1782993605 }, /* half a year either way: the earlier */
		{ 1798761605, "Jul  2 12:00:04", 1814529604 },
		{ 1772236800, "Feb 29 12:00:00", 1709208000 }, /* on 2026-02-28: 2024 and 2028 */
		{ 1772323201, "Feb 29 12:00:00", 1835438400 }, /* on 2026-03-01 */
		{ 4107542400, "Feb 29 00:00:00", 4233686400 }, /* on 2100-03-01: 2096 and 2104 */
		{ 5, "Dec 31 23:59:59", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct log_parse_options options = { LOG_PARSE_AUTO, true,
			cases[i].now * 1000000000 };
		struct log_record record;
		char frame[40];
		int n = snprintf(frame, sizeof(frame), "<13>%s h a: x", cases[i].stamp);
		print_message("    %s\n", frame);
		assert_true(log_parse((struct str){ frame, (size_t)n }, &options, &record));
		assert_int_equal(record.time_ns, cases[i].expected * 1000000000);
	}
}

/* n elements of two parameters, then text. */
static size_t
write_elements(char *out, size_t size, int n)
{
	size_t len = (size_t)snprintf(out, size, "<1>1 - - - - - ");

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(out + len, size - len, "[e%d p=\"1\" q=\"2\"]", i);
	return len + (size_t)snprintf(out + len, size - len, " text");
}

static void
test_many_keys(void **state)
{
	struct log_record record;
	char frame[4096];

	(void)state;
	size_t len = write_elements(frame, sizeof(frame), 32);
	assert_true(parse((struct str){ frame, len }, LOG_PARSE_AUTO, true, &record));
	assert_int_equal(record.n_sd, LOG_SD_MAX);
	assert_text("sd_rest", record.sd_rest, NULL);

	len = write_elements(frame, sizeof(frame), 34);
	assert_true(parse((struct str){ frame, len }, LOG_PARSE_AUTO, true, &record));
	assert_int_equal(record.n_sd, LOG_SD_MAX);
	assert_text("sd name", record.sd[63].name, "q");
	assert_text("sd_rest", record.sd_rest, "[e32 p=\"1\" q=\"2\"][e33 p=\"1\" q=\"2\"]");
	assert_text("message", record.message, "text");

	/* One element without a parameter moves the border into an element. */
	len = (size_t)snprintf(frame, sizeof(frame), "<1>1 - - - - - [x]");
	size_t more = write_elements(frame + len, sizeof(frame) - len, 32);
	memmove(frame + len, frame + len + 15, more - 15);
	len += more - 15;
	assert_true(parse((struct str){ frame, len }, LOG_PARSE_AUTO, true, &record));
	assert_text("sd_rest", record.sd_rest, "q=\"2\"]");
	assert_text("message", record.message, "text");

	/* What is not stored is checked all the same, and goes to the message when its element is
	 * not whole. */
	frame[len - 7] = 'x';
	assert_false(parse((struct str){ frame, len }, LOG_PARSE_AUTO, true, &record));
	assert_int_equal(record.error, LOG_ERR_SD_VALUE);
	assert_int_equal(record.n_sd, 63);
	assert_text("sd_rest", record.sd_rest, NULL);
	assert_text("message", record.message, "[e31 p=\"1\" q=\"2x] text");
}

static void
test_unescape(void **state)
{
	static const struct {
		struct str value;
		const char *expected;
	} cases[] = {
		{ FRAME(""), "" },
		{ FRAME("abc"), "abc" },
		{ FRAME("\\\"a\\\\\\]"), "\"a\\]" },
		{ FRAME("\\n\\\\n"), "\\n\\n" },
		{ FRAME("x\\"), "x\\" },
		{ FRAME("\\\\\\"), "\\\\" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[32];
		size_t n = log_sd_unescape(guarded(cases[i].value), out);
		assert_text("unescaped", (struct str){ out, n }, cases[i].expected);
	}
}

static void
test_names(void **state)
{
	(void)state;
	assert_text("severity", log_severity_names[3], "err");
	assert_text("severity", log_severity_names[7], "debug");
	assert_text("facility", log_facility_names[9], "cron");
	assert_text("facility", log_facility_names[23], "local7");
	assert_string_equal(log_error_name(LOG_ERR_SD), "structured_data");
	assert_string_equal(log_error_text(LOG_ERR_MESSAGE), "expected a space before the message");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc5424),
		cmocka_unit_test(test_soft_errors),
		cmocka_unit_test(test_hard_errors),
		cmocka_unit_test(test_bad_stamps),
		cmocka_unit_test(test_rfc3164),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_pri),
		cmocka_unit_test(test_nearest_year),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_unescape),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
