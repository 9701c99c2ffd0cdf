/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table: buckets of eight 64-bit words, one cache line each. A word says "this nanosecond is
 * held by that content":
 *
 *      | tag 32 bits: time >> 17 | content 32 bits: from the hash of the message |        0 = free
 *      bucket = low 17 bits of the time, mixed with the tag
 *
 * Bucket and tag together give the time back modulo 2^49 ns (6.5 days). Memory is fixed (8 MiB,
 * about a million times); a full bucket forgets its oldest time. To claim a time is one
 * compare-and-swap, then a second look at the bucket: should another worker have put the same time
 * into another word meanwhile, at least one of the two sees it and yields, so two contents never
 * both get a time.
 */
#include "output/time_slots.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/hash.h"

enum {
	BUCKET_BITS = 17,
	BUCKETS = 1 << BUCKET_BITS,
	BUCKET_WORDS = 8,
	US_DIGITS = 6,
	SLOTS_PER_US = 1000,
	SLOT_STEP = 37,       /* prime to 1000: the probes of a microsecond visit every slot */
	ORDER_BLOCK = 256,    /* arrival numbers a worker takes at once */
	FULL_HINTS = 1024,    /* as in struct stamper; about as many as the table can hold full */
	MAX_SEARCHED_US = 32, /* full microseconds that one message pays for */
	MAX_FULL_US = 4096,   /* microseconds walked before a flood of one stamp falls back to the
				 receive time */
	COARSE_TRIES = 64,
};

struct time_slots {
	_Atomic uint64_t order; /* arrival numbers of messages with coarse stamps */
	_Alignas(64) _Atomic uint64_t words[BUCKETS][BUCKET_WORDS];
};

/* In steps of 1,000 within the first half of a second, so that the order of arrival shows. */
static uint64_t
order_start(uint64_t seed)
{
	return seed % 500000 * 1000;
}

