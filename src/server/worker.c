/* SPDX-License-Identifier: Apache-2.0 */
#include "server/worker.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/diag.h"
#include "input/connection.h"

enum {
	PRESSURE_POLL_MS = 5, /* how soon a worker that stopped reading looks again */
	DRAIN_POLL_MS = 100,
	/* Draining: a half-closed connection this long silent has nothing more to say. */
	QUIET_MS = 1000,
	/* A connection that always has more to read would keep letters, timers and the sockets that
	 * became readable meanwhile waiting for ever: after so many callbacks the loop looks up. */
	CALLBACKS_PER_TURN = 16,
	/* The least that one datagram takes of the kernel's receive buffer; in fact it is more. */
	DATAGRAM_ROOM = 512,
	/* Of all deltas on their way; more than that and reading pauses */
	DELTA_BYTES_MAX = 32 << 20,
};

struct sender_conn { /* a sender's connection in this worker */
	struct connection connection;
	struct worker *worker;
	struct event *event;
	struct ordinals *ordinals; /* NULL before its first message */
	int64_t last_read_ns;      /* monotonic; kept while draining */
	short waits_for;           /* EV_READ or EV_WRITE */
	struct sender_conn *next, *prev;
};

struct udp_input {
	struct udp udp;
	struct worker *worker;
	struct event *event;
	struct ordinals ordinals;
};

struct worker {
	struct worker_env env;
	uint32_t index;
	pthread_t thread;
	bool started;
	struct event_base *base;
	struct mailbox mailbox;
	struct event *on_mail, *on_flush, *on_pressure;
	struct pipeline *pipeline;
	char *scratch;
	struct udp_buffers *udp_buffers;
	struct udp_input *udps;
	size_t n_udps;
	struct sender_conn *conns;
	_Atomic uint32_t n_conns;
	bool paused, draining, drained, memory_full;
	bool news; /* messages since the rules' counters were last posted */
	int64_t paused_since_ns;
	struct diag_limit bad_frame_limit, tls_limit;
};

/* ---- handing over ---- */

static void
hand_over_batch(void *ctx, struct batch *batch, struct tally *tally)
{
	struct worker *worker = ctx;
	struct report_letter *letter = xcalloc(1, sizeof(*letter));

	*letter = (struct report_letter){
		.mail.kind = SENDER_REPORT, .batch = batch, .tally = tally
	};
	mailbox_post(worker->env.sender, &letter->mail);
}

static void
hand_over_delta(void *ctx, struct delta *delta)
{
	struct worker *worker = ctx;
	const struct matcher *matcher = pipeline_matcher(worker->pipeline);
	size_t n = ruleset_size(worker->env.shared->ruleset);
	struct work_letter *letter = xcalloc(1, sizeof(*letter) + n * sizeof(letter->counters[0]));

	worker->news = false;
	letter->mail.kind = CONTROL_WORK;
	letter->worker = worker->index;
	letter->delta = delta;
	letter->charged = delta != NULL ? delta_bytes(delta) : 0;
	for (size_t i = 0; i < n; i++)
		letter->counters[i] = *matcher_counters(matcher, i);
	atomic_fetch_add(&worker->env.flow->delta_bytes, letter->charged);
	mailbox_post(worker->env.control, &letter->mail);
}

/* ---- pressure: stop reading while too much is queued ---- */

static bool
deltas_over_limit(const struct worker *worker)
{
	return atomic_load_explicit(&worker->env.flow->delta_bytes, memory_order_relaxed) >
		DELTA_BYTES_MAX;
}

static bool
over_limit(const struct worker *worker)
{
	const struct flow *flow = worker->env.flow;
	uint64_t limit = atomic_load_explicit(&flow->pause_bytes, memory_order_relaxed);

	if (worker->paused)
		limit -= limit / 4;
	return batch_bytes_alive() > limit || deltas_over_limit(worker);
}

