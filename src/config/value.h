/* SPDX-License-Identifier: Apache-2.0 */
/* Small pieces of values, beside the public parsers in settings.h. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* Appends the number with the largest unit that divides it: 65536 gives 64KiB, 90 s give 90s. */
void value_add_size(struct buf *out, uint64_t bytes);
void value_add_duration(struct buf *out, int64_t ns);

bool value_is_utf8(struct str s);

/*
 * Splits `host`, `host:port`, `[IPv6]:port`, `:port`; host gets no brackets and is empty when
 * absent, *port is left alone when absent. Returns NULL, or a static text that says what is wrong.
 */
const char *value_address(struct str text, struct str *host, uint16_t *port);

/* The known name that is nearest to a misspelt one; NULL when none is near. Offer them one after
 * the other. */
struct value_guess {
	struct str wanted;
	const char *best;
	size_t distance;
};
void value_guess_try(struct value_guess *guess, const char *known);
