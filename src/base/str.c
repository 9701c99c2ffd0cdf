/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <math.h>
#include <stdlib.h>

bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
		(prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool
str_word(struct str *rest, struct str *word)
{
	*rest = str_trim(*rest);
	size_t n = 0;

	while (n < rest->len && !is_blank(rest->ptr[n]))
		n++;
	*word = (struct str){ rest->ptr, n };
	rest->ptr += n;
	rest->len -= n;
	return n > 0;
}

/* Greedy with one point of return: linear in practice, |pattern| * |s| at worst, no recursion. */
bool
str_glob(struct str pattern, struct str s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

	while (i < s.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < pattern.len && pattern.ptr[p] == s.ptr[i]) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

bool
str_to_int64(struct str s, int64_t *out)
{
	bool negative = s.len > 0 && s.ptr[0] == '-';
	size_t i = negative || (s.len > 0 && s.ptr[0] == '+') ? 1 : 0;
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t value = 0;

	if (i == s.len)
		return false;
	for (; i < s.len; i++) {
		unsigned digit = (unsigned)(unsigned char)s.ptr[i] - '0';

		if (digit > 9 || value > (limit - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

bool
str_to_double(struct str s, double *out)
{
	char text[64];
	char *end = NULL;

	if (s.len == 0 || s.len >= sizeof(text))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (strchr("0123456789+-.eE", s.ptr[i]) == NULL || s.ptr[i] == '\0')
			return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	/* The program never calls setlocale(), so the decimal point is '.'. */
	double value = strtod(text, &end);
	if (end != text + s.len || !isfinite(value))
		return false;
	*out = value;
	return true;
}
