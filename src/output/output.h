/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One output ([influxdb NAME] or [file NAME]): its queue of batches and how they are delivered.
 * Everything here happens on the sender thread, inside its event loop; the file outputs' disk
 * writes are done by the disk thread.
 *
 *      output_push(batch) -> queue -> HTTP request (curl multi) -> retry_decide -> done | again |
 * halves | rejected
 *
 * Accounting is exact at every moment: accepted = written + rejected + dropped + queued, where
 * queued is counted by walking what is really held.
 *
 * A rule's target that lacks its database, bucket or retention policy is held alone: its points
 * wait, the others pass. What such targets keep is bounded; beyond that the oldest points of rules
 * are dropped.
 */
#pragma once

#include "config/settings.h"
#include "output/batch.h"
#include "output/target.h"

struct event_base;
struct output;

/* Reasons of rejected points; X-macro for counters known in advance. */
#define REJECT_REASONS(X)                      \
	X(REJECT_RETENTION, "retention")       \
	X(REJECT_PARSE, "parse")               \
	X(REJECT_FIELD_TYPE, "field_type")     \
	X(REJECT_LIMIT, "limit")               \
	X(REJECT_TOO_LARGE, "too_large")       \
	X(REJECT_SERVER_ERROR, "server_error") \
	X(REJECT_OTHER, "other")
enum reject_reason {
#define X(id, name) id,
	REJECT_REASONS(X)
#undef X
		REJECT_REASON_COUNT
};

struct output_counts { /* points; [0] raw log points, [1] points of rules */
	uint64_t accepted, written, dropped, queued;
	uint64_t rejected[REJECT_REASON_COUNT];
};

struct output_state {
	struct output_counts counts[2];
	uint64_t queued_bytes, queued_batches;
	uint64_t requests_ok, requests_failed; /* HTTP requests by outcome */
	uint64_t retries;
	bool healthy; /* the last answer was good, or nothing was sent yet; and no target is held */
	int last_status;     /* 0 = none or no answer */
	const char *problem; /* static reason of retry_decide while not healthy, else NULL */
	int64_t retry_at_ns; /* monotonic; 0 = not waiting */
};

struct disk;

struct output_env { /* what an output needs of its surroundings; borrowed, outlives the output */
	struct event_base *base;
	const struct target *targets;
	struct disk *disk;          /* writes files: line-protocol files and the dead letters */
	uint64_t memory_limit;      /* bytes of queued points in the whole process; not 0 */
	const char *state_dir;      /* where dead-letter.lp lives */
	void (*changed)(void *ctx); /* called when queued bytes went down or health changed */
	void *ctx;
};

struct output *
output_new(const struct output_settings *settings, const struct output_env *env, struct err *err);
/* Drops what is left: counted and logged by the caller through output_state() before. */
void output_free(struct output **output);

/* Takes a reference of its own. Counts the batch's points as accepted. */
void output_push(struct output *output, struct batch *batch);

void output_state(const struct output *output, struct output_state *state);
bool output_idle(const struct output *output); /* nothing queued or in flight */
/* From now on waits between attempts are short: the program is ending. */
void output_hurry(struct output *output);
