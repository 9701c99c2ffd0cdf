/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server on a thread of its own that answers as a test's script says, faults included,
 * and remembers the bodies it has acknowledged with 204. Header-only: each test is one program.
 */
#pragma once

#include <assert.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

enum fault_kind {
	FAULT_NONE,      /* answer as it should be */
	FAULT_HANG,      /* never answer */
	FAULT_CLOSE,     /* close without a byte */
	FAULT_CLOSE_MID, /* close in the middle of the body */
	FAULT_TRICKLE,   /* a byte every 20 ms, for ever */
	FAULT_ENDLESS,   /* a body without end, as fast as it goes */
};

struct fault_request {
	const char *head; /* request line and headers, NUL-terminated */
	struct str body;
	unsigned number; /* 0, 1, ... in order of arrival */
};

struct fault_answer {
	enum fault_kind kind;
	int status;          /* preset: 204 */
	const char *headers; /* more header lines, each ended by CR LF; preset: "" */
	char body[9000];     /* preset: "" */
};

struct fault_connection {
	int fd;
	struct buf in;
	enum fault_kind kind; /* not FAULT_NONE: in that state for good */
};

enum { FAULT_CONNECTIONS = 16 };

struct fault_server {
	int fd, stop;
	unsigned port;
	pthread_t thread;
	void (*script)(void *ctx, const struct fault_request *request, struct fault_answer *answer);
	void *ctx;
	struct fault_connection connections[FAULT_CONNECTIONS];
	unsigned early_413; /* Content-Length above this is answered 413 before the body is read,
			       then closed; 0 = off */
	_Atomic unsigned requests;
	pthread_mutex_t lock;
	struct buf stored; /* bodies answered 204, one after the other; under lock */
};

static inline void
fault_close(struct fault_connection *c)
{
	close(c->fd);
	c->fd = -1;
	buf_fini(&c->in);
}

static inline void
fault_send(struct fault_connection *c, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static inline void
fault_reply(struct fault_server *server, struct fault_connection *c,
	const struct fault_request *request)
{
	struct fault_answer answer = { .status = 204, .headers = "" };
	struct buf out = BUF_EMPTY;

	server->script(server->ctx, request, &answer);
	size_t len = strlen(answer.body);

	if (answer.kind == FAULT_NONE && answer.status == 204) {
		pthread_mutex_lock(&server->lock);
		buf_add(&server->stored, request->body);
		pthread_mutex_unlock(&server->lock);
	}
	buf_printf(&out, "HTTP/1.1 %d X\r\n%s", answer.status, answer.headers);
	if (answer.status != 204)
		buf_printf(&out, "Content-Length: %zu\r\n",
			answer.kind >= FAULT_TRICKLE ? (size_t)1 << 40 : len);
	buf_add_text(&out, "\r\n");
	buf_add_text(&out, answer.body);
	if (answer.kind == FAULT_CLOSE_MID)
		out.len -= len / 2 + 1;
	if (answer.kind != FAULT_HANG && answer.kind != FAULT_CLOSE)
		fault_send(c, out.ptr, out.len);
	if (answer.kind == FAULT_CLOSE || answer.kind == FAULT_CLOSE_MID)
		fault_close(c);
	else
		c->kind = answer.kind;
	buf_fini(&out);
}

/* Takes one request off the front of c->in and answers it; false when it is not whole. */
static inline bool
fault_step(struct fault_server *server, struct fault_connection *c)
{
	const char *end = c->in.len > 0 ? memmem(c->in.ptr, c->in.len, "\r\n\r\n", 4) : NULL;

	if (end == NULL)
		return false;
	size_t head_len = (size_t)(end - c->in.ptr) + 4;
	char *head = strndup(c->in.ptr, head_len);
	const char *length = strcasestr(head, "\r\ncontent-length:");
	size_t body_len = length != NULL ? (size_t)atoll(length + 17) : 0;
	bool too_large = server->early_413 != 0 && body_len > server->early_413;
	bool whole = c->in.len >= head_len + body_len;

	if (too_large) {
		const char *answer =
			"HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

		atomic_fetch_add(&server->requests, 1);
		fault_send(c, answer, strlen(answer));
		fault_close(c);
	} else if (whole) {
		struct fault_request request = { head, { c->in.ptr + head_len, body_len },
			atomic_fetch_add(&server->requests, 1) };

		fault_reply(server, c, &request);
		if (c->fd >= 0) {
			c->in.len -= head_len + body_len;
			memmove(c->in.ptr, c->in.ptr + head_len + body_len, c->in.len);
		}
	}
	free(head);
	return whole && c->fd >= 0;
}

static inline void
fault_read(struct fault_server *server, struct fault_connection *c)
{
	ssize_t n = read(c->fd, buf_reserve(&c->in, 65536), 65536);

	if (n <= 0) {
		fault_close(c);
		return;
	}
	c->in.len += (size_t)n;
	while (c->kind == FAULT_NONE && fault_step(server, c))
		;
}

static inline void
fault_accept(struct fault_server *server)
{
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; i < FAULT_CONNECTIONS; i++)
		if (server->connections[i].fd < 0) {
			server->connections[i] = (struct fault_connection){ fd, BUF_EMPTY,
				FAULT_NONE };
			return;
		}
	close(fd);
}

