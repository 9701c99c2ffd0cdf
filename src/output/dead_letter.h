/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dead-letter file: lines that the database refused for good, each under a comment that says
 * when, where and why, in state_dir/dead-letter.lp. At 16 MiB it becomes dead-letter.lp.1 (one old
 * file is kept). Written by the disk thread.
 */
#pragma once

#include "output/disk.h"
#include "base/str.h"

enum { DEAD_LETTER_FILE_MAX = 16 << 20 }; /* bytes */

struct dead_letters;

/* Borrows disk, which outlives it. */
struct dead_letters *dead_letters_new(struct disk *disk, const char *state_dir, const char *output);
/* What is posted will still be written. */
void dead_letters_free(struct dead_letters **letters);

/* line: with its LF. reply: what the server said; its first 256 bytes are kept. */
void dead_letters_add(struct dead_letters *letters, struct str line, const char *reason, int status,
	struct str reply);
