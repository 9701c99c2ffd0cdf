/* SPDX-License-Identifier: Apache-2.0 */
/* `logmill explain`: how one line is parsed, the raw log point it makes, and what each rule makes
 * of it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "metric/aggregator.h"
#include "pipeline.h"

static bool
use_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0');
}

static void
print_value(const char *name, struct str value)
{
	if (str_present(value))
		printf("  %-10s %.*s\n", name, (int)value.len, value.ptr);
}

static void
print_record(const struct log_record *record)
{
	static const char *const formats[] = { "RFC 5424", "RFC 3164",
		"raw (not readable as syslog)" };
	struct buf text = BUF_EMPTY;

	printf("  %-10s %s\n", "format", formats[record->format]);
	if (record->error != LOG_ERR_NONE)
		printf("  %-10s %s: %s, at byte %u\n", "problem", log_error_name(record->error),
			log_error_text(record->error), (unsigned)record->column);
	print_value("facility", log_facility_names[record->facility]);
	print_value("severity", log_severity_names[record->severity]);
	if (record->has_time) {
		clock_format(&text, record->time_ns, 9);
		print_value("time", buf_str(&text));
	}
	print_value("hostname", record->hostname);
	print_value("appname", record->appname);
	print_value("procid", record->procid);
	print_value("msgid", record->msgid);
	for (size_t i = 0; i < record->n_sd; i++) {
		const struct log_sd *sd = &record->sd[i];

		printf("  %-10s %.*s%s%.*s%s%.*s\n", "sd", (int)sd->id.len, sd->id.ptr,
			sd->name.len > 0 ? "." : "", (int)sd->name.len,
			sd->name.ptr != NULL ? sd->name.ptr : "", sd->name.len > 0 ? " = " : "",
			(int)sd->value.len, sd->value.ptr != NULL ? sd->value.ptr : "");
	}
	print_value("message", record->message);
	buf_fini(&text);
}

static void
print_point(void *ctx, uint16_t target, struct str line)
{
	(void)ctx;
	(void)target;
	printf("  point      %.*s\n", (int)line.len, line.ptr);
}

static void
keep_batch(void *ctx, struct batch *batch, struct tally *tally)
{
	(void)ctx;
	if (batch != NULL) {
		printf("  point      %.*s", (int)batch->lines.len, batch->lines.ptr);
		batch_unref(&batch);
	}
	free(tally);
}

static void
keep_delta(void *ctx, struct delta *delta)
{
	(void)ctx;
	delta_free(&delta);
}

static void
explain_rule(const struct pipeline_shared *shared, struct matcher *matcher, size_t i,
	const struct rule_input *input)
{
	const struct aggregator_options options = { .virtual_clock = true,
		.max_series = shared->settings->metrics.max_series };
	const struct rule_info *rule = ruleset_rule(shared->ruleset, i);
	struct buf words = BUF_EMPTY;
	struct delta *delta = delta_new();
	bool matched = matcher_explain(matcher, i, input, delta, &words);
	bool colour = use_colour();

	printf("\n%s[rule %.*s]%s %s\n", colour ? (matched ? "\033[32m" : "\033[2m") : "",
		(int)rule->name.len, rule->name.ptr, colour ? "\033[0m" : "",
		matched ? "matches" : "does not match");
	for (struct str rest = buf_str(&words); rest.len > 0;) {
		const char *end = memchr(rest.ptr, '\n', rest.len);
		size_t n = end != NULL ? (size_t)(end - rest.ptr) : rest.len;

		printf("  %.*s\n", (int)n, rest.ptr);
		n += end != NULL;
		rest = (struct str){ rest.ptr + n, rest.len - n };
	}
	if (matched) {
		struct aggregator *aggregator = aggregator_new(ruleset_defs(shared->ruleset),
			ruleset_size(shared->ruleset), &options, print_point, NULL);

		aggregator_merge(aggregator, delta, input->received_ns);
		aggregator_close(aggregator, INT64_MAX);
		aggregator_free(&aggregator);
	}
	delta_free(&delta);
	buf_fini(&words);
}

int
command_explain(const struct command_args *args)
{
	const struct pipeline_sink sink = { keep_batch, keep_delta, NULL };
	struct pipeline_shared shared;
	struct err err = ERR_NONE;
	struct ordinals ordinals = { 0 };
	struct origin origin = { .source = STR_ABSENT, .ordinals = &ordinals };
	struct frame frame = { .bytes = str_from(args->words[0]) };
	struct rule_input input;

	if (!pipeline_shared_init(&shared, args->settings, &err)) {
		pipeline_shared_fini(&shared);
		int code = command_config_failed(&err);
		err_fini(&err);
		return code;
	}
	struct log_record *record = xmalloc(sizeof(*record));
	shared.virtual_clock = true;
	struct pipeline *pipeline = pipeline_new(&shared, 0, 1, &sink);
	struct matcher *matcher = matcher_new(shared.ruleset);
	int64_t now = clock_realtime_ns();
	pipeline_look(pipeline, &origin, &frame, now, record, &input);
	printf("line\n");
	print_record(record);
	ordinals = (struct ordinals){ 0 };
	pipeline_message(pipeline, &origin, &frame, now);
	pipeline_flush(pipeline);
	for (size_t i = 0; i < ruleset_size(shared.ruleset); i++)
		explain_rule(&shared, matcher, i, &input);
	if (ruleset_size(shared.ruleset) == 0)
		printf("\nno rules are loaded\n");
	matcher_free(&matcher);
	pipeline_free(&pipeline);
	pipeline_shared_fini(&shared);
	free(record);
	return fflush(stdout) == 0 ? 0 : 2;
}
