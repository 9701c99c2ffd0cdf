/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses: opening listening sockets, and peers as text. */
#pragma once

#include <sys/socket.h>

#include "base/err.h"
#include "config/settings.h"

enum { PEER_TEXT = 64 }; /* bytes, with NUL */

/*
 * Binds (and for TCP and TLS listens) as the settings say. reuse_port: one of several UDP sockets
 * of this process on one port. Returns the descriptor, non-blocking, or -1 with the reason in err.
 */
int address_bind(const struct listen_settings *settings, bool reuse_port, struct err *err);

/* The peer's address without port; an IPv4 address mapped into IPv6 as IPv4. Empty for anything but
 * IP. */
void address_text(const struct sockaddr_storage *peer, char text[PEER_TEXT]);
