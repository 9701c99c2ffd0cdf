/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control thread, which is the main thread: accepts connections and spreads them over the workers, owns the metrics,
 * serves the admin port, and conducts the stop:
 *
 *      SIGTERM -> not ready -> drain_delay -> accept what waits, close listeners -> workers drain their connections
 *              -> workers hand over and end -> windows written -> sender delivers -> exit 0
 *
 * A plain close() of a sender's connection would lose what is on the way (thousands of messages from rsyslog), so workers
 * half-close and read to the end. drain_timeout bounds the whole.
 */
#include "server/server.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/diag.h"
#include "input/tls.h"
#include "server/admin.h"
#include "server/sender.h"
#include "server/status.h"
#include "server/worker.h"

enum {
	TICK_MS = 500,
	RATE_TICKS = RATE_SECONDS * 1000 / TICK_MS,
	ACCEPTS_PER_TURN = 64,
	ACCEPT_PAUSE_S = 1,      /* after running out of descriptors */
	MAX_WORKERS = 256,
	OFFSET_BITS = 20,
};

struct server;

struct acceptor { /* a TCP or TLS listener's socket */
	struct server *server;
	uint32_t listener;
	int fd;
	struct event *event;
};

enum phase { PHASE_RUNNING, PHASE_DELAY, PHASE_DRAINING, PHASE_STOPPING, PHASE_DELIVERING };

struct server {
	const struct settings *settings;
	struct pipeline_shared shared;
	struct flow flow;
	struct tls_context **tls;
	struct event_base *base;
	struct mailbox mailbox;
	struct event *on_mail, *on_tick, *on_term, *on_int, *on_deadline, *on_accept_pause;
	struct acceptor *acceptors;
	size_t n_acceptors;
	struct worker **workers;
	uint32_t n_workers;
	struct sender *sender;
	struct admin *admin;
	struct status status;
	struct watch *watch;
	struct batch **open;              /* per target: points of rules being collected */
	struct rule_counters *by_worker;  /* [worker][rule], the latest of each */
	uint64_t *received_before;        /* [tick][listener], for rates */
	size_t ticks;
	bool snapshot_asked;
	enum phase phase;
	uint32_t workers_waited_for;
	int64_t stop_by_ns;               /* monotonic */
	struct diag_limit refuse_limit, accept_limit;
	int exit_code;
};

/* ---- points of rules ---- */

static void
post_open_batch(struct server *server, uint16_t target)
{
	struct batch *batch = server->open[target];

	if (batch == NULL)
		return;
	server->open[target] = NULL;
	batch_seal(batch);
	batch->mail.kind = SENDER_RULE_BATCH;
	mailbox_post(sender_mailbox(server->sender), &batch->mail);
}

static void
emit_point(void *ctx, uint16_t target, struct str line)
{
	struct server *server = ctx;

	if (server->open[target] == NULL)
		server->open[target] = batch_new(target, false, 0, clock_monotonic_ns());
	struct batch *batch = server->open[target];
	buf_add(&batch->lines, line);
	buf_add_char(&batch->lines, '\n');
	batch->points++;
	if (batch->points >= server->shared.batch_points || batch->lines.len >= server->shared.batch_bytes)
		post_open_batch(server, target);
}

static void
post_open_batches(struct server *server)
{
	for (size_t i = 0; i < server->shared.n_targets; i++)
		post_open_batch(server, (uint16_t)i);
}

/* ---- letters ---- */

static void
add_counters(struct rule_counters *into, const struct rule_counters *from)
{
	into->evaluated += from->evaluated;
	into->matched += from->matched;
	into->step_limit += from->step_limit;
	into->bad_value += from->bad_value;
	into->no_value += from->no_value;
	into->over_budget += from->over_budget;
	into->suspended += from->suspended;
	into->ns += from->ns;
}

