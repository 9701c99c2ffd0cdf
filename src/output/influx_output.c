/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is sent when. pump() starts requests until nothing more may start: after a push, after an
 * answer, after a wait. Everything that is held is in one of the lists or in an exchange, so
 * walking those counts it.
 */
#include "output/influx_internal.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/clock.h"

static void pump(struct influx_output *influx);

static void
free_exchange(struct exchange *exchange)
{
	job_free(&exchange->job);
	buf_fini(&exchange->text);
	free(exchange->body);
	free(exchange);
}

static void
link_exchange(struct exchange *exchange)
{
	struct influx_output *influx = exchange->influx;

	exchange->next = influx->in_flight;
	if (exchange->next != NULL)
		exchange->next->prev = exchange;
	influx->in_flight = exchange;
	influx->n_in_flight++;
	influx->n_side_in_flight += exchange->side;
	influx->n_asking += exchange->ask != ASK_WRITE;
}

static void
unlink_exchange(struct exchange *exchange)
{
	struct influx_output *influx = exchange->influx;

	*(exchange->prev != NULL ? &exchange->prev->next : &influx->in_flight) = exchange->next;
	if (exchange->next != NULL)
		exchange->next->prev = exchange->prev;
	influx->n_in_flight--;
	influx->n_side_in_flight -= exchange->side;
	influx->n_asking -= exchange->ask != ASK_WRITE;
}

static void
on_answer(struct http_request *request, const struct http_answer *answer)
{
	struct exchange *exchange = (struct exchange *)(void *)request; /* its first member */
	struct influx_output *influx = exchange->influx;

	unlink_exchange(exchange);
	influx_take_answer(exchange, answer);
	free_exchange(exchange);
	pump(influx);
	output_notify(&influx->output);
}

static struct exchange *
new_exchange(struct influx_output *influx, enum ask ask, uint16_t target)
{
	struct exchange *exchange = xcalloc(1, sizeof(*exchange));

	exchange->influx = influx;
	exchange->ask = ask;
	exchange->target = target;
	exchange->url = influx->url;
	exchange->http.done = on_answer;
	exchange->http.content_type = "text/plain; charset=utf-8";
	return exchange;
}

static void
send_exchange(struct exchange *exchange)
{
	struct influx_output *influx = exchange->influx;
	const char *base_url = influx->output.settings->urls[exchange->url];
	struct buf url = BUF_EMPTY;

	if (exchange->ask == ASK_CREATE)
		influx_api_query_url(base_url, &url);
	else
		influx_api_write_url(&influx->api, base_url,
			&influx->output.env->targets[exchange->target], &url);
	exchange->http.url = url.ptr;
	exchange->http.body = exchange->body;
	influx_api_authorize(&influx->api, &exchange->http);
	exchange->started_ns = clock_monotonic_ns();
	link_exchange(exchange);
	http_send(influx->sender, &exchange->http);
	buf_fini(&url);
}

static void
start_write(struct influx_output *influx, struct job *job, bool side)
{
	struct exchange *exchange = new_exchange(influx, ASK_WRITE, job->target);

	job->tried = true;
	exchange->job = job;
	exchange->side = side;
	exchange->body = xcalloc(job->n_pieces, sizeof(*exchange->body));
	exchange->http.n_body = job->n_pieces;
	for (size_t i = 0; i < job->n_pieces; i++) {
		const struct piece *piece = &job->pieces[i];

		exchange->body[i] = (struct iovec){
			.iov_base = piece->batch->lines.ptr + piece->offset,
			.iov_len = piece->bytes,
		};
	}
	send_exchange(exchange);
}

static void
send_text(struct exchange *exchange)
{
	exchange->body = xcalloc(1, sizeof(*exchange->body));
	exchange->body[0] = (struct iovec){ exchange->text.ptr, exchange->text.len };
	exchange->http.n_body = 1;
	send_exchange(exchange);
}

static void
start_canary(struct influx_output *influx, uint16_t target)
{
	struct exchange *exchange = new_exchange(influx, ASK_CANARY, target);

	buf_add_text(&exchange->text, "logmill_canary value=1i\n");
	send_text(exchange);
}

