/* SPDX-License-Identifier: Apache-2.0 */
/* Every stream whole, byte by byte, at every split, and in reads of 64 KiB: the frames must always
 * be the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parser/framer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STREAM(text)                      \
	{                                 \
		"" text, sizeof(text) - 1 \
	}
#define CUT(text)                  \
	{                          \
		STREAM(text), true \
	}
#define WHOLE(text)                 \
	{                           \
		STREAM(text), false \
	}

enum { MAX_MESSAGE = 8 };

struct frame_case {
	enum framing framing;
	struct str stream;
	bool bad; /* ends with FRAME_BAD */
	struct frame frames[6];
};

static const struct frame_case cases[] = {
	/* Told by the first byte. */
	{ FRAMING_AUTO, STREAM(""), false, { { { NULL, 0 }, false } } },
	{ FRAMING_AUTO, STREAM("3 abc2 de"), false, { WHOLE("abc"), WHOLE("de") } },
	{ FRAMING_AUTO, STREAM("abc\n2 de\n"), false, { WHOLE("abc"), WHOLE("2 de") } },
	{ FRAMING_AUTO, STREAM("\n3 abc\n"), false, { WHOLE("3 abc") } },
	{ FRAMING_AUTO, STREAM("0 x\n"), true, { { { NULL, 0 }, false } } },
	/* Octet counting. */
	{ FRAMING_OCTET_COUNTING, STREAM("8 <1>abcde8 12345678"), false,
		{ WHOLE("<1>abcde"), WHOLE("12345678") } },
	{ FRAMING_OCTET_COUNTING, STREAM("5 ab\nc\n3 d\0e1 \n"), false,
		{ WHOLE("ab\nc\n"), WHOLE("d\0e"), WHOLE("\n") } },
	{ FRAMING_OCTET_COUNTING, STREAM("\n1 a\n\n1 b\r\n\n\r\n1 c\n"), false,
		{ WHOLE("a"), WHOLE("b"), WHOLE("c") } },
	{ FRAMING_OCTET_COUNTING,
		STREAM("9 123456789"
		       "1 x"),
		false, { CUT("12345678"), WHOLE("x") } },
	{ FRAMING_OCTET_COUNTING,
		STREAM("31 123456781 x1 x1 x1 x1 x1 x1 xab"
		       "\n2 ok"),
		false, { CUT("12345678"), WHOLE("ok") } },
	{ FRAMING_OCTET_COUNTING, STREAM("9999999 123456789"), false, { CUT("12345678") } },
	/* ... cut off. */
	{ FRAMING_OCTET_COUNTING, STREAM("1 a5 bcd"), false, { WHOLE("a"), CUT("bcd") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a99 bcd"), false, { WHOLE("a"), CUT("bcd") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a5 "), false, { WHOLE("a") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a5"), false, { WHOLE("a") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a\r"), false, { WHOLE("a") } },
	/* ... broken: no guessing. */
	{ FRAMING_OCTET_COUNTING, STREAM("1 a0 b"), true, { WHOLE("a") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a01 b"), true, { WHOLE("a") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a<13>b"), true, { WHOLE("a") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a 1 b"), true, { WHOLE("a") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a1b"), true, { WHOLE("a") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a-1 b"), true, { WHOLE("a") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a1\tb"), true, { WHOLE("a") } },
	{ FRAMING_OCTET_COUNTING, STREAM("1 a\r1 b"), true, { WHOLE("a") } },
	{ FRAMING_OCTET_COUNTING, STREAM("10000000 b"), true, { { { NULL, 0 }, false } } },
	{ FRAMING_OCTET_COUNTING, STREAM("18446744073709551617 b"), true,
		{ { { NULL, 0 }, false } } },
	{ FRAMING_OCTET_COUNTING, STREAM("12345678901234567890"), true,
		{ { { NULL, 0 }, false } } },
	/* LF. */
	{ FRAMING_LF, STREAM("a\nb\r\n\n\r\n\nc d\n"), false,
		{ WHOLE("a"), WHOLE("b"), WHOLE("c d") } },
	{ FRAMING_LF, STREAM("a\rb\n\rc\r\r\n"), false, { WHOLE("a\rb"), WHOLE("\rc\r") } },
	{ FRAMING_LF, STREAM("1 a\n0\n"), false, { WHOLE("1 a"), WHOLE("0") } },
	{ FRAMING_LF, STREAM("12345678\n12345678\r\n"), false,
		{ WHOLE("12345678"), WHOLE("12345678") } },
	{ FRAMING_LF, STREAM("123456789\n123456789\r\nx\n"), false,
		{ CUT("12345678"), CUT("12345678"), WHOLE("x") } },
	{ FRAMING_LF, STREAM("123456789012345678901234567890\nx\n"), false,
		{ CUT("12345678"), WHOLE("x") } },
	{ FRAMING_LF, STREAM("12345678901234567890"), false, { CUT("12345678") } },
	{ FRAMING_LF, STREAM("a\0b\nlast"), false, { WHOLE("a\0b"), WHOLE("last") } },
	{ FRAMING_LF, STREAM("123456789"), false, { CUT("12345678") } },
	{ FRAMING_LF, STREAM("a\nb\r"), false, { WHOLE("a"), WHOLE("b") } },
	{ FRAMING_LF, STREAM("\r"), false, { { { NULL, 0 }, false } } },
	/* NUL. */
	{ FRAMING_NUL, STREAM("a\nb\0\0c\r\0last\n"), false,
		{ WHOLE("a\nb"), WHOLE("c\r"), WHOLE("last\n") } },
	{ FRAMING_NUL,
		STREAM("12345678\0"
		       "123456789\0x\0"),
		false, { WHOLE("12345678"), CUT("12345678"), WHOLE("x") } },
};

