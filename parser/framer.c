/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts a stream into frames. Every call starts at the first byte not consumed: `discard` and
 * `skip_line` say what is to be thrown away first, `scanned` how much of a line was searched
 * before, so that the work is O(bytes) however small the reads are. Whatever the reads, the frames
 * are the same.
 */
#include "parser/framer.h"

#include <assert.h>

enum {
	COUNT_ROOM = FRAMER_MAX_DIGITS + 1, /* count and its space */
	LINE_END_ROOM = 2,                  /* CR LF */
};

void
framer_init(struct framer *framer, enum framing framing, size_t max_message)
{
	assert(max_message > 0);
	*framer = (struct framer){ .framing = framing, .max_message = max_message };
}

size_t
framer_room(const struct framer *framer)
{
	static_assert((int)COUNT_ROOM >= (int)LINE_END_ROOM, "a count needs the most room");
	return framer->max_message + COUNT_ROOM;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void
detect_framing(struct framer *framer, struct str data)
{
	if (framer->framing == FRAMING_AUTO && data.len > 0)
		framer->framing = is_digit(data.ptr[0]) ? FRAMING_OCTET_COUNTING : FRAMING_LF;
}

/* Line ends between counted frames. A CR alone is left, as its LF may not have come yet. */
static size_t
skip_line_ends(struct str data, size_t pos)
{
	for (;;) {
		if (pos < data.len && data.ptr[pos] == '\n')
			pos++;
		else if (pos + 1 < data.len && data.ptr[pos] == '\r' && data.ptr[pos + 1] == '\n')
			pos += 2;
		else
			return pos;
	}
}

/* Reads "COUNT SP" at *pos and moves behind it. FRAME_MORE: cut off, *pos unchanged. */
static enum frame_status
read_count(struct str data, size_t *pos, size_t *count)
{
	size_t p = *pos;
	size_t value = 0;

	if (p + 1 == data.len && data.ptr[p] == '\r')
		return FRAME_MORE;
	if (p < data.len && data.ptr[p] == '0')
		return FRAME_BAD;
	while (p < data.len && is_digit(data.ptr[p])) {
		if (p - *pos == FRAMER_MAX_DIGITS)
			return FRAME_BAD;
		value = value * 10 + (size_t)(data.ptr[p++] - '0');
	}
	if (p == data.len)
		return FRAME_MORE;
	if (p == *pos || data.ptr[p] != ' ')
		return FRAME_BAD;
	*pos = p + 1;
	*count = value;
	return FRAME_OK;
}

static enum frame_status
next_counted(struct framer *framer, struct str data, size_t *consumed, struct frame *frame)
{
	size_t pos = framer->discard < data.len ? framer->discard : data.len;
	size_t count;

	framer->discard -= pos;
	if (framer->discard == 0)
		pos = skip_line_ends(data, pos);
	*consumed = pos;
	if (pos == data.len)
		return FRAME_MORE;
	enum frame_status status = read_count(data, &pos, &count);
	if (status != FRAME_OK)
		return status;
	size_t wanted = count <= framer->max_message ? count : framer->max_message;
	if (data.len - pos < wanted)
		return FRAME_MORE;
	*frame = (struct frame){ { data.ptr + pos, wanted }, wanted < count };
	framer->discard = count - wanted;
	*consumed = pos + wanted;
	return FRAME_OK;
}

static char
terminator(const struct framer *framer)
{
	return framer->framing == FRAMING_NUL ? '\0' : '\n';
}

/* The frame that a line (without its terminator) makes. */
static struct frame
line_frame(const struct framer *framer, const char *line, size_t len)
{
	if (framer->framing == FRAMING_LF && len > 0 && line[len - 1] == '\r')
		len--;
	bool truncated = len > framer->max_message;
	return (struct frame){ { line, truncated ? framer->max_message : len }, truncated };
}

/* A line whose terminator is not among the bytes offered. */
static enum frame_status
unfinished_line(
	struct framer *framer, struct str data, size_t pos, size_t *consumed, struct frame *frame)
{
	size_t len = data.len - pos;

	*consumed = pos;
	framer->scanned = len;
	if (len < framer->max_message + LINE_END_ROOM)
		return FRAME_MORE;
	*frame = (struct frame){ { data.ptr + pos, framer->max_message }, true };
	framer->scanned = 0;
	framer->skip_line = true;
	*consumed = data.len;
	return FRAME_OK;
}

static enum frame_status
next_line(struct framer *framer, struct str data, size_t *consumed, struct frame *frame)
{
	size_t pos = 0;

	assert(framer->scanned <= data.len);
	while (pos < data.len) {
		size_t from = pos + framer->scanned;
		const char *end = memchr(data.ptr + from, terminator(framer), data.len - from);
		if (end == NULL)
			break;
		size_t len = (size_t)(end - data.ptr) - pos;
		*frame = line_frame(framer, data.ptr + pos, len);
		bool wanted = !framer->skip_line && frame->bytes.len > 0;
		framer->skip_line = false;
		framer->scanned = 0;
		pos += len + 1;
		if (wanted) {
			*consumed = pos;
			return FRAME_OK;
		}
	}
	if (framer->skip_line)
		pos = data.len;
	return unfinished_line(framer, data, pos, consumed, frame);
}

enum frame_status
framer_next(struct framer *framer, struct str data, size_t *consumed, struct frame *frame)
{
	*consumed = 0;
	detect_framing(framer, data);
	if (data.len == 0)
		return FRAME_MORE;
	if (framer->framing == FRAMING_OCTET_COUNTING)
		return next_counted(framer, data, consumed, frame);
	return next_line(framer, data, consumed, frame);
}

enum frame_status
framer_end(struct framer *framer, struct str data, struct frame *frame)
{
	detect_framing(framer, data);
	if (data.len == 0 || framer->skip_line)
		return FRAME_MORE;
	if (framer->framing != FRAMING_OCTET_COUNTING) {
		*frame = line_frame(framer, data.ptr, data.len);
		return frame->bytes.len > 0 ? FRAME_OK : FRAME_MORE;
	}
	if (framer->discard >= data.len)
		return FRAME_MORE;
	size_t pos = skip_line_ends(data, framer->discard);
	size_t count;
	if (pos == data.len)
		return FRAME_MORE;
	enum frame_status status = read_count(data, &pos, &count);
	if (status != FRAME_OK)
		return status;
	size_t len = data.len - pos;
	if (len == 0)
		return FRAME_MORE;
	size_t most = count <= framer->max_message ? count : framer->max_message;
	*frame = (struct frame){ { data.ptr + pos, len < most ? len : most }, true };
	return FRAME_OK;
}
