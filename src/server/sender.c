/* SPDX-License-Identifier: Apache-2.0 */
#include "server/sender.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "output/disk.h"

enum {
	/*
	 * While every output keeps up, senders are read only this far ahead of it: more in memory
	 * would delay points and gain nothing. In an outage all of memory_limit is used before
	 * senders have to wait.
	 */
	HEALTHY_QUEUE_BYTES = 16 << 20,
	STOP_POLL_MS = 20,
	/* Of what may be in memory; senders wait for the rest of it to become free. */
	RECENT_PART = 8,
	NEWEST_PART = 2,
};

struct sender {
	struct sender_env env;
	pthread_t thread;
	bool started;
	struct event_base *base;
	struct mailbox mailbox;
	struct event *on_mail, *on_stop_poll;
	struct disk *disk;
	struct output_env output_env; /* borrowed by the outputs */
	struct output **outputs;
	size_t n_outputs;
	struct tally *tally;
	struct batch *recent[RECENT_BATCHES];
	size_t n_recent;
	int64_t stop_at_ns; /* monotonic; 0 = not stopping */
};

struct snapshot *
snapshot_new(size_t n_listeners, size_t n_outputs)
{
	struct snapshot *snapshot = xcalloc(1, sizeof(*snapshot));

	snapshot->tally = tally_new(n_listeners);
	snapshot->n_outputs = n_outputs;
	snapshot->outputs = xcalloc(n_outputs + 1, sizeof(*snapshot->outputs));
	return snapshot;
}

void
snapshot_free(struct snapshot **snapshot)
{
	struct snapshot *s = *snapshot;

	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_recent; i++)
		batch_unref(&s->recent[i]);
	free(s->tally);
	free(s->outputs);
	free(s);
	*snapshot = NULL;
}

/* ---- batches ---- */

static uint64_t
healthy_limit(const struct sender *sender)
{
	uint64_t limit = sender->env.shared->settings->memory_limit;

	return limit < HEALTHY_QUEUE_BYTES ? limit : HEALTHY_QUEUE_BYTES;
}

/* How many batches from the newest on hold RECENT_POINTS. They stay in memory, where they count:
 * of large messages only as many as never make senders wait for good. */
static size_t
count_recent(const struct sender *sender)
{
	const uint64_t limit = healthy_limit(sender);
	uint64_t bytes = 0;
	size_t points = 0, keep = 0;

	while (keep < sender->n_recent && points < RECENT_POINTS) {
		const struct batch *batch = sender->recent[sender->n_recent - keep - 1];

		bytes += batch->charged;
		if (bytes > limit / (keep == 0 ? NEWEST_PART : RECENT_PART))
			break;
		points += batch->points;
		keep++;
	}
	return keep;
}

/* Keeps the newest raw batches: what the live page shows. */
static void
remember(struct sender *sender, struct batch *batch)
{

	if (sender->n_recent == RECENT_BATCHES) {
		batch_unref(&sender->recent[0]);
		memmove(sender->recent, sender->recent + 1,
			(RECENT_BATCHES - 1) * sizeof(sender->recent[0]));
		sender->n_recent--;
	}
	sender->recent[sender->n_recent++] = batch_ref(batch);
	size_t keep = count_recent(sender), drop = sender->n_recent - keep;
	for (size_t i = 0; i < drop; i++)
		batch_unref(&sender->recent[i]);
	memmove(sender->recent, sender->recent + drop, keep * sizeof(sender->recent[0]));
	sender->n_recent = keep;
}

/* Takes the batch. */
static void
deliver(struct sender *sender, struct batch *batch)
{
	uint64_t wanted = sender->env.shared->targets[batch->target].outputs;

	for (size_t i = 0; i < sender->n_outputs; i++)
		if (wanted >> i & 1)
			output_push(sender->outputs[i], batch);
	if (batch->raw)
		remember(sender, batch);
	batch_unref(&batch);
}

static void
take_report(struct sender *sender, struct report_letter *letter)
{
	tally_add(sender->tally, letter->tally);
	if (letter->batch != NULL)
		deliver(sender, letter->batch);
	free(letter->tally);
	free(letter);
}

/* ---- the account ---- */

static struct snapshot *
take_snapshot(struct sender *sender, struct snapshot *snapshot)
{
	snapshot->taken_ns = clock_monotonic_ns();
	tally_add(snapshot->tally, sender->tally);
	for (size_t i = 0; i < sender->n_outputs; i++)
		output_state(sender->outputs[i], &snapshot->outputs[i]);
	for (size_t i = 0; i < sender->n_recent; i++)
		snapshot->recent[i] = batch_ref(sender->recent[i]);
	snapshot->n_recent = sender->n_recent;
	return snapshot;
}

/* Called by outputs when they got rid of something or their health changed. */
static void
output_changed(void *ctx)
{
	struct sender *sender = ctx;
	bool healthy = true;

	for (size_t i = 0; i < sender->n_outputs; i++) {
		struct output_state state;

		output_state(sender->outputs[i], &state);
		healthy = healthy && state.healthy;
	}
	uint64_t limit = healthy ? healthy_limit(sender)
				 : sender->env.shared->settings->memory_limit;
	atomic_store_explicit(&sender->env.flow->pause_bytes, limit, memory_order_relaxed);
}

/* ---- stopping ---- */

