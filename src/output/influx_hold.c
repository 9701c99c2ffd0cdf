/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Targets that are held alone. A rule may name a database or a retention policy that does not
 * exist: InfluxDB then refuses that rule's points and takes all others. So only these wait, in a
 * list of their target's own, and one job at a time is tried on the target's own timer:
 *
 *      queue, side, parked -> held jobs -> probe -> stored: all back to the queue
 *                                ^           |
 *                                +-----------+  anything else
 *
 * What is missing for the output's own database or policy, or for its user, holds the whole output
 * (influx_answer.c). A held target may stay so for ever, hence the bounds in influx_hold_trim.
 */
#include "output/influx_internal.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"

enum {
	TARGET_SHARE = 8,  /* one held target keeps at most 1/8 of memory_limit */
	OUTPUT_SHARE = 4,  /* all of one output at most 1/4: the rest is for what flows */
	JOINED_SHARE = 16, /* jobs are dropped whole, so they are joined to 1/16 of 1/8 at most */
};

static const int64_t drop_log_interval_ns = 60 * NS_PER_SEC;

struct target_state *
influx_target_state(struct influx_output *influx, uint16_t target)
{
	struct target_state *state = influx->target_states;

	while (state != NULL && state->target != target)
		state = state->next;
	if (state == NULL) {
		state = xcalloc(1, sizeof(*state));
		state->target = target;
		state->next = influx->target_states;
		influx->target_states = state;
	}
	return state;
}

struct target_state *
influx_held(const struct influx_output *influx, uint16_t target)
{
	struct target_state *state = influx->target_states;

	while (state != NULL && (state->target != target || !state->held))
		state = state->next;
	return state;
}

bool
influx_is_targets_own(const struct influx_output *influx, uint16_t target, const char *reason)
{
	const struct influx_api *api = &influx->api;
	const struct target *t = &influx->output.env->targets[target];
	const struct target none = { .outputs = 0 };
	struct str name = str_from(reason);
	bool elsewhere = !str_equal(influx_api_database(api, t), influx_api_database(api, &none));

	if (str_is(name, "retention_policy_not_found"))
		return elsewhere ||
			!str_equal(influx_api_policy(api, t), influx_api_policy(api, &none));
	return elsewhere &&
		(str_is(name, "database_not_found") || str_is(name, "database_not_created") ||
			str_is(name, "bucket_not_found"));
}

/* ---- its jobs ---- */

/* New batches are small and many: joined, so that walking over them stays cheap. */
static void
join_to_previous(struct influx_output *influx, struct job_list *list, struct job *job)
{
	const struct output_settings *s = influx->output.settings;
	uint64_t memory = influx->output.env->memory_limit / TARGET_SHARE / JOINED_SHARE;
	struct job *previous = job->prev;

	if (previous == NULL || previous->tried || job->tried || previous->raw != job->raw ||
		previous->points + (uint64_t)job->points > s->batch_points ||
		previous->bytes + job->bytes > influx->body_limit ||
		previous->memory + job->memory > memory || !job_precedes(previous, job))
		return;
	job_list_remove(list, job);
	job_join(previous, job);
}

void
influx_enqueue(struct influx_output *influx, struct job *job, bool side)
{
	struct target_state *state = influx_held(influx, job->target);

	if (state == NULL) {
		job_list_add(side ? &influx->side : &influx->queue, job);
		return;
	}
	job_list_add(&state->jobs, job);
	join_to_previous(influx, &state->jobs, job);
}

void
influx_unpark(struct influx_output *influx, uint16_t target)
{
	for (struct job *job = influx->parked.head, *next; job != NULL; job = next) {
		next = job->next;
		if (job->target != target)
			continue;
		job_list_remove(&influx->parked, job);
		influx_enqueue(influx, job, false);
	}
}

static void
take_over(struct influx_output *influx, struct job_list *list, uint16_t target)
{
	for (struct job *job = list->head, *next; job != NULL; job = next) {
		next = job->next;
		if (job->target != target)
			continue;
		job_list_remove(list, job);
		influx_enqueue(influx, job, false);
	}
}

static void
give_back(struct influx_output *influx, struct target_state *state)
{
	struct job *job;

	while ((job = state->jobs.head) != NULL) {
		job_list_remove(&state->jobs, job);
		influx_enqueue(influx, job, job->server_errors > 0);
	}
}

/* ---- holding and releasing ---- */

static void
update_health(struct influx_output *influx)
{
	const struct target_state *state = influx->target_states;

	while (state != NULL && !state->held)
		state = state->next;
	influx->output.held_problem = state != NULL ? state->reason : NULL;
	influx->output.changed = true;
}

static void
write_todo(const struct influx_output *influx, const struct target *target, const char *reason,
	struct buf *todo)
{
	struct str database = influx_api_database(&influx->api, target);
	struct str policy = influx_api_policy(&influx->api, target);

	if (str_is(str_from(reason), "retention_policy_not_found"))
		buf_printf(todo, "create retention policy %.*s on database %.*s", (int)policy.len,
			policy.ptr, (int)database.len, database.ptr);
	else
		buf_printf(todo, "create %s %.*s",
			influx->output.settings->version == 2 ? "bucket" : "database",
			(int)database.len, database.ptr);
	buf_add_text(todo, ", or remove it from the rule");
}

