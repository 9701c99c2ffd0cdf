/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

void
err_fini(struct err *err)
{
	buf_fini(&err->text);
	err->count = 0;
}

bool
err_add(struct err *err, const char *format, ...)
{
	char *line = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		abort();
	va_end(args);
	buf_add_text(&err->text, line);
	buf_add_char(&err->text, '\n');
	err->count++;
	free(line);
	return false;
}
