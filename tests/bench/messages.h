/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the generated messages say: a table of message texts with `{placeholders}`, drawn by weight.
 * Every text of a kind other than KIND_OTHER is matched by exactly one rule of rules10.ini, the one
 * with the kind's name; the others by none.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum kind {
	KIND_OTHER,
	KIND_OOM_KILL,
	KIND_OOM_INVOKED,
	KIND_SSHD_FAILED,
	KIND_SSHD_ACCEPTED,
	KIND_HTTP_5XX,
	KIND_SYNC_ERROR,
	KIND_PROBE_FAILED,
	KIND_SEGFAULT,
	KIND_SYN_FLOOD,
	KIND_ACCT_FAILED,
	KIND_N,
};

extern const char *const kind_names[KIND_N];

struct message_text {
	enum kind kind;
	unsigned weight; /* per 1000 messages */
	const char *app;
	unsigned facility, severity;
	const char *sd; /* structured data after [meta], with placeholders */
	const char *text;
};

extern const struct message_text message_texts[];
extern const size_t n_message_texts;

/* The generator's random numbers: the same in every run, so that counts can be compared between
 * runs. */
struct dice {
	uint64_t state;
};

uint64_t dice_roll(struct dice *dice, uint64_t sides); /* 0 .. sides-1 */

/* Writes text with its placeholders filled to out (at most size bytes, no NUL). Returns the length.
 */
size_t message_expand(const char *text, struct dice *dice, char *out, size_t size);
