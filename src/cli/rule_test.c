/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rule_test.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "metric/aggregator.h"
#include "metric/line_protocol.h"
#include "pipeline.h"

struct lines {
	struct str *list; /* each owned */
	size_t n;
};

struct bench { /* what one rule's examples run on */
	const struct rule_info *rule;
	size_t index;
	struct pipeline *pipeline;
	struct matcher *matcher;
	struct aggregator *aggregator;
	struct lines got;
	size_t known_missing; /* expected points of examples that did not match */
	struct rule_test_result *result;
};

static void
no_batch(void *ctx, struct batch *batch, struct tally *tally)
{
	(void)ctx;
	if (batch != NULL)
		batch_unref(&batch);
	free(tally);
}

static void
no_delta(void *ctx, struct delta *delta)
{
	(void)ctx;
	delta_free(&delta);
}

static void
collect(void *ctx, uint16_t target, struct str line)
{
	struct lines *lines = ctx;

	(void)target;
	lines->list = xrealloc(lines->list, (lines->n + 1) * sizeof(*lines->list));
	lines->list[lines->n++] = (struct str){ xstrndup(line.ptr, line.len), line.len };
}

static void
forget(struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free((void *)(uintptr_t)lines->list[i].ptr); /* NOLINT(performance-no-int-to-ptr) */
	free(lines->list);
	*lines = (struct lines){ NULL, 0 };
}

/* ---- comparing points ---- */

static bool
same_field(const struct lp_field *a, const struct lp_field *b)
{
	if (a->type != b->type || !str_equal(a->key, b->key))
		return false;
	if (a->type == LP_STRING)
		return str_equal(a->text, b->text);
	return a->type == LP_FLOAT ? a->number == b->number : a->integer == b->integer;
}

static bool
has_tag(const struct lp_point *point, const struct lp_tag *tag)
{
	for (size_t i = 0; i < point->n_tags; i++)
		if (str_equal(point->tags[i].key, tag->key) &&
			str_equal(point->tags[i].value, tag->value))
			return true;
	return false;
}

static bool
has_field(const struct lp_point *point, const struct lp_field *field)
{
	for (size_t i = 0; i < point->n_fields; i++)
		if (same_field(&point->fields[i], field))
			return true;
	return false;
}

/* Tags and fields in any order; the time only when the expectation gives one. */
static bool
same_point(const struct lp_point *expected, const struct lp_point *got)
{
	if (!str_equal(expected->measurement, got->measurement) ||
		expected->n_tags != got->n_tags || expected->n_fields != got->n_fields ||
		(expected->has_time && expected->time_ns != got->time_ns))
		return false;
	for (size_t i = 0; i < expected->n_tags; i++)
		if (!has_tag(got, &expected->tags[i]))
			return false;
	for (size_t i = 0; i < expected->n_fields; i++)
		if (!has_field(got, &expected->fields[i]))
			return false;
	return true;
}

static bool
read_point(struct str line, struct buf *scratch, struct lp_point *point, const char **why)
{
	buf_clear(scratch);
	return lp_read(&line, scratch, point, why);
}

static void
report(struct bench *bench, int line, const char *what, struct str text)
{
	buf_printf(&bench->result->report, "%.*s:%d: [rule %.*s] %s\n        %.*s\n",
		(int)bench->rule->file.len, bench->rule->file.ptr, line, (int)bench->rule->name.len,
		bench->rule->name.ptr, what, (int)text.len, text.ptr);
}

/* Takes the expected point off the points got; false when it is not among them. */
static bool
take_expected(struct bench *bench, struct str expect, int line)
{
	struct lp_point *expected = xmalloc(sizeof(*expected)), *got = xmalloc(sizeof(*got));
	struct buf scratch = BUF_EMPTY, got_scratch = BUF_EMPTY, words = BUF_EMPTY;
	const char *why = NULL;
	bool found = false;

	if (!read_point(expect, &scratch, expected, &why)) {
		buf_printf(&words, "expect is not a point in line protocol, %s:", why);
		report(bench, line, buf_cstr(&words), expect);
	} else {
		for (size_t i = 0; i < bench->got.n && !found; i++) {
			struct str *point = &bench->got.list[i];

			if (!read_point(*point, &got_scratch, got, &why) ||
				!same_point(expected, got))
				continue;
			free((void *)(uintptr_t)point->ptr); /* NOLINT(performance-no-int-to-ptr) */
			*point = bench->got.list[--bench->got.n];
			found = true;
		}
		if (!found)
			report(bench, line, "expected point did not come", expect);
	}
	buf_fini(&scratch);
	buf_fini(&got_scratch);
	buf_fini(&words);
	free(expected);
	free(got);
	return found;
}

