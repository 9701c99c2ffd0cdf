/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each letter is one job of the disk thread and owns its text. What waits for a slow disk is
 * bounded: beyond PENDING_MAX a letter is not kept (it is counted and logged as rejected all the
 * same).
 */
#include "output/dead_letter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/folder.h"

enum { PENDING_MAX = 16 << 20, REPLY_MAX = 256 }; /* bytes */

struct dead_letters {
	_Atomic uint32_t refs;    /* the output and each letter on its way */
	_Atomic uint64_t pending; /* bytes on their way */
	struct disk *disk;
	char *dir, *path, *old_path;
	char *output;
	struct diag_limit failed; /* disk thread */
};

struct letter {
	struct disk_job job;
	struct dead_letters *letters;
	struct buf text;
};

struct dead_letters *
dead_letters_new(struct disk *disk, const char *state_dir, const char *output)
{
	struct dead_letters *letters = xcalloc(1, sizeof(*letters));

	atomic_init(&letters->refs, 1);
	letters->disk = disk;
	letters->dir = xstrdup(state_dir);
	letters->path = xasprintf("%s/dead-letter.lp", state_dir);
	letters->old_path = xasprintf("%s/dead-letter.lp.1", state_dir);
	letters->output = xstrdup(output);
	return letters;
}

static void
unref(struct dead_letters *letters)
{
	if (atomic_fetch_sub(&letters->refs, 1) > 1)
		return;
	free(letters->dir);
	free(letters->path);
	free(letters->old_path);
	free(letters->output);
	free(letters);
}

void
dead_letters_free(struct dead_letters **letters)
{
	struct dead_letters *gone = *letters;

	*letters = NULL;
	if (gone != NULL)
		unref(gone);
}

/* Appends text, turning the file over first when it would outgrow its cap. False with errno set. */
static bool
append(const struct dead_letters *letters, struct str text)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
	struct stat st;
	int fd;

	if (!folder_make(letters->dir))
		return false;
	if (lstat(letters->path, &st) == 0 && st.st_size > 0 &&
		(uint64_t)st.st_size + text.len > DEAD_LETTER_FILE_MAX)
		rename(letters->path, letters->old_path);
	fd = open(letters->path, flags, 0640);
	if (fd < 0)
		return false;
	while (text.len > 0) {
		ssize_t n = write(fd, text.ptr, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		text.ptr += n;
		text.len -= (size_t)n;
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return text.len == 0;
}

static void
run_letter(struct disk_job *job)
{
	struct letter *letter = (struct letter *)(void *)job; /* its first member */
	struct dead_letters *letters = letter->letters;

	if (!append(letters, buf_str(&letter->text))) {
		int error = errno;

		if (diag_allowed(&letters->failed, clock_monotonic_ns(), 10 * NS_PER_SEC))
			diag_error("dead_letter_failed", DIAG_TEXT("output", letters->output),
				DIAG_TEXT("file", letters->path),
				DIAG_TEXT("error", strerror(error)));
	}
	atomic_fetch_sub(&letters->pending, letter->text.len);
	buf_fini(&letter->text);
	free(letter);
	unref(letters);
}

/* As a quoted string: nothing in it can end the comment's line. */
static void
add_quoted(struct buf *out, struct str s)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < s.len && i < REPLY_MAX; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_add_char(out, (char)c);
	}
	buf_add_char(out, '"');
}

void
dead_letters_add(struct dead_letters *letters, struct str line, const char *reason, int status,
	struct str reply)
{
	struct letter *letter;

	if (atomic_load(&letters->pending) + line.len > PENDING_MAX)
		return;
	letter = xcalloc(1, sizeof(*letter));
	letter->job.run = run_letter;
	letter->letters = letters;
	buf_add_text(&letter->text, "# ");
	clock_format(&letter->text, clock_realtime_ns(), 3);
	buf_printf(&letter->text, " output=%s reason=%s status=%d reply=", letters->output, reason,
		status);
	add_quoted(&letter->text, str_trim(reply));
	buf_add_char(&letter->text, '\n');
	buf_add(&letter->text, line);
	atomic_fetch_add(&letters->refs, 1);
	atomic_fetch_add(&letters->pending, letter->text.len);
	disk_post(letters->disk, &letter->job);
}
