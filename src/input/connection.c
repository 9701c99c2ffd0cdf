/* SPDX-License-Identifier: Apache-2.0 */
#include "input/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/clock.h"

enum { READS_PER_TURN = 4 };

static void
set_keepalive(int fd, int64_t interval_ns)
{
	int on = 1, seconds = (int)(interval_ns / NS_PER_SEC), probes = 3;

	if (seconds < 1)
		return;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
	seconds = seconds > 10 ? 10 : seconds;
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

void
connection_init(struct connection *connection, int fd, const struct sockaddr_storage *peer,
	uint32_t listener, const struct listen_settings *settings, struct tls_context *context)
{
	*connection = (struct connection){ .fd = fd, .listener = listener, .kept = BUF_EMPTY };
	framer_init(&connection->framer, settings->framing, settings->max_message_size);
	address_text(peer, connection->peer);
	set_keepalive(fd, settings->keepalive_ns);
	if (context != NULL)
		connection->tls = tls_new(context, fd);
}

void
connection_fini(struct connection *connection)
{
	if (connection->tls != NULL)
		tls_free(&connection->tls);
	buf_fini(&connection->kept);
	close(connection->fd);
	connection->fd = -1;
}

void
connection_finish(struct connection *connection)
{
	shutdown(connection->fd, SHUT_WR);
}

static enum connection_status
read_plain(struct connection *connection, char *out, size_t size, size_t *got)
{
	ssize_t n;

	do
		n = recv(connection->fd, out, size, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		*got = (size_t)n;
		return CONNECTION_AGAIN;
	}
	if (n == 0)
		return CONNECTION_EOF;
	return errno == EAGAIN || errno == EWOULDBLOCK ? CONNECTION_WAIT_READ : CONNECTION_FAILED;
}

static enum connection_status
tls_outcome(enum tls_status status)
{
	switch (status) {
	case TLS_OK: return CONNECTION_AGAIN;
	case TLS_WANT_READ: return CONNECTION_WAIT_READ;
	case TLS_WANT_WRITE: return CONNECTION_WAIT_WRITE;
	case TLS_EOF: return CONNECTION_EOF;
	case TLS_FAILED: break;
	}
	return CONNECTION_TLS_FAILED;
}

/* Fills as much of out as there is: a TLS record holds 16 KiB at most, often one message. */
static enum connection_status
read_tls(struct connection *connection, char *out, size_t size, size_t *got)
{
	enum connection_status status = CONNECTION_AGAIN;
	size_t total = 0;

	if (!connection->shaken) {
		status = tls_outcome(tls_handshake(connection->tls));
		if (status != CONNECTION_AGAIN)
			return status;
		connection->shaken = true;
	}
	while (total < size && status == CONNECTION_AGAIN) {
		size_t n = 0;

		status = tls_outcome(tls_read(connection->tls, out + total, size - total, &n));
		total += n;
	}
	*got = total;
	return status;
}

/* Cuts frames off the front of data; the rest stays for the next read. */
static enum connection_status
cut_frames(struct connection *connection, struct str data, connection_frame_fn *on_frame, void *ctx)
{
	int64_t received_ns = clock_realtime_ns();
	enum frame_status status;

	do {
		struct frame frame;
		size_t consumed = 0;

		status = framer_next(&connection->framer, data, &consumed, &frame);
		data.ptr += consumed;
		data.len -= consumed;
		if (status == FRAME_OK)
			on_frame(ctx, connection, &frame, received_ns);
	} while (status == FRAME_OK);
	if (status == FRAME_BAD)
		return CONNECTION_BAD_FRAME;
	if (data.len == 0) {
		buf_fini(&connection->kept);
	} else if (connection->kept.ptr != NULL && data.ptr >= connection->kept.ptr &&
		data.ptr < connection->kept.ptr + connection->kept.cap) {
		memmove(connection->kept.ptr, data.ptr, data.len);
		connection->kept.len = data.len;
	} else {
		buf_clear(&connection->kept);
		buf_add(&connection->kept, data);
	}
	return CONNECTION_AGAIN;
}

static void
end_of_stream(struct connection *connection, connection_frame_fn *on_frame, void *ctx)
{
	struct frame frame;

	if (framer_end(&connection->framer, buf_str(&connection->kept), &frame) == FRAME_OK)
		on_frame(ctx, connection, &frame, clock_realtime_ns());
	buf_fini(&connection->kept);
}

enum connection_status
connection_read(
	struct connection *connection, char *scratch, connection_frame_fn *on_frame, void *ctx)
{
	enum connection_status status = CONNECTION_AGAIN;

	for (int i = 0; i < READS_PER_TURN && status == CONNECTION_AGAIN; i++) {
		struct buf *kept = &connection->kept;
		bool shared = kept->len <= CONNECTION_KEEP;
		size_t got = 0;
		char *start = scratch, *room = scratch + kept->len;

		if (!shared) {
			room = buf_reserve(kept, CONNECTION_READ);
			start = kept->ptr;
		}
		status = connection->tls != NULL
			? read_tls(connection, room, CONNECTION_READ, &got)
			: read_plain(connection, room, CONNECTION_READ, &got);
		if (got == 0)
			continue;
		if (shared && kept->len > 0)
			memcpy(scratch, kept->ptr, kept->len);
		size_t total = kept->len + got;
		if (!shared)
			kept->len = total;
		if (cut_frames(connection, (struct str){ start, total }, on_frame, ctx) ==
			CONNECTION_BAD_FRAME)
			return CONNECTION_BAD_FRAME;
	}
	if (status == CONNECTION_EOF || status == CONNECTION_FAILED ||
		status == CONNECTION_TLS_FAILED)
		end_of_stream(connection, on_frame, ctx);
	return status;
}
