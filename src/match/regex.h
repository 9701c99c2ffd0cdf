/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions: PCRE2 with JIT, behind this file, in bytes (no UTF mode), and bounded. A
 * search sees at most REGEX_MAX_SUBJECT bytes, and whatever pattern and subject are, it gives up
 * after about REGEX_DEADLINE_NS.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct regex;         /* compiled; immutable, shared by threads */
struct regex_scratch; /* what searching needs; one per thread, any number of patterns */

enum {
	REGEX_MAX_SUBJECT = 8192, /* bytes; what lies behind is not searched */
	REGEX_MAX_GROUPS = 255,
};

#define REGEX_DEADLINE_NS INT64_C(10000000)

enum regex_result {
	REGEX_NONE,
	REGEX_MATCH,
	REGEX_LIMIT, /* given up: steps, JIT stack or time; to be treated as no match, and counted
		      */
};

/* NULL when the pattern is wrong: then *why says it in words and *offset where (bytes). Borrows
 * pattern. */
struct regex *regex_new(struct str pattern, struct buf *why, size_t *offset);
void regex_free(struct regex **regex);

size_t regex_groups(const struct regex *regex); /* highest group number */

/* Named groups, sorted by name; views valid as long as the regex. */
size_t regex_names(const struct regex *regex);
struct str regex_name(const struct regex *regex, size_t i);
unsigned regex_number(const struct regex *regex, size_t i);

struct regex_scratch *regex_scratch_new(void);
void regex_scratch_free(struct regex_scratch **scratch);

/*
 * Searches subject (present, may be empty). On REGEX_MATCH fills groups[0 .. regex_groups()] with
 * views into subject; absent: the group took no part. No allocation once the scratch is warm.
 */
enum regex_result regex_search(const struct regex *regex, struct regex_scratch *scratch,
	struct str subject, struct str *groups);
