/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job: some lines on their way to one output, sent together, as pieces of shared batches. Nothing
 * is copied: small batches are joined by listing their pieces, and a job is cut in two by cutting a
 * piece between two lines.
 *
 *      [batch 7, whole] [batch 8, whole] [batch 9, lines 1-20]   |   [batch 9, lines 21-50]
 *
 * Sender thread only.
 */
#pragma once

#include "output/batch.h"

struct piece {
	struct batch *batch;  /* a reference of its own */
	uint64_t order;       /* of the batch in the output's stream */
	size_t offset, bytes; /* in batch->lines; whole lines */
	uint32_t points;
};

struct job {
	struct job *prev, *next; /* in a job_list */
	uint16_t target;
	bool raw;
	uint32_t points; /* sums over the pieces */
	size_t bytes;
	size_t memory; /* bytes: the pieces' shares of their batches, and the pieces themselves */
	struct piece *pieces;
	size_t n_pieces, room;
	/* what its answers so far say (output/influx_answer.c) */
	bool tried;             /* was sent: from now on the same bytes, no joining */
	uint32_t server_errors; /* 500 while the canary was good */
	int64_t not_before_ns;  /* monotonic; 0 = at once */
	struct buf reply; /* the last 500's body, cut: decided on once the canary has answered */
};

/* Takes a reference of its own. The batch holds at least one point. Returns owned. */
struct job *job_new(struct batch *batch, uint64_t order);
void job_free(struct job **job);

/* Appends more's lines to job; takes more. Same target and kind. */
void job_join(struct job *job, struct job *more);

/* All lines of job came before all of more's. */
bool job_precedes(const struct job *job, const struct job *more);

/* Cuts job after its first `points` lines (1 <= points < job->points); returns the rest, owned. */
struct job *job_cut(struct job *job, uint32_t points);

/* How many lines from the front fit into max_bytes, at least 1. */
uint32_t job_points_within(const struct job *job, size_t max_bytes);

/* The text of a job with a single line, LF included; valid as long as the job. */
struct str job_line(const struct job *job);

/*
 * Bytes of the first line of line protocol in text with its LF; 0 when there is none. A LF inside a
 * quoted string is no line end; quotes count only behind a field's equals sign, as in InfluxDB's
 * scanLine (models/points.go).
 */
size_t line_length(struct str text);

/* Jobs in the order of their batches, and of the lines in them. */
struct job_list {
	struct job *head, *tail;
};

void job_list_add(struct job_list *list, struct job *job); /* where its order puts it */
void job_list_remove(struct job_list *list, struct job *job);
void job_list_clear(struct job_list *list); /* frees the jobs */