static void
take_work(struct server *server, struct work_letter *letter)
{
	size_t n = ruleset_size(server->shared.ruleset);

	memcpy(server->by_worker + letter->worker * n, letter->counters, n * sizeof(letter->counters[0]));
	for (size_t i = 0; i < n; i++) {
		server->status.rules[i] = (struct rule_counters){ 0 };
		for (size_t w = 0; w < server->n_workers; w++)
			add_counters(&server->status.rules[i], &server->by_worker[w * n + i]);
	}
	if (letter->delta != NULL) {
		aggregator_merge(server->status.aggregator, letter->delta, clock_realtime_ns());
		atomic_fetch_sub(&server->flow.delta_bytes, letter->charged);
		delta_free(&letter->delta);
	}
	free(letter);
}

static void
take_snapshot(struct server *server, struct snapshot *snapshot)
{
	snapshot_free(&server->status.snapshot);
	server->status.snapshot = snapshot;
	server->snapshot_asked = false;
}

/* A worker that has no connections left, or has ended: the phase is over when all have. */
static void
worker_is_through(struct server *server)
{
	if (--server->workers_waited_for == 0)
		event_active(server->on_deadline, EV_TIMEOUT, 0);
}

static void
on_mail(evutil_socket_t fd, short what, void *ctx)
{
	struct server *server = ctx;
	struct mail *mail = mailbox_take(&server->mailbox), *next;

	(void)fd;
	(void)what;
	for (; mail != NULL; mail = next) {
		next = mail->next;
		switch ((enum control_mail)mail->kind) {
		case CONTROL_WORK: take_work(server, mail_owner(mail, struct work_letter, mail)); break;
		case CONTROL_DRAINED:
			if (server->phase == PHASE_DRAINING)
				worker_is_through(server);
			free(mail_owner(mail, struct plain_letter, mail));
			break;
		case CONTROL_WORKER_DONE:
			worker_is_through(server);
			free(mail_owner(mail, struct plain_letter, mail));
			break;
		case CONTROL_SNAPSHOT: take_snapshot(server, mail_owner(mail, struct snapshot, mail)); break;
		case CONTROL_SENDER_DONE:
			take_snapshot(server, mail_owner(mail, struct snapshot, mail));
			event_base_loopbreak(server->base);
			break;
		}
	}
	post_open_batches(server);
}

/* ---- the tick ---- */

static void
update_rates(struct server *server)
{
	size_t n = server->settings->n_listens, slot = server->ticks % RATE_TICKS;
	size_t span = server->ticks < RATE_TICKS ? server->ticks : RATE_TICKS;

	for (size_t i = 0; i < n; i++) {
		uint64_t now = server->status.snapshot->tally->listeners[i].received;
		uint64_t before = server->received_before[slot * n + i];

		server->status.rates[i] = span == 0 ? 0 : (double)(now - before) * 1000 / (double)(span * TICK_MS);
		server->received_before[slot * n + i] = now;
	}
	server->ticks++;
}

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct server *server = ctx;

	(void)fd;
	(void)what;
	aggregator_tick(server->status.aggregator, clock_realtime_ns());
	post_open_batches(server);
	update_rates(server);
	watch_look(server->watch, clock_monotonic_ns());
	if (!server->snapshot_asked) {
		struct snapshot *snapshot = snapshot_new(server->settings->n_listens, server->settings->n_outputs);

		server->snapshot_asked = true;
		snapshot->mail.kind = SENDER_SNAPSHOT;
		mailbox_post(sender_mailbox(server->sender), &snapshot->mail);
	}
}

/* ---- accepting ---- */

static struct worker *
least_busy(struct server *server)
{
	struct worker *best = server->workers[0];

	for (uint32_t i = 1; i < server->n_workers; i++)
		if (worker_connections(server->workers[i]) < worker_connections(best))
			best = server->workers[i];
	return best;
}

