/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts a byte stream into syslog frames: octet counting and LF or NUL termination (RFC 6587
 * sections 3.4.1, 3.4.2). Incremental, without a buffer of its own: the caller keeps unconsumed
 * bytes and offers them again with more behind them. Frames are views into the bytes offered.
 *
 *      offer bytes -> framer_next -> FRAME_OK    a frame; go on with what is left
 *                                    FRAME_MORE  nothing whole: keep data[consumed..] and read on
 *                                    FRAME_BAD   broken octet count: close the connection (no
 * guessing)
 */
#pragma once

#include <stdint.h>

#include "parser/str.h"

enum framing {
	FRAMING_AUTO, /* told by the first byte of a connection: a digit means octet counting, else
			 LF; then kept */
	FRAMING_OCTET_COUNTING,
	FRAMING_LF,
	FRAMING_NUL,
};

enum frame_status { FRAME_OK, FRAME_MORE, FRAME_BAD };

enum {
	/* Of an octet count: 9,999,999 bytes; more digits are a broken count */
	FRAMER_MAX_DIGITS = 7,
};

struct frame {
	struct str bytes; /* without count, terminator, and (LF) a CR before the terminator */
	bool truncated;   /* longer than max_message, or cut off by the end of the stream inside a
			     counted frame */
};

struct framer {
	enum framing framing;
	size_t max_message; /* bytes; a longer frame is delivered cut to this, the rest of it is
			       discarded */
	/* private */
	size_t discard; /* octet counting: bytes of an over-long frame still to throw away */
	bool skip_line; /* LF, NUL: throw away up to the next terminator */
	size_t scanned; /* LF, NUL: bytes already searched without finding a terminator */
};

void framer_init(struct framer *framer, enum framing framing, size_t max_message);

/*
 * Looks at data, whose first byte is the first one not consumed before. Sets *consumed to the bytes
 * the caller may forget (with FRAME_OK the frame itself is among them: use it before you overwrite
 * it). Empty frames and stray LF between counted frames are passed over. FRAME_MORE promises: a
 * buffer of framer_room() bytes is always enough.
 */
enum frame_status
framer_next(struct framer *framer, struct str data, size_t *consumed, struct frame *frame);

/*
 * The stream has ended with data left over: a last line without terminator, or a counted frame cut
 * short (truncated), is a frame too. FRAME_MORE when nothing is left.
 */
enum frame_status framer_end(struct framer *framer, struct str data, struct frame *frame);

/* Bytes of buffer that hold any frame with its count or terminator. */
size_t framer_room(const struct framer *framer);