void
influx_start_create(struct influx_output *influx, struct job *job, bool side)
{
	const struct target *target = &influx->output.env->targets[job->target];
	struct exchange *exchange = new_exchange(influx, ASK_CREATE, job->target);

	exchange->job = job;
	exchange->side = side;
	exchange->http.content_type = "application/x-www-form-urlencoded";
	influx_api_create_body(influx_api_database(&influx->api, target), &exchange->text);
	send_text(exchange);
}

static bool
has_rules_of(const struct job *job, uint16_t target)
{
	for (; job != NULL; job = job->next)
		if (!job->raw && job->target == target)
			return true;
	return false;
}

/*
 * Points of rules are written again and again with newer values of the same windows, so they go out
 * one request at a time: an older value that had to be tried again must not land behind a newer
 * one. Raw log points have no order.
 */
static bool
must_wait(const struct influx_output *influx, const struct job *job)
{
	if (job->raw)
		return false;
	for (const struct exchange *e = influx->in_flight; e != NULL; e = e->next)
		if (e->job != NULL && !e->job->raw && e->job->target == job->target)
			return true;
	return has_rules_of(influx->side.head, job->target) ||
		has_rules_of(influx->parked.head, job->target);
}

/* The oldest job of the queue that may go out. */
static struct job *
first_ready(const struct influx_output *influx)
{
	struct job *job = influx->queue.head;

	while (job != NULL && must_wait(influx, job))
		job = job->next;
	return job;
}

/* The job and those behind it, as many lines as one request takes. */
static struct job *
take_from(struct influx_output *influx, struct job_list *list, struct job *job)
{
	const struct output_settings *s = influx->output.settings;
	struct job *more = job->next;

	job_list_remove(list, job);
	if (job->tried)
		return job;
	uint32_t points = job_points_within(job, influx->body_limit);
	if (points > s->batch_points)
		points = s->batch_points;
	if (points < job->points)
		job_list_add(list, job_cut(job, points));
	else
		while (more != NULL && !more->tried && more->target == job->target &&
			more->raw == job->raw && more->points <= s->batch_points - job->points &&
			job->bytes + more->bytes <= influx->body_limit) {
			struct job *next = more->next;

			job_list_remove(list, more);
			job_join(job, more);
			more = next;
		}
	return job;
}

static struct job *
ready_side_job(const struct influx_output *influx, int64_t now)
{
	struct job *job = influx->n_side_in_flight > 0 ? NULL : influx->side.head;

	while (job != NULL && job->not_before_ns > now)
		job = job->next;
	return job;
}

/* Starts one request; false when none may or can start. */
static bool
start_next(struct influx_output *influx, int64_t now)
{
	struct job *side_job = ready_side_job(influx, now);
	struct target_state *probe = influx_next_probe(influx, now);
	struct job *queued = first_ready(influx);

	if (now < influx->output.state.retry_at_ns || influx->n_asking > 0 ||
		influx->n_in_flight >= influx->window)
		return false;
	if (influx->parked.head != NULL) {
		start_canary(influx, influx->parked.head->target);
		return true;
	}
	if (probe != NULL && ((side_job == NULL && queued == NULL) || !influx->was_probe)) {
		influx->was_probe = true;
		probe->probing = true;
		start_write(influx, take_from(influx, &probe->jobs, probe->jobs.head), false);
		return true;
	}
	influx->was_probe = false;
	if (side_job != NULL && (queued == NULL || influx->window > 1 || influx->side_turn)) {
		job_list_remove(&influx->side, side_job);
		influx->side_turn = false;
		start_write(influx, side_job, true);
		return true;
	}
	if (queued == NULL)
		return false;
	influx->side_turn = true;
	start_write(influx, take_from(influx, &influx->queue, queued), false);
	return true;
}

static void
arm_timer(struct influx_output *influx, int64_t now)
{
	int64_t at = influx_next_probe_at(influx, now), retry_at = influx->output.state.retry_at_ns;

	if (retry_at > now)
		at = retry_at;
	else
		for (const struct job *job = influx->side.head; job != NULL; job = job->next)
			if (job->not_before_ns > now && job->not_before_ns < at)
				at = job->not_before_ns;
	if (at == INT64_MAX) {
		evtimer_del(influx->timer);
		return;
	}
	int64_t us = (at - now) / NS_PER_US + 1;
	struct timeval wait = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };

	evtimer_add(influx->timer, &wait);
}