/* Readable or, in a TLS handshake, writable: the event changes only when that does. */
static void
wait_for(struct sender_conn *conn, short what)
{
	if (conn->waits_for == what)
		return;
	event_del(conn->event);
	event_assign(conn->event, conn->worker->base, conn->connection.fd,
		(short)(what | EV_PERSIST), event_get_callback(conn->event), conn);
	event_add(conn->event, NULL);
	conn->waits_for = what;
}

static void
pause_reading(struct worker *worker)
{
	const struct timeval soon = { 0, PRESSURE_POLL_MS * 1000 };

	worker->paused = true;
	worker->paused_since_ns = clock_monotonic_ns();
	atomic_fetch_add(&worker->env.flow->paused, 1);
	for (struct sender_conn *conn = worker->conns; conn != NULL; conn = conn->next)
		event_del(conn->event);
	event_add(worker->on_pressure, &soon);
}

static void
look_at_pressure(evutil_socket_t fd, short what, void *ctx)
{
	const struct timeval soon = { 0, PRESSURE_POLL_MS * 1000 };
	struct worker *worker = ctx;

	(void)fd;
	(void)what;
	if (over_limit(worker)) {
		event_add(worker->on_pressure, &soon);
		return;
	}
	int64_t now = clock_monotonic_ns();
	worker->paused = false;
	atomic_fetch_sub(&worker->env.flow->paused, 1);
	atomic_fetch_add(&worker->env.flow->paused_ns, (uint64_t)(now - worker->paused_since_ns));
	for (struct sender_conn *conn = worker->conns; conn != NULL; conn = conn->next) {
		conn->last_read_ns = now;
		event_add(conn->event, NULL);
		event_active(conn->event, conn->waits_for,
			0); /* TLS may hold bytes that the socket no longer shows */
	}
}

/* ---- connections ---- */

static void
on_frame(void *ctx, struct connection *connection, const struct frame *frame, int64_t received_ns)
{
	struct sender_conn *conn = ctx;
	struct worker *worker = conn->worker;
	const struct listen_settings *listener =
		&worker->env.shared->settings->listens[connection->listener];

	if (conn->ordinals == NULL)
		conn->ordinals = xcalloc(1, sizeof(*conn->ordinals));
	struct origin origin = { .listener = connection->listener,
		.ordinals = conn->ordinals,
		.source = listener->source ? str_from(connection->peer) : STR_ABSENT };
	worker->news = true;
	pipeline_message(worker->pipeline, &origin, frame, received_ns);
}

static void
report_if_drained(struct worker *worker)
{
	if (!worker->draining || worker->drained || worker->conns != NULL)
		return;
	worker->drained = true;
	struct plain_letter *letter = xcalloc(1, sizeof(*letter));
	letter->mail.kind = CONTROL_DRAINED;
	mailbox_post(worker->env.control, &letter->mail);
}

static void
close_conn(struct sender_conn *conn)
{
	struct worker *worker = conn->worker;

	atomic_fetch_sub(&worker->env.flow->listeners[conn->connection.listener].open, 1);
	atomic_fetch_sub(&worker->n_conns, 1);
	*(conn->prev != NULL ? &conn->prev->next : &worker->conns) = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	event_free(conn->event);
	connection_fini(&conn->connection);
	free(conn->ordinals);
	free(conn);
	report_if_drained(worker);
}

static void
close_conns(struct worker *worker)
{
	for (struct sender_conn *conn = worker->conns, *next; conn != NULL; conn = next) {
		next = conn->next;
		close_conn(conn);
	}
}

