/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An [influxdb] output: influx_output.c says what is sent when, influx_answer.c what an answer
 * means for its job and for the output.
 *
 *      push -> queue --------> exchange (request + answer) -> settled: written, rejected
 *                ^  side ---------^   |
 *                |   ^-- halves ------+  400: some line is bad
 *                +------ again -------+  no answer, 503, 401 ...: the whole output waits until
 * retry_at parked -------+  500: wait for the canary, then again, halves or rejected
 *
 * At most one request comes from the side queue, so that a bad line never keeps the others waiting.
 */
#pragma once

#include "base/diag.h"
#include "output/dead_letter.h"
#include "output/http_sender.h"
#include "output/influx_api.h"
#include "output/output_internal.h"
#include "output/retry.h"

struct event;

enum ask {
	ASK_WRITE,
	ASK_CANARY, /* one line to the same database: is it the server or the lines? */
	ASK_CREATE, /* the database; the exchange keeps the job that found it missing */
};

struct exchange { /* one request and its answer */
	struct http_request http;
	struct influx_output *influx;
	struct exchange *prev, *next; /* in influx->in_flight */
	enum ask ask;
	bool side; /* the job came from the side queue */
	uint16_t target;
	struct job *job;    /* NULL: canary */
	size_t url;         /* index that was used */
	int64_t started_ns; /* monotonic */
	struct buf text;    /* body of a canary or of a create request */
	struct iovec *body;
};

struct influx_output {
	struct output output;
	struct http_sender *sender;
	struct influx_api api;
	struct dead_letters *dead_letters;
	struct event *timer; /* the end of a wait */

	struct job_list queue;  /* oldest first */
	struct job_list side;   /* halves with a bad line somewhere */
	struct job_list parked; /* answered 500 */
	struct exchange *in_flight;
	uint32_t n_in_flight, n_side_in_flight, n_asking; /* asking: canary, create */
	bool side_turn; /* with one connection the queues take turns */

	size_t body_limit; /* bytes; shrinks when the server finds bodies too large */
	size_t body_ok; /* bytes of the largest body that was stored: the limit never falls below */
	uint32_t window;   /* requests allowed in flight: 1 while trying again, then one more each
			      success */
	uint32_t failures; /* answers in a row that called for a wait */
	uint32_t url_failures;
	size_t url;        /* index in settings->urls */
	int64_t failed_ns; /* when the current wait began; requests started earlier tell nothing new
			    */
	int64_t created_ns; /* when a database was created last, 0 = never */
	uint64_t random;
	struct diag_limit sample_limit, failover_limit;
};

/* influx_output.c */
void
influx_start_create(struct influx_output *influx, struct job *job, bool side); /* takes the job */

/* influx_answer.c: everything but freeing the exchange and sending on. */
void influx_take_answer(struct exchange *exchange, const struct http_answer *answer);
