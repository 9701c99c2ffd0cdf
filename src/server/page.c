/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain page at /: one HTML document without scripts that reloads itself. The messages shown
 * are read back from the batches that were just sent, so looking costs the workers nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "metric/line_protocol.h"
#include "server/status.h"

enum {
	PAGE_SERIES = 20,    /* shown of one rule */
	PAGE_MESSAGE = 2048, /* bytes shown of a message */
};

static const char style[] =
	"body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem;color:#222;background:#fff}"
	"table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{padding:.15rem .7rem .15rem "
	"0;text-align:left;vertical-align:top}"
	"th{border-bottom:1px solid "
	"#999;font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums}"
	"td.m{font-family:ui-monospace,monospace;white-space:pre-wrap;word-break:break-word}"
	".emerg,.alert,.crit,.err{color:#b00020}.warning{color:#8a5a00}.debug{color:#666}.bad{"
	"color:#b00020;font-weight:600}"
	"@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}.emerg,.alert,.crit,."
	"err,.bad{color:#ff7b7b}"
	".warning{color:#e5b567}.debug{color:#999}}";

static void
add_html(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		switch (s.ptr[i]) {
		case '<': buf_add_text(out, "&lt;"); break;
		case '>': buf_add_text(out, "&gt;"); break;
		case '&': buf_add_text(out, "&amp;"); break;
		case '"': buf_add_text(out, "&quot;"); break;
		default: buf_add_char(out, s.ptr[i]);
		}
	}
}

static void
cell(struct buf *out, struct str s)
{
	buf_add_text(out, "<td>");
	add_html(out, s);
	buf_add_text(out, "</td>");
}

static void
number_cell(struct buf *out, uint64_t number)
{
	buf_printf(out, "<td class=n>%llu</td>", (unsigned long long)number);
}

static void
write_listeners(const struct status *status, struct buf *out)
{
	const struct settings *settings = status->shared->settings;

	buf_add_text(out,
		"<h2>Listeners</h2><table><tr><th>name<th>address<th>messages/s<th>received<th>not "
		"parsable<th>connections</tr>");
	for (size_t i = 0; i < settings->n_listens; i++) {
		const struct listener_tally *tally = &status->snapshot->tally->listeners[i];

		buf_add_text(out, "<tr>");
		cell(out, str_from(settings->listens[i].name));
		cell(out, str_from(settings->listens[i].address));
		buf_printf(out, "<td class=n>%.1f</td>", status->rates[i]);
		number_cell(out, tally->received);
		number_cell(out, tally->by_format[LOG_FORMAT_RAW]);
		number_cell(out, status->flow->listeners[i].open);
		buf_add_text(out, "</tr>");
	}
	buf_add_text(out, "</table>");
}

static void
write_outputs(const struct status *status, struct buf *out)
{
	const struct settings *settings = status->shared->settings;

	buf_add_text(out,
		"<h2>Outputs</h2><table><tr><th>name<th>state<th>written<th>queued<th>rejected</"
		"tr>");
	for (size_t i = 0; i < status->snapshot->n_outputs; i++) {
		const struct output_state *state = &status->snapshot->outputs[i];
		uint64_t rejected = 0;

		for (size_t r = 0; r < REJECT_REASON_COUNT; r++)
			rejected += state->counts[0].rejected[r] + state->counts[1].rejected[r];
		buf_add_text(out, "<tr>");
		cell(out, str_from(settings->outputs[i].name));
		if (state->healthy)
			buf_add_text(out, "<td>ok</td>");
		else
			buf_printf(out, "<td class=bad>%s</td>",
				state->problem != NULL ? state->problem : "failing");
		number_cell(out, state->counts[0].written + state->counts[1].written);
		number_cell(out, state->counts[0].queued + state->counts[1].queued);
		number_cell(out, rejected);
		buf_add_text(out, "</tr>");
	}
	buf_add_text(out, "</table>");
}

static void
write_series(void *ctx, struct str series, int64_t total, int64_t last_match_ns)
{
	struct buf *out = ctx;

	buf_add_text(out, "<tr><td></td>");
	cell(out, series);
	buf_printf(out, "<td class=n>%lld</td><td>", (long long)total);
	clock_format(out, last_match_ns, 0);
	buf_add_text(out, "</td></tr>");
}

