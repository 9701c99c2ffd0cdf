/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A full disk shows as a short write, then ENOSPC: the bytes that are in the file stay, and the
 * next attempt goes on behind them. Pipes and terminals are written only when they have room, so
 * that a reader that has stopped cannot hold the disk thread for longer than a second.
 */
#include "output/file_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/folder.h"

enum { PIPE_WAIT_MS = 1000 };

void
file_writer_init(struct file_writer *writer, const struct output_settings *settings)
{
	*writer = (struct file_writer){ .settings = settings, .fd = -1 };
}

static bool
is_stdout(const struct file_writer *writer)
{
	return strcmp(writer->settings->path, "-") == 0;
}

void
file_writer_fini(struct file_writer *writer)
{
	if (writer->is_file && writer->job_offset > 0 &&
		ftruncate(writer->fd, (off_t)(writer->size - writer->job_offset)) != 0)
		perror(writer->settings->path);
	if (writer->fd >= 0 && !is_stdout(writer))
		close(writer->fd);
	writer->fd = -1;
}

/* Where that does not work, open() tells what is wrong. */
static void
make_parents(const char *path)
{
	char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (slash != NULL && slash != folder) {
		*slash = '\0';
		folder_make(folder);
	}
	free(folder);
}

/* A crash may have left half a line: end it, so that it does not spoil the next. */
static int
end_last_line(struct file_writer *writer)
{
	char last = '\n';

	if (writer->size > 0 && pread(writer->fd, &last, 1, (off_t)writer->size - 1) != 1)
		return errno;
	if (last == '\n')
		return 0;
	if (write(writer->fd, "\n", 1) != 1)
		return errno;
	writer->size++;
	return 0;
}

static int
open_file(struct file_writer *writer)
{
	const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC |
		O_NONBLOCK; /* RDWR: a FIFO opens at once */
	struct stat st;
	int error;

	if (is_stdout(writer)) {
		writer->fd = STDOUT_FILENO;
	} else {
		writer->fd = open(writer->settings->path, flags, 0640);
		if (writer->fd < 0 && errno == ENOENT) {
			make_parents(writer->settings->path);
			writer->fd = open(writer->settings->path, flags, 0640);
		}
	}
	if (writer->fd < 0 || fstat(writer->fd, &st) != 0)
		return errno;
	if (is_stdout(writer))
		return 0;
	writer->is_file = S_ISREG(st.st_mode);
	writer->size = (uint64_t)st.st_size;
	error = writer->is_file ? end_last_line(writer) : 0;
	if (error != 0) {
		close(writer->fd);
		writer->fd = -1;
		writer->is_file = false;
	}
	return error;
}

/* path -> path.1 -> path.2 ...; the oldest goes. A name that is not there yet is no error. */
static int
rotate(struct file_writer *writer)
{
	const char *path = writer->settings->path;
	int error = 0;

	if (writer->settings->keep == 0)
		error = unlink(path) != 0 && errno != ENOENT ? errno : 0;
	for (uint32_t i = writer->settings->keep; i > 0 && error == 0; i--) {
		char *to = xasprintf("%s.%u", path, i);
		char *from = i > 1 ? xasprintf("%s.%u", path, i - 1) : xstrdup(path);

		if (rename(from, to) != 0 && errno != ENOENT)
			error = errno;
		free(from);
		free(to);
	}
	if (error != 0)
		return error;
	close(writer->fd);
	writer->fd = -1;
	writer->is_file = false;
	return 0;
}

/* Opens the file, or rotates it when the job would make it too large. 0 or an errno. */
static int
prepare(struct file_writer *writer, const struct job *job)
{
	uint64_t limit = writer->settings->rotate_size;
	int error = writer->fd < 0 ? open_file(writer) : 0;

	if (error == 0 && writer->is_file && writer->job_offset == 0 && limit > 0 &&
		writer->size > 0 && writer->size + job->bytes > limit) {
		error = rotate(writer);
		if (error == 0)
			error = open_file(writer);
	}
	return error;
}

/* What write(2) takes of s; -1 with errno set. */
static ssize_t
write_some(const struct file_writer *writer, struct str s)
{
	struct pollfd room = { .fd = writer->fd, .events = POLLOUT };

	if (!writer->is_file) {
		if (poll(&room, 1, PIPE_WAIT_MS) == 0) {
			errno = EAGAIN;
			return -1;
		}
		if (s.len > PIPE_BUF)
			s.len = PIPE_BUF; /* what POLLOUT promises */
	}
	return write(writer->fd, s.ptr, s.len);
}

static int
write_job(struct file_writer *writer, const struct job *job)
{
	size_t start = 0; /* of the piece in the job */

	for (size_t i = 0; i < job->n_pieces; start += job->pieces[i++].bytes) {
		const struct piece *piece = &job->pieces[i];

		while (writer->job_offset < start + piece->bytes) {
			size_t done = writer->job_offset - start;
			ssize_t n = write_some(writer,
				(struct str){ piece->batch->lines.ptr + piece->offset + done,
					piece->bytes - done });

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return errno;
			writer->job_offset += (size_t)n;
			writer->size += (uint64_t)n;
		}
	}
	writer->job_offset = 0;
	return 0;
}

size_t
file_writer_write(struct file_writer *writer, const struct job *jobs, int *error)
{
	size_t whole = 0;

	*error = 0;
	for (const struct job *job = jobs; job != NULL; job = job->next) {
		*error = prepare(writer, job);
		if (*error == 0)
			*error = write_job(writer, job);
		if (*error != 0)
			break;
		whole++;
	}
	return whole;
}