static void
assert_frame(const struct frame_case *c, size_t i, const struct frame *frame)
{
	assert_true(i < COUNT(c->frames));
	assert_int_equal(frame->truncated, c->frames[i].truncated);
	assert_int_equal(frame->bytes.len, c->frames[i].bytes.len);
	assert_memory_equal(frame->bytes.ptr, c->frames[i].bytes.ptr, frame->bytes.len);
}

/* What is offered is a heap block of just that size, so that a read past it is seen. */
static enum frame_status
offer(struct framer *framer, const struct frame_case *c, size_t *start, size_t end,
	size_t *n_frames)
{
	enum frame_status status = FRAME_OK;

	while (status == FRAME_OK) {
		size_t len = end - *start, consumed = SIZE_MAX;
		char *block = malloc(len > 0 ? len : 1);
		struct frame frame = { { NULL, 0 }, false };
		assert_non_null(block);
		memcpy(block, c->stream.ptr + *start, len);
		status = framer_next(framer, (struct str){ block, len }, &consumed, &frame);
		assert_true(consumed <= len);
		if (status == FRAME_OK)
			assert_frame(c, (*n_frames)++, &frame);
		*start += consumed;
		free(block);
	}
	assert_true(status == FRAME_BAD || end - *start < framer_room(framer));
	return status;
}

/* Reads that end at split, then every step bytes. */
static void
check_reads(const struct frame_case *c, size_t split, size_t step)
{
	struct framer framer;
	struct frame frame;
	size_t start = 0, n_frames = 0;
	enum frame_status status = FRAME_MORE;

	framer_init(&framer, c->framing, MAX_MESSAGE);
	for (size_t end = split; status == FRAME_MORE; end += step) {
		size_t now = end < c->stream.len ? end : c->stream.len;
		status = offer(&framer, c, &start, now, &n_frames);
		if (now == c->stream.len)
			break;
	}
	assert_int_equal(status, c->bad ? FRAME_BAD : FRAME_MORE);
	if (!c->bad) {
		struct str rest = { c->stream.ptr + start, c->stream.len - start };
		if (framer_end(&framer, rest, &frame) == FRAME_OK)
			assert_frame(c, n_frames++, &frame);
	}
	assert_true(n_frames == COUNT(c->frames) || c->frames[n_frames].bytes.ptr == NULL);
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("    %.*s\n", (int)cases[i].stream.len, cases[i].stream.ptr);
		for (size_t split = 0; split <= cases[i].stream.len; split++)
			check_reads(&cases[i], split, SIZE_MAX / 2);
		for (size_t step = 1; step <= cases[i].stream.len; step++)
			check_reads(&cases[i], 0, step);
	}
}

