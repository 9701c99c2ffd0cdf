/* SPDX-License-Identifier: Apache-2.0 */
/* What all formats have in common: the PRI, which format follows it, the end of the message, and
 * what is left to say about a frame that nothing can read. */
#include "parser/log_parse.h"

#include <assert.h>

#include "parser/parse.h"

enum {
	FACILITY_USER = 1,
	SEVERITY_NOTICE = 5,
	MAX_PRI = 191,
};

void
parse_soft_error(struct parse *parse, enum log_error error, const char *at)
{
	struct log_record *record = parse->record;

	if (record->error != LOG_ERR_NONE)
		return;
	record->error = error;
	record->column = (uint32_t)(at - parse->start) + 1;
}

void
parse_hard_error(struct parse *parse, const char *at)
{
	parse_soft_error(parse, parse->expect, at);
	if (parse->field < parse->end)
		parse_message(parse, parse->field);
}

void
parse_time(struct parse *parse, const struct timestamp *stamp, const char *at)
{
	struct log_record *record = parse->record;

	if (!stamp->in_range) {
		parse_soft_error(parse, parse->expect, at);
		return;
	}
	record->has_time = true;
	record->time_ns = stamp->ns;
	record->time_digits = stamp->digits;
}

/* Length of the character of Unicode's White_Space that ends right before end, or 0. */
static size_t
white_space_before(const char *start, const char *end)
{
	const unsigned char *p = (const unsigned char *)end;
	ptrdiff_t left = end - start;

	if (left >= 1 && (p[-1] == ' ' || (p[-1] >= '\t' && p[-1] <= '\r')))
		return 1;
	if (left >= 2 && p[-2] == 0xc2 && (p[-1] == 0x85 || p[-1] == 0xa0)) /* U+0085, U+00A0 */
		return 2;
	if (left < 3)
		return 0;
	if (p[-3] == 0xe2 && p[-2] == 0x80) /* U+2000 to U+200A, U+2028, U+2029, U+202F */
		return (p[-1] >= 0x80 && p[-1] <= 0x8a) || p[-1] == 0xa8 || p[-1] == 0xa9 ||
				p[-1] == 0xaf
			? 3
			: 0;
	bool other = (p[-3] == 0xe1 && p[-2] == 0x9a && p[-1] == 0x80) || /* U+1680 */
		(p[-3] == 0xe2 && p[-2] == 0x81 && p[-1] == 0x9f) ||      /* U+205F */
		(p[-3] == 0xe3 && p[-2] == 0x80 && p[-1] == 0x80);        /* U+3000 */
	return other ? 3 : 0;
}

static struct str
trim_end(const char *start, const char *end)
{
	size_t n;

	while ((n = white_space_before(start, end)) > 0)
		end -= n;
	return (struct str){ start, (size_t)(end - start) };
}

void
parse_message(struct parse *parse, const char *from)
{
	parse->record->message = trim_end(from, parse->end);
}

/* Every field but the sd entries, which n_sd guards: clearing them would cost more than parsing. */
static void
clear(struct log_record *record, struct str frame)
{
	record->frame = frame;
	record->format = LOG_FORMAT_RAW;
	record->error = LOG_ERR_NONE;
	record->column = 0;
	record->facility = FACILITY_USER;
	record->severity = SEVERITY_NOTICE;
	record->version = 0;
	record->has_time = false;
	record->time_digits = 0;
	record->n_sd = 0;
	record->time_ns = 0;
	record->hostname = STR_ABSENT;
	record->appname = STR_ABSENT;
	record->procid = STR_ABSENT;
	record->msgid = STR_ABSENT;
	record->message = STR_ABSENT;
	record->sd_rest = STR_ABSENT;
}

static void
make_raw(struct log_record *record)
{
	enum log_error error = record->error;
	uint32_t column = record->column;

	clear(record, record->frame);
	record->error = error;
	record->column = column;
	if (error != LOG_ERR_EMPTY)
		record->message = trim_end(
			record->frame.ptr, record->frame.ptr + record->frame.len);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * A PRI of a value that cannot be, as rsyslog sends and forwards them: <999>, <01>, <invld>.
 * Returns what follows it, or NULL.
 */
static const char *
skip_wrong_pri(const char *p, const char *end)
{
	const struct str invalid = STR("<invld>");
	const char *digits = p + 1;

	if ((size_t)(end - p) >= invalid.len && memcmp(p, invalid.ptr, invalid.len) == 0)
		return p + invalid.len;
	if (p == end || *p != '<')
		return NULL;
	for (p = digits; p < end && is_digit(*p);)
		p++;
	return p > digits && p < end && *p == '>' ? p + 1 : NULL;
}

/* Returns what follows the PRI; NULL: there is none. One that is wrong is an error and read over.
 */
static const char *
read_pri(struct parse *parse)
{
	const char *start = parse->start, *p = start;
	int value = 0;

	if (p < parse->end && *p == '<') {
		p++;
		while (p < parse->end && is_digit(*p) && !(p - start == 2 && value == 0) &&
			value * 10 + (*p - '0') <= MAX_PRI)
			value = value * 10 + (*p++ - '0');
		if (p > start + 1 && p < parse->end && *p == '>') {
			parse->record->facility = (uint8_t)(value / 8);
			parse->record->severity = (uint8_t)(value % 8);
			return p + 1;
		}
	}
	parse_soft_error(parse, LOG_ERR_PRI, p);
	return skip_wrong_pri(start, parse->end);
}

/* A version and a space, or nothing more: else it is the stamp of RFC 3164, or no header at all. */
static bool
looks_like_rfc5424(const char *p, const char *end)
{
	const char *start = p;

	if (p == end || *p == '0')
		return false;
	while (p < end && p - start < 3 && is_digit(*p))
		p++;
	return p > start && (p == end || *p == ' ');
}

/* False: nothing could be read. */
static bool
parse_header(struct parse *parse, const struct log_parse_options *options)
{
	struct log_record *record = parse->record;

	if (parse->start == parse->end) {
		parse_soft_error(parse, LOG_ERR_EMPTY, parse->start);
		return false;
	}
	const char *p = read_pri(parse);
	if (p == NULL)
		return false;
	if (options->format == LOG_PARSE_RFC5424 ||
		(options->format == LOG_PARSE_AUTO && looks_like_rfc5424(p, parse->end)))
		rfc5424_parse(parse, p);
	else
		rfc3164_parse(parse, p, options->now_ns);
	/* A wrong PRI in front of no header may be text: not to be lost. */
	return record->error != LOG_ERR_PRI || record->version > 0 || record->has_time;
}

bool
log_parse(struct str frame, const struct log_parse_options *options, struct log_record *record)
{
	const char *start = frame.len > 0 ? frame.ptr : "";
	const char *end = start + frame.len;

	assert(frame.len < UINT32_MAX);
	clear(record, frame);
	/* A line end that came with the frame is not part of any field. */
	while (end > start && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	struct parse parse = { .record = record, .start = start, .end = end };
	bool readable = parse_header(&parse, options);
	if (record->error != LOG_ERR_NONE && (!readable || !options->best_effort))
		make_raw(record);
	return record->error == LOG_ERR_NONE;
}

size_t
log_sd_unescape(struct str value, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		const char *p = value.ptr + i;
		if (*p == '\\' && i + 1 < value.len && (p[1] == '"' || p[1] == '\\' || p[1] == ']'))
			i++;
		out[n++] = value.ptr[i];
	}
	return n;
}