struct time_slots *
time_slots_new(int64_t now_ns)
{
	/* Zeroed pages that cost nothing until touched, large ones where the kernel has them: the
	 * table is hit at random. */
	struct time_slots *slots = mmap(
		NULL, sizeof(*slots), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (slots == MAP_FAILED)
		abort();
	madvise(slots, sizeof(*slots), MADV_HUGEPAGE);
	/* Not from 0: the messages of one second may come half before and half after a restart. */
	atomic_init(&slots->order, order_start((uint64_t)(now_ns / NS_PER_US)));
	return slots;
}

void
time_slots_free(struct time_slots **slots)
{
	if (*slots != NULL)
		munmap(*slots, sizeof(**slots));
	*slots = NULL;
}

static _Atomic uint64_t *
bucket_of(struct time_slots *slots, uint64_t time)
{
	return slots->words[(time ^ hash_mix((uint32_t)(time >> BUCKET_BITS))) & (BUCKETS - 1)];
}

/* True when the nanosecond is this content's: free until now, or its own already. */
static bool
claim(struct time_slots *slots, int64_t time_ns, uint32_t content)
{
	uint64_t time = (uint64_t)time_ns;
	uint32_t tag = (uint32_t)(time >> BUCKET_BITS);
	uint64_t wanted = (uint64_t)tag << 32 | content;
	_Atomic uint64_t *words = bucket_of(slots, time);

	wanted += wanted == 0;
	for (;;) {
		uint64_t oldest = 0;
		int32_t oldest_age = -1;
		size_t victim = 0;

		for (size_t i = 0; i < BUCKET_WORDS; i++) {
			uint64_t word = atomic_load(&words[i]);
			/* Ages are distances between tags, which wrap. A free word is older than
			 * any other. */
			int32_t age = word == 0 ? INT32_MAX
						: (int32_t)(tag - (uint32_t)(word >> 32));

			if (word != 0 && word >> 32 == tag)
				return word == wanted;
			if (i == 0 || age > oldest_age) {
				oldest = word;
				oldest_age = age;
				victim = i;
			}
		}
		if (!atomic_compare_exchange_strong(&words[victim], &oldest, wanted))
			continue; /* another worker used the word: look again */
		for (size_t i = 0; i < BUCKET_WORDS; i++) {
			uint64_t word = atomic_load(&words[i]);

			if (i != victim && word >> 32 == tag && word != wanted && word != 0)
				return false;
		}
		return true;
	}
}

/*
 * How many messages with these bytes came before on this connection. Old ones are forgotten; two
 * different messages taken for equal only give the second one another slot.
 */
static uint32_t
ordinal_of(struct ordinals *ordinals, uint64_t hash)
{
	uint32_t set = (uint32_t)hash % ORDINAL_SETS;
	uint32_t tag = (uint32_t)(hash >> 32);
	uint32_t *tags = ordinals->tag[set], *counts = ordinals->count[set];

	for (size_t i = 0; i < ORDINAL_WAYS; i++)
		if (tags[i] == tag && counts[i] > 0)
			return counts[i]++;
	/* First in, first out. */
	memmove(tags + 1, tags, (ORDINAL_WAYS - 1) * sizeof(*tags));
	memmove(counts + 1, counts, (ORDINAL_WAYS - 1) * sizeof(*counts));
	tags[0] = tag;
	counts[0] = 1;
	return 0;
}

static uint64_t
next_order(struct stamper *stamper, struct str frame)
{
	if (stamper->order == stamper->order_end && stamper->virtual_clock) {
		/* From the first such message: the same file makes the same points again, another
		 * one does not. */
		stamper->order = order_start(hash64(frame, 0));
		stamper->order_end = UINT64_MAX;
	} else if (stamper->order == stamper->order_end) {
		stamper->order = atomic_fetch_add(&stamper->slots->order, ORDER_BLOCK);
		stamper->order_end = stamper->order + ORDER_BLOCK;
	}
	return stamper->order++;
}

/* Strictly increasing, and no other worker's: worker w of n only uses times that are w modulo n. */
static int64_t
receive_time(struct stamper *stamper, int64_t received_ns)
{
	int64_t n = stamper->n_workers;
	int64_t time = received_ns - received_ns % n + stamper->worker;

	for (;;) {
		if (time <= stamper->last_received)
			time = stamper->last_received + n;
		stamper->last_received = time;
		if (claim(stamper->slots, time, (uint32_t)hash_mix((uint64_t)time)))
			return time;
		time += n; /* a message with a stamp of its own sits here */
	}
}

/* The nanosecond that a content tries first in a microsecond. */
static uint64_t
first_slot(int64_t us, uint64_t content)
{
	return (uint64_t)(us * NS_PER_US) + content % SLOTS_PER_US;
}

/* A free slot in this microsecond for that content; -1 when all are held by others. */
static int64_t
slot_in_us(struct time_slots *slots, int64_t us, uint64_t content)
{
	uint64_t slot = content % SLOTS_PER_US;

	for (int i = 0; i < SLOTS_PER_US; i++) {
		int64_t time = us * NS_PER_US + (int64_t)slot;

		if (claim(slots, time, (uint32_t)(content >> 32)))
			return time;
		slot = (slot + SLOT_STEP) % SLOTS_PER_US;
	}
	return -1;
}

/*
 * From the message's microsecond on, the first one with room. A worker remembers full ones and
 * where they led it, so that a flood of few stamps does not search them again for each message; and
 * it searches only so many for one message, whatever others have filled. -1: too far, the sender's
 * clock stands still.
 */
static int64_t
exact_time(struct stamper *stamper, int64_t us, uint64_t content)
{
	int64_t at = us, time = -1;

	for (int searched = 0; at < us + MAX_FULL_US && searched < MAX_SEARCHED_US;) {
		size_t hint = (size_t)at % FULL_HINTS;

		if (stamper->full[hint].us == at && stamper->full[hint].next_us > at) {
			at = stamper->full[hint].next_us;
			continue;
		}
		time = slot_in_us(stamper->slots, at, content);
		if (time >= 0)
			break;
		stamper->full[hint].us = at;
		stamper->full[hint].next_us = ++at;
		searched++;
	}
	if (at > us) {
		stamper->full[(size_t)us % FULL_HINTS].us = us;
		stamper->full[(size_t)us % FULL_HINTS].next_us = at;
	}
	return time;
}

/* The stamp's own unit (second, millisecond, ...) plus the order of arrival within it. */
static int64_t
coarse_time(struct stamper *stamper, const struct log_record *record)
{
	int64_t unit = NS_PER_SEC;

	for (unsigned i = 0; i < record->time_digits; i++)
		unit /= 10;
	int64_t start = record->time_ns - record->time_ns % unit;
	for (int i = 0; i < COARSE_TRIES; i++) {
		uint64_t order = next_order(stamper, record->frame);
		int64_t time = start + (int64_t)(order % (uint64_t)unit);

		if (claim(stamper->slots, time, (uint32_t)hash_mix(order + 1)))
			return time;
	}
	return -1;
}

static bool
is_sane(const struct stamper *stamper, const struct log_record *record, int64_t received_ns)
{
	return record->time_ns >= received_ns - stamper->max_age_ns &&
		record->time_ns <= received_ns + stamper->max_future_ns;
}

/* Moves the virtual clock, and returns the receive time by it. */
static int64_t
virtual_now(struct stamper *stamper, const struct log_record *record, int64_t received_ns)
{
	if (record->has_time && (record->time_ns > stamper->clock_ns || stamper->clock_ns == 0))
		stamper->clock_ns = record->time_ns;
	return stamper->clock_ns != 0 ? stamper->clock_ns : received_ns;
}

struct stamp
stamper_begin(struct stamper *stamper, struct ordinals *ordinals, uint64_t peer,
	const struct log_record *record, int64_t received_ns)
{
	struct stamp stamp = { .point_ns = -1 };

	if (stamper->virtual_clock)
		received_ns = virtual_now(stamper, record, received_ns);
	stamp.received_ns = stamp.event_ns = received_ns;
	if (!record->has_time)
		return stamp;
	stamp.skewed = !stamper->virtual_clock && !is_sane(stamper, record, received_ns);
	if (stamp.skewed)
		return stamp;
	stamp.event_ns = record->time_ns;
	if (stamper->received_only || record->time_ns <= 0)
		return stamp;
	stamp.own_time = true;
	if (record->time_digits >= US_DIGITS) {
		uint64_t hash = hash64(record->frame, 0);
		uint32_t ordinal = ordinal_of(ordinals, hash ^ peer);

		stamp.content = ordinal == 0 ? hash : hash_mix(hash + ordinal);
		__builtin_prefetch(bucket_of(stamper->slots,
					   first_slot(record->time_ns / NS_PER_US, stamp.content)),
			1);
	}
	return stamp;
}

void
stamper_settle(struct stamper *stamper, const struct log_record *record, struct stamp *stamp)
{
	if (stamp->own_time && record->time_digits >= US_DIGITS)
		stamp->point_ns = exact_time(stamper, record->time_ns / NS_PER_US, stamp->content);
	else if (stamp->own_time)
		stamp->point_ns = coarse_time(stamper, record);
	if (stamp->point_ns < 0)
		stamp->point_ns = receive_time(stamper, stamp->received_ns);
}
