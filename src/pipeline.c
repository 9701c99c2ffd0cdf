/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"

enum {
	DELTA_BYTES_MAX = 4 << 20, /* a delta this large is handed over at once */
	BATCH_SLACK = 64 << 10,    /* room behind batch_bytes, so that the last line rarely makes a
				      batch grow */
	USUAL_LINE = 4096, /* a batch ends this short of batch_bytes: outputs need not cut it */
};

struct pipeline {
	const struct pipeline_shared *shared;
	struct pipeline_sink sink;
	struct log_parse_options *parse; /* per listener */
	struct log_point_encoder encoder;
	struct stamper stamper;
	struct matcher *matcher;
	struct delta *delta;
	struct batch *batch; /* being filled; NULL between batches */
	struct tally *tally;
	struct log_record record; /* of the message at hand */
};

struct tally *
tally_new(size_t n_listeners)
{
	struct tally *tally = xcalloc(
		1, sizeof(*tally) + n_listeners * sizeof(tally->listeners[0]));

	tally->n = n_listeners;
	return tally;
}

void
tally_add(struct tally *into, const struct tally *from)
{
	/* Counters and nothing else: the struct is an array of uint64_t. */
	size_t words = sizeof(from->listeners[0]) / sizeof(uint64_t);

	for (size_t i = 0; i < from->n; i++) {
		uint64_t *a = (uint64_t *)&into->listeners[i];
		const uint64_t *b = (const uint64_t *)&from->listeners[i];

		for (size_t w = 0; w < words; w++)
			a[w] += b[w];
	}
}

static bool
tally_empty(const struct tally *tally)
{
	for (size_t i = 0; i < tally->n; i++)
		if (tally->listeners[i].received > 0)
			return false;
	return true;
}

struct pipeline *
pipeline_new(const struct pipeline_shared *shared, uint32_t worker, uint32_t n_workers,
	const struct pipeline_sink *sink)
{
	const struct settings *settings = shared->settings;
	size_t n = settings->n_listens > 0
		? settings->n_listens
		: 1; /* replay and explain have none: entry 0 stands for files */
	struct pipeline *pipeline = xcalloc(1, sizeof(*pipeline));

	pipeline->shared = shared;
	pipeline->sink = *sink;
	pipeline->parse = xcalloc(n, sizeof(*pipeline->parse));
	pipeline->parse[0] = (struct log_parse_options){ .format = LOG_PARSE_AUTO,
		.best_effort = true };
	for (size_t i = 0; i < settings->n_listens; i++)
		pipeline->parse[i] =
			(struct log_parse_options){ .format = settings->listens[i].format,
				.best_effort = settings->listens[i].best_effort };
	log_point_encoder_init(
		&pipeline->encoder, &settings->logs, str_from(settings->host), shared->names);
	pipeline->stamper = (struct stamper){ .slots = shared->slots,
		.worker = worker,
		.n_workers = n_workers,
		.received_only = settings->logs.time_received,
		.virtual_clock = shared->virtual_clock,
		.max_age_ns = settings->logs.max_age_ns,
		.max_future_ns = settings->logs.max_future_ns };
	pipeline->matcher = matcher_new(shared->ruleset);
	pipeline->delta = delta_new();
	pipeline->tally = tally_new(n);
	return pipeline;
}

void
pipeline_free(struct pipeline **pipeline)
{
	struct pipeline *p = *pipeline;

	if (p == NULL)
		return;
	if (p->batch != NULL)
		batch_unref(&p->batch);
	log_point_encoder_fini(&p->encoder);
	matcher_free(&p->matcher);
	delta_free(&p->delta);
	free(p->tally);
	free(p->parse);
	free(p);
	*pipeline = NULL;
}

static void
hand_over_batch(struct pipeline *pipeline)
{
	struct batch *batch = pipeline->batch;
	struct tally *tally = pipeline->tally;

	pipeline->batch = NULL;
	pipeline->tally = tally_new(tally->n);
	if (batch != NULL)
		batch_seal(batch);
	pipeline->sink.batch(pipeline->sink.ctx, batch, tally);
}

