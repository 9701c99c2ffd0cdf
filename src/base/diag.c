/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { DIAG_MAX_VALUE = 256 };

static enum diag_level lowest = DIAG_INFO;
static const char *const level_names[] = { "debug", "info", "warn", "error" };

void
diag_set_level(enum diag_level level)
{
	lowest = level;
}

static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
			return false;
	}
	return s.len > 0;
}

static void
add_value(struct buf *line, struct str s)
{
	bool cut = s.len > DIAG_MAX_VALUE;

	if (cut)
		s.len = DIAG_MAX_VALUE;
	if (is_plain(s) && !cut) {
		buf_add(line, s);
		return;
	}
	buf_add_char(line, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == '"' || c == '\\')
			buf_printf(line, "\\%c", c);
		else if (c == '\n')
			buf_add_text(line, "\\n");
		else if (c < ' ' || c >= 0x7f)
			buf_printf(line, "\\x%02x", c);
		else
			buf_add_char(line, (char)c);
	}
	buf_add_text(line, cut ? "...\"" : "\"");
}

void
diag_write(enum diag_level level, const char *event, const struct diag_field *fields)
{
	struct buf line = BUF_EMPTY;

	if (level < lowest)
		return;
	buf_add_text(&line, "time=");
	clock_format(&line, clock_realtime_ns(), 3);
	buf_printf(&line, " level=%s event=%s", level_names[level], event);
	for (; fields->key != NULL; fields++) {
		buf_printf(&line, " %s=", fields->key);
		if (fields->kind == DIAG_IS_INT)
			buf_add_int(&line, fields->number);
		else
			add_value(&line, fields->text);
	}
	buf_add_char(&line, '\n');
	for (size_t done = 0; done < line.len;) {
		ssize_t n = write(STDERR_FILENO, line.ptr + done, line.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* nobody reads our log: nothing better to do than go on */
		done += (size_t)n;
	}
	buf_fini(&line);
}

bool
diag_allowed(struct diag_limit *limit, int64_t monotonic_ns, int64_t interval_ns)
{
	if (monotonic_ns < limit->next_ns) {
		limit->suppressed++;
		return false;
	}
	limit->next_ns = monotonic_ns + interval_ns;
	limit->suppressed = 0;
	return true;
}
