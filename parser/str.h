/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view of bytes: pointer and length, no NUL at the end, never owned.
 * ptr == NULL means "absent"; a length of 0 with a pointer means "present and empty".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
	const char *ptr;
	size_t len; /* bytes */
};

/* A view of a string literal. */
#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_INIT(literal)                       \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	} /* the same as a static initializer */
#define STR_ABSENT ((struct str){ NULL, 0 })

static inline bool
str_present(struct str s)
{
	return s.ptr != NULL;
}

static inline bool
str_equal(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