/* ---- running ---- */

/* Feeds one line to the rule; true when it matched. words: why, when it did not. */
static bool
feed(struct bench *bench, struct str line, struct buf *words)
{
	struct ordinals ordinals = { 0 };
	struct origin origin = { .source = STR_ABSENT, .ordinals = &ordinals };
	struct frame frame = { .bytes = line };
	struct log_record *record = xmalloc(sizeof(*record));
	struct rule_input input;
	struct delta *delta = delta_new();

	pipeline_look(bench->pipeline, &origin, &frame, clock_realtime_ns(), record, &input);
	bool matched = matcher_explain(bench->matcher, bench->index, &input, delta, words);
	aggregator_merge(bench->aggregator, delta, input.received_ns);
	delta_free(&delta);
	free(record);
	return matched;
}

static void
run_examples(struct bench *bench)
{
	struct rule_test_result *result = bench->result;
	struct buf words = BUF_EMPTY;

	for (size_t i = 0; i < bench->rule->n_examples; i++) {
		const struct rule_example *example = &bench->rule->examples[i];
		bool is_reject = !str_present(example->example);

		buf_clear(&words);
		result->examples++;
		bool matched = feed(bench, is_reject ? example->reject : example->example, &words);
		if (is_reject && matched) {
			result->failed++;
			report(bench, example->line, "must not match, but does:", example->reject);
		} else if (!is_reject && !matched) {
			result->failed++;
			bench->known_missing += example->n_expects;
			report(bench, example->line, "example does not match:", example->example);
			report(bench, example->line, "because:", str_trim(buf_str(&words)));
		}
	}
	buf_fini(&words);
}

static void
compare(struct bench *bench)
{
	bool has_expects = false;
	size_t missing = 0;

	aggregator_close(bench->aggregator, INT64_MAX);
	for (size_t i = 0; i < bench->rule->n_examples; i++) {
		const struct rule_example *example = &bench->rule->examples[i];

		for (size_t e = 0; e < example->n_expects; e++) {
			has_expects = true;
			missing += !take_expected(bench, example->expects[e], example->line);
		}
	}
	missing -= missing < bench->known_missing ? missing : bench->known_missing;
	/* A point that came out wrong is one failure, though it is both missing and unexpected. */
	if (has_expects)
		bench->result->failed += (unsigned)(missing > bench->got.n ? missing
									   : bench->got.n);
	for (size_t i = 0; has_expects && i < bench->got.n; i++) {
		report(bench, bench->rule->line,
			"point that was not expected:", bench->got.list[i]);
	}
}

static void
test_rule(const struct pipeline_shared *shared, size_t index, struct rule_test_result *result)
{
	const struct pipeline_sink sink = { no_batch, no_delta, NULL };
	const struct aggregator_options options = { .virtual_clock = true,
		.max_series = shared->settings->metrics.max_series };
	struct bench bench = {
		.rule = ruleset_rule(shared->ruleset, index), .index = index, .result = result
	};

	if (bench.rule->n_examples == 0) {
		result->untested++;
		return;
	}
	result->rules++;
	bench.pipeline = pipeline_new(shared, 0, 1, &sink);
	bench.matcher = matcher_new(shared->ruleset);
	bench.aggregator = aggregator_new(ruleset_defs(shared->ruleset),
		ruleset_size(shared->ruleset), &options, collect, &bench.got);
	run_examples(&bench);
	compare(&bench);
	forget(&bench.got);
	aggregator_free(&bench.aggregator);
	matcher_free(&bench.matcher);
	pipeline_free(&bench.pipeline);
}

bool
rule_test_run(const struct settings *settings, struct rule_test_result *result, struct err *err)
{
	struct pipeline_shared shared;
	bool ok = pipeline_shared_init(&shared, settings, err);

	shared.virtual_clock = true;
	*result = (struct rule_test_result){ 0, 0, 0, 0, BUF_EMPTY };
	if (ok)
		for (size_t i = 0; i < ruleset_size(shared.ruleset); i++)
			test_rule(&shared, i, result);
	pipeline_shared_fini(&shared);
	return ok;
}
