/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INI files, read with inih (behind this file), made strict: no value is ever cut, and duplicate
 * keys, NUL bytes, over- long lines, bad UTF-16 files, a directory given as a file, text outside a
 * section are errors with file and line. Values are verbatim, blanks at the ends cut; `;` and `#`
 * start a comment only at the start of a line.
 */
#pragma once

#include "base/err.h"

enum { INI_MAX_LINE = 65536 }; /* bytes */

struct ini_entry {
	char *key;
	char *value;
	int line;  /* 1-based */
	bool used; /* set by whoever understands the key; what stays false is unknown */
};

struct ini_section {
	char *file; /* path as the user would recognise it */
	char *kind; /* "rule" of [rule oom_kill]; the whole name when it has one word */
	char *name; /* "oom_kill", or "" */
	int line;
	struct ini_entry *entries;
	size_t n_entries;
};

struct ini {
	struct ini_section
		*sections; /* in file order; after a failed read whatever was understood */
	size_t n_sections;
};

#define INI_EMPTY ((struct ini){ NULL, 0 })

/* Appends the file's sections to *ini. False when errors were added. */
bool ini_read_file(struct ini *ini, const char *path, struct err *err);
/* The same from memory; `path` only names it in errors. For tests and fuzzing. */
bool ini_read_text(struct ini *ini, const char *path, struct str text, struct err *err);
void ini_fini(struct ini *ini);

/* Takes section i out of *from and appends it to *to. */
void ini_move_section(struct ini *to, struct ini *from, size_t i);

/* The entry of that key, marked used; NULL when absent. */
struct ini_entry *ini_find(struct ini_section *section, const char *key);

/* Adds "FILE:LINE: [section name] key: TEXT"; entry may be NULL (then the section's line, no key).
 * Returns false. */
bool ini_error(struct err *err, const struct ini_section *section, const struct ini_entry *entry,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