static void
log_held(const struct influx_output *influx, const struct target_state *state,
	const struct http_answer *answer, int64_t wait_ns)
{
	const struct target *target = &influx->output.env->targets[state->target];
	struct buf todo = BUF_EMPTY;

	write_todo(influx, target, state->reason, &todo);
	diag_error("target_held", DIAG_TEXT("output", influx->output.settings->name),
		DIAG_STR("database", influx_api_database(&influx->api, target)),
		DIAG_STR("retention_policy", influx_api_policy(&influx->api, target)),
		DIAG_INT("status", answer->status), DIAG_TEXT("reason", state->reason),
		DIAG_STR("todo", buf_str(&todo)), DIAG_STR("error", str_trim(answer->body)),
		DIAG_INT("retry_in_ms", wait_ns / NS_PER_MS));
	buf_fini(&todo);
}

void
influx_hold(struct influx_output *influx, const struct exchange *exchange, const char *reason,
	int64_t wait_ns, const struct http_answer *answer)
{
	struct target_state *state = influx_target_state(influx, exchange->target);
	int64_t now = clock_monotonic_ns();
	bool fresh = !state->held;

	if (!fresh && exchange->started_ns < state->held_ns)
		return; /* known */
	if (influx->output.hurry && wait_ns > HURRY_WAIT_MS * NS_PER_MS)
		wait_ns = HURRY_WAIT_MS * NS_PER_MS;
	state->held = true;
	state->held_ns = now;
	state->retry_at_ns = now + wait_ns;
	state->failures++;
	if (state->reason == NULL || !str_is(str_from(reason), state->reason)) {
		state->reason = reason;
		log_held(influx, state, answer, wait_ns);
		update_health(influx);
	}
	if (!fresh)
		return;
	take_over(influx, &influx->queue, state->target);
	take_over(influx, &influx->side, state->target);
	take_over(influx, &influx->parked, state->target);
}

static void
release(struct influx_output *influx, struct target_state *state)
{
	const struct target *target = &influx->output.env->targets[state->target];

	diag_info("target_released", DIAG_TEXT("output", influx->output.settings->name),
		DIAG_STR("database", influx_api_database(&influx->api, target)),
		DIAG_STR("retention_policy", influx_api_policy(&influx->api, target)),
		DIAG_TEXT("after", state->reason), DIAG_INT("failures", state->failures),
		DIAG_INT("dropped", state->dropped));
	state->held = false;
	state->reason = NULL;
	state->failures = 0;
	state->dropped = 0;
	give_back(influx, state);
	update_health(influx);
}

void
influx_probed(struct influx_output *influx, const struct exchange *exchange, bool stored)
{
	struct target_state *state = influx_held(influx, exchange->target);

	if (state == NULL || exchange->started_ns < state->held_ns)
		return; /* sent before the target was held: proves nothing */
	state->probing = false;
	state->retry_at_ns = 0; /* unless it is held again */
	if (stored)
		release(influx, state);
}

/* ---- what pump() asks ---- */

struct target_state *
influx_next_probe(const struct influx_output *influx, int64_t now)
{
	struct target_state *state = influx->target_states;

	while (state != NULL &&
		(!state->held || state->probing || state->jobs.head == NULL ||
			state->retry_at_ns > now))
		state = state->next;
	return state;
}

int64_t
influx_next_probe_at(const struct influx_output *influx, int64_t now)
{
	int64_t at = INT64_MAX;

	for (const struct target_state *s = influx->target_states; s != NULL; s = s->next)
		if (s->held && !s->probing && s->jobs.head != NULL && s->retry_at_ns > now &&
			s->retry_at_ns < at)
			at = s->retry_at_ns;
	return at;
}

static size_t
held_memory(const struct target_state *state)
{
	size_t memory = 0;

	for (const struct job *job = state->jobs.head; job != NULL; job = job->next)
		memory += job->memory;
	return memory;
}

/* Raw log points are never dropped: false when there is nothing else. */
static bool
drop_oldest(struct influx_output *influx, struct target_state *state)
{
	const struct target *target = &influx->output.env->targets[state->target];
	struct job *job = state->jobs.head;

	while (job != NULL && job->raw)
		job = job->next;
	if (job == NULL)
		return false;
	job_list_remove(&state->jobs, job);
	state->dropped += job->points;
	output_drop(&influx->output, job);
	if (diag_allowed(&state->drop_limit, clock_monotonic_ns(), drop_log_interval_ns))
		diag_warn("points_dropped", DIAG_TEXT("output", influx->output.settings->name),
			DIAG_STR("database", influx_api_database(&influx->api, target)),
			DIAG_STR("retention_policy", influx_api_policy(&influx->api, target)),
			DIAG_TEXT("reason", state->reason),
			DIAG_INT("points_so_far", state->dropped),
			DIAG_TEXT("msg", "the oldest points of a rule that cannot be delivered"));
	return true;
}

void
influx_hold_trim(struct influx_output *influx)
{
	const uint64_t limit = influx->output.env->memory_limit;
	bool more = true;

	while (more && influx->output.held_problem != NULL) {
		struct target_state *largest = NULL;
		size_t largest_memory = 0;
		uint64_t sum = 0;

		for (struct target_state *s = influx->target_states; s != NULL; s = s->next) {
			size_t memory = held_memory(s);

			sum += memory;
			if (memory > largest_memory) {
				largest = s;
				largest_memory = memory;
			}
		}
		more = (largest_memory > limit / TARGET_SHARE || sum > limit / OUTPUT_SHARE) &&
			drop_oldest(influx, largest);
	}
}

void
influx_hold_hurry(struct influx_output *influx, int64_t latest_ns)
{
	for (struct target_state *s = influx->target_states; s != NULL; s = s->next)
		if (s->retry_at_ns > latest_ns)
			s->retry_at_ns = latest_ns;
}

void
influx_hold_fini(struct influx_output *influx)
{
	for (struct target_state *state = influx->target_states, *next; state != NULL;
		state = next) {
		next = state->next;
		job_list_clear(&state->jobs);
		free(state);
	}
	influx->target_states = NULL;
}
