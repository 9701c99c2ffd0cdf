/* SPDX-License-Identifier: Apache-2.0 */
#include "server/acceptors.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/diag.h"
#include "input/address.h"

enum {
	ACCEPTS_PER_TURN = 64,
	LAST_TURNS = 32, /* at the end: twice what may wait, and no race with those who go on */
	REST_S = 1,      /* after running out of descriptors */
	SAY_EVERY_S = 10,
};

struct acceptor {
	struct acceptors *all;
	uint32_t listener;
	int fd;
	struct event *event;
};

struct acceptors {
	const struct settings *settings;
	struct flow *flow;
	acceptors_give_fn *give;
	void *ctx;
	struct event *on_rest_over;
	struct acceptor *list;
	size_t n;
	struct diag_limit refuse_limit, accept_limit;
};

static void
take(struct acceptor *acceptor, int fd, const struct sockaddr_storage *peer)
{
	struct acceptors *all = acceptor->all;
	const struct listen_settings *listener = &all->settings->listens[acceptor->listener];
	struct listener_gauges *gauges = &all->flow->listeners[acceptor->listener];

	if (atomic_load(&gauges->open) >= listener->max_connections) {
		close(fd);
		atomic_fetch_add(&gauges->refused, 1);
		if (diag_allowed(
			    &all->refuse_limit, clock_monotonic_ns(), SAY_EVERY_S * NS_PER_SEC))
			diag_warn("connection_refused", DIAG_TEXT("listener", listener->name),
				DIAG_INT("max_connections", listener->max_connections),
				DIAG_TEXT("msg",
					"the limit is reached; raise max_connections if these "
					"senders are yours"));
		return;
	}
	atomic_fetch_add(&gauges->open, 1);
	atomic_fetch_add(&gauges->accepted, 1);
	all->give(all->ctx, acceptor->listener, fd, peer);
}

static void
rest(struct acceptor *acceptor, int error)
{
	const struct timeval pause = { REST_S, 0 };
	struct acceptors *all = acceptor->all;

	if (diag_allowed(&all->accept_limit, clock_monotonic_ns(), SAY_EVERY_S * NS_PER_SEC))
		diag_warn("accept_failed", DIAG_TEXT("error", strerror(error)),
			DIAG_TEXT("msg", "raise the limit of open files (ulimit -n, LimitNOFILE)"));
	event_del(acceptor->event);
	event_add(all->on_rest_over, &pause);
}

/* Accepts at most `most`; false when nobody is waiting any more. */
static bool
accept_some(struct acceptor *acceptor, int most)
{
	for (int i = 0; i < most; i++) {
		struct sockaddr_storage peer = { 0 };
		socklen_t len = sizeof(peer);
		int fd = accept4(
			acceptor->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take(acceptor, fd, &peer);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			errno == ENOMEM) {
			rest(acceptor, errno);
			return false;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return false;
		} /* ECONNABORTED and network errors belong to that one connection */
	}
	return true;
}

static void
on_accept(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	accept_some(ctx, ACCEPTS_PER_TURN);
}

static void
on_rest_over(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	acceptors_start(ctx);
}

struct acceptors *
acceptors_new(const struct settings *settings, struct flow *flow, struct event_base *base,
	acceptors_give_fn *give, void *ctx, struct err *err)
{
	struct acceptors *all = xcalloc(1, sizeof(*all));
	unsigned before = err->count;

	*all = (struct acceptors){ .settings = settings, .flow = flow, .give = give, .ctx = ctx };
	all->on_rest_over = event_new(base, -1, 0, on_rest_over, all);
	all->list = xcalloc(settings->n_listens + 1, sizeof(*all->list));
	for (size_t i = 0; i < settings->n_listens; i++) {
		struct acceptor *acceptor = &all->list[all->n];

		if (settings->listens[i].transport == LISTEN_UDP)
			continue;
		*acceptor = (struct acceptor){ all, (uint32_t)i,
			address_bind(&settings->listens[i], false, err), NULL };
		if (acceptor->fd < 0)
			continue;
		acceptor->event = event_new(
			base, acceptor->fd, EV_READ | EV_PERSIST, on_accept, acceptor);
		all->n++;
	}
	if (err->count > before)
		acceptors_free(&all);
	return all;
}

void
acceptors_start(struct acceptors *acceptors)
{
	for (size_t i = 0; i < acceptors->n; i++)
		event_add(acceptors->list[i].event, NULL);
}

static void
close_one(struct acceptor *acceptor)
{
	if (acceptor->fd < 0)
		return;
	event_free(acceptor->event);
	close(acceptor->fd);
	acceptor->fd = -1;
}

void
acceptors_close(struct acceptors *acceptors)
{
	for (size_t i = 0; i < acceptors->n; i++) {
		int turns = LAST_TURNS;

		while (accept_some(&acceptors->list[i], ACCEPTS_PER_TURN) && --turns > 0)
			;
		close_one(&acceptors->list[i]);
	}
	event_del(acceptors->on_rest_over);
	acceptors->n = 0;
}

void
acceptors_free(struct acceptors **acceptors)
{
	struct acceptors *all = *acceptors;

	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++)
		close_one(&all->list[i]);
	event_free(all->on_rest_over);
	free(all->list);
	free(all);
	*acceptors = NULL;
}
