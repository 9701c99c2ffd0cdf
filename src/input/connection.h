/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sender's TCP or TLS connection: reads, cuts frames, hands each to a callback. Frames are cut
 * in place in a buffer that all connections of a worker share; only the bytes of an unfinished
 * frame are kept by the connection, so an idle one holds no buffer at all.
 *
 *      socket --read--> [kept bytes | new bytes] --framer--> on_frame ... on_frame --> rest is kept
 *
 * Belongs to one worker. Knows nothing of event loops: the worker calls connection_read() when the
 * socket is ready.
 */
#pragma once

#include "base/buf.h"
#include "input/address.h"
#include "input/tls.h"
#include "parser/framer.h"

enum connection_status {
	CONNECTION_WAIT_READ,  /* call again when readable */
	CONNECTION_WAIT_WRITE, /* TLS handshake: call again when writable */
	CONNECTION_AGAIN, /* its share of this turn is used up, there may be more: call again soon
			   */
	CONNECTION_EOF,   /* the peer has closed, everything it sent was taken */
	CONNECTION_BAD_FRAME,  /* broken octet count: close */
	CONNECTION_TLS_FAILED, /* handshake or record: close; tls_error() says why */
	CONNECTION_FAILED,     /* reset and the like: close */
};

enum {
	CONNECTION_READ = 65536, /* bytes a read; twice as fast as larger ones (cache) */
	/* Longer unfinished frames are completed in the connection's own buffer */
	CONNECTION_KEEP = 4096,
	CONNECTION_SCRATCH = CONNECTION_READ + CONNECTION_KEEP,
};

struct connection {
	int fd;
	struct tls *tls;   /* NULL: plain TCP */
	bool shaken;       /* TLS: handshake done */
	uint32_t listener; /* index into settings.listens */
	struct framer framer;
	struct buf kept; /* bytes of an unfinished frame */
	char peer[PEER_TEXT];
};

/* Takes fd (non-blocking). context NULL: plain TCP. */
void connection_init(struct connection *connection, int fd, const struct sockaddr_storage *peer,
	uint32_t listener, const struct listen_settings *settings, struct tls_context *context);
/* Closes the socket. */
void connection_fini(struct connection *connection);

typedef void connection_frame_fn(
	void *ctx, struct connection *connection, const struct frame *frame, int64_t received_ns);

/* Reads what there is, at most a few times CONNECTION_READ. scratch: CONNECTION_SCRATCH bytes, used
 * during the call. */
enum connection_status connection_read(
	struct connection *connection, char *scratch, connection_frame_fn *on_frame, void *ctx);

/* Tells the peer that we want no more (a bare FIN); reading goes on until it closes. */
void connection_finish(struct connection *connection);
