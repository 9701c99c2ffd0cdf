/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sender thread: takes batches from workers (raw points) and control (points of rules), gives
 * each to the outputs it is meant for, runs their HTTP requests in one event loop, and keeps the
 * account: every message and point that workers reported is in it, together with where it is now,
 * at any moment.
 */
#pragma once

#include "server/letters.h"

struct sender;

struct sender_env { /* borrowed */
	const struct pipeline_shared *shared;
	struct flow *flow;
	struct mailbox *control; /* where snapshots go */
};

/* NULL with the reasons in err (an output that cannot be set up). */
struct sender *sender_new(const struct sender_env *env, struct err *err);
void sender_start(struct sender *sender);
struct mailbox *sender_mailbox(struct sender *sender);

/* After CONTROL_SENDER_DONE: waits for the thread and frees. */
void sender_free(struct sender **sender);
