/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Point times. InfluxDB merges two points of one series that share a nanosecond, so no two
 * different messages may get the same one; and a message that is sent again (after a reconnect, by
 * another path) should land on the point it already has. Senders stamp in microseconds at best, so
 * the last three digits are ours.
 *
 *      stamp in us  -> slot from the hash of the bytes and their ordinal on the connection, moved
 * on while taken coarser      -> the stamp's second (or ms) plus the order of arrival none, absurd
 * -> receive time, strictly increasing, apart between workers
 *
 * Who holds which nanosecond is remembered in one table per process, fixed in size, shared by all
 * workers, lock-free.
 */
#pragma once

#include "parser/log_record.h"

/* The shared table. */
struct time_slots;
struct time_slots *time_slots_new(int64_t now_ns);
void time_slots_free(struct time_slots **slots);

/* How often equal bytes came over one connection (UDP: from one address and port), lately. Zeroed
 * memory is a fresh one. */
enum { ORDINAL_SETS = 32, ORDINAL_WAYS = 4 };
struct ordinals {
	uint32_t tag[ORDINAL_SETS][ORDINAL_WAYS];
	uint32_t count[ORDINAL_SETS][ORDINAL_WAYS];
};

/* One per worker. */
struct stamper {
	struct time_slots *slots;
	uint32_t worker, n_workers;
	bool received_only; /* time = received */
	/* Replay and rule tests: the clock is the latest message time seen; every message time is
	 * sane. */
	bool virtual_clock;
	int64_t clock_ns; /* that clock; before the first message with a time: the receive time
			     given */
	int64_t max_age_ns, max_future_ns;
	/* private */
	int64_t last_received;
	uint64_t order, order_end;
	struct {
		int64_t us, next_us;
	} full[1024];
};

struct stamp {
	int64_t point_ns;    /* unique time of the raw point; -1 until stamper_settle() */
	int64_t event_ns;    /* the message's own time when sane, else the receive time: what rules
				follow */
	int64_t received_ns; /* by the stamper's clock */
	bool skewed;         /* the message's time was not sane */
	/* private */
	bool own_time; /* the point's time comes from the message's */
	uint64_t content;
};

/*
 * In two steps, so that the table's memory is on its way while the rules look at the message: begin
 * tells everything but the point's time, settle takes that. A message that makes no point is never
 * settled. peer: mixed into what tells equal messages apart on a shared `ordinals` (UDP: hash of
 * address and port; TCP: 0).
 */
struct stamp stamper_begin(struct stamper *stamper, struct ordinals *ordinals, uint64_t peer,
	const struct log_record *record, int64_t received_ns);
void stamper_settle(struct stamper *stamper, const struct log_record *record, struct stamp *stamp);
