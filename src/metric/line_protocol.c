/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing: names and tags byte by byte through a class table (they are short), strings eight bytes
 * at a time as long as nothing in them needs care (messages are long, and rarely do).
 */
#include "metric/line_protocol.h"

#include <stdio.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/utf8.h"

/*
 * All writers read a byte before they write its place, so out may lie before the input in the same
 * buffer. Puts the character at *p, which needs no escape but may be invalid; returns the new end
 * and moves *p. */
static char *
put_wide(char *out, const unsigned char **p, const unsigned char *end)
{
	size_t n = utf8_length(*p, end);

	if (n == 0) {
		memcpy(out, UTF8_REPLACEMENT, 3);
		*p += 1;
		return out + 3;
	}
	char character[4]; /* in between, as out may lie less than n bytes before *p */
	memcpy(character, *p, n);
	memcpy(out, character, n);
	*p += n;
	return out + n;
}

/* Bit 7 of each byte that is c (bits above the lowest hit may be set too). */
static uint64_t
bytes_equal(uint64_t word, char c)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);

	return (word ^ (ones * (unsigned char)c)) - ones;
}

/* Not 0 when one of the eight bytes must be looked at alone: escaped in names, a control character,
 * not ASCII. */
static uint64_t
name_needs_care(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;

	return (bytes_equal(word, ',') | bytes_equal(word, ' ') | bytes_equal(word, '=') |
		       bytes_equal(word, 0x7f) | (word - ones * ' ') | word) &
		high;
}

static char *
put_name(char *out, struct str name, bool escape_equals)
{
	while (name.len > 0 && name.ptr[name.len - 1] == '\\')
		name.len--; /* would escape the separator behind it, however often it is doubled */
	if (name.len == 0)
		return out;

	const unsigned char *p = (const unsigned char *)name.ptr;
	const unsigned char *end = p + name.len;

	while (p < end) {
		uint64_t word;

		while (end - p >= 8 && (memcpy(&word, p, 8), name_needs_care(word) == 0)) {
			memcpy(out, &word, 8);
			out += 8;
			p += 8;
		}
		if (p == end)
			break;
		unsigned char c = *p;

		if (c >= 0x80) {
			out = put_wide(out, &p, end);
			continue;
		}
		if (c < ' ' || c == 0x7f) {
			memcpy(out, UTF8_REPLACEMENT, 3);
			out += 3;
		} else {
			if (c == ',' || c == ' ' || (c == '=' && escape_equals))
				*out++ = '\\';
			*out++ = (char)c;
		}
		p++;
	}
	return out;
}

char *
lp_put_measurement(char *out, struct str name)
{
	return put_name(out, name, false);
}

char *
lp_put_key(char *out, struct str key)
{
	return put_name(out, key, true);
}

/* The same for strings: quote, backslash, NUL, not ASCII. */
static uint64_t
string_needs_care(uint64_t word)
{
	const uint64_t high = UINT64_C(0x8080808080808080);

	return (bytes_equal(word, '"') | bytes_equal(word, '\\') | bytes_equal(word, '\0') | word) &
		high;
}

static bool
is_plain(unsigned char c)
{
	return c < 0x80 && c != '"' && c != '\\' && c != '\0';
}

/* Copies the bytes at the front of [p, end) that need no care, and returns how many. */
static size_t
copy_plain(char *out, const unsigned char *p, const unsigned char *end)
{
	const unsigned char *start = p;

#ifdef __SSE2__
	for (; end - p >= 16; p += 16, out += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i care = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
						    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
			_mm_cmpeq_epi8(bytes, _mm_setzero_si128()));

		if (_mm_movemask_epi8(_mm_or_si128(care, bytes)) != 0)
			break;
		_mm_storeu_si128((__m128i *)(void *)out, bytes);
	}
#endif
	for (; end - p >= 8; p += 8, out += 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		if (string_needs_care(word) != 0)
			break;
		memcpy(out, &word, 8);
	}
	while (p < end && is_plain(*p))
		*out++ = (char)*p++;
	return (size_t)(p - start);
}

char *
lp_put_string(char *out, struct str text)
{
	const unsigned char *p = (const unsigned char *)(text.len > 0 ? text.ptr : "");
	const unsigned char *end = p + text.len;

	*out++ = '"';
	while (p < end) {
		size_t plain = copy_plain(out, p, end);

		out += plain;
		p += plain;
		if (p == end)
			break;
		unsigned char c = *p;
		if (c >= 0x80) {
			out = put_wide(out, &p, end);
			continue;
		}
		if (c == '\0') {
			memcpy(out, UTF8_REPLACEMENT, 3);
			out += 3;
		} else {
			if (c == '"' || c == '\\')
				*out++ = '\\';
			*out++ = (char)c;
		}
		p++;
	}
	*out++ = '"';
	return out;
}

char *
lp_put_int(char *out, int64_t value)
{
	out += format_int(out, value);
	*out++ = 'i';
	return out;
}

char *
lp_put_float(char *out, double value)
{
	char text[40];
	int n = 0;

	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	memcpy(out, text, (size_t)n);
	return out + n;
}

void
lp_add_series(struct buf *out, struct str measurement, struct lp_tag *tags, size_t n_tags)
{
	size_t room = measurement.len * LP_GROWTH + 1;

	for (size_t i = 0; i < n_tags; i++)
		room += (tags[i].key.len + tags[i].value.len) * LP_GROWTH + 2;
	for (size_t i = 1; i < n_tags; i++) { /* stable, few tags: insertion sort */
		struct lp_tag tag = tags[i];
		size_t at = i;

		for (; at > 0; at--) {
			struct str a = tags[at - 1].key;
			int order = memcmp(
				a.ptr, tag.key.ptr, a.len < tag.key.len ? a.len : tag.key.len);

			if (order < 0 || (order == 0 && a.len <= tag.key.len))
				break;
			tags[at] = tags[at - 1];
		}
		tags[at] = tag;
	}
	char *start = buf_reserve(out, room);
	char *end = lp_put_measurement(start, measurement);
	for (size_t i = 0; i < n_tags; i++) {
		char *tag = end;

		if (i > 0 && str_equal(tags[i].key, tags[i - 1].key))
			continue;
		*end++ = ',';
		end = lp_put_key(end, tags[i].key);
		*end++ = '=';
		char *value = end;
		end = lp_put_key(end, tags[i].value);
		if (end == value)
			end = tag; /* an empty tag is left out */
	}
	out->len += (size_t)(end - start);
}
