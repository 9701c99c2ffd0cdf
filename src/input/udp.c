/* SPDX-License-Identifier: Apache-2.0 */
#include "input/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"

enum {
	WANTED_BUFFER = 8 << 20, /* bytes; the default holds 166 messages */
};

struct udp_buffers {
	size_t each;
	char *bytes;
	struct mmsghdr messages[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	struct sockaddr_storage peers[UDP_BATCH];
};

struct udp_buffers *
udp_buffers_new(size_t max_message)
{
	struct udp_buffers *buffers = xcalloc(1, sizeof(*buffers));

	buffers->each = max_message;
	buffers->bytes = xmalloc(
		max_message * UDP_BATCH); /* pages are only touched as far as datagrams are long */
	for (size_t i = 0; i < UDP_BATCH; i++) {
		buffers->vectors[i] = (struct iovec){ buffers->bytes + i * max_message,
			max_message };
		buffers->messages[i].msg_hdr = (struct msghdr){ .msg_name = &buffers->peers[i],
			.msg_iov = &buffers->vectors[i],
			.msg_iovlen = 1 };
	}
	return buffers;
}

void
udp_buffers_free(struct udp_buffers **buffers)
{
	if (*buffers == NULL)
		return;
	free((*buffers)->bytes);
	free(*buffers);
	*buffers = NULL;
}

bool
udp_probe(const struct listen_settings *settings, struct err *err)
{
	int fd = address_bind(settings, false, err);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool
udp_open(
	struct udp *udp, uint32_t listener, const struct listen_settings *settings, struct err *err)
{
	int wanted = WANTED_BUFFER;

	*udp = (struct udp){ .listener = listener, .max_message = settings->max_message_size };
	udp->fd = address_bind(settings, true, err);
	if (udp->fd < 0)
		return false;
	if (setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof(wanted)) != 0)
		setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted));
	return true;
}

void
udp_close(struct udp *udp)
{
	close(udp->fd);
	udp->fd = -1;
}

static uint64_t
hash_peer(const struct sockaddr_storage *peer)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)peer;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)peer;

	if (peer->ss_family == AF_INET)
		return hash64((struct str){ (const char *)&in->sin_addr, sizeof(in->sin_addr) },
			in->sin_port);
	return hash64((struct str){ (const char *)&in6->sin6_addr, sizeof(in6->sin6_addr) },
		in6->sin6_port);
}

bool
udp_receive(struct udp *udp, struct udp_buffers *buffers, udp_frame_fn *on_frame, void *ctx)
{
	for (int turn = 0; turn < UDP_PER_TURN / UDP_BATCH; turn++) {
		for (size_t i = 0; i < UDP_BATCH; i++)
			buffers->messages[i].msg_hdr.msg_namelen = sizeof(buffers->peers[i]);
		int n = recvmmsg(udp->fd, buffers->messages, UDP_BATCH, MSG_DONTWAIT, NULL);
		if (n <= 0)
			return n < 0 && errno == EINTR;
		int64_t received_ns = clock_realtime_ns();
		for (int i = 0; i < n; i++) {
			struct udp_peer peer = { .hash = hash_peer(&buffers->peers[i]) };
			struct frame frame = {
				.bytes = { buffers->vectors[i].iov_base,
					buffers->messages[i].msg_len },
				.truncated = (buffers->messages[i].msg_hdr.msg_flags & MSG_TRUNC) !=
					0,
			};

			while (frame.bytes.len > 0 &&
				memchr("\n\r", frame.bytes.ptr[frame.bytes.len - 1], 3) != NULL)
				frame.bytes.len--; /* NUL, LF, CR at the end are terminators of
						      another framing */
			if (frame.bytes.len > udp->max_message) {
				frame.bytes.len = udp->max_message;
				frame.truncated = true;
			}
			address_text(&buffers->peers[i], peer.text);
			if (frame.bytes.len > 0)
				on_frame(ctx, udp, &peer, &frame, received_ns);
		}
		if (n < UDP_BATCH)
			return false;
	}
	return true;
}

uint64_t
udp_new_drops(struct udp *udp)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(udp->fd, SOL_SOCKET, SO_MEMINFO, info, &size) != 0 ||
		size <= SK_MEMINFO_DROPS * sizeof(*info))
		return 0;
	uint32_t fresh = info[SK_MEMINFO_DROPS] -
		(uint32_t)udp->drops; /* the kernel's counter wraps at 32 bits */
	udp->drops += fresh;
	return fresh;
}

int
udp_receive_buffer(const struct udp *udp)
{
	int size = 0;
	socklen_t len = sizeof(size);

	getsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &size, &len);
	return size;
}
