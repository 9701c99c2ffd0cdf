/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test of an output stands on: an event loop, a disk thread, a private folder, settings with
 * sane values, numbered lines, and a check at every turn of the loop that no point is lost:
 * accepted = written + rejected + dropped + queued.
 */
#pragma once

#include <assert.h>
#include <event2/event.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/diag.h"
#include "output/disk.h"
#include "output/output.h"

struct output_bed {
	char dir[64];
	char state_dir[96];
	struct event_base *base;
	struct event *tick;
	struct disk *disk;
	struct target targets[4];
	struct output_env env;
	struct output_settings settings;
	char *urls[2];
	struct output *output;
	unsigned changes; /* calls of env.changed */
};

static inline uint64_t
bed_rejected(const struct output_state *state)
{
	uint64_t sum = 0;

	for (size_t kind = 0; kind < 2; kind++)
		for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
			sum += state->counts[kind].rejected[i];
	return sum;
}

static inline struct output_state
bed_state(const struct output_bed *bed)
{
	struct output_state state;

	output_state(bed->output, &state);
	for (size_t kind = 0; kind < 2; kind++) {
		const struct output_counts *c = &state.counts[kind];
		uint64_t rejected = 0;

		for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
			rejected += c->rejected[i];
		assert_int_equal(c->accepted, c->written + rejected + c->dropped + c->queued);
	}
	return state;
}

static inline void
bed_changed(void *ctx)
{
	struct output_bed *bed = ctx;

	bed->changes++;
	bed_state(bed);
}

static inline void
bed_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static inline void
bed_init(struct output_bed *bed)
{
	const struct timeval every = { 0, 5000 };

	memset(bed, 0, sizeof(*bed));
	diag_set_level(getenv("TEST_LOG") != NULL ? DIAG_DEBUG : DIAG_ERROR);
	strcpy(bed->dir, "/tmp/logmill-test-XXXXXX");
	assert_non_null(mkdtemp(bed->dir));
	snprintf(bed->state_dir, sizeof(bed->state_dir), "%s/state", bed->dir);
	bed->base = event_base_new();
	bed->tick = event_new(bed->base, -1, EV_PERSIST, bed_tick, NULL);
	event_add(bed->tick, &every);
	bed->disk = disk_start();
	bed->env = (struct output_env){ bed->base, bed->targets, bed->disk, 256 << 20,
		bed->state_dir, bed_changed, bed };
	bed->settings = (struct output_settings){
		.kind = OUTPUT_INFLUXDB,
		.name = strdup("main"),
		.urls = bed->urls,
		.n_urls = 1,
		.version = 1,
		.database = strdup("logs"),
		.create_database = true,
		.batch_points = 5000,
		.batch_bytes = 1 << 20,
		.flush_interval_ns = NS_PER_SEC,
		.timeout_ns = 5 * NS_PER_SEC,
		.connections = 2,
		.tls_verify = true,
	};
}

static inline void
bed_set_url(struct output_bed *bed, size_t i, unsigned port)
{
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	bed->urls[i] = strdup(url);
}

static inline void
bed_open(struct output_bed *bed)
{
	struct err err = ERR_NONE;

	bed->output = output_new(&bed->settings, &bed->env, &err);
	assert_non_null(bed->output);
	err_fini(&err);
}

/* Frees the output and waits for the disk: files are whole afterwards. */
static inline void
bed_close(struct output_bed *bed)
{
	output_free(&bed->output);
	disk_stop(&bed->disk);
}

static inline int
bed_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void
bed_fini(struct output_bed *bed)
{
	bed_close(bed);
	event_free(bed->tick);
	event_base_free(bed->base);
	free(bed->settings.database);
	free(bed->settings.name);
	free(bed->urls[0]);
	free(bed->urls[1]);
	nftw(bed->dir, bed_remove, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(batch_bytes_alive(), 0);
}

static inline void
bed_run_for(struct output_bed *bed, int64_t ns)
{
	int64_t end = clock_monotonic_ns() + ns;

	while (clock_monotonic_ns() < end) {
		event_base_loop(bed->base, EVLOOP_ONCE);
		bed_state(bed);
	}
}

/* Runs until nothing is held any more; fails the test after 30 s. */
static inline void
bed_run_idle(struct output_bed *bed)
{
	int64_t end = clock_monotonic_ns() + 30 * NS_PER_SEC;

	while (!output_idle(bed->output)) {
		assert_true(clock_monotonic_ns() < end);
		event_base_loop(bed->base, EVLOOP_ONCE);
		bed_state(bed);
	}
}

/* Runs until so many requests have failed; fails the test after 30 s. */
static inline void
bed_run_failed(struct output_bed *bed, uint64_t times)
{
	int64_t end = clock_monotonic_ns() + 30 * NS_PER_SEC;

	while (bed_state(bed).requests_failed < times) {
		assert_true(clock_monotonic_ns() < end);
		event_base_loop(bed->base, EVLOOP_ONCE);
	}
}

/* Pushes one batch of whole lines; text is cut at its LFs (none in strings). */
static inline void
bed_push(struct output_bed *bed, uint16_t target, bool raw, struct str text)
{
	struct batch *batch = batch_new(target, raw, 0, clock_monotonic_ns());

	buf_add(&batch->lines, text);
	for (size_t i = 0; i < text.len; i++)
		batch->points += text.ptr[i] == '\n';
	batch_seal(batch);
	output_push(bed->output, batch);
	batch_unref(&batch);
}

/* Pushes lines `m n=FIRSTi TIME` ... in one batch. */
static inline void
bed_push_numbers(struct output_bed *bed, unsigned first, unsigned count)
{
	struct buf text = BUF_EMPTY;

	for (unsigned i = first; i < first + count; i++)
		buf_printf(&text, "m n=%ui %u\n", i, i + 1);
	bed_push(bed, 0, true, buf_str(&text));
	buf_fini(&text);
}

static inline char *
bed_read_file(const char *dir, const char *name)
{
	char path[256];
	char *text = calloc(1, 1 << 20);

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "r");
	if (file == NULL) {
		free(text);
		return NULL;
	}
	size_t n = fread(text, 1, (1 << 20) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}
