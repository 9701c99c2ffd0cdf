/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A [file] output. The sender thread keeps the jobs and the counts; the disk thread only writes.
 * One write is posted at a time, with everything that has queued up since the last:
 *
 *      push -> queue -> writing -> disk thread -> replies -> settled, or the rest once more in a
 * second
 *
 * While a write is posted the list `writing` and the writer are the disk thread's; both threads may
 * read the jobs.
 */
#include "output/output_internal.h"

#include <assert.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/diag.h"
#include "output/disk.h"
#include "output/file_writer.h"

enum { WRITE_BYTES_MAX = 4 << 20 }; /* of one post: the counts should move now and then */

static const int64_t retry_ns = NS_PER_SEC;

struct file_output {
	struct output output;
	struct job_list queue;
	struct job_list writing;
	struct file_writer writer;
	struct disk_job post;
	struct mailbox replies;
	struct event *reply_event, *timer;
	bool posted;
	size_t n_whole; /* results of the post, set by the disk thread */
	int error;
};

static void
run_post(struct disk_job *post)
{
	struct file_output *file = mail_owner(&post->mail, struct file_output, post.mail);

	file->n_whole = file_writer_write(&file->writer, file->writing.head, &file->error);
}

static void
post_next(struct file_output *file)
{
	size_t bytes = 0;

	if (file->posted || clock_monotonic_ns() < file->output.state.retry_at_ns)
		return;
	for (const struct job *job = file->writing.head; job != NULL; job = job->next)
		bytes += job->bytes;
	while (file->queue.head != NULL && bytes < WRITE_BYTES_MAX) {
		struct job *job = file->queue.head;

		bytes += job->bytes;
		job_list_remove(&file->queue, job);
		job_list_add(&file->writing, job);
	}
	if (file->writing.head == NULL)
		return;
	file->posted = true;
	disk_post(file->output.env->disk, &file->post);
}

static void
set_failed(struct file_output *file)
{
	struct output_state *state = &file->output.state;
	int64_t wait_ns = file->output.hurry ? HURRY_WAIT_MS * NS_PER_MS : retry_ns;
	struct timeval wait = { .tv_sec = wait_ns / NS_PER_SEC,
		.tv_usec = wait_ns % NS_PER_SEC / NS_PER_US };

	state->requests_failed++;
	state->retries++;
	state->retry_at_ns = clock_monotonic_ns() + wait_ns;
	evtimer_add(file->timer, &wait);
	if (state->problem != NULL)
		return;
	state->healthy = false;
	state->problem = "write_failed";
	file->output.changed = true;
	diag_error("delivery_failed", DIAG_TEXT("output", file->output.settings->name),
		DIAG_TEXT("reason", state->problem), DIAG_TEXT("file", file->output.settings->path),
		DIAG_TEXT("error", strerror(file->error)),
		DIAG_INT("retry_in_ms", wait_ns / NS_PER_MS));
}

static void
set_good(struct file_output *file)
{
	struct output_state *state = &file->output.state;

	state->requests_ok++;
	state->retry_at_ns = 0;
	if (state->problem == NULL)
		return;
	diag_info("delivery_recovered", DIAG_TEXT("output", file->output.settings->name),
		DIAG_TEXT("after", state->problem));
	state->healthy = true;
	state->problem = NULL;
	file->output.changed = true;
}

static void
take_reply(struct file_output *file)
{
	if (mailbox_take(&file->replies) == NULL)
		return;
	assert(file->posted);
	file->posted = false;
	for (size_t i = 0; i < file->n_whole; i++) {
		struct job *job = file->writing.head;

		job_list_remove(&file->writing, job);
		output_settle(&file->output, job, 0, REJECT_OTHER);
	}
	if (file->error != 0)
		set_failed(file);
	else
		set_good(file);
}

static void
on_reply(evutil_socket_t fd, short what, void *arg)
{
	struct file_output *file = arg;

	(void)fd;
	(void)what;
	take_reply(file);
	post_next(file);
	output_notify(&file->output);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct file_output *file = arg;

	(void)fd;
	(void)what;
	file->output.state.retry_at_ns =
		0; /* the timer decides: by libevent's clock it may be early by ours */
	post_next(file);
}

static void
file_push(struct output *output, struct job *job)
{
	struct file_output *file = (struct file_output *)(void *)output;

	job_list_add(&file->queue, job);
	post_next(file);
}

static void
file_walk(const struct output *output, void (*visit)(const struct job *job, void *ctx), void *ctx)
{
	const struct file_output *file = (const struct file_output *)(const void *)output;

	for (const struct job *job = file->writing.head; job != NULL; job = job->next)
		visit(job, ctx);
	for (const struct job *job = file->queue.head; job != NULL; job = job->next)
		visit(job, ctx);
}

static void
file_hurry(struct output *output)
{
	struct file_output *file = (struct file_output *)(void *)output;

	output->state.retry_at_ns = 0;
	post_next(file);
}

static void
file_free(struct output *output)
{
	struct file_output *file = (struct file_output *)(void *)output;

	while (file->posted) {
		struct pollfd reply = { .fd = file->replies.fd, .events = POLLIN };

		poll(&reply, 1, -1);
		take_reply(file);
	}
	event_free(file->reply_event);
	event_free(file->timer);
	mailbox_fini(&file->replies);
	file_writer_fini(&file->writer);
	job_list_clear(&file->writing);
	job_list_clear(&file->queue);
	free(file);
}

static const struct output_ops file_ops = {
	.push = file_push,
	.walk = file_walk,
	.hurry = file_hurry,
	.free = file_free,
};

struct output *
file_output_new(
	const struct output_settings *settings, const struct output_env *env, struct err *err)
{
	struct file_output *file = xcalloc(1, sizeof(*file));

	(void)err; /* a file that cannot be opened is tried again: the disk may come later */
	output_init(&file->output, &file_ops, settings, env);
	file_writer_init(&file->writer, settings);
	mailbox_init(&file->replies);
	file->post.run = run_post;
	file->post.reply = &file->replies;
	file->reply_event = event_new(
		env->base, file->replies.fd, EV_READ | EV_PERSIST, on_reply, file);
	file->timer = evtimer_new(env->base, on_timer, file);
	assert(file->reply_event != NULL && file->timer != NULL);
	event_add(file->reply_event, NULL);
	return &file->output;
}
