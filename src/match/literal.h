/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pattern cannot match without: `(?<proc>\S+) invoked oom-killer` is nowhere in a message
 * that has no " invoked oom-killer". Looking for these bytes first is several times cheaper than
 * the search, and most messages end there.
 */
#pragma once

#include "base/str.h"

enum { LITERAL_MAX = 32 }; /* bytes; of a longer one these are enough */

struct literal {
	char bytes[LITERAL_MAX];
	size_t len;  /* 0 = none */
	size_t rare; /* index of the byte that logs have least often */
};

/*
 * The longest run of bytes that every subject has in which the (valid) pattern matches, compiled
 * without options. Pure, and careful: none where anything is not understood.
 */
struct literal literal_of(struct str pattern);

/* For a literal that is not empty. */
bool literal_in(const struct literal *literal, struct str subject);
