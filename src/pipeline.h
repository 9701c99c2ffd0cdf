/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a message through one worker, from frame to batch:
 *
 *      frame -> parse -> stamp -> match (-> delta) -> encode (-> batch)
 *
 * Each worker has one pipeline; replay has one too. What it produces is handed over through two
 * callbacks: batches of raw points together with the tally that accounts for their messages, and
 * deltas of the rules' metrics.
 */
#pragma once

#include "config/settings.h"
#include "match/ruleset.h"
#include "output/batch.h"
#include "output/log_point.h"
#include "output/target.h"
#include "output/time_slots.h"
#include "parser/framer.h"

/* Why a received message makes no raw log point. */
#define SKIP_REASONS(X)                                        \
	X(SKIP_LOGS_OFF, "logs_off") /* [logs] enabled = no */ \
	X(SKIP_MEMORY, "memory")     /* UDP only: queued points have reached memory_limit */
enum skip_reason {
#define X(id, name) id,
	SKIP_REASONS(X)
#undef X
		SKIP_REASON_COUNT
};

/* What one listener's messages were. received = points made + skipped, always. */
struct listener_tally {
	uint64_t received;
	uint64_t bytes;
	uint64_t skipped[SKIP_REASON_COUNT];
	uint64_t by_format[3]; /* enum log_format */
	uint64_t parse_errors[LOG_ERR_COUNT];
	uint64_t truncated;
	uint64_t clock_skew;
};

/* What a pipeline counted since it last handed over; one entry per listener. */
struct tally {
	size_t n;
	struct listener_tally listeners[];
};
struct tally *tally_new(size_t n_listeners);
void tally_add(struct tally *into, const struct tally *from);

/* What all pipelines of a process share; immutable but for the lock-free sets. */
struct pipeline_shared {
	const struct settings *settings;
	struct ruleset *ruleset;
	struct time_slots *slots;
	struct sd_names *names;
	struct target *targets; /* [0] is for raw log points */
	size_t n_targets;
	/* The smallest over all outputs, since they share batches. */
	uint32_t batch_points;
	size_t batch_bytes;
	int64_t flush_interval_ns;
	bool virtual_clock; /* replay: message time is the clock; false until set */
};
/* Builds it from settings and a compiled rule set (takes both references it needs); false with
 * errors added. */
bool pipeline_shared_init(
	struct pipeline_shared *shared, const struct settings *settings, struct err *err);
void pipeline_shared_fini(struct pipeline_shared *shared);

struct pipeline_sink {
	/* Takes both. batch NULL: nothing but counts. */
	void (*batch)(void *ctx, struct batch *batch, struct tally *tally);
	void (*delta)(void *ctx, struct delta *delta); /* takes it */
	void *ctx;
};

struct pipeline;
struct pipeline *pipeline_new(const struct pipeline_shared *shared, uint32_t worker,
	uint32_t n_workers, const struct pipeline_sink *sink);
void pipeline_free(struct pipeline **pipeline); /* what was not handed over is lost: flush before */

/* Where a message came from; borrowed. */
struct origin {
	uint32_t listener;
	struct str source; /* peer address, or absent */
	uint64_t peer;     /* tells senders apart that share `ordinals` */
	struct ordinals *ordinals;
};

void pipeline_message(struct pipeline *pipeline, const struct origin *origin,
	const struct frame *frame, int64_t received_ns);
/* A message that cannot be taken for lack of memory is still counted. */
void
pipeline_skip(struct pipeline *pipeline, uint32_t listener, enum skip_reason reason, size_t bytes);

/* Hands over what there is. Called when the flush interval is over, and at the end. */
void pipeline_flush(struct pipeline *pipeline);

/* The virtual clock: the latest message time so far; 0 before the first. */
int64_t pipeline_clock(const struct pipeline *pipeline);

/* The matcher, for its counters. */
const struct matcher *pipeline_matcher(const struct pipeline *pipeline);

/*
 * For `explain`: parses and stamps like pipeline_message() but fills *record and *input for the
 * caller instead of going on.
 */
void
pipeline_look(struct pipeline *pipeline, const struct origin *origin, const struct frame *frame,
	int64_t received_ns, struct log_record *record, struct rule_input *input);
