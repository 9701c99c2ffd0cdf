/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control thread, which is the main thread: accepts connections and spreads them over the
 * workers, owns the metrics, serves the admin port, and conducts the stop:
 *
 *      SIGTERM -> not ready -> drain_delay -> accept what waits, close listeners -> workers drain
 * their connections
 *              -> workers hand over and end -> windows written -> sender delivers -> exit 0
 *
 * A plain close() of a sender's connection would lose what is on the way (thousands of messages
 * from rsyslog), so workers half-close and read to the end. drain_timeout bounds the whole.
 */
#include "server/server.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/folder.h"
#include "input/tls.h"
#include "server/acceptors.h"
#include "server/admin.h"
#include "server/rule_points.h"
#include "server/sender.h"
#include "server/status.h"
#include "server/worker.h"

enum {
	TICK_MS = 500,
	RATE_TICKS = RATE_SECONDS * 1000 / TICK_MS,
	MAX_WORKERS = 256,
};
#define SAME_SIGNAL_NS (NS_PER_SEC / 2)

enum phase { PHASE_RUNNING, PHASE_DELAY, PHASE_DRAINING, PHASE_STOPPING, PHASE_DELIVERING };

struct server {
	const struct settings *settings;
	struct pipeline_shared shared;
	struct flow flow;
	struct tls_context **tls;
	struct event_base *base;
	struct mailbox mailbox;
	struct event *on_mail, *on_tick, *on_term, *on_int, *on_deadline;
	struct acceptors *acceptors;
	struct worker **workers;
	uint32_t n_workers;
	struct sender *sender;
	struct admin *admin;
	struct status status;
	struct watch *watch;
	struct rule_points *rule_points;
	uint64_t *received_before; /* [tick][listener], for rates */
	size_t ticks;
	bool snapshot_asked;
	enum phase phase;
	int64_t signalled_ns; /* monotonic: when the first signal came */
	bool at_once;         /* a second signal came */
	uint32_t workers_waited_for;
	bool sender_done;   /* its last snapshot is here: status.snapshot is the final account */
	int64_t stop_by_ns; /* monotonic */
	int exit_code;
};

/* ---- letters ---- */

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
		case CONTROL_WORK:
			rule_points_take(
				server->rule_points, mail_owner(mail, struct work_letter, mail));
			break;
		case CONTROL_DRAINED:
			if (server->phase == PHASE_DRAINING)
				worker_is_through(server);
			free(mail_owner(mail, struct plain_letter, mail));
			break;
		case CONTROL_WORKER_DONE:
			worker_is_through(server);
			free(mail_owner(mail, struct plain_letter, mail));
			break;
		case CONTROL_SNAPSHOT:
			take_snapshot(server, mail_owner(mail, struct snapshot, mail));
			break;
		case CONTROL_SENDER_DONE:
			take_snapshot(server, mail_owner(mail, struct snapshot, mail));
			server->sender_done = true;
			event_base_loopbreak(server->base);
			break;
		}
	}
	rule_points_post(server->rule_points);
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

		server->status.rates[i] = span == 0
			? 0
			: (double)(now - before) * 1000 / (double)(span * TICK_MS);
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
	/* With memory full, windows wait in the aggregator: senders wait too, so nothing is added
	 * to them. */
	if (batch_bytes_alive() < server->settings->memory_limit)
		rule_points_tick(server->rule_points);
	rule_points_post(server->rule_points);
	update_rates(server);
	watch_look(server->watch, clock_monotonic_ns());
	if (!server->snapshot_asked) {
		struct snapshot *snapshot = snapshot_new(
			server->settings->n_listens, server->settings->n_outputs);

		server->snapshot_asked = true;
		snapshot->mail.kind = SENDER_SNAPSHOT;
		mailbox_post(sender_mailbox(server->sender), &snapshot->mail);
	}
}

/* ---- connections ---- */

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
give_connection(void *ctx, uint32_t listener, int fd, const struct sockaddr_storage *peer)
{
	struct server *server = ctx;
	struct connection_letter *letter = xcalloc(1, sizeof(*letter));

	letter->mail.kind = WORKER_CONNECTION;
	letter->fd = fd;
	letter->listener = listener;
	letter->peer = xmalloc(sizeof(*peer));
	*letter->peer = *peer;
	worker_post(least_busy(server), &letter->mail);
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
		acceptors_close(server->acceptors);
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
		rule_points_close(server->rule_points);
		rule_points_post(server->rule_points);
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
	/* One wish to stop may come twice: timeout(1) and terminals signal the process and its
	 * group. */
	if (server->phase != PHASE_RUNNING &&
		clock_monotonic_ns() - server->signalled_ns < SAME_SIGNAL_NS)
		return;
	if (server->phase != PHASE_RUNNING) {
		diag_warn("stopping_at_once", DIAG_TEXT("msg", "second signal"));
		server->at_once = true;
		event_base_loopbreak(server->base);
		return;
	}
	diag_info("stopping", DIAG_TEXT("signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"),
		DIAG_INT("drain_timeout_ms", server->settings->drain_timeout_ns / NS_PER_MS));
	server->phase = PHASE_DELAY;
	server->signalled_ns = clock_monotonic_ns();
	server->status.ready = false;
	server->stop_by_ns = clock_monotonic_ns() + server->settings->drain_timeout_ns;
	set_deadline(server, server->settings->drain_delay_ns);
}

