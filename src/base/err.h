/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration errors, collected: the user sees all of them at once, not the first. Each is one
 * line of text that names file, line and key and says what is allowed.
 */
#pragma once

#include "base/buf.h"

struct err {
	struct buf text; /* lines, each ended by LF */
	unsigned count;
};

#define ERR_NONE ((struct err){ BUF_EMPTY, 0 })

void err_fini(struct err *err);
/* Adds one line; always returns false, so that `return err_add(err, ...)` reads well. */
bool err_add(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
