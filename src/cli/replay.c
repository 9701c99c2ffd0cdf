/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `logmill replay`: files or standard input through the very pipeline that `serve` runs, on a
 * virtual clock (message time). Prints raw and rule points to standard output, or with --write
 * hands them to the configured outputs.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/diag.h"
#include "cli/commands.h"
#include "metric/aggregator.h"
#include "server/sender.h"

enum {
	READ_BYTES = 1 << 16,
	QUEUE_BYTES = 32 << 20, /* --write: read on when less is queued */
	DELIVERY_PATIENCE_S = 300,
};

struct replay {
	const struct settings *settings;
	struct pipeline_shared shared;
	struct pipeline *pipeline;
	struct aggregator *aggregator;
	struct sender *sender; /* NULL: print */
	struct mailbox mailbox;
	struct batch *open; /* points of rules, by target; only the current one is open */
	bool output_failed;
	uint64_t bytes, bytes_total, messages;
	uint64_t raw; /* messages handed over that are not readable as syslog */
	int64_t next_progress_ns;
};

/* ---- where points go ---- */

static void
print_lines(struct replay *replay, struct str lines)
{
	if (fwrite(lines.ptr, 1, lines.len, stdout) != lines.len)
		replay->output_failed = true;
}

static void
post_rule_batch(struct replay *replay)
{
	struct batch *batch = replay->open;

	if (batch == NULL)
		return;
	replay->open = NULL;
	batch_seal(batch);
	batch->mail.kind = SENDER_RULE_BATCH;
	mailbox_post(sender_mailbox(replay->sender), &batch->mail);
}

static void
emit_point(void *ctx, uint16_t target, struct str line)
{
	struct replay *replay = ctx;

	if (replay->sender == NULL) {
		print_lines(replay, line);
		print_lines(replay, STR("\n"));
		return;
	}
	if (replay->open != NULL &&
		(replay->open->target != target ||
			replay->open->points >= replay->shared.batch_points ||
			replay->open->lines.len >= replay->shared.batch_bytes))
		post_rule_batch(replay);
	if (replay->open == NULL)
		replay->open = batch_new(target, false, 0, clock_monotonic_ns());
	buf_add(&replay->open->lines, line);
	buf_add_char(&replay->open->lines, '\n');
	replay->open->points++;
}

static void
take_batch(void *ctx, struct batch *batch, struct tally *tally)
{
	struct replay *replay = ctx;

	for (size_t i = 0; i < tally->n; i++)
		replay->raw += tally->listeners[i].by_format[LOG_FORMAT_RAW];
	if (replay->sender == NULL || batch == NULL) {
		if (batch != NULL) {
			print_lines(replay, buf_str(&batch->lines));
			batch_unref(&batch);
		}
		free(tally);
		return;
	}
	struct report_letter *letter = xcalloc(1, sizeof(*letter));
	*letter = (struct report_letter){
		.mail.kind = SENDER_REPORT, .batch = batch, .tally = tally
	};
	mailbox_post(sender_mailbox(replay->sender), &letter->mail);
	while (batch_bytes_alive() > QUEUE_BYTES)
		poll(NULL, 0, 5);
}

static void
take_delta(void *ctx, struct delta *delta)
{
	struct replay *replay = ctx;

	aggregator_merge(replay->aggregator, delta, pipeline_clock(replay->pipeline));
	aggregator_tick(replay->aggregator, pipeline_clock(replay->pipeline));
	delta_free(&delta);
}

/* ---- reading ---- */

static void
show_progress(struct replay *replay)
{
	int64_t now = clock_monotonic_ns();

	if (!isatty(STDERR_FILENO) || now < replay->next_progress_ns)
		return;
	replay->next_progress_ns = now + NS_PER_SEC / 2;
	if (replay->bytes_total > 0)
		fprintf(stderr, "\r%llu messages, %llu of %llu MiB (%.0f %%) ",
			(unsigned long long)replay->messages,
			(unsigned long long)(replay->bytes >> 20),
			(unsigned long long)(replay->bytes_total >> 20),
			100.0 * (double)replay->bytes / (double)replay->bytes_total);
	else
		fprintf(stderr, "\r%llu messages, %llu MiB ", (unsigned long long)replay->messages,
			(unsigned long long)(replay->bytes >> 20));
}

