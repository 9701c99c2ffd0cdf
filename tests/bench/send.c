/* SPDX-License-Identifier: Apache-2.0 */
#include "send.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util.h"

enum { BUFFER = 65536, DATAGRAMS = 64 };

struct connection {
	int fd;
	uint32_t index;
	uint64_t next; /* number of its next message */
	char *buffer;
	size_t len, sent;                  /* TCP: bytes in buffer */
	struct iovec datagrams[DATAGRAMS]; /* UDP: the messages in buffer */
	unsigned n_datagrams, n_sent;
	bool full; /* the kernel took no more: wait until writable */
};

struct sender {
	const struct send_plan *plan;
	struct stamp *stamp;
	struct send_result *result;
	struct connection *connections;
	bool udp;
	int64_t start_ns; /* monotonic */
	uint64_t allowed; /* messages below this number may be sent now */
};

static bool
fail(struct sender *sender, const char *error)
{
	if (sender->result->error == NULL)
		sender->result->error = error;
	return false;
}

static bool
pending(const struct connection *connection)
{
	return connection->sent < connection->len || connection->n_sent < connection->n_datagrams;
}

static void
count_message(struct sender *sender, uint64_t number, size_t len)
{
	sender->result->messages++;
	sender->result->bytes += len;
	sender->result->kinds[corpus_body(sender->plan->corpus, number)->kind]++;
}

static void
fill(struct sender *sender, struct connection *connection)
{
	const struct send_plan *plan = sender->plan;
	size_t capacity = BUFFER + plan->corpus->max_len;

	connection->len = connection->sent = 0;
	connection->n_datagrams = connection->n_sent = 0;
	while (connection->next < sender->allowed && connection->n_datagrams < DATAGRAMS &&
		capacity - connection->len >= plan->corpus->max_len) {
		char *out = connection->buffer + connection->len;

		stamp_set(sender->stamp, sender->stamp->live ? realtime_ns() : 0);
		size_t len = corpus_write(
			plan->corpus, connection->next, connection->index, sender->stamp, out);
		count_message(sender, connection->next, len);
		connection->len += len;
		if (sender->udp)
			connection->datagrams[connection->n_datagrams++] = (struct iovec){ out,
				len };
		connection->next += plan->connections;
	}
}

