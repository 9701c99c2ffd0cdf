/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
checked(void *ptr, size_t size)
{
	if (ptr == NULL && size != 0) {
		fprintf(stderr, "level=error event=out_of_memory bytes=%zu\n", size);
		abort();
	}
	return ptr;
}

void *
xmalloc(size_t size)
{
	return checked(malloc(size), size);
}

void *
xcalloc(size_t count, size_t size)
{
	return checked(calloc(count, size), count > 0 && size > 0 ? SIZE_MAX : 0);
}

void *
xrealloc(void *ptr, size_t size)
{
	return checked(realloc(ptr, size), size);
}

char *
xstrdup(const char *text)
{
	return checked(strdup(text), 1);
}

char *
xstrndup(const char *text, size_t len)
{
	return checked(strndup(text, len), len + 1);
}

char *
xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	return checked(n < 0 ? NULL : text, 1);
}
