/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a rule file: errors, or rules that run and whose points can be read back. */
#include <assert.h>

#include "match/ruleset.h"
#include "metric/line_protocol.h"
#include "parser/log_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const lines[] = {
	"<4>1 2026-11-20T10:00:00Z n1 kernel - - - Out of memory: Killed process 4321 (ja va) "
	"total-vm:1kB, anon-rss:8kB",
	"<13>1 - - - 512 - [a@1 b=\"q\\\"=, \\\\\" c.d=\"1.5\"][flag] a,b=c d \"e\" \\",
	"<191>Nov 20 10:00:00 host tag[1]: "
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xff\xc3\xa4! 5.4ms 10MiB",
	"",
};

static void
check_point(struct str series, struct str fields)
{
	static struct lp_point point;
	struct buf line = BUF_EMPTY, scratch = BUF_EMPTY;
	const char *why;

	buf_printf(&line, "%.*s n=1i%s", (int)series.len, series.ptr, fields.len > 0 ? "," : "");
	buf_add(&line, fields);
	struct str rest = buf_str(&line);
	assert(lp_read(&rest, &scratch, &point, &why) && rest.len == 0);
	buf_fini(&line);
	buf_fini(&scratch);
}

static void
run(const struct ruleset *ruleset)
{
	struct matcher *matcher = matcher_new(ruleset);
	struct delta *delta = delta_new();
	struct delta_window window;
	struct delta_match match;
	struct buf text = BUF_EMPTY;
	static struct log_record record;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		log_parse(str_from(lines[i]), &(struct log_parse_options){ .best_effort = true },
			&record);
		struct rule_input input = { &record, STR("::1"),
			record.has_time ? record.time_ns : 1, 2 };
		matcher_run(matcher, &input, delta);
		for (size_t rule = 0; rule < ruleset_size(ruleset); rule++)
			matcher_explain(matcher, rule, &input, delta, &text);
	}
	for (size_t cursor = 0; delta_next_window(delta, &cursor, &window);)
		check_point(window.series, STR_ABSENT);
	for (size_t cursor = 0; delta_next_match(delta, &cursor, &match);)
		check_point(match.series, match.fields);
	buf_fini(&text);
	delta_free(&delta);
	matcher_free(&matcher);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings = { .metrics = { .every_ns = 10000000000, .max_series = 10 } };
	struct err err = ERR_NONE;

	if (ini_read_text(
		    &settings.rules, "f.ini", (struct str){ (const char *)data, size }, &err)) {
		struct ruleset *ruleset = ruleset_new(&settings, &err);

		assert((ruleset == NULL) == (err.count > 0));
		if (ruleset != NULL)
			run(ruleset);
		ruleset_unref(&ruleset);
	}
	ini_fini(&settings.rules);
	err_fini(&err);
	return 0;
}