static void
stop_when_idle(evutil_socket_t fd, short what, void *ctx)
{
	const struct timeval soon = { 0, STOP_POLL_MS * 1000 };
	struct sender *sender = ctx;
	bool idle = true;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < sender->n_outputs; i++)
		idle = idle && output_idle(sender->outputs[i]);
	if (idle || clock_monotonic_ns() >= sender->stop_at_ns)
		event_base_loopbreak(sender->base);
	else
		event_add(sender->on_stop_poll, &soon);
}

static void
on_mail(evutil_socket_t fd, short what, void *ctx)
{
	struct sender *sender = ctx;
	struct mail *mail = mailbox_take(&sender->mailbox), *next;
	struct snapshot *snapshot;

	(void)fd;
	(void)what;
	for (; mail != NULL; mail = next) {
		next = mail->next;
		switch ((enum sender_mail)mail->kind) {
		case SENDER_REPORT:
			take_report(sender, mail_owner(mail, struct report_letter, mail));
			break;
		case SENDER_RULE_BATCH:
			deliver(sender, mail_owner(mail, struct batch, mail));
			break;
		case SENDER_SNAPSHOT:
			snapshot = take_snapshot(sender, mail_owner(mail, struct snapshot, mail));
			snapshot->mail.kind = CONTROL_SNAPSHOT;
			mailbox_post(sender->env.control, &snapshot->mail);
			break;
		case SENDER_STOP:
			sender->stop_at_ns =
				mail_owner(mail, struct stop_letter, mail)->deadline_ns;
			free(mail_owner(mail, struct stop_letter, mail));
			for (size_t i = 0; i < sender->n_outputs; i++)
				output_hurry(sender->outputs[i]);
			stop_when_idle(-1, 0, sender);
			break;
		}
	}
}

static void *
run(void *ctx)
{
	struct sender *sender = ctx;
	struct snapshot *last = snapshot_new(sender->tally->n, sender->n_outputs);

	event_base_dispatch(sender->base);
	take_snapshot(sender, last);
	last->mail.kind = CONTROL_SENDER_DONE;
	mailbox_post(sender->env.control, &last->mail);
	return NULL;
}

struct sender *
sender_new(const struct sender_env *env, struct err *err)
{
	const struct settings *settings = env->shared->settings;
	struct sender *sender = xcalloc(1, sizeof(*sender));
	unsigned before = err->count;

	sender->env = *env;
	sender->base = event_base_new();
	mailbox_init(&sender->mailbox);
	sender->on_mail = event_new(
		sender->base, sender->mailbox.fd, EV_READ | EV_PERSIST, on_mail, sender);
	sender->on_stop_poll = event_new(sender->base, -1, 0, stop_when_idle, sender);
	event_add(sender->on_mail, NULL);
	sender->disk = disk_start();
	sender->tally = tally_new(settings->n_listens > 0 ? settings->n_listens : 1);
	sender->outputs = xcalloc(settings->n_outputs + 1, sizeof(*sender->outputs));
	sender->output_env = (struct output_env){ .base = sender->base,
		.targets = env->shared->targets,
		.disk = sender->disk,
		.memory_limit = settings->memory_limit,
		.state_dir = settings->state_dir,
		.changed = output_changed,
		.ctx = sender };
	for (size_t i = 0; i < settings->n_outputs; i++) {
		struct output *output = output_new(&settings->outputs[i], &sender->output_env, err);

		if (output != NULL)
			sender->outputs[sender->n_outputs++] = output;
	}
	if (err->count > before) {
		sender_free(&sender);
		return NULL;
	}
	output_changed(sender);
	return sender;
}

void
sender_start(struct sender *sender)
{
	if (pthread_create(&sender->thread, NULL, run, sender) != 0)
		abort();
	sender->started = true;
}

struct mailbox *
sender_mailbox(struct sender *sender)
{
	return &sender->mailbox;
}

static void
drop_mail(struct sender *sender)
{
	for (struct mail *mail = mailbox_take(&sender->mailbox), *next; mail != NULL; mail = next) {
		struct snapshot *snapshot;

		next = mail->next;
		switch ((enum sender_mail)mail->kind) {
		case SENDER_REPORT:
			take_report(sender, mail_owner(mail, struct report_letter, mail));
			break;
		case SENDER_RULE_BATCH:
			deliver(sender, mail_owner(mail, struct batch, mail));
			break;
		case SENDER_SNAPSHOT:
			snapshot = mail_owner(mail, struct snapshot, mail);
			snapshot_free(&snapshot);
			break;
		case SENDER_STOP: free(mail_owner(mail, struct stop_letter, mail)); break;
		}
	}
}

void
sender_free(struct sender **sender)
{
	struct sender *s = *sender;

	if (s == NULL)
		return;
	if (s->started)
		pthread_join(s->thread, NULL);
	drop_mail(s);
	for (size_t i = 0; i < s->n_recent; i++)
		batch_unref(&s->recent[i]);
	for (size_t i = 0; i < s->n_outputs; i++)
		output_free(&s->outputs[i]);
	if (s->disk != NULL)
		disk_stop(&s->disk);
	event_free(s->on_mail);
	event_free(s->on_stop_poll);
	event_base_free(s->base);
	mailbox_fini(&s->mailbox);
	free(s->tally);
	free(s->outputs);
	free(s);
	*sender = NULL;
}
