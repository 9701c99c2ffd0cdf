/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch: ready-to-send line protocol with its final bytes, shared read-only by all outputs it
 * goes to. Reference- counted over threads; what all batches together hold is known at any time
 * (batch_bytes_alive).
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/mailbox.h"

struct batch {
	struct mail mail; /* for whoever posts it */
	uint16_t target;  /* index into the target table (output/target.h) */
	bool raw;         /* raw log points; false: points of rules */
	uint32_t points;
	struct buf lines;   /* `points` lines, each ended by LF */
	int64_t created_ns; /* monotonic: when its first point was added */
	/* private */
	_Atomic uint32_t refs;
	size_t charged;
};

/* room: bytes to reserve at once (0 = grow as needed). Returns owned, one reference. */
struct batch *batch_new(uint16_t target, bool raw, size_t room, int64_t monotonic_ns);
struct batch *batch_ref(struct batch *batch);
void batch_unref(struct batch **batch);

/* Called once when no more is added: gives back unused room and charges the rest to the total. */
void batch_seal(struct batch *batch);

/* What `bytes` of a sealed batch's lines stand for of the memory it is charged with. */
size_t batch_share(const struct batch *batch, size_t bytes);

/* Bytes of all sealed batches alive in the process. Any thread. */
uint64_t batch_bytes_alive(void);
