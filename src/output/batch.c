/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch is written by one worker, sealed, and from then on only read, by the sender and the disk
 * thread. What sealed batches hold together is one atomic number: every queue in the program is
 * made of batches, so this is what the memory limit is held against.
 */
#include "output/batch.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

static _Atomic uint64_t bytes_alive;

struct batch *
batch_new(uint16_t target, bool raw, size_t room, int64_t monotonic_ns)
{
	struct batch *batch = xcalloc(1, sizeof(*batch));

	batch->target = target;
	batch->raw = raw;
	batch->created_ns = monotonic_ns;
	if (room > 0)
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
	buf_fini(&gone->lines);
	free(gone);
}

void
batch_seal(struct batch *batch)
{
	assert(batch->charged == 0); /* sealed once */
	if (batch->lines.len == 0) {
		buf_fini(&batch->lines);
	} else if (batch->lines.cap > batch->lines.len) {
		batch->lines.ptr = xrealloc(batch->lines.ptr, batch->lines.len);
		batch->lines.cap = batch->lines.len;
	}
	batch->charged = sizeof(*batch) + batch->lines.cap;
	atomic_fetch_add_explicit(&bytes_alive, batch->charged, memory_order_relaxed);
}

uint64_t
batch_bytes_alive(void)
{
	return atomic_load_explicit(&bytes_alive, memory_order_relaxed);
}