static void
count_failure(struct sender_conn *conn, enum connection_status status)
{
	struct worker *worker = conn->worker;
	struct connection *c = &conn->connection;
	struct listener_gauges *gauges = &worker->env.flow->listeners[c->listener];
	const char *name = worker->env.shared->settings->listens[c->listener].name;
	int64_t now = clock_monotonic_ns();

	if (status == CONNECTION_BAD_FRAME) {
		atomic_fetch_add(&gauges->bad_frames, 1);
		if (diag_allowed(&worker->bad_frame_limit, now, 10 * NS_PER_SEC))
			diag_warn("bad_frame", DIAG_TEXT("listener", name),
				DIAG_TEXT("peer", c->peer),
				DIAG_TEXT("msg",
					"broken octet count, connection closed; if the sender ends "
					"messages with a "
					"newline instead, set framing = lf"));
	} else if (status == CONNECTION_TLS_FAILED) {
		const char *why = tls_error();

		atomic_fetch_add(&gauges->tls_failed, 1);
		if (diag_allowed(&worker->tls_limit, now, 10 * NS_PER_SEC))
			diag_warn("tls_failed", DIAG_TEXT("listener", name),
				DIAG_TEXT("peer", c->peer), DIAG_TEXT("error", why));
	} else if (status == CONNECTION_FAILED) {
		atomic_fetch_add(&gauges->failed, 1);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct sender_conn *conn = ctx;
	struct worker *worker = conn->worker;
	enum connection_status status;

	(void)fd;
	(void)what;
	if (worker->paused)
		return; /* was made active before the pause; looked at again after it */
	status = connection_read(&conn->connection, worker->scratch, on_frame, conn);
	if (worker->draining)
		conn->last_read_ns = clock_monotonic_ns();
	if (status != CONNECTION_WAIT_READ && status != CONNECTION_WAIT_WRITE &&
		status != CONNECTION_AGAIN) {
		count_failure(conn, status);
		close_conn(conn);
	} else {
		wait_for(conn, status == CONNECTION_WAIT_WRITE ? EV_WRITE : EV_READ);
		if (status == CONNECTION_AGAIN)
			event_active(conn->event, EV_READ, 0);
	}
	if (!worker->paused && over_limit(worker))
		pause_reading(worker);
}

static void
finish_conn(struct sender_conn *conn)
{
	conn->last_read_ns = clock_monotonic_ns();
	connection_finish(&conn->connection);
}

static void
take_connection(struct worker *worker, struct connection_letter *letter)
{
	const struct listen_settings *listener =
		&worker->env.shared->settings->listens[letter->listener];
	struct sender_conn *conn = xcalloc(1, sizeof(*conn));

	conn->worker = worker;
	conn->waits_for = EV_READ;
	connection_init(&conn->connection, letter->fd, letter->peer, letter->listener, listener,
		worker->env.tls[letter->listener]);
	conn->next = worker->conns;
	if (conn->next != NULL)
		conn->next->prev = conn;
	worker->conns = conn;
	conn->event = event_new(worker->base, letter->fd, EV_READ | EV_PERSIST, on_readable, conn);
	if (!worker->paused)
		event_add(conn->event, NULL);
	if (worker->draining)
		finish_conn(conn);
	free(letter->peer);
	free(letter);
}

/* ---- UDP ---- */

static void
on_datagram(void *ctx, struct udp *udp, const struct udp_peer *peer, const struct frame *frame,
	int64_t received_ns)
{
	struct udp_input *input = ctx;
	struct worker *worker = input->worker;
	const struct listen_settings *listener =
		&worker->env.shared->settings->listens[udp->listener];

	if (worker->memory_full) {
		pipeline_skip(worker->pipeline, udp->listener, SKIP_MEMORY, frame->bytes.len);
		return;
	}
	struct origin origin = { .listener = udp->listener,
		.ordinals = &input->ordinals,
		.peer = peer->hash,
		.source = listener->source ? str_from(peer->text) : STR_ABSENT };
	worker->news = true;
	pipeline_message(worker->pipeline, &origin, frame, received_ns);
}

/* True when there may be more. */
static bool
take_datagrams(struct udp_input *input)
{
	struct worker *worker = input->worker;

	/* A datagram cannot be refused: what exceeds memory_limit is counted and let go. */
	worker->memory_full = batch_bytes_alive() >= worker->env.shared->settings->memory_limit ||
		deltas_over_limit(worker);
	return udp_receive(&input->udp, worker->udp_buffers, on_datagram, input);
}

static void
on_udp(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	take_datagrams(ctx); /* what is left makes the event active again */
}

static void
count_udp_drops(struct worker *worker)
{
	for (size_t i = 0; i < worker->n_udps; i++) {
		struct udp *udp = &worker->udps[i].udp;

		if (udp->fd >= 0)
			atomic_fetch_add(&worker->env.flow->listeners[udp->listener].kernel_drops,
				udp_new_drops(udp));
	}
}

/* Takes what the kernel holds at this moment, but does not race a flood that goes on. */
static void
close_udp(struct worker *worker)
{
	for (size_t i = 0; i < worker->n_udps; i++) {
		struct udp_input *input = &worker->udps[i];

		if (input->udp.fd < 0)
			continue;
		int left = udp_receive_buffer(&input->udp) / (DATAGRAM_ROOM * UDP_PER_TURN) + 1;
		while (take_datagrams(input) && --left > 0)
			;
		event_free(input->event);
		udp_close(&input->udp);
	}
}

/* ---- the loop ---- */

static void
close_quiet(struct worker *worker)
{
	int64_t now = clock_monotonic_ns();

	for (struct sender_conn *conn = worker->conns, *next; conn != NULL; conn = next) {
		next = conn->next;
		if (now - conn->last_read_ns > QUIET_MS * NS_PER_MS)
			close_conn(conn);
	}
}

static void
on_flush(evutil_socket_t fd, short what, void *ctx)
{
	struct worker *worker = ctx;

	(void)fd;
	(void)what;
	count_udp_drops(worker);
	pipeline_flush(worker->pipeline);
	if (worker->news)
		hand_over_delta(worker, NULL);
	if (worker->draining && !worker->paused)
		close_quiet(worker);
}

static void
drain(struct worker *worker)
{
	const struct timeval often = { 0, DRAIN_POLL_MS * 1000 };

	worker->draining = true;
	/* To see soon who is quiet, whatever the flush interval. */
	event_add(worker->on_flush, &often);
	count_udp_drops(worker);
	close_udp(worker);
	for (struct sender_conn *conn = worker->conns; conn != NULL; conn = conn->next)
		finish_conn(conn);
	report_if_drained(worker);
}

static void
stop(struct worker *worker)
{
	close_udp(worker);
	close_conns(worker);
	pipeline_flush(worker->pipeline);
	hand_over_delta(worker, NULL); /* the last state of the counters */
	event_base_loopbreak(worker->base);
}

static void
on_mail(evutil_socket_t fd, short what, void *ctx)
{
	struct worker *worker = ctx;
	struct mail *mail = mailbox_take(&worker->mailbox), *next;

	(void)fd;
	(void)what;
	for (; mail != NULL; mail = next) {
		next = mail->next;
		switch ((enum worker_mail)mail->kind) {
		case WORKER_CONNECTION:
			take_connection(worker, mail_owner(mail, struct connection_letter, mail));
			break;
		case WORKER_DRAIN:
			drain(worker);
			free(mail_owner(mail, struct plain_letter, mail));
			break;
		case WORKER_STOP:
			stop(worker);
			free(mail_owner(mail, struct plain_letter, mail));
			break;
		}
	}
}

static void *
run(void *ctx)
{
	struct worker *worker = ctx;
	struct plain_letter *letter = xcalloc(1, sizeof(*letter));

	event_base_dispatch(worker->base);
	letter->mail.kind = CONTROL_WORKER_DONE;
	mailbox_post(worker->env.control, &letter->mail);
	return NULL;
}

/* ---- set-up and tear-down ---- */

static bool
open_udp(struct worker *worker, struct err *err)
{
	const struct settings *settings = worker->env.shared->settings;
	size_t largest = 0;

	worker->udps = xcalloc(settings->n_listens + 1, sizeof(*worker->udps));
	for (size_t i = 0; i < settings->n_listens; i++) {
		const struct listen_settings *listener = &settings->listens[i];
		struct udp_input *input = &worker->udps[worker->n_udps];

		if (listener->transport != LISTEN_UDP)
			continue;
		if (!udp_open(&input->udp, (uint32_t)i, listener, err))
			return false;
		input->worker = worker;
		input->event = event_new(
			worker->base, input->udp.fd, EV_READ | EV_PERSIST, on_udp, input);
		event_add(input->event, NULL);
		worker->n_udps++;
		if (listener->max_message_size > largest)
			largest = listener->max_message_size;
	}
	if (worker->n_udps > 0)
		worker->udp_buffers = udp_buffers_new(largest);
	return true;
}

static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();

	if (config == NULL ||
		event_config_set_max_dispatch_interval(config, NULL, CALLBACKS_PER_TURN, 0) != 0)
		abort(); /* out of memory */
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

struct worker *
worker_new(const struct worker_env *env, uint32_t index, uint32_t n_workers, struct err *err)
{
	struct worker *worker = xcalloc(1, sizeof(*worker));
	const struct pipeline_sink sink = { hand_over_batch, hand_over_delta, worker };
	int64_t interval = env->shared->flush_interval_ns;
	const struct timeval flush = { interval / NS_PER_SEC, interval % NS_PER_SEC / NS_PER_US };

	worker->env = *env;
	worker->index = index;
	worker->base = new_base();
	mailbox_init(&worker->mailbox);
	worker->on_mail = event_new(
		worker->base, worker->mailbox.fd, EV_READ | EV_PERSIST, on_mail, worker);
	worker->on_flush = event_new(worker->base, -1, EV_PERSIST, on_flush, worker);
	worker->on_pressure = event_new(worker->base, -1, 0, look_at_pressure, worker);
	event_add(worker->on_mail, NULL);
	event_add(worker->on_flush, &flush);
	worker->pipeline = pipeline_new(env->shared, index, n_workers, &sink);
	worker->scratch = xmalloc(CONNECTION_SCRATCH);
	if (!open_udp(worker, err))
		worker_free(&worker);
	return worker;
}

void
worker_start(struct worker *worker)
{
	if (pthread_create(&worker->thread, NULL, run, worker) != 0)
		abort();
	worker->started = true;
}

void
worker_post(struct worker *worker, struct mail *mail)
{
	/* Counted here and not when taken, or a burst would all go to one worker. */
	if (mail->kind == WORKER_CONNECTION)
		atomic_fetch_add(&worker->n_conns, 1);
	mailbox_post(&worker->mailbox, mail);
}

uint32_t
worker_connections(const struct worker *worker)
{
	return atomic_load(&worker->n_conns);
}

/* Letters that came after the loop had ended. */
static void
drop_mail(struct worker *worker)
{
	for (struct mail *mail = mailbox_take(&worker->mailbox), *next; mail != NULL; mail = next) {
		next = mail->next;
		if (mail->kind == WORKER_CONNECTION)
			take_connection(worker, mail_owner(mail, struct connection_letter, mail));
		else
			free(mail_owner(mail, struct plain_letter, mail));
	}
	close_conns(worker);
}

void
worker_free(struct worker **worker)
{
	struct worker *w = *worker;

	if (w == NULL)
		return;
	if (w->started)
		pthread_join(w->thread, NULL);
	w->drained = true;
	drop_mail(w);
	for (size_t i = 0; i < w->n_udps; i++)
		if (w->udps[i].udp.fd >= 0) {
			event_free(w->udps[i].event);
			udp_close(&w->udps[i].udp);
		}
	pipeline_free(&w->pipeline);
	udp_buffers_free(&w->udp_buffers);
	event_free(w->on_mail);
	event_free(w->on_flush);
	event_free(w->on_pressure);
	event_base_free(w->base);
	mailbox_fini(&w->mailbox);
	free(w->udps);
	free(w->scratch);
	free(w);
	*worker = NULL;
}
