/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of a run, rendered once. Message number n uses body n modulo CORPUS_BODIES; only its
 * stamp, its connection's number and its own number are written per message:
 *
 *      275 <30>1 2026-11-20T10:00:00.123456+00:00 node-07... kubelet 4321 - [...] text conn=0003
 * seq=00000042
 *      `--- head: frame length to text, stamp patched -------------------------------´`--- tail
 * -------------´
 *
 * Filler for --size stands between the two.
 */
#pragma once

#include <stdbool.h>

#include "messages.h"
#include "stamp.h"

enum {
	CORPUS_BODIES = 20000,
	CORPUS_HOSTS = 20,
	CORPUS_MAX_MESSAGES = 100000000, /* eight digits */
	CORPUS_MAX_SIZE = 1 << 20,       /* bytes of a message */
	CORPUS_MAX_HEAD = 1024,
	CORPUS_TAIL = sizeof(" conn=0000 seq=00000000") - 1,
};

enum message_format { FORMAT_5424, FORMAT_FORWARD, FORMAT_3164 };
enum message_framing { FRAMING_OCTET, FRAMING_LF, FRAMING_NONE };

struct body {
	const char *head; /* in the corpus's memory */
	uint32_t len;
	uint32_t stamp;  /* where the stamp is in head */
	uint32_t filler; /* bytes */
	enum kind kind;
};

struct corpus {
	enum message_framing framing;
	size_t max_len; /* of a message with its framing, bytes */
	char *memory;
	struct body bodies[CORPUS_BODIES];
};

/* Messages shorter than `size` bytes (framing not counted) are filled up to it. `stamp` gives the
 * stamps' width. */
void corpus_init(struct corpus *corpus, enum message_format format, enum message_framing framing,
	size_t size, const struct stamp *stamp);
void corpus_fini(struct corpus *corpus);

/* Writes one message with its framing to out, which has room for max_len bytes. Returns its length.
 */
size_t corpus_write(const struct corpus *corpus, uint64_t number, uint32_t connection,
	const struct stamp *stamp, char *out);

static inline const struct body *
corpus_body(const struct corpus *corpus, uint64_t number)
{
	return &corpus->bodies[number % CORPUS_BODIES];
}
