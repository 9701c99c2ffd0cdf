/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to this library: runs of bytes of one class. A table tells the class of a byte; where the
 * processor has SSE2 sixteen bytes are looked at at once, which takes most words whole, and the
 * table does the frame's last fifteen.
 */
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum byte_class {
	BYTE_WORD = 1,  /* PRINTUSASCII, 0x21 to 0x7e: header words */
	BYTE_NAME = 2,  /* the same without = ] ": SD-ID and PARAM-NAME */
	BYTE_VALUE = 4, /* stands for itself in a PARAM-VALUE: ASCII but " \ ] */
};

extern const unsigned char byte_classes[256];

#ifdef __SSE2__
static inline __m128i
sse_equal(__m128i x, char byte)
{
	return _mm_cmpeq_epi8(x, _mm_set1_epi8(byte));
}

/* Bit i set: byte i is not of the class. Bytes from 0x80 on are negative, so below all of ASCII. */
static inline unsigned
sse_stops(__m128i x, enum byte_class class)
{
	char least = class == BYTE_VALUE ? 0 : 0x21;
	__m128i stops = _mm_cmplt_epi8(x, _mm_set1_epi8(least));

	if (class != BYTE_VALUE)
		stops = _mm_or_si128(stops, sse_equal(x, 0x7f));
	else
		stops = _mm_or_si128(stops, sse_equal(x, '\\'));
	if (class == BYTE_NAME)
		stops = _mm_or_si128(stops, sse_equal(x, '='));
	if (class != BYTE_WORD)
		stops = _mm_or_si128(stops, _mm_or_si128(sse_equal(x, '"'), sse_equal(x, ']')));
	return (unsigned)_mm_movemask_epi8(stops);
}
#endif

/* First byte from p on that is not of the class. */
static inline const char *
scan(const char *p, const char *end, enum byte_class class)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		unsigned stops = sse_stops(_mm_loadu_si128((const void *)p), class);
		if (stops != 0)
			return p + __builtin_ctz(stops);
	}
#endif
	while (p < end && (byte_classes[(unsigned char)*p] & class) != 0)
		p++;
	return p;
}
