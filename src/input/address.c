/* SPDX-License-Identifier: Apache-2.0 */
#include "input/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 1024 };

static int
open_socket(const struct addrinfo *ai, bool udp, bool reuse_port)
{
	int on = 1, off = 0;
	int fd = socket(
		ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);

	if (fd < 0)
		return -1;
	if (!udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (reuse_port)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && (udp || listen(fd, LISTEN_BACKLOG) == 0))
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
address_bind(const struct listen_settings *settings, bool reuse_port, struct err *err)
{
	bool udp = settings->transport == LISTEN_UDP;
	struct addrinfo hints = { .ai_flags = AI_PASSIVE,
		.ai_socktype = udp ? SOCK_DGRAM : SOCK_STREAM };
	struct addrinfo *found = NULL;
	char port[8];
	int fd = -1;

	snprintf(port, sizeof(port), "%u", settings->port);
	/* Every address: one IPv6 socket takes IPv4 too; where the machine has no IPv6, plain IPv4.
	 */
	int rc = getaddrinfo(settings->host != NULL ? settings->host : "::", port, &hints, &found);
	if (rc == 0)
		fd = open_socket(found, udp, reuse_port);
	if (fd < 0 && settings->host == NULL &&
		(rc != 0 || errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		if (rc == 0)
			freeaddrinfo(found);
		rc = getaddrinfo("0.0.0.0", port, &hints, &found);
		if (rc == 0)
			fd = open_socket(found, udp, reuse_port);
	}
	if (rc != 0) {
		err_add(err, "[listen %s] address %s: %s", settings->name, settings->address,
			gai_strerror(rc));
		return -1;
	}
	if (fd < 0) {
		const char *hint = errno == EADDRINUSE
			? " (another program has it: stop that, or choose another port)"
			: errno == EACCES ? " (ports below 1024 need root or CAP_NET_BIND_SERVICE)"
					  : "";

		err_add(err, "[listen %s] address %s: %s%s", settings->name, settings->address,
			strerror(errno), hint);
	}
	freeaddrinfo(found);
	return fd;
}

void
address_text(const struct sockaddr_storage *peer, char text[PEER_TEXT])
{
	text[0] = '\0';
	if (peer->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)peer;

		inet_ntop(AF_INET, &in->sin_addr, text, PEER_TEXT);
	} else if (peer->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)peer;

		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
			inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], text, PEER_TEXT);
		else
			inet_ntop(AF_INET6, &in6->sin6_addr, text, PEER_TEXT);
	}
}