static void
hand_over_delta(struct pipeline *pipeline)
{
	struct delta *delta = pipeline->delta;

	pipeline->delta = delta_new();
	pipeline->sink.delta(pipeline->sink.ctx, delta);
}

void
pipeline_flush(struct pipeline *pipeline)
{
	if (pipeline->batch != NULL || !tally_empty(pipeline->tally))
		hand_over_batch(pipeline);
	if (!delta_empty(pipeline->delta))
		hand_over_delta(pipeline);
}

static void
add_point(struct pipeline *pipeline, const struct log_point *point, struct stamp *stamp)
{
	const struct pipeline_shared *shared = pipeline->shared;

	if (pipeline->batch == NULL)
		pipeline->batch = batch_new(
			0, true, shared->batch_bytes + BATCH_SLACK, clock_monotonic_ns());
	log_point_add(&pipeline->encoder, point, &pipeline->batch->lines);
	stamper_settle(&pipeline->stamper, point->record, stamp);
	log_point_finish(&pipeline->encoder, stamp->point_ns, &pipeline->batch->lines);
	pipeline->batch->points++;
	if (pipeline->batch->points >= shared->batch_points ||
		pipeline->batch->lines.len + USUAL_LINE >= shared->batch_bytes)
		hand_over_batch(pipeline);
}

static void
count_message(struct listener_tally *tally, const struct log_record *record,
	const struct frame *frame, bool skewed)
{
	tally->received++;
	tally->bytes += frame->bytes.len;
	tally->by_format[record->format]++;
	tally->parse_errors[record->error]++; /* [LOG_ERR_NONE] counts the clean ones */
	tally->truncated += frame->truncated;
	tally->clock_skew += skewed;
}

static struct stamp
parse_and_begin(struct pipeline *pipeline, const struct origin *origin, const struct frame *frame,
	int64_t received_ns, struct log_record *record)
{
	struct log_parse_options *options = &pipeline->parse[origin->listener];

	options->now_ns = received_ns;
	log_parse(frame->bytes, options, record);
	return stamper_begin(
		&pipeline->stamper, origin->ordinals, origin->peer, record, received_ns);
}

void
pipeline_message(struct pipeline *pipeline, const struct origin *origin, const struct frame *frame,
	int64_t received_ns)
{
	struct log_record *record = &pipeline->record;
	struct stamp stamp = parse_and_begin(pipeline, origin, frame, received_ns, record);
	struct rule_input input = { record, origin->source, stamp.event_ns, stamp.received_ns };
	struct listener_tally *tally = &pipeline->tally->listeners[origin->listener];

	count_message(tally, record, frame, stamp.skewed);
	matcher_run(pipeline->matcher, &input, pipeline->delta);
	if (delta_bytes(pipeline->delta) > DELTA_BYTES_MAX)
		hand_over_delta(pipeline);
	if (!pipeline->shared->settings->logs.enabled) {
		tally->skipped[SKIP_LOGS_OFF]++;
		return;
	}
	const struct log_point point = {
		.record = record, .source = origin->source, .truncated = frame->truncated
	};
	add_point(pipeline, &point, &stamp);
}

void
pipeline_skip(struct pipeline *pipeline, uint32_t listener, enum skip_reason reason, size_t bytes)
{
	struct listener_tally *tally = &pipeline->tally->listeners[listener];

	tally->received++;
	tally->bytes += bytes;
	tally->skipped[reason]++;
}

int64_t
pipeline_clock(const struct pipeline *pipeline)
{
	return pipeline->stamper.clock_ns;
}

const struct matcher *
pipeline_matcher(const struct pipeline *pipeline)
{
	return pipeline->matcher;
}

void
pipeline_look(struct pipeline *pipeline, const struct origin *origin, const struct frame *frame,
	int64_t received_ns, struct log_record *record, struct rule_input *input)
{
	struct stamp stamp = parse_and_begin(pipeline, origin, frame, received_ns, record);

	*input = (struct rule_input){ record, origin->source, stamp.event_ns, stamp.received_ns };
}