static void
append(char *out, size_t *len, int count, size_t size)
{
	if (count >= 0)
		*len += (size_t)sprintf(out + *len, "%d ", count);
	memset(out + *len, 'x', size);
	*len += size;
}

/* Big frames through a buffer of framer_room() bytes, filled as far as it goes: it is always
 * enough. */
static void
check_buffered(enum framing framing, const char *stream, size_t len, const size_t *sizes, size_t n)
{
	struct framer framer;
	struct frame frame;
	size_t done = 0, held = 0, consumed, i = 0;

	framer_init(&framer, framing, 65536);
	size_t room = framer_room(&framer);
	char *buffer = malloc(room);
	assert_non_null(buffer);
	while (done < len || held > 0) {
		size_t take = len - done < room - held ? len - done : room - held;
		memcpy(buffer + held, stream + done, take);
		done += take;
		held += take;
		enum frame_status status = framer_next(
			&framer, (struct str){ buffer, held }, &consumed, &frame);
		assert_true(status != FRAME_BAD);
		assert_true(status == FRAME_OK || consumed > 0 || (take > 0 && held < room));
		if (status == FRAME_OK) {
			assert_true(i < n);
			assert_int_equal(frame.bytes.len, sizes[i] < 65536 ? sizes[i] : 65536);
			assert_int_equal(frame.truncated, sizes[i] > 65536);
			i++;
		}
		held -= consumed;
		memmove(buffer, buffer + consumed, held);
	}
	assert_int_equal(i, n);
	free(buffer);
}

static void
test_64_kib(void **state)
{
	static const size_t sizes[] = { 65536, 1, 65537, 65535, 65538, 65546, 200000, 7 };
	static char counted[800000], lines[800000], crlf[800000];
	size_t n_counted = 0, n_lines = 0, n_crlf = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		append(counted, &n_counted, (int)sizes[i], sizes[i]);
		append(lines, &n_lines, -1, sizes[i]);
		lines[n_lines++] = '\n';
		append(crlf, &n_crlf, -1, sizes[i]);
		crlf[n_crlf++] = '\r';
		crlf[n_crlf++] = '\n';
	}
	check_buffered(FRAMING_AUTO, counted, n_counted, sizes, COUNT(sizes));
	check_buffered(FRAMING_AUTO, lines, n_lines, sizes, COUNT(sizes));
	check_buffered(FRAMING_LF, crlf, n_crlf, sizes, COUNT(sizes));
}

/* A line that comes byte by byte is searched once: what was searched is remembered. */
static void
test_scanned(void **state)
{
	static const char line[] = "1234567";
	struct framer framer;
	struct frame frame;
	size_t consumed;

	(void)state;
	framer_init(&framer, FRAMING_LF, MAX_MESSAGE);
	for (size_t n = 1; n < sizeof(line); n++) {
		assert_int_equal(framer_next(&framer, (struct str){ line, n }, &consumed, &frame),
			FRAME_MORE);
		assert_int_equal(consumed, 0);
		assert_int_equal(framer.scanned, n);
	}
	assert_int_equal(framer_next(&framer, STR("1234567\nab"), &consumed, &frame), FRAME_OK);
	assert_int_equal(consumed, 8);
	assert_int_equal(framer.scanned, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_64_kib),
		cmocka_unit_test(test_scanned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