static void
give_connection(struct acceptor *acceptor, int fd, const struct sockaddr_storage *peer)
{
	struct server *server = acceptor->server;
	const struct listen_settings *listener = &server->settings->listens[acceptor->listener];
	struct listener_gauges *gauges = &server->flow.listeners[acceptor->listener];

	if (atomic_load(&gauges->open) >= listener->max_connections) {
		close(fd);
		atomic_fetch_add(&gauges->refused, 1);
		if (diag_allowed(&server->refuse_limit, clock_monotonic_ns(), 10 * NS_PER_SEC))
			diag_warn("connection_refused", DIAG_TEXT("listener", listener->name),
				DIAG_INT("max_connections", listener->max_connections),
				DIAG_TEXT("msg", "the limit is reached; raise max_connections if these senders are yours"));
		return;
	}
	struct connection_letter *letter = xcalloc(1, sizeof(*letter));
	letter->mail.kind = WORKER_CONNECTION;
	letter->fd = fd;
	letter->listener = acceptor->listener;
	letter->peer = xmalloc(sizeof(*peer));
	*letter->peer = *peer;
	atomic_fetch_add(&gauges->open, 1);
	atomic_fetch_add(&gauges->accepted, 1);
	worker_post(least_busy(server), &letter->mail);
}

/* Accepts at most `most`; false when nobody is waiting any more. */
static bool
accept_some(struct acceptor *acceptor, int most)
{
	const struct timeval pause = { ACCEPT_PAUSE_S, 0 };
	struct server *server = acceptor->server;

	for (int i = 0; i < most; i++) {
		struct sockaddr_storage peer = { 0 };
		socklen_t len = sizeof(peer);
		int fd = accept4(acceptor->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			give_connection(acceptor, fd, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			if (diag_allowed(&server->accept_limit, clock_monotonic_ns(), 10 * NS_PER_SEC))
				diag_warn("accept_failed", DIAG_TEXT("error", strerror(errno)),
					DIAG_TEXT("msg", "raise the limit of open files (ulimit -n, LimitNOFILE)"));
			event_del(acceptor->event);
			event_add(server->on_accept_pause, &pause);
			return false;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return false;
		/* ECONNABORTED and network errors belong to that one connection */
	}
	return true;
}

static void
on_accept(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	accept_some(ctx, ACCEPTS_PER_TURN);
}

static void
end_accept_pause(evutil_socket_t fd, short what, void *ctx)
{
	struct server *server = ctx;

	(void)fd;
	(void)what;
	if (server->phase == PHASE_RUNNING || server->phase == PHASE_DELAY)
		for (size_t i = 0; i < server->n_acceptors; i++)
			event_add(server->acceptors[i].event, NULL);
}

/* ---- stopping ---- */

static void
post_to_workers(struct server *server, enum worker_mail kind)
{
	server->workers_waited_for = server->n_workers;
	for (uint32_t i = 0; i < server->n_workers; i++) {
		struct plain_letter *letter = xcalloc(1, sizeof(*letter));

		letter->mail.kind = (int)kind;
		worker_post(server->workers[i], &letter->mail);
	}
}

static void
set_deadline(struct server *server, int64_t in_ns)
{
	if (in_ns < 0)
		in_ns = 0;
	const struct timeval when = { in_ns / NS_PER_SEC, in_ns % NS_PER_SEC / NS_PER_US };
	event_add(server->on_deadline, &when);
}

static void
close_acceptors(struct server *server)
{
	for (size_t i = 0; i < server->n_acceptors; i++) {
		struct acceptor *acceptor = &server->acceptors[i];

		if (acceptor->fd < 0)
			continue;
		while (accept_some(acceptor, ACCEPTS_PER_TURN)) /* closing would reset those that wait */
			;
		event_free(acceptor->event);
		close(acceptor->fd);
		acceptor->fd = -1;
	}
}

/* Each phase ends when its work is done or its share of drain_timeout is over. */
static void
next_phase(evutil_socket_t fd, short what, void *ctx)
{
	struct server *server = ctx;
	int64_t left = server->stop_by_ns - clock_monotonic_ns();
	struct stop_letter *letter;

	(void)fd;
	(void)what;
	event_del(server->on_deadline);
	switch (server->phase) {
	case PHASE_RUNNING: break;
	case PHASE_DELAY:
		server->phase = PHASE_DRAINING;
		event_del(server->on_accept_pause);
		close_acceptors(server);
		post_to_workers(server, WORKER_DRAIN);
		set_deadline(server, left / 2);
		break;
	case PHASE_DRAINING:
		server->phase = PHASE_STOPPING;
		post_to_workers(server, WORKER_STOP);
		break; /* workers end at once: no deadline needed */
	case PHASE_STOPPING:
		server->phase = PHASE_DELIVERING;
		event_del(server->on_tick);
		aggregator_close(server->status.aggregator, clock_realtime_ns());
		post_open_batches(server);
		letter = xcalloc(1, sizeof(*letter));
		letter->mail.kind = SENDER_STOP;
		letter->deadline_ns = server->stop_by_ns;
		mailbox_post(sender_mailbox(server->sender), &letter->mail);
		break;
	case PHASE_DELIVERING: break;
	}
}

static void
on_signal(evutil_socket_t signal, short what, void *ctx)
{
	struct server *server = ctx;

	(void)what;
	if (server->phase != PHASE_RUNNING) {
		diag_warn("stopping_at_once", DIAG_TEXT("msg", "second signal"));
		event_base_loopbreak(server->base);
		return;
	}
	diag_info("stopping", DIAG_TEXT("signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"),
		DIAG_INT("drain_timeout_ms", server->settings->drain_timeout_ns / NS_PER_MS));
	server->phase = PHASE_DELAY;
	server->status.ready = false;
	server->stop_by_ns = clock_monotonic_ns() + server->settings->drain_timeout_ns;
	set_deadline(server, server->settings->drain_delay_ns);
}

/* What is still queued is lost when we end: say so, point by point of the account. */
static void
report_end(struct server *server)
{
	const struct snapshot *snapshot = server->status.snapshot;
	uint64_t lost = 0;

	for (size_t i = 0; i < snapshot->n_outputs; i++) {
		const struct output_state *state = &snapshot->outputs[i];
		uint64_t left = state->counts[0].queued + state->counts[1].queued;

		lost += left;
		if (left > 0)
			diag_error("points_lost", DIAG_TEXT("output", server->settings->outputs[i].name), DIAG_INT("points", left),
				DIAG_TEXT("msg", "not delivered within drain_timeout"));
	}
	if (server->phase != PHASE_DELIVERING)
		lost = 1; /* ended by a second signal: nobody counted */
	diag_info("stopped", DIAG_INT("lost_points", lost));
	server->exit_code = lost == 0 ? 0 : 1;
}

/* ---- set-up ---- */

static uint32_t
count_cores(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (uint32_t)CPU_COUNT(&set);
}

static bool
open_listeners(struct server *server, struct err *err)
{
	const struct settings *settings = server->settings;
	unsigned before = err->count;

	server->acceptors = xcalloc(settings->n_listens + 1, sizeof(*server->acceptors));
	server->tls = xcalloc(settings->n_listens + 1, sizeof(struct tls_context *));
	for (size_t i = 0; i < settings->n_listens; i++) {
		const struct listen_settings *listener = &settings->listens[i];
		struct acceptor *acceptor = &server->acceptors[server->n_acceptors];

		if (listener->transport == LISTEN_UDP) {
			udp_probe(listener, err);
			continue;
		}
		if (listener->transport == LISTEN_TLS)
			server->tls[i] = tls_context_new(listener, err);
		*acceptor = (struct acceptor){ server, (uint32_t)i, address_bind(listener, false, err), NULL };
		if (acceptor->fd < 0)
			continue;
		acceptor->event = event_new(server->base, acceptor->fd, EV_READ | EV_PERSIST, on_accept, acceptor);
		server->n_acceptors++;
	}
	return err->count == before;
}

static bool
make_threads(struct server *server, struct err *err)
{
	const struct sender_env sender_env = { &server->shared, &server->flow, &server->mailbox };

	server->sender = sender_new(&sender_env, err);
	if (server->sender == NULL)
		return false;
	const struct worker_env env = { &server->shared, server->tls, &server->flow, sender_mailbox(server->sender),
		&server->mailbox };
	server->workers = xcalloc(server->n_workers, sizeof(struct worker *));
	for (uint32_t i = 0; i < server->n_workers; i++) {
		server->workers[i] = worker_new(&env, i, server->n_workers, err);
		if (server->workers[i] == NULL)
			return false;
	}
	return true;
}

static void
make_metrics(struct server *server)
{
	size_t n = ruleset_size(server->shared.ruleset), listeners = server->settings->n_listens;
	uint32_t offset = 0;

	/* Apart from those of every other process, before and beside this one. */
	if (getrandom(&offset, sizeof(offset), 0) != (ssize_t)sizeof(offset))
		offset = (uint32_t)clock_realtime_ns();
	const struct aggregator_options options = { .max_series = server->settings->metrics.max_series,
		.offset_ns = offset & ((1U << OFFSET_BITS) - 1) };
	server->status.aggregator = aggregator_new(ruleset_defs(server->shared.ruleset), n, &options, emit_point, server);
	server->status.rules = xcalloc(n + 1, sizeof(struct rule_counters));
	server->by_worker = xcalloc(n * server->n_workers + 1, sizeof(struct rule_counters));
	server->open = xcalloc(server->shared.n_targets, sizeof(struct batch *));
	server->received_before = xcalloc(RATE_TICKS * listeners + 1, sizeof(uint64_t));
	server->status.rates = xcalloc(listeners + 1, sizeof(double));
	server->status.shared = &server->shared;
	server->status.flow = &server->flow;
	server->status.snapshot = snapshot_new(listeners, server->settings->n_outputs);
	server->status.started_ns = clock_monotonic_ns();
	server->watch = watch_new(&server->status);
}

static void
make_events(struct server *server)
{
	const struct timeval tick = { 0, TICK_MS * 1000 };

	server->on_mail = event_new(server->base, server->mailbox.fd, EV_READ | EV_PERSIST, on_mail, server);
	server->on_tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
	server->on_term = evsignal_new(server->base, SIGTERM, on_signal, server);
	server->on_int = evsignal_new(server->base, SIGINT, on_signal, server);
	server->on_deadline = event_new(server->base, -1, 0, next_phase, server);
	server->on_accept_pause = event_new(server->base, -1, 0, end_accept_pause, server);
	event_add(server->on_mail, NULL);
	event_add(server->on_tick, &tick);
	event_add(server->on_term, NULL);
	event_add(server->on_int, NULL);
}

static bool
set_up(struct server *server, struct err *err)
{
	const struct settings *settings = server->settings;

	if (!pipeline_shared_init(&server->shared, settings, err))
		return false;
	server->n_workers = settings->workers != 0 ? settings->workers : count_cores();
	if (server->n_workers > MAX_WORKERS)
		server->n_workers = MAX_WORKERS;
	server->flow.listeners = xcalloc(settings->n_listens + 1, sizeof(struct listener_gauges));
	make_metrics(server);
	if (!open_listeners(server, err) || !make_threads(server, err))
		return false;
	make_events(server);
	if (settings->http.host != NULL) {
		server->admin = admin_new(&settings->http, &server->status, server->base, err);
		if (server->admin == NULL)
			return false;
	}
	return true;
}

static void
say_start(const struct server *server)
{
	const struct settings *settings = server->settings;

	for (size_t i = 0; i < settings->n_listens; i++)
		diag_info("listening", DIAG_TEXT("listener", settings->listens[i].name),
			DIAG_TEXT("address", settings->listens[i].address));
	for (size_t i = 0; i < settings->n_outputs; i++) {
		const struct output_settings *output = &settings->outputs[i];

		diag_info("output", DIAG_TEXT("name", output->name),
			DIAG_TEXT("to", output->kind == OUTPUT_FILE ? output->path : output->urls[0]));
	}
	if (settings->default_output)
		diag_info("no_database", DIAG_TEXT("msg", "no output is configured: points go to that file; add [influxdb NAME]"));
	if (settings->http.host != NULL)
		diag_info("admin", DIAG_TEXT("address", settings->http.host), DIAG_INT("port", settings->http.port));
	diag_info("started", DIAG_TEXT("version", LOGMILL_VERSION), DIAG_INT("workers", server->n_workers),
		DIAG_INT("rules", ruleset_size(server->shared.ruleset)), DIAG_INT("rule_files", settings->n_rule_files),
		DIAG_INT("listeners", settings->n_listens), DIAG_INT("outputs", settings->n_outputs));
}

static void
run(struct server *server)
{
	sender_start(server->sender);
	for (uint32_t i = 0; i < server->n_workers; i++)
		worker_start(server->workers[i]);
	for (size_t i = 0; i < server->n_acceptors; i++)
		event_add(server->acceptors[i].event, NULL);
	server->status.ready = true;
	say_start(server);
	event_base_dispatch(server->base);
	report_end(server);
	if (server->phase != PHASE_DELIVERING)
		_exit(server->exit_code); /* second signal: threads are not waited for */
}

static void
drop_mail(struct server *server)
{
	for (struct mail *mail = mailbox_take(&server->mailbox), *next; mail != NULL; mail = next) {
		next = mail->next;
		if (mail->kind == CONTROL_WORK) {
			struct work_letter *letter = mail_owner(mail, struct work_letter, mail);

			if (letter->delta != NULL)
				delta_free(&letter->delta);
			free(letter);
		} else if (mail->kind == CONTROL_SNAPSHOT || mail->kind == CONTROL_SENDER_DONE) {
			struct snapshot *snapshot = mail_owner(mail, struct snapshot, mail);

			snapshot_free(&snapshot);
		} else {
			free(mail_owner(mail, struct plain_letter, mail));
		}
	}
}

static void
free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static void
tear_down(struct server *server)
{
	admin_free(&server->admin);
	for (uint32_t i = 0; server->workers != NULL && i < server->n_workers; i++)
		worker_free(&server->workers[i]);
	sender_free(&server->sender);
	for (size_t i = 0; i < server->n_acceptors; i++)
		if (server->acceptors[i].fd >= 0) {
			event_free(server->acceptors[i].event);
			close(server->acceptors[i].fd);
		}
	for (size_t i = 0; server->tls != NULL && i < server->settings->n_listens; i++)
		if (server->tls[i] != NULL)
			tls_context_free(&server->tls[i]);
	drop_mail(server);
	watch_free(&server->watch);
	if (server->status.aggregator != NULL)
		aggregator_free(&server->status.aggregator);
	snapshot_free(&server->status.snapshot);
	free_event(server->on_mail);
	free_event(server->on_tick);
	free_event(server->on_term);
	free_event(server->on_int);
	free_event(server->on_deadline);
	free_event(server->on_accept_pause);
	free(server->status.rules);
	free(server->status.rates);
	free(server->by_worker);
	free(server->received_before);
	for (size_t i = 0; server->open != NULL && i < server->shared.n_targets; i++)
		if (server->open[i] != NULL)
			batch_unref(&server->open[i]);
	free(server->open);
	free(server->workers);
	free(server->acceptors);
	free(server->tls);
	free(server->flow.listeners);
	pipeline_shared_fini(&server->shared);
	event_base_free(server->base);
	mailbox_fini(&server->mailbox);
}

int
server_run(const struct settings *settings, struct err *err)
{
	struct server server = { .settings = settings, .exit_code = 2 };

	signal(SIGPIPE, SIG_IGN);
	evthread_use_pthreads();
	server.base = event_base_new();
	mailbox_init(&server.mailbox);
	if (set_up(&server, err))
		run(&server);
	tear_down(&server);
	libevent_global_shutdown();
	return server.exit_code;
}