/* What is still queued is lost when we end: say so, point by point of the account. */
static void
report_end(struct server *server)
{
	const struct snapshot *snapshot = server->status.snapshot;
	bool counted = server->sender_done;
	uint64_t lost = 0;

	for (size_t i = 0; i < snapshot->n_outputs; i++) {
		const struct output_state *state = &snapshot->outputs[i];
		uint64_t left = state->counts[0].queued + state->counts[1].queued;

		lost += left;
		if (left > 0)
			diag_error("points_lost",
				DIAG_TEXT("output", server->settings->outputs[i].name),
				DIAG_INT("points", left),
				DIAG_TEXT("msg",
					server->at_once ? "not delivered before the second signal"
							: "not delivered within drain_timeout"));
	}
	if (counted)
		diag_info("stopped", DIAG_INT("lost_points", lost));
	else /* a second signal ended it before all had handed over and the sender was done */
		diag_warn("stopped", DIAG_TEXT("lost_points", "unknown"));
	server->exit_code = counted && lost == 0 ? 0 : 1;
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

	server->tls = xcalloc(settings->n_listens + 1, sizeof(struct tls_context *));
	for (size_t i = 0; i < settings->n_listens; i++) {
		if (settings->listens[i].transport == LISTEN_UDP)
			udp_probe(&settings->listens[i], err);
		else if (settings->listens[i].transport == LISTEN_TLS)
			server->tls[i] = tls_context_new(&settings->listens[i], err);
	}
	server->acceptors = acceptors_new(
		settings, &server->flow, server->base, give_connection, server, err);
	return err->count == before;
}

static bool
make_threads(struct server *server, struct err *err)
{
	const struct sender_env sender_env = { &server->shared, &server->flow, &server->mailbox };

	server->sender = sender_new(&sender_env, err);
	if (server->sender == NULL)
		return false;
	const struct worker_env env = { &server->shared, server->tls, &server->flow,
		sender_mailbox(server->sender), &server->mailbox };
	server->workers = xcalloc(server->n_workers, sizeof(struct worker *));
	for (uint32_t i = 0; i < server->n_workers; i++) {
		server->workers[i] = worker_new(&env, i, server->n_workers, err);
		if (server->workers[i] == NULL)
			return false;
	}
	return true;
}

static void
make_status(struct server *server)
{
	size_t n = server->settings->n_listens;

	server->flow.listeners = xcalloc(n + 1, sizeof(struct listener_gauges));
	server->received_before = xcalloc(RATE_TICKS * n + 1, sizeof(uint64_t));
	server->status.rates = xcalloc(n + 1, sizeof(double));
	server->status.shared = &server->shared;
	server->status.flow = &server->flow;
	server->status.snapshot = snapshot_new(n, server->settings->n_outputs);
	server->status.started_ns = clock_monotonic_ns();
	server->watch = watch_new(&server->status);
}

static void
make_events(struct server *server)
{
	const struct timeval tick = { 0, TICK_MS * 1000 };

	server->on_mail = event_new(
		server->base, server->mailbox.fd, EV_READ | EV_PERSIST, on_mail, server);
	server->on_tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
	server->on_term = evsignal_new(server->base, SIGTERM, on_signal, server);
	server->on_int = evsignal_new(server->base, SIGINT, on_signal, server);
	server->on_deadline = event_new(server->base, -1, 0, next_phase, server);
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
	if (!folder_make(settings->state_dir) || access(settings->state_dir, W_OK) != 0)
		return err_add(err,
			"[server] state_dir %s: %s (choose a folder that this user can write)",
			settings->state_dir, strerror(errno));
	server->n_workers = settings->workers != 0 ? settings->workers : count_cores();
	if (server->n_workers > MAX_WORKERS)
		server->n_workers = MAX_WORKERS;
	make_status(server);
	if (!open_listeners(server, err) || !make_threads(server, err))
		return false;
	server->rule_points = rule_points_new(
		&server->status, &server->flow, sender_mailbox(server->sender), server->n_workers);
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
			DIAG_TEXT("to",
				output->kind == OUTPUT_FILE ? output->path : output->urls[0]));
	}
	if (settings->default_output)
		diag_info("no_database",
			DIAG_TEXT("msg",
				"no output is configured: points go to that file; add [influxdb "
				"NAME]"));
	if (settings->http.host != NULL)
		diag_info("admin", DIAG_TEXT("address", settings->http.host),
			DIAG_INT("port", settings->http.port));
	diag_info("started", DIAG_TEXT("version", LOGMILL_VERSION),
		DIAG_INT("workers", server->n_workers),
		DIAG_INT("rules", ruleset_size(server->shared.ruleset)),
		DIAG_INT("rule_files", settings->n_rule_files),
		DIAG_INT("listeners", settings->n_listens),
		DIAG_INT("outputs", settings->n_outputs));
}

static void
run(struct server *server)
{
	sender_start(server->sender);
	for (uint32_t i = 0; i < server->n_workers; i++)
		worker_start(server->workers[i]);
	acceptors_start(server->acceptors);
	server->status.ready = true;
	say_start(server);
	event_base_dispatch(server->base);
	report_end(server);
	if (!server->sender_done)
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
	acceptors_free(&server->acceptors);
	for (size_t i = 0; server->tls != NULL && i < server->settings->n_listens; i++)
		if (server->tls[i] != NULL)
			tls_context_free(&server->tls[i]);
	drop_mail(server);
	watch_free(&server->watch);
	rule_points_free(&server->rule_points);
	snapshot_free(&server->status.snapshot);
	free_event(server->on_mail);
	free_event(server->on_tick);
	free_event(server->on_term);
	free_event(server->on_int);
	free_event(server->on_deadline);
	free(server->status.rates);
	free(server->received_before);
	free(server->workers);
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
