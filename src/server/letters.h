/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server's threads write to each other, and the few numbers they share.
 *
 *      control --connection, drain, stop--> worker --report--> sender --snapshot--> control
 *                                           worker --work-----> control --rule batches--> sender
 *
 * A letter belongs to its receiver once posted.
 */
#pragma once

#include "output/output.h"
#include "pipeline.h"

/* ---- to a worker ---- */
enum worker_mail { WORKER_CONNECTION, WORKER_DRAIN, WORKER_STOP };

struct connection_letter {
	struct mail mail;
	int fd;
	uint32_t listener;
	struct sockaddr_storage *peer; /* owned */
};

struct plain_letter {
	struct mail mail;
};

/* ---- to the sender ---- */
enum sender_mail {
	SENDER_REPORT,
	SENDER_RULE_BATCH /* a struct batch */,
	SENDER_SNAPSHOT,
	SENDER_STOP
};

struct report_letter { /* a worker's batch with the account of its messages */
	struct mail mail;
	struct batch *batch; /* may be NULL */
	struct tally *tally;
};

struct stop_letter {
	struct mail mail;
	int64_t deadline_ns; /* monotonic */
};

enum { RECENT_BATCHES = 1000, RECENT_POINTS = 1000 };

struct snapshot { /* everything at one moment of the sender: the account closes exactly */
	struct mail mail;
	int64_t taken_ns; /* monotonic */
	struct tally *tally;
	size_t n_outputs;
	struct output_state *outputs;
	struct batch
		*recent[RECENT_BATCHES]; /* raw points delivered or not, newest last; references */
	size_t n_recent;
};
struct snapshot *snapshot_new(size_t n_listeners, size_t n_outputs);
void snapshot_free(struct snapshot **snapshot);

/* ---- to control ---- */
enum control_mail {
	CONTROL_WORK,
	CONTROL_DRAINED,
	CONTROL_WORKER_DONE,
	CONTROL_SNAPSHOT,
	CONTROL_SENDER_DONE /* a snapshot */
};

struct work_letter { /* what a worker's rules did since the last one */
	struct mail mail;
	uint32_t worker;
	struct delta *delta;             /* may be NULL */
	size_t charged;                  /* bytes counted in flow.delta_bytes */
	struct rule_counters counters[]; /* running, one per rule */
};

/* ---- shared numbers; rare events or once a batch, never per message ---- */
struct listener_gauges {
	_Atomic uint32_t open;
	_Atomic uint64_t accepted, refused, bad_frames, tls_failed, failed;
	_Atomic uint64_t kernel_drops; /* UDP */
};

struct flow {
	_Atomic uint64_t pause_bytes; /* senders are not read while batches hold more than this */
	_Atomic uint64_t delta_bytes; /* of deltas on their way to control */
	_Atomic uint32_t paused;      /* workers that do not read at the moment */
	_Atomic uint64_t paused_ns;   /* time spent so, all workers */
	struct listener_gauges *listeners;
};