static void
write_rules(const struct status *status, struct buf *out)
{
	const struct ruleset *rules = status->shared->ruleset;

	buf_add_text(out, "<h2>Rules</h2>");
	if (ruleset_size(rules) == 0) {
		buf_add_text(out, "<p>No rules are loaded.</p>");
		return;
	}
	buf_add_text(out, "<table><tr><th>rule<th>series<th>matches<th>last match</tr>");
	for (size_t i = 0; i < ruleset_size(rules); i++) {
		const struct rule_info *rule = ruleset_rule(rules, i);
		struct rule_state state;

		aggregator_rule_state(status->aggregator, (uint32_t)i, &state);
		buf_add_text(out, "<tr>");
		cell(out, rule->name);
		cell(out, rule->description);
		number_cell(out, status->rules[i].matched);
		buf_add_text(out, "<td>");
		if (state.last_match_ns != 0)
			clock_format(out, state.last_match_ns, 0);
		else
			buf_add_text(out, "not yet");
		buf_add_text(out, "</td></tr>");
		aggregator_each_series(
			status->aggregator, (uint32_t)i, PAGE_SERIES, write_series, out);
		if (state.series > PAGE_SERIES)
			buf_printf(out, "<tr><td></td><td>and %llu more</td></tr>",
				(unsigned long long)(state.series - PAGE_SERIES));
	}
	buf_add_text(out, "</table>");
}

static struct str
tag_of(const struct lp_point *point, const char *key)
{
	for (size_t i = 0; i < point->n_tags; i++)
		if (str_is(point->tags[i].key, key))
			return point->tags[i].value;
	for (size_t i = 0; i < point->n_fields; i++)
		if (point->fields[i].type == LP_STRING && str_is(point->fields[i].key, key))
			return point->fields[i].text;
	return STR("");
}

static void
write_message(struct buf *out, const struct lp_point *point)
{
	struct str severity = tag_of(point, "severity");

	buf_add_text(out, "<tr class=\"");
	add_html(out, severity);
	buf_add_text(out, "\"><td>");
	clock_format(out, point->time_ns, 6);
	buf_add_text(out, "</td>");
	cell(out, severity);
	cell(out, tag_of(point, "hostname"));
	cell(out, tag_of(point, "appname"));
	buf_add_text(out, "<td class=m>");
	struct str message = tag_of(point, "message");
	bool cut = message.len > PAGE_MESSAGE;
	if (cut)
		message.len = PAGE_MESSAGE;
	while (cut && message.len > 0 && ((unsigned char)message.ptr[message.len] & 0xc0) == 0x80)
		message.len--; /* not inside a character */
	add_html(out, message);
	if (cut)
		buf_add_text(out, " &hellip;");
	buf_add_text(out, "</td></tr>");
}

/* The newest first: lines are read front to back, so each batch's rows are collected and put out in
 * reverse. */
static void
write_messages(const struct status *status, struct buf *out)
{
	const struct snapshot *snapshot = status->snapshot;
	struct lp_point *point = xmalloc(sizeof(*point));
	struct buf scratch = BUF_EMPTY, rows = BUF_EMPTY;
	size_t shown = 0;

	buf_add_text(out,
		"<h2>Last "
		"messages</h2><table><tr><th>time<th>severity<th>hostname<th>appname<th>message</"
		"tr>");
	for (size_t b = snapshot->n_recent; b-- > 0 && shown < RECENT_POINTS;) {
		struct str lines = buf_str(&snapshot->recent[b]->lines);
		size_t n = 0, skip = snapshot->recent[b]->points,
		       *ends = xcalloc(skip + 1, sizeof(*ends));

		skip = skip > RECENT_POINTS - shown ? skip - (RECENT_POINTS - shown) : 0;
		buf_clear(&rows);
		while (lines.len > 0) {
			const char *why;

			buf_clear(&scratch);
			if (!lp_read(&lines, &scratch, point, &why) || skip > 0) {
				skip -= skip > 0;
				continue;
			}
			write_message(&rows, point);
			ends[++n] = rows.len;
		}
		shown += n;
		for (; n > 0; n--)
			buf_add(out, (struct str){ rows.ptr + ends[n - 1], ends[n] - ends[n - 1] });
		free(ends);
	}
	buf_add_text(out, "</table>");
	if (shown == 0)
		buf_add_text(out, "<p>Nothing received yet.</p>");
	buf_fini(&rows);
	buf_fini(&scratch);
	free(point);
}

void
page_write(const struct status *status, struct buf *out)
{
	buf_printf(out,
		"<!doctype html><html lang=en><head><meta charset=utf-8><meta http-equiv=refresh "
		"content=2>"
		"<meta name=viewport "
		"content=\"width=device-width\"><title>logmill</title><style>%s</style></"
		"head><body>"
		"<h1>logmill %s</h1><p>Up %lld s. Numbers for Prometheus: <a "
		"href=/metrics>/metrics</a></p>",
		style, LOGMILL_VERSION,
		(long long)((clock_monotonic_ns() - status->started_ns) / NS_PER_SEC));
	write_listeners(status, out);
	write_outputs(status, out);
	write_rules(status, out);
	write_messages(status, out);
	buf_add_text(out, "</body></html>\n");
}
