/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What control knows of the running server at the moment: read by /metrics, the page and the watch
 * for problems. Lives on the control thread.
 */
#pragma once

#include "metric/aggregator.h"
#include "server/letters.h"

enum { RATE_SECONDS = 10 };

struct status {
	const struct pipeline_shared *shared;
	const struct flow *flow;
	struct aggregator *aggregator;
	struct rule_counters *rules; /* sums over workers, per rule */
	struct snapshot *snapshot;   /* the latest; never NULL once the server runs */
	int64_t started_ns;          /* monotonic */
	bool ready;                  /* listeners open, not draining */
	/* Received messages a second, per listener, over the last RATE_SECONDS. */
	double *rates;
};

/* ---- what is written from it ---- */

/* Prometheus text format 0.0.4. */
void metrics_write(const struct status *status, struct buf *out);
/* The plain page: rates, rules and their series, outputs, the last 1,000 messages. */
void page_write(const struct status *status, struct buf *out);
/* Says each problem once, with what to do: a listener that gets nothing parsable, a rule that never
 * matches. */
struct watch;
struct watch *watch_new(const struct status *status);
void watch_look(struct watch *watch, int64_t monotonic_ns);
void watch_free(struct watch **watch);
