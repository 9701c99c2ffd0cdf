/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening sockets of all tcp:// and tls:// listeners: they accept on the control thread and
 * hand each connection on. At max_connections a connection is closed at once and counted; out of
 * descriptors, accepting rests for a second.
 */
#pragma once

#include "base/err.h"
#include "server/letters.h"

struct event_base;
struct acceptors;

/* Takes fd. */
typedef void
acceptors_give_fn(void *ctx, uint32_t listener, int fd, const struct sockaddr_storage *peer);

/* Binds all. NULL with the reasons in err. Borrows all but err. */
struct acceptors *acceptors_new(const struct settings *settings, struct flow *flow,
	struct event_base *base, acceptors_give_fn *give, void *ctx, struct err *err);
void acceptors_start(struct acceptors *acceptors);
/* Accepts what waits, then closes: a socket closed earlier would reset those in its queue. */
void acceptors_close(struct acceptors *acceptors);
void acceptors_free(struct acceptors **acceptors);
