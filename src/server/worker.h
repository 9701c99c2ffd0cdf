/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker thread: one event loop with its share of the connections, its UDP sockets and a pipeline
 * of its own. It never waits: when too much is queued it stops reading (TCP senders then wait) and
 * looks again a little later.
 */
#pragma once

#include "input/udp.h"
#include "server/letters.h"

struct worker;

struct worker_env { /* borrowed, outlives the worker */
	const struct pipeline_shared *shared;
	struct tls_context *const *tls; /* per listener, NULL for those without */
	struct flow *flow;
	struct mailbox *sender;
	struct mailbox *control;
};

/* Opens its UDP sockets. NULL with the reason in err. */
struct worker *
worker_new(const struct worker_env *env, uint32_t index, uint32_t n_workers, struct err *err);
void worker_start(struct worker *worker);
void worker_post(struct worker *worker, struct mail *mail);
uint32_t worker_connections(const struct worker *worker); /* any thread */

/* After CONTROL_WORKER_DONE: waits for the thread and frees. A worker that was never started is
 * just freed. */
void worker_free(struct worker **worker);
