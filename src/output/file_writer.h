/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appends jobs to a file that is rotated by size (path -> path.1 -> ... -> path.keep), or to
 * standard output. Belongs to the disk thread while a write is posted, to the sender thread
 * otherwise; never to both.
 */
#pragma once

#include "config/settings.h"
#include "output/job.h"

struct file_writer {
	const struct output_settings *settings; /* borrowed */
	int fd;                                 /* -1 = not open */
	bool is_file;                           /* regular: can be rotated and cut back */
	uint64_t size;                          /* bytes in the file, when is_file */
	size_t job_offset; /* bytes of the first unwritten job that are written already */
};

void file_writer_init(struct file_writer *writer, const struct output_settings *settings);
/* Takes a half-written job back out of the file, so that it holds whole jobs only. */
void file_writer_fini(struct file_writer *writer);

/*
 * Writes jobs in order from `jobs` on (linked by next), continuing a half-written one exactly.
 * Returns how many are whole in the file; *error is the errno that stopped it, 0 when all are.
 */
size_t file_writer_write(struct file_writer *writer, const struct job *jobs, int *error);
