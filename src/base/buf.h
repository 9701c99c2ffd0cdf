/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer. Not NUL-terminated unless buf_cstr() is asked. */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct buf {
	char *ptr; /* owned; NULL when empty and never used */
	size_t len;
	size_t cap;
};

#define BUF_EMPTY ((struct buf){ NULL, 0, 0 })

void buf_fini(struct buf *buf); /* frees, leaves it empty and usable */

/* Makes room for n more bytes and returns where they go; the caller adds what it wrote to buf->len.
 */
char *buf_reserve(struct buf *buf, size_t n);
void buf_add(struct buf *buf, struct str s);
void buf_add_char(struct buf *buf, char c);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_int(struct buf *buf, int64_t value);
void buf_add_uint(struct buf *buf, uint64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *buf_cstr(struct buf *buf); /* valid until the next change */

static inline struct str
buf_str(const struct buf *buf)
{
	return (struct str){ buf->ptr != NULL ? buf->ptr : "", buf->len };
}

static inline void
buf_clear(struct buf *buf)
{
	buf->len = 0;
}

/* Decimal digits of value at out (at most 20 bytes, no NUL); returns how many. */
size_t format_uint(char *out, uint64_t value);
size_t format_int(char *out, int64_t value);
/* Exactly nine digits with leading zeros: a fraction of a second in nanoseconds. value < 10^9. */
void format_nine_digits(char *out, uint32_t value);