/*
 * Recorded streams are octet-counted, log files are lines: a count, a space and '<' tell. (A line
 * may well begin with a digit, so that alone does not.)
 */
static enum framing
guess_framing(struct str start)
{
	size_t digits = 0;

	while (digits < start.len && digits < FRAMER_MAX_DIGITS && start.ptr[digits] >= '0' &&
		start.ptr[digits] <= '9')
		digits++;
	bool counted = digits > 0 && digits + 1 < start.len && start.ptr[digits] == ' ' &&
		start.ptr[digits + 1] == '<';
	return counted ? FRAMING_OCTET_COUNTING : FRAMING_LF;
}

static void
replay_message(
	struct replay *replay, const struct origin *origin, const struct frame *frame, int64_t now)
{
	pipeline_message(replay->pipeline, origin, frame, now);
	replay->messages++;
}

static enum frame_status
cut_frames(struct replay *replay, struct framer *framer, struct buf *kept,
	const struct origin *origin, bool at_end)
{
	struct str data = buf_str(kept);
	int64_t now = clock_realtime_ns();
	enum frame_status status;
	struct frame frame;

	do {
		size_t consumed = 0;

		status = framer_next(framer, data, &consumed, &frame);
		data = (struct str){ data.ptr + consumed, data.len - consumed };
		if (status == FRAME_OK)
			replay_message(replay, origin, &frame, now);
	} while (status == FRAME_OK);
	if (status == FRAME_MORE && at_end && framer_end(framer, data, &frame) == FRAME_OK) {
		replay_message(replay, origin, &frame, now);
		data.len = 0;
	}
	memmove(kept->ptr, data.ptr, data.len);
	kept->len = data.len;
	return status;
}

static bool
replay_stream(struct replay *replay, int fd, const char *name)
{
	struct ordinals ordinals = { 0 };
	struct origin origin = { .source = STR_ABSENT, .ordinals = &ordinals };
	size_t max_message = replay->settings->n_listens > 0
		? replay->settings->listens[0].max_message_size
		: 65536;
	struct framer framer;
	struct buf kept = BUF_EMPTY;
	enum frame_status status = FRAME_MORE;
	uint64_t messages_before = replay->messages;
	bool started = false;
	ssize_t n = 1;

	while (n > 0 && status != FRAME_BAD && !replay->output_failed) {
		n = read(fd, buf_reserve(&kept, READ_BYTES), READ_BYTES);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n < 0)
			fprintf(stderr, "logmill: %s: %s\n", name, strerror(errno));
		if (n > 0) {
			kept.len += (size_t)n;
			replay->bytes += (size_t)n;
		}
		if (!started)
			framer_init(&framer, guess_framing(buf_str(&kept)), max_message);
		started = true;
		status = cut_frames(replay, &framer, &kept, &origin, n <= 0);
		show_progress(replay);
	}
	buf_fini(&kept);
	if (status == FRAME_BAD)
		fprintf(stderr, "logmill: %s: broken octet count after %llu messages\n", name,
			(unsigned long long)(replay->messages - messages_before));
	return n >= 0 && status != FRAME_BAD;
}

static bool
replay_files(struct replay *replay, char **paths, size_t n)
{
	bool ok = true;
	struct stat st;

	for (size_t i = 0; i < n; i++)
		if (stat(paths[i], &st) == 0 && S_ISREG(st.st_mode))
			replay->bytes_total += (uint64_t)st.st_size;
	if (n == 0)
		ok = replay_stream(replay, STDIN_FILENO, "standard input");
	for (size_t i = 0; i < n && !replay->output_failed; i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			fprintf(stderr, "logmill: %s: %s\n", paths[i], strerror(errno));
			ok = false;
			continue;
		}
		ok = replay_stream(replay, fd, paths[i]) && ok;
		close(fd);
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%llu messages replayed%30s\n",
			(unsigned long long)replay->messages, "");
	return ok;
}

