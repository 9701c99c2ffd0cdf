/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the reads, the frames are the same, none is longer than asked for, and the room promised
 * is enough. */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "parser/framer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All frames of the stream, each ended by its flag, as one text. The reads are of `step` bytes. */
static struct buf
frames(struct str stream, enum framing framing, size_t max, size_t step)
{
	struct framer framer;
	struct frame frame;
	struct buf out = BUF_EMPTY;
	enum frame_status status = FRAME_MORE;
	size_t start = 0, end = 0, consumed;

	framer_init(&framer, framing, max);
	while (status == FRAME_OK || (status == FRAME_MORE && end < stream.len)) {
		if (status == FRAME_MORE)
			end += step < stream.len - end ? step : stream.len - end;
		status = framer_next(&framer, (struct str){ stream.ptr + start, end - start },
			&consumed, &frame);
		assert(consumed <= end - start);
		start += consumed;
		assert(status != FRAME_MORE || end - start < framer_room(&framer));
		if (status == FRAME_OK) {
			assert(frame.bytes.len > 0 && frame.bytes.len <= max &&
				frame.bytes.ptr >= stream.ptr &&
				frame.bytes.ptr + frame.bytes.len <= stream.ptr + start);
			buf_add(&out, frame.bytes);
			buf_add(&out, frame.truncated ? STR("|cut\n") : STR("|whole\n"));
		}
	}
	if (status == FRAME_MORE &&
		framer_end(&framer, (struct str){ stream.ptr + start, end - start }, &frame) ==
			FRAME_OK) {
		assert(frame.bytes.len <= max);
		buf_add(&out, frame.bytes);
		buf_add(&out, frame.truncated ? STR("|end cut\n") : STR("|end\n"));
	}
	buf_add(&out, status == FRAME_BAD ? STR("bad") : STR("ok"));
	return out;
}

/* First byte: framing and the size of the reads; second: the longest message. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct str stream = { (const char *)data + 2, size - 2 };
	struct buf whole = frames(stream, data[0] & 3, data[1] + 1u, size);
	struct buf split = frames(stream, data[0] & 3, data[1] + 1u, (data[0] >> 2) + 1u);
	assert(str_equal(buf_str(&whole), buf_str(&split)));
	buf_fini(&whole);
	buf_fini(&split);
	return 0;
}
