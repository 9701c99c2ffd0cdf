/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch is written by one worker, sealed, and from then on only read, by the sender and the disk
 * thread. What sealed batches hold together is one atomic number: every queue in the program is
 * made of batches, so this is what the memory limit is held against.
 */
#include "output/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
	SPARE_BUFFERS = 4,
	SPARE_MIN = 256 << 10, /* bytes; smaller buffers are malloc's own business */
};

static _Atomic uint64_t bytes_alive;

/*
 * Buffers of batches that are gone, for the next ones: fresh memory of that size would be mapped
 * and cleared by the kernel page by page, which costs more than filling it. A spare buffer's first
 * bytes hold its size.
 */
static _Atomic(char *) spares[SPARE_BUFFERS];

static bool
take_spare(struct buf *buf, size_t room)
{
	for (size_t i = 0; i < SPARE_BUFFERS; i++) {
		char *spare = atomic_exchange(&spares[i], NULL);
		size_t cap;

		if (spare == NULL)
			continue;
		memcpy(&cap, spare, sizeof(cap));
		if (cap >= room) {
			*buf = (struct buf){ spare, 0, cap };
			return true;
		}
		free(spare); /* of another size of batches */
	}
	return false;
}

static void
give_back(struct buf *buf)
{
	if (buf->cap >= SPARE_MIN) {
		memcpy(buf->ptr, &buf->cap, sizeof(buf->cap));
		for (size_t i = 0; i < SPARE_BUFFERS; i++) {
			char *none = NULL;

			if (atomic_compare_exchange_strong(&spares[i], &none, buf->ptr)) {
				*buf = BUF_EMPTY;
				return;
			}
		}
	}
	buf_fini(buf);
}

struct batch *
batch_new(uint16_t target, bool raw, size_t room, int64_t monotonic_ns)
{
	struct batch *batch = xcalloc(1, sizeof(*batch));

	batch->target = target;
	batch->raw = raw;
	batch->created_ns = monotonic_ns;
	if (room > 0 && !take_spare(&batch->lines, room))
		buf_reserve(&batch->lines, room);
	atomic_init(&batch->refs, 1);
	return batch;
}

struct batch *
batch_ref(struct batch *batch)
{
	uint32_t before = atomic_fetch_add_explicit(&batch->refs, 1, memory_order_relaxed);

	assert(before > 0 && before < UINT32_MAX);
	return batch;
}

void
batch_unref(struct batch **batch)
{
	struct batch *gone = *batch;

	*batch = NULL;
	if (gone == NULL)
		return;
	uint32_t before = atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel);

	assert(before > 0);
	if (before > 1)
		return;
	atomic_fetch_sub_explicit(&bytes_alive, gone->charged, memory_order_relaxed);
	give_back(&gone->lines);
	free(gone);
}

void
batch_seal(struct batch *batch)
{
	assert(batch->charged == 0); /* sealed once */
	struct buf *lines = &batch->lines;
	size_t len = lines->len;

	if (len == 0) {
		give_back(lines);
	} else if (lines->cap < SPARE_MIN || len < lines->cap / 2) {
		char *exact = xmalloc(len); /* few lines do not keep a large buffer */

		memcpy(exact, lines->ptr, len);
		give_back(lines);
		*lines = (struct buf){ exact, len, len };
	}
	batch->charged = sizeof(*batch) + batch->lines.cap;
	atomic_fetch_add_explicit(&bytes_alive, batch->charged, memory_order_relaxed);
}

size_t
batch_share(const struct batch *batch, size_t bytes)
{
	return (size_t)((uint64_t)batch->charged * bytes / batch->lines.len);
}

uint64_t
batch_bytes_alive(void)
{
	return atomic_load_explicit(&bytes_alive, memory_order_relaxed);
}