/* Returns false when the kernel takes no more or the connection broke (errno says which). */
static bool
write_stream(struct connection *connection)
{
	ssize_t n = send(connection->fd, connection->buffer + connection->sent,
		connection->len - connection->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return false;
	connection->sent += (size_t)n;
	return true;
}

static bool
write_datagrams(struct connection *connection)
{
	struct mmsghdr messages[DATAGRAMS] = { 0 };
	unsigned n = connection->n_datagrams - connection->n_sent;

	for (unsigned i = 0; i < n; i++) {
		messages[i].msg_hdr.msg_iov = &connection->datagrams[connection->n_sent + i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	int sent = sendmmsg(connection->fd, messages, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0)
		return false;
	connection->n_sent += (unsigned)sent;
	if (connection->n_sent == connection->n_datagrams)
		connection->sent = connection->len;
	return true;
}

/* One write. Returns whether anything moved. */
static bool
push(struct sender *sender, struct connection *connection)
{
	if (!pending(connection))
		fill(sender, connection);
	if (!pending(connection) || connection->full)
		return false;
	if (sender->udp ? write_datagrams(connection) : write_stream(connection))
		return true;
	if (errno == EINTR || (sender->udp && errno == ECONNREFUSED))
		return true; /* nobody listens: the kernel has said so once, the next try goes out
			      */
	if (errno != EAGAIN && errno != ENOBUFS)
		return fail(sender, strerror(errno));
	connection->full = true;
	return false;
}

/*
 * Sees which full sockets have room again. When nothing moved, waits for that or, at a limited
 * rate, until the next messages are due.
 */
static void
look_for_room(struct sender *sender, bool moved)
{
	uint32_t connections = sender->plan->connections;
	struct pollfd fds[SEND_MAX_CONNECTIONS];
	nfds_t n = 0;

	for (uint32_t i = 0; i < connections; i++)
		if (sender->connections[i].full)
			fds[n++] = (struct pollfd){ .fd = sender->connections[i].fd,
				.events = POLLOUT };
	if (n == 0 && moved)
		return;
	poll(fds, n, moved ? 0 : sender->plan->rate > 0 ? 1 : 100);
	for (uint32_t i = 0, at = 0; i < connections; i++)
		if (sender->connections[i].full)
			sender->connections[i].full = fds[at++].revents == 0;
}

static bool
due(struct sender *sender)
{
	const struct send_plan *plan = sender->plan;
	int64_t now = monotonic_ns();

	sender->allowed = plan->messages;
	if (plan->rate > 0) {
		double allowed = (double)(now - sender->start_ns) / (double)NS_PER_S *
			(double)plan->rate;

		if (allowed < (double)plan->messages)
			sender->allowed = (uint64_t)allowed;
	}
	return now < plan->deadline_ns || fail(sender, "out of time while sending");
}

static void
send_all(struct sender *sender)
{
	const struct send_plan *plan = sender->plan;

	for (bool unfinished = true; unfinished && due(sender);) {
		bool moved = false;

		unfinished = false;
		for (uint32_t i = 0; i < plan->connections; i++) {
			struct connection *connection = &sender->connections[i];

			moved |= push(sender, connection);
			unfinished |= pending(connection) || connection->next < plan->messages;
		}
		if (sender->result->error != NULL)
			return;
		if (unfinished)
			look_for_room(sender, moved);
	}
}

static bool
open_connections(struct sender *sender)
{
	const struct send_plan *plan = sender->plan;

	for (uint32_t i = 0; i < plan->connections; i++) {
		struct connection *connection = &sender->connections[i];

		connection->index = i;
		connection->next = i;
		connection->buffer = must_calloc(1, BUFFER + plan->corpus->max_len);
		connection->fd = socket(
			plan->address->ai_family, plan->address->ai_socktype | SOCK_CLOEXEC, 0);
		if (connection->fd < 0 ||
			connect(connection->fd, plan->address->ai_addr,
				plan->address->ai_addrlen) != 0)
			return fail(sender, strerror(errno));
	}
	return true;
}

/* Our FIN, then the peer's: proof that it has read everything. A peer that says goodbye with a
 * reset has not. */
static bool
close_cleanly(struct sender *sender, struct connection *connection)
{
	char ignored[4096];
	int64_t left_ms;

	shutdown(connection->fd, SHUT_WR);
	while ((left_ms = (sender->plan->deadline_ns - monotonic_ns()) / 1000000) > 0) {
		struct pollfd fd = { .fd = connection->fd, .events = POLLIN };

		if (poll(&fd, 1, left_ms < 1000 ? (int)left_ms : 1000) <= 0)
			continue;
		ssize_t n = recv(connection->fd, ignored, sizeof(ignored), 0);
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return fail(sender, "connection reset while closing");
	}
	return fail(sender, "out of time while closing");
}

void
send_run(const struct send_plan *plan, struct stamp *stamp, struct send_result *result)
{
	struct sender sender = {
		.plan = plan,
		.stamp = stamp,
		.result = result,
		.udp = plan->address->ai_socktype == SOCK_DGRAM,
	};

	*result = (struct send_result){ 0 };
	sender.connections = must_calloc(plan->connections, sizeof(*sender.connections));
	for (uint32_t i = 0; i < plan->connections; i++)
		sender.connections[i].fd = -1;
	if (open_connections(&sender)) {
		sender.start_ns = monotonic_ns();
		result->started_ns = realtime_ns();
		send_all(&sender);
		result->ended_ns = realtime_ns();
	}
	for (uint32_t i = 0; i < plan->connections; i++) {
		struct connection *connection = &sender.connections[i];

		if (!sender.udp && result->error == NULL && close_cleanly(&sender, connection))
			result->clean_closes++;
		if (connection->fd >= 0)
			close(connection->fd);
		free(connection->buffer);
	}
	result->closed_ns = realtime_ns();
	free(sender.connections);
}
