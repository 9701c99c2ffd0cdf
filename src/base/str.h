/* SPDX-License-Identifier: Apache-2.0 */
/* Views of bytes (struct str comes with the parser library), and what the server does with them. */
#pragma once

#include <stdint.h>

#include "parser/str.h"

static inline struct str
str_from(const char *text) /* NUL-terminated; NULL gives an absent view */
{
	return (struct str){ text, text != NULL ? strlen(text) : 0 };
}

static inline bool
str_is(struct str s, const char *text)
{
	return str_equal(s, str_from(text));
}

bool str_starts(struct str s, struct str prefix);

/* Without blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str s);

/*
 * Takes the next word (separated by blanks) off *rest; false when there is none left.
 * while (str_word(&rest, &word)) ...
 */
bool str_word(struct str *rest, struct str *word);

/* Shell-like match: `*` stands for any bytes; everything else for itself. */
bool str_glob(struct str pattern, struct str s);

/* Whole strings only: "10abc", "", " 1" and overflow are false. */
bool str_to_int64(struct str s, int64_t *out);
bool str_to_double(struct str s,
	double *out); /* finite decimal numbers, C locale whatever the environment says */
