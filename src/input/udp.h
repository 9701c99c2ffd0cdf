/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One UDP socket of one worker (RFC 5426: a datagram is a message). Datagrams are taken 64 at a
 * time; what the kernel had to drop because we were too slow is known exactly (SO_MEMINFO).
 */
#pragma once

#include "input/address.h"
#include "parser/framer.h"

enum { UDP_BATCH = 64, UDP_PER_TURN = 512 }; /* datagrams a system call, and a call of ours */

struct udp_buffers; /* room for one batch; shared by all UDP sockets of a worker */
struct udp_buffers *udp_buffers_new(size_t max_message);
void udp_buffers_free(struct udp_buffers **buffers);

struct udp {
	int fd;
	uint32_t listener;
	size_t max_message;
	uint64_t drops; /* counted so far */
};

struct udp_peer {
	char text[PEER_TEXT];
	uint64_t hash; /* of address and port */
};

typedef void udp_frame_fn(void *ctx, struct udp *udp, const struct udp_peer *peer,
	const struct frame *frame, int64_t received_ns);

/* Opens one of the sockets that share the port; all must be opened before traffic is expected. */
bool udp_open(struct udp *udp, uint32_t listener, const struct listen_settings *settings,
	struct err *err);
/* For a clear error when another process has the port: SO_REUSEPORT would share it silently. */
bool udp_probe(const struct listen_settings *settings, struct err *err);
void udp_close(struct udp *udp);

/* Takes what is there, at most a few batches; true when there may be more. */
bool udp_receive(struct udp *udp, struct udp_buffers *buffers, udp_frame_fn *on_frame, void *ctx);

/* Datagrams that the kernel dropped at this socket since the last call. */
uint64_t udp_new_drops(struct udp *udp);

/* Effective receive buffer in bytes. */
int udp_receive_buffer(const struct udp *udp);
