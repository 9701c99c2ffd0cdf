/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink's HTTP server: one thread, epoll. A request is read whole, its points are counted, then
 * it is answered, at once or later; until then nothing more is read from that client.
 */
#pragma once

#include <netdb.h>

#include "sink_faults.h"
#include "sink_points.h"

enum { SERVER_MAX_FAULTS = 16 };

struct server_settings {
	const struct addrinfo *address;         /* borrowed; port 0 = any free one */
	struct points *points;                  /* borrowed */
	int64_t delay_ns;                       /* before every answer */
	struct fault faults[SERVER_MAX_FAULTS]; /* where two overlap the first counts */
	size_t n_faults;
};

/* Prints `listening HOST:PORT`, serves until SIGTERM or SIGINT, prints the statistics then and at
 * each SIGUSR1. */
void server_run(const struct server_settings *settings);
