/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules' side of control: merges what workers counted, lets the aggregator write points,
 * collects these in batches for the sender. Keeps the aggregator and the rules' counters of struct
 * status.
 */
#pragma once

#include "server/status.h"

struct rule_points;

/* Sets status->aggregator and status->rules. Borrows all. */
struct rule_points *rule_points_new(
	struct status *status, struct flow *flow, struct mailbox *sender, uint32_t n_workers);
void rule_points_free(struct rule_points **points);

/* Takes the letter. */
void rule_points_take(struct rule_points *points, struct work_letter *letter);
void rule_points_tick(struct rule_points *points);
/* Shutdown: every window that has changed since it was last written. */
void rule_points_close(struct rule_points *points);
/* Posts what was collected. Called when a turn of the loop is over. */
void rule_points_post(struct rule_points *points);