/* Files of /var/log have no <PRI>: no field is read then, and rules that need one are silent. */
static void
warn_of_raw(const struct replay *replay)
{
	if (replay->raw * 2 > replay->messages)
		fprintf(stderr,
			"logmill: %llu of %llu messages are not readable as syslog. Do lines lack "
			"the <PRI> in front? Try:  sed 's/^/<13>/' FILE | logmill replay ...\n",
			(unsigned long long)replay->raw, (unsigned long long)replay->messages);
}

/* Waits until the outputs have everything (or patience is over); true when nothing was lost. */
static bool
finish_sender(struct replay *replay)
{
	struct stop_letter *letter = xcalloc(1, sizeof(*letter));
	uint64_t left = 0;
	bool done = false;

	letter->mail.kind = SENDER_STOP;
	letter->deadline_ns = clock_monotonic_ns() + DELIVERY_PATIENCE_S * NS_PER_SEC;
	mailbox_post(sender_mailbox(replay->sender), &letter->mail);
	while (!done) {
		struct pollfd ready = { .fd = replay->mailbox.fd, .events = POLLIN };

		poll(&ready, 1, -1);
		for (struct mail *mail = mailbox_take(&replay->mailbox), *next; mail != NULL;
			mail = next) {
			struct snapshot *snapshot = mail_owner(mail, struct snapshot, mail);

			next = mail->next;
			for (size_t i = 0; i < snapshot->n_outputs; i++)
				left += snapshot->outputs[i].counts[0].queued +
					snapshot->outputs[i].counts[1].queued;
			snapshot_free(&snapshot);
			done = true;
		}
	}
	sender_free(&replay->sender);
	if (left > 0)
		fprintf(stderr, "logmill: %llu points were not delivered\n",
			(unsigned long long)left);
	return left == 0;
}

static int
run(struct replay *replay, const struct command_args *args)
{
	bool ok = replay_files(replay, args->words, args->n_words);

	pipeline_flush(replay->pipeline);
	warn_of_raw(replay);
	aggregator_close(replay->aggregator, INT64_MAX);
	if (replay->sender != NULL) {
		post_rule_batch(replay);
		ok = finish_sender(replay) && ok;
	}
	if (fflush(stdout) != 0 || replay->output_failed) {
		fprintf(stderr, "logmill: standard output: %s\n", strerror(errno));
		ok = false;
	}
	return ok ? 0 : 1;
}

int
command_replay(const struct command_args *args)
{
	struct replay replay = { .settings = args->settings };
	const struct pipeline_sink sink = { take_batch, take_delta, &replay };
	const struct aggregator_options options = { .virtual_clock = true,
		.max_series = args->settings->metrics.max_series };
	struct flow flow = { .listeners = NULL };
	struct err err = ERR_NONE;
	int code;

	mailbox_init(&replay.mailbox);
	if (pipeline_shared_init(&replay.shared, args->settings, &err) && args->write)
		replay.sender = sender_new(
			&(struct sender_env){ &replay.shared, &flow, &replay.mailbox }, &err);
	if (err.count > 0) {
		code = command_config_failed(&err);
	} else {
		if (replay.sender != NULL)
			sender_start(replay.sender);
		replay.shared.virtual_clock = true;
		replay.pipeline = pipeline_new(&replay.shared, 0, 1, &sink);
		replay.aggregator = aggregator_new(ruleset_defs(replay.shared.ruleset),
			ruleset_size(replay.shared.ruleset), &options, emit_point, &replay);
		code = run(&replay, args);
		pipeline_free(&replay.pipeline);
		aggregator_free(&replay.aggregator);
	}
	pipeline_shared_fini(&replay.shared);
	mailbox_fini(&replay.mailbox);
	err_fini(&err);
	return code;
}
