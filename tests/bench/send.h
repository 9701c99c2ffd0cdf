/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends a corpus over some connections from one thread. Message n always goes over connection n
 * modulo the number of connections, in order, so that a run can be repeated. A full socket makes
 * its connection wait, not the others.
 */
#pragma once

#include <netdb.h>

#include "corpus.h"

enum { SEND_MAX_CONNECTIONS = 1000 };

struct send_plan {
	const struct addrinfo *address; /* borrowed; ai_socktype says TCP or UDP */
	const struct corpus *corpus;    /* borrowed */
	uint64_t messages;
	uint64_t rate; /* messages a second over all connections; 0 = no limit */
	uint32_t connections;
	int64_t deadline_ns; /* monotonic: everything ends then */
};

struct send_result {
	uint64_t messages, bytes; /* given to the kernel; bytes with framing */
	uint64_t kinds[KIND_N];
	uint32_t clean_closes;        /* connections whose peer answered our FIN with its own */
	int64_t started_ns, ended_ns; /* CLOCK_REALTIME: first and last message */
	int64_t closed_ns;            /* TCP: the peer had read everything */
	const char *error;            /* NULL when all went well; valid for ever */
};

void send_run(const struct send_plan *plan, struct stamp *stamp, struct send_result *result);
