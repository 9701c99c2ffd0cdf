/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

void
buf_fini(struct buf *buf)
{
	free(buf->ptr);
	*buf = BUF_EMPTY;
}

char *
buf_reserve(struct buf *buf, size_t n)
{
	if (buf->cap - buf->len < n) {
		size_t cap = buf->cap < 64 ? 64 : buf->cap;

		while (cap - buf->len < n)
			cap += cap / 2;
		buf->ptr = xrealloc(buf->ptr, cap);
		buf->cap = cap;
	}
	return buf->ptr + buf->len;
}

void
buf_add(struct buf *buf, struct str s)
{
	if (s.len == 0)
		return;
	memcpy(buf_reserve(buf, s.len), s.ptr, s.len);
	buf->len += s.len;
}

void
buf_add_char(struct buf *buf, char c)
{
	*buf_reserve(buf, 1) = c;
	buf->len++;
}

void
buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, str_from(text));
}

void
buf_add_int(struct buf *buf, int64_t value)
{
	buf->len += format_int(buf_reserve(buf, 20), value);
}

void
buf_add_uint(struct buf *buf, uint64_t value)
{
	buf->len += format_uint(buf_reserve(buf, 20), value);
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;

	assert(format != NULL);
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n > 0) {
		vsnprintf(buf_reserve(buf, (size_t)n + 1), (size_t)n + 1, format, again);
		buf->len += (size_t)n;
	}
	va_end(again);
}

const char *
buf_cstr(struct buf *buf)
{
	*buf_reserve(buf, 1) = '\0';
	return buf->ptr;
}

/* "00" to "99": two digits a division. */
static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

static size_t
count_digits(uint64_t value)
{
	size_t n = 1;

	for (; value >= 10000; value /= 10000)
		n += 4;
	return n + (value >= 10) + (value >= 100) + (value >= 1000);
}

size_t
format_uint(char *out, uint64_t value)
{
	size_t n = count_digits(value), at = n;

	while (value >= 100) {
		at -= 2;
		memcpy(out + at, digit_pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10)
		memcpy(out, digit_pairs + value * 2, 2);
	else
		*out = (char)('0' + value);
	return n;
}

void
format_nine_digits(char *out, uint32_t value)
{
	for (int at = 7; at > 0; at -= 2, value /= 100)
		memcpy(out + at, digit_pairs + value % 100 * 2, 2);
	*out = (char)('0' + value);
}

size_t
format_int(char *out, int64_t value)
{
	if (value >= 0)
		return format_uint(out, (uint64_t)value);
	*out = '-';
	return 1 + format_uint(out + 1, 0 - (uint64_t)value);
}
