/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program logs, for tests that assert it: standard error goes to a file until the end of
 * the test. What is no log line (cmocka's own words) is then shown after all; TEST_LOG=1 shows
 * everything.
 */
#pragma once

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct log_capture {
	FILE *file;
	int saved;
	char *text;
};

static inline void
log_capture_start(struct log_capture *log)
{
	log->file = tmpfile();
	log->saved = dup(STDERR_FILENO);
	log->text = NULL;
	assert(log->file != NULL && log->saved >= 0);
	dup2(fileno(log->file), STDERR_FILENO);
}

/* All of it so far; valid until the next call. */
static inline const char *
log_capture_text(struct log_capture *log)
{
	off_t size = lseek(
		fileno(log->file), 0, SEEK_END); /* shared with standard error: no rewind */

	free(log->text);
	log->text = calloc(1, (size_t)size + 1);
	assert(log->text != NULL);
	ssize_t n = pread(fileno(log->file), log->text, (size_t)size, 0);
	assert(n == size);
	(void)n;
	return log->text;
}

static inline unsigned
log_capture_count(struct log_capture *log, const char *what)
{
	unsigned n = 0;

	for (const char *p = log_capture_text(log); (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static inline void
log_capture_stop(struct log_capture *log)
{
	char *rest = NULL;

	log_capture_text(log);
	dup2(log->saved, STDERR_FILENO);
	for (char *line = strtok_r(log->text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, "time=", 5) != 0 || getenv("TEST_LOG") != NULL)
			fprintf(stderr, "%s\n", line);
	close(log->saved);
	fclose(log->file);
	free(log->text);
}
