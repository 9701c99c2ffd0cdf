/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An [influxdb] output: influx_output.c says what is sent when, influx_answer.c what an answer
 * means for its job and for the output, influx_hold.c which rules' points wait on their own.
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

/* Of a target that has given trouble. */
struct target_state {
	struct target_state *next;
	uint16_t target;
	bool held;            /* something is missing that only this target needs */
	bool probing;         /* one of its jobs is being tried */
	const char *reason;   /* static; NULL = not held */
	int64_t held_ns;      /* monotonic; requests started earlier tell nothing new */
	int64_t retry_at_ns;  /* monotonic */
	int64_t created_ns;   /* when its database was created last, 0 = never */
	uint32_t failures;    /* probes in a row that found it missing */
	struct job_list jobs; /* all that waits for it */
	uint64_t dropped;     /* points, since it is held */
	struct diag_limit drop_limit;
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
	struct target_state *target_states;
	struct exchange *in_flight;
	uint32_t n_in_flight, n_side_in_flight, n_asking; /* asking: canary, create */
	bool side_turn; /* with one connection the queues take turns */
	bool was_probe; /* the last request was one for a held target: now the others first */

	size_t body_limit; /* bytes; shrinks when the server finds bodies too large */
	size_t body_ok; /* bytes of the largest body that was stored: the limit never falls below */
	uint32_t window;   /* requests allowed in flight: 1 while trying again, then one more each
			      success */
	uint32_t failures; /* answers in a row that called for a wait */
	uint32_t url_failures;
	size_t url;        /* index in settings->urls */
	int64_t failed_ns; /* when the current wait began; requests started earlier tell nothing new
			    */
	uint64_t random;
	struct diag_limit sample_limit, failover_limit;
};

/* influx_output.c */
void
influx_start_create(struct influx_output *influx, struct job *job, bool side); /* takes the job */

/* influx_hold.c */

/* Made when there is none yet; valid as long as the output. */
struct target_state *influx_target_state(struct influx_output *influx, uint16_t target);
/* NULL: not held. */
struct target_state *influx_held(const struct influx_output *influx, uint16_t target);

/* Whether what is missing (a reason of retry_decide) is needed by that target, not by the output's
 * own points. */
bool influx_is_targets_own(const struct influx_output *influx, uint16_t target, const char *reason);

/* To the queue, the side queue or, when the target is held, to its jobs. Takes the job. */
void influx_enqueue(struct influx_output *influx, struct job *job, bool side);
/* The target's jobs no longer wait for a canary: sent again in their order. */
void influx_unpark(struct influx_output *influx, uint16_t target);

/* The target of the exchange waits from now on, or goes on waiting. */
void influx_hold(struct influx_output *influx, const struct exchange *exchange, const char *reason,
	int64_t wait_ns, const struct http_answer *answer);
/* An answer for a target that may be held has come; stored: nothing is missing any more. Before
 * influx_hold. */
void influx_probed(struct influx_output *influx, const struct exchange *exchange, bool stored);

/* A held target with a job to try now; NULL = none. */
struct target_state *influx_next_probe(const struct influx_output *influx, int64_t now);
/* When the next one is due after now; INT64_MAX = none. */
int64_t influx_next_probe_at(const struct influx_output *influx, int64_t now);

/* Drops the oldest points of rules beyond what held targets may keep. */
void influx_hold_trim(struct influx_output *influx);
void influx_hold_hurry(struct influx_output *influx, int64_t latest_ns);
void influx_hold_fini(struct influx_output *influx); /* frees the states and their jobs */

/* influx_answer.c: everything but freeing the exchange and sending on. */
void influx_take_answer(struct exchange *exchange, const struct http_answer *answer);
