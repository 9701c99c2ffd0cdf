/* SPDX-License-Identifier: Apache-2.0 */
#include "sink_points.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "sink_table.h"
#include "util.h"

enum {
	MAX_MEASUREMENTS = 64, /* the next ones share a last entry */
	MAX_NAME = 256,
	MAX_MISSING_LISTED = 10,
	SEQ_DIGITS = 8,
	SEQ_LEN = sizeof("seq=") - 1 + SEQ_DIGITS,
};

struct measurement {
	char name[MAX_NAME];
	size_t len;
	uint64_t lines;
	int64_t count; /* sum over series and windows */
};

struct points {
	struct measurement measurements[MAX_MEASUREMENTS + 1];
	size_t n_measurements;
	uint64_t lines, bad_lines;
	int64_t time_min, time_max; /* of the points, as written */

	uint64_t messages;
	uint8_t *seen; /* one bit a message number */
	uint64_t n_seen, n_dup, n_foreign;
	struct table windows; /* series and time of a rule's point -> its count */
	bool identity;
	struct table identities; /* series and time of a raw point -> its message number */
	uint64_t n_same_point, n_merged;
};

/* One line of line protocol; views into the body. */
struct line {
	const char *start;
	const char *fields; /* after the blank that ends the tags */
	const char *end;    /* without the line feed */
	const char *seq;    /* "seq=NNNNNNNN" at the end of a string, or NULL */
	int64_t time;       /* ns; 0 when the line has none */
	bool has_time;
};

struct points *
points_new(uint64_t messages, bool identity)
{
	struct points *points = must_calloc(1, sizeof(*points));

	points->messages = messages;
	points->seen = must_calloc(messages / 8 + 1, 1);
	points->identity = identity;
	points->time_min = INT64_MAX;
	points->time_max = INT64_MIN;
	return points;
}

void
points_free(struct points **points)
{
	if (*points == NULL)
		return;
	table_fini(&(*points)->windows);
	table_fini(&(*points)->identities);
	free((*points)->seen);
	free(*points);
	*points = NULL;
}