static inline void *
fault_main(void *arg)
{
	struct fault_server *server = arg;
	static const char junk[65536];

	for (;;) {
		struct pollfd fds[FAULT_CONNECTIONS + 2] = { { .fd = server->stop,
								     .events = POLLIN },
			{ .fd = server->fd, .events = POLLIN } };

		for (size_t i = 0; i < FAULT_CONNECTIONS; i++)
			fds[i + 2] = (struct pollfd){ .fd = server->connections[i].fd,
				.events = POLLIN };
		poll(fds, FAULT_CONNECTIONS + 2, 20);
		if (fds[0].revents != 0)
			return NULL;
		for (size_t i = 0; i < FAULT_CONNECTIONS; i++) {
			struct fault_connection *c = &server->connections[i];

			if (c->fd >= 0 && fds[i + 2].revents != 0)
				fault_read(server, c);
			if (c->fd >= 0 && c->kind == FAULT_TRICKLE)
				fault_send(c, "x", 1);
			if (c->fd >= 0 && c->kind == FAULT_ENDLESS)
				(void)!send(c->fd, junk, sizeof(junk), MSG_NOSIGNAL | MSG_DONTWAIT);
		}
		if (fds[1].revents != 0)
			fault_accept(server);
	}
}

/* A free port outside the range that the kernel gives to clients, so that nobody connects to it by
 * chance. */
static inline int
fault_listen(unsigned *port)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct sockaddr_in sa = { .sin_family = AF_INET,
			.sin_addr = { htonl(INADDR_LOOPBACK) } };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

		*port = 20000 + ((unsigned)getpid() * 7 + i * 13) % 12000;
		sa.sin_port = htons((uint16_t)*port);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		if (bind(fd, (struct sockaddr *)(void *)&sa, sizeof(sa)) == 0 &&
			listen(fd, 16) == 0)
			return fd;
		close(fd);
	}
	abort();
}

static inline void
fault_start(struct fault_server *server,
	void (*script)(void *, const struct fault_request *, struct fault_answer *), void *ctx)
{
	memset(server, 0, sizeof(*server));
	server->script = script;
	server->ctx = ctx;
	server->stop = eventfd(0, EFD_CLOEXEC);
	server->fd = fault_listen(&server->port);
	for (size_t i = 0; i < FAULT_CONNECTIONS; i++)
		server->connections[i].fd = -1;
	pthread_mutex_init(&server->lock, NULL);
	int failed = pthread_create(&server->thread, NULL, fault_main, server);
	assert(failed == 0);
	(void)failed;
}

static inline void
fault_stop(struct fault_server *server)
{
	uint64_t one = 1;

	(void)!write(server->stop, &one, sizeof(one));
	pthread_join(server->thread, NULL);
	for (size_t i = 0; i < FAULT_CONNECTIONS; i++)
		if (server->connections[i].fd >= 0)
			fault_close(&server->connections[i]);
	close(server->fd);
	close(server->stop);
	buf_fini(&server->stored);
	pthread_mutex_destroy(&server->lock);
}