static void
pump(struct influx_output *influx)
{
	int64_t now = clock_monotonic_ns();

	while (start_next(influx, now))
		;
	influx_hold_trim(influx);
	arm_timer(influx, now);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pump(arg);
}

static void
influx_push(struct output *output, struct job *job)
{
	struct influx_output *influx = (struct influx_output *)(void *)output;

	influx_enqueue(influx, job, false);
	pump(influx);
	output_notify(output); /* points may have been dropped */
}

static void
influx_walk(const struct output *output, void (*visit)(const struct job *job, void *ctx), void *ctx)
{
	const struct influx_output *influx = (const struct influx_output *)(const void *)output;
	const struct job_list *lists[] = { &influx->queue, &influx->side, &influx->parked };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct job *job = lists[i]->head; job != NULL; job = job->next)
			visit(job, ctx);
	for (const struct target_state *s = influx->target_states; s != NULL; s = s->next)
		for (const struct job *job = s->jobs.head; job != NULL; job = job->next)
			visit(job, ctx);
	for (const struct exchange *e = influx->in_flight; e != NULL; e = e->next)
		if (e->job != NULL)
			visit(e->job, ctx);
}

static void
influx_hurry(struct output *output)
{
	struct influx_output *influx = (struct influx_output *)(void *)output;
	int64_t latest = clock_monotonic_ns() + HURRY_WAIT_MS * NS_PER_MS;

	if (output->state.retry_at_ns > latest)
		output->state.retry_at_ns = latest;
	for (struct job *job = influx->side.head; job != NULL; job = job->next)
		if (job->not_before_ns > latest)
			job->not_before_ns = latest;
	influx_hold_hurry(influx, latest);
	pump(influx);
}

static void
influx_free(struct output *output)
{
	struct influx_output *influx = (struct influx_output *)(void *)output;

	for (struct exchange *exchange = influx->in_flight, *next; exchange != NULL;
		exchange = next) {
		next = exchange->next;
		http_cancel(&exchange->http);
		free_exchange(exchange);
	}
	job_list_clear(&influx->queue);
	job_list_clear(&influx->side);
	job_list_clear(&influx->parked);
	influx_hold_fini(influx);
	http_sender_free(&influx->sender);
	influx_api_fini(&influx->api);
	dead_letters_free(&influx->dead_letters);
	event_free(influx->timer);
	free(influx);
}

static const struct output_ops influx_ops = {
	.push = influx_push,
	.walk = influx_walk,
	.hurry = influx_hurry,
	.free = influx_free,
};

struct output *
influx_output_new(
	const struct output_settings *settings, const struct output_env *env, struct err *err)
{
	const struct http_options options = {
		.timeout_ns = settings->timeout_ns,
		.connections = settings->connections,
		.tls_ca = settings->tls_ca,
		.tls_cert = settings->tls_cert,
		.tls_key = settings->tls_key,
		.tls_verify = settings->tls_verify,
	};
	struct http_sender *sender;
	struct influx_output *influx;

	assert(settings->n_urls > 0 && settings->connections > 0 && settings->batch_points > 0);
	if (settings->gzip) {
		err_add(err, "[influxdb %s] gzip: this build sends bodies as they are (no)",
			settings->name);
		return NULL;
	}
	sender = http_sender_new(env->base, &options, err);
	if (sender == NULL)
		return NULL;
	influx = xcalloc(1, sizeof(*influx));
	output_init(&influx->output, &influx_ops, settings, env);
	influx->sender = sender;
	influx_api_init(&influx->api, settings);
	influx->dead_letters = dead_letters_new(env->disk, env->state_dir, settings->name);
	influx->timer = evtimer_new(env->base, on_timer, influx);
	assert(influx->timer != NULL);
	influx->body_limit = settings->batch_bytes;
	influx->window = settings->connections;
	if (getrandom(&influx->random, sizeof(influx->random), 0) !=
		(ssize_t)sizeof(influx->random))
		influx->random = (uint64_t)clock_realtime_ns(); /* only jitter */
	return &influx->output;
}