static bool
is_seq(const char *p)
{
	if (memcmp(p, "seq=", 4) != 0)
		return false;
	for (int i = 4; i < (int)SEQ_LEN; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

/* The end of the measurement and tags: the first blank without a backslash before it. */
static const char *
find_fields(const char *start, const char *line_feed)
{
	for (const char *p = start; (p = memchr(p, ' ', (size_t)(line_feed - p))) != NULL; p++)
		if (p > start && p[-1] != '\\')
			return p + 1;
	return NULL;
}

/* The quote that closes a string whose content starts at p; NULL when there is none. */
static const char *
find_quote(const char *p, const char *end)
{
	for (const char *quote = p; (quote = memchr(quote, '"', (size_t)(end - quote))) != NULL;
		quote++) {
		const char *back = quote;

		while (back > p && back[-1] == '\\')
			back--;
		if ((quote - back) % 2 == 0)
			return quote;
	}
	return NULL;
}

static const char *
find_line_feed(const char *p, const char *end)
{
	const char *line_feed = memchr(p, '\n', (size_t)(end - p));

	return line_feed != NULL ? line_feed : end;
}

/* Cuts the line that starts at p; a line feed inside a string does not end it. False when it is not
 * a point. */
static bool
cut_line(const char *p, const char *end, struct line *line)
{
	const char *quote, *stop = find_line_feed(p, end);

	*line = (struct line){ .start = p, .end = stop };
	line->fields = p = find_fields(p, stop);
	if (p == NULL)
		return false;
	while ((quote = memchr(p, '"', (size_t)(stop - p))) != NULL) {
		p = quote + 1;
		if (quote[-1] != '=')
			continue; /* part of a name */
		quote = find_quote(p, end);
		line->end = end;
		if (quote == NULL)
			return false;
		if (quote - p >= (ptrdiff_t)SEQ_LEN && is_seq(quote - SEQ_LEN))
			line->seq = quote - SEQ_LEN;
		p = quote + 1;
		if (p > stop)
			stop = find_line_feed(p, end);
		line->end = stop;
	}
	return true;
}

/* Reads a decimal integer. Returns where it ends, NULL when there is none. */
static const char *
read_integer(const char *p, const char *end, int64_t *value)
{
	bool negative = p < end && *p == '-';
	const char *digit = p += negative;
	uint64_t number = 0;

	for (; digit < end && *digit >= '0' && *digit <= '9'; digit++)
		number = number * 10 + (uint64_t)(*digit - '0');
	*value = negative ? (int64_t)(0 - number) : (int64_t)number;
	return digit > p && digit - p <= 19 ? digit : NULL;
}

/* Reads the time that may end the line. False when the line has no field. */
static bool
read_time(struct line *line)
{
	size_t len = (size_t)(line->end - line->fields);
	const char *blank = memrchr(line->fields, ' ', len);

	line->has_time = blank != NULL &&
		read_integer(blank + 1, line->end, &line->time) == line->end;
	return memchr(line->fields, '=', len) != NULL;
}

static struct measurement *
find_measurement(struct points *points, const struct line *line)
{
	size_t len = 0, max = (size_t)(line->fields - line->start) - 1;

	while (len < max && len < MAX_NAME &&
		(line->start[len] != ',' || (len > 0 && line->start[len - 1] == '\\')))
		len++;
	for (size_t i = 0; i < points->n_measurements; i++) {
		struct measurement *m = &points->measurements[i];

		if (m->len == len && memcmp(m->name, line->start, len) == 0)
			return m;
	}
	if (points->n_measurements == MAX_MEASUREMENTS)
		return &points->measurements[MAX_MEASUREMENTS];
	struct measurement *m = &points->measurements[points->n_measurements++];
	memcpy(m->name, line->start, len);
	m->len = len;
	return m;
}

static uint64_t
hash_identity(const struct line *line)
{
	return XXH3_64bits_withSeed(
		line->start, (size_t)(line->fields - line->start), (XXH64_hash_t)line->time);
}

static void
add_number(struct points *points, const struct line *line)
{
	const char *seq = line->seq;
	int64_t value;

	/* Not at the end of a string: some sender appended to it. */
	for (const char *p = line->fields; seq == NULL && p < line->end; p++) {
		p = memmem(p, (size_t)(line->end - p), "seq=", 4);
		if (p == NULL || line->end - p < (ptrdiff_t)SEQ_LEN)
			return;
		if (is_seq(p))
			seq = p;
	}
	if (seq == NULL)
		return;
	read_integer(seq + 4, seq + SEQ_LEN, &value);
	uint64_t number = (uint64_t)value;
	if (number >= points->messages) {
		points->n_foreign++;
		return;
	}
	uint8_t bit = (uint8_t)(1u << (number % 8));
	bool dup = points->seen[number / 8] & bit;
	points->seen[number / 8] |= bit;
	points->n_seen += !dup;
	points->n_dup += dup;
	if (!points->identity)
		return;
	size_t known = points->identities.used;
	int64_t *holder = table_at(&points->identities, hash_identity(line), value);
	bool repeated = points->identities.used == known;
	points->n_merged += *holder != value;
	points->n_same_point += repeated && *holder == value;
}

/* The integer field `count`; false when the point has none. */
static bool
find_count(const struct line *line, int64_t *count)
{
	const char *p = line->fields;

	while (p < line->end && *p != ' ') {
		const char *key = p;

		while (p < line->end && (*p != '=' || p[-1] == '\\'))
			p++;
		if (p == line->end)
			return false;
		bool found = p - key == 5 && memcmp(key, "count", 5) == 0;
		p++;
		if (found) {
			p = read_integer(p, line->end, count);
			return p != NULL && p < line->end && *p == 'i';
		}
		if (p < line->end && *p == '"')
			p = find_quote(p + 1, line->end);
		while (p != NULL && p < line->end && *p != ',' && *p != ' ')
			p++;
		if (p == NULL || p == line->end || *p == ' ')
			return false;
		p++;
	}
	return false;
}

static void
add_line(struct points *points, struct line *line)
{
	struct measurement *measurement = find_measurement(points, line);
	int64_t count;

	measurement->lines++;
	points->lines++;
	if (line->has_time && line->time < points->time_min)
		points->time_min = line->time;
	if (line->has_time && line->time > points->time_max)
		points->time_max = line->time;
	if (measurement->len == 6 && memcmp(measurement->name, "syslog", 6) == 0) {
		if (points->messages > 0)
			add_number(points, line);
	} else if (find_count(line, &count)) {
		int64_t *window = table_at(&points->windows, hash_identity(line), 0);

		measurement->count += count - *window;
		*window = count;
	}
}

void
points_add(struct points *points, const char *body, size_t len)
{
	const char *end = body + len;
	struct line line;

	for (const char *p = body; p < end; p = line.end < end ? line.end + 1 : end) {
		bool good = cut_line(p, end, &line);

		if (line.end == line.start || *line.start == '#')
			continue;
		if (good && read_time(&line))
			add_line(points, &line);
		else
			points->bad_lines++;
	}
}

/* Bytes that are not printable ASCII are shown as if they were Latin-1. */
static void
print_json_string(const char *s, size_t len, FILE *out)
{
	fputc('"', out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void
print_missing(const struct points *points, FILE *out)
{
	int listed = 0;

	fprintf(out, "  \"seq_missing\": %" PRIu64 ",\n  \"seq_missing_first\": [",
		points->messages - points->n_seen);
	for (uint64_t i = 0; i < points->messages && listed < MAX_MISSING_LISTED; i++)
		if ((points->seen[i / 8] >> (i % 8) & 1) == 0)
			fprintf(out, "%s%" PRIu64, listed++ > 0 ? ", " : "", i);
	fprintf(out, "],\n");
}

void
points_print(const struct points *points, FILE *out)
{
	fprintf(out, "  \"lines\": %" PRIu64 ",\n  \"bad_lines\": %" PRIu64 ",\n", points->lines,
		points->bad_lines);
	if (points->time_min <= points->time_max)
		fprintf(out, "  \"time_min\": %" PRId64 ",\n  \"time_max\": %" PRId64 ",\n",
			points->time_min, points->time_max);
	fprintf(out, "  \"messages\": %" PRIu64 ",\n  \"seq_seen\": %" PRIu64 ",\n",
		points->messages, points->n_seen);
	fprintf(out, "  \"seq_dup\": %" PRIu64 ",\n  \"seq_foreign\": %" PRIu64 ",\n",
		points->n_dup, points->n_foreign);
	if (points->identity)
		fprintf(out, "  \"seq_same_point\": %" PRIu64 ",\n  \"seq_merged\": %" PRIu64 ",\n",
			points->n_same_point, points->n_merged);
	print_missing(points, out);
	fprintf(out, "  \"measurements\": {");
	for (size_t i = 0; i <= points->n_measurements; i++) {
		const struct measurement *m = &points->measurements[i];

		if (m->lines == 0)
			continue;
		fprintf(out, "%s\n    ", i > 0 ? "," : "");
		print_json_string(i < MAX_MEASUREMENTS ? m->name : "...",
			i < MAX_MEASUREMENTS ? m->len : 3, out);
		fprintf(out, ": {\"lines\": %" PRIu64 ", \"count\": %" PRId64 "}", m->lines,
			m->count);
	}
	fprintf(out, "\n  }");
}
