/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 5424 section 6 from VERSION on. The machine goes from field to field; the bytes inside one are
 * run through by its action, which sends the machine on (fexec) to the byte behind them. MSG is
 * never looked at.
 *
 * An action that is content with its field names the one to expect next. Else the machine finds a
 * byte it does not know behind the field, and fails with the field still expected.
 */
#include "parser/parse.h"
#include "parser/scan.h"

struct rfc5424 {
	struct parse *parse;
	struct log_record *record;
	uint16_t whole_sd;   /* parameters of the elements that were read to their end */
	bool has_params;     /* the element being read */
	const char *element; /* its '[' */
	struct str id;
	struct str name;
};

%%{
	machine rfc5424;

	action version_digit { record->version = (uint16_t)(record->version * 10 + (*p - '0')); }
	action version       { expect_next(parse, LOG_ERR_TIMESTAMP, p); }
	action timestamp     { fexec read_timestamp(parse, p); }
	action hostname      { fexec read_word(parse, p, &hostname, &record->hostname); }
	action appname       { fexec read_word(parse, p, &appname, &record->appname); }
	action procid        { fexec read_word(parse, p, &procid, &record->procid); }
	action msgid         { fexec read_word(parse, p, &msgid, &record->msgid); }
	action element       { begin_element(&state, p); }
	action sd_id         { fexec read_sd_id(&state, p); }
	action expect_name   { parse->expect = LOG_ERR_SD_NAME; }
	action sd_name       { fexec read_sd_name(&state, p); }
	action expect_value  { parse->expect = LOG_ERR_SD_VALUE; }
	action sd_value      { fexec read_sd_value(&state, p + 1); }
	action sd_end        { parse->expect = LOG_ERR_SD; }
	action element_end   { end_element(&state, p + 1); }
	action no_sd         { expect_next(parse, LOG_ERR_MESSAGE, p); }
	action message       { parse_message(parse, p + 1); return; }
	action fail          { fail(&state, p); return; }

	name_char = graph - [=\]"];

	version   = ( [1-9] digit{0,2} ) $version_digit;
	timestamp = [0-9\-] @timestamp;
	hostname  = graph @hostname;
	appname   = graph @appname;
	procid    = graph @procid;
	msgid     = graph @msgid;

	sd_value  = '"' @sd_value '"' @sd_end;
	sd_param  = ' ' @expect_name name_char @sd_name '=' @expect_value sd_value;
	element   = '[' @element name_char @sd_id sd_param* ']' @element_end;
	sd        = '-' @no_sd | element+;

	header = version ' ' @version timestamp ' ' hostname ' ' appname ' ' procid ' ' msgid;
	main  := ( header ' ' sd ( ' ' @message )? ) $err(fail);

	write data noerror nofinal noentry;
}%%

/* The field ends where the next one's space is, or with the frame. */
static bool
ends_field(const struct parse *parse, const char *p)
{
	return p == parse->end || *p == ' ';
}

static void
expect_next(struct parse *parse, enum log_error next, const char *p)
{
	parse->expect = next;
	parse->field = p < parse->end ? p + 1 : p;
}

static const char *
read_timestamp(struct parse *parse, const char *p)
{
	enum { MAX_DIGITS = 6, FRACTION_AT = sizeof("2026-11-20T23:00:00.") - 1 };
	struct timestamp stamp = { .in_range = false };
	const char *start = p;

	if (*p == '-') {
		if (ends_field(parse, ++p))
			expect_next(parse, LOG_ERR_HOSTNAME, p);
		return p;
	}
	bool read = timestamp_rfc3339(&p, parse->end, &stamp);
	if (stamp.digits > MAX_DIGITS)
		parse_soft_error(parse, LOG_ERR_TIMESTAMP, start + FRACTION_AT + MAX_DIGITS);
	if (!read || !ends_field(parse, p)) {
		parse_soft_error(parse, LOG_ERR_TIMESTAMP, p);
		return parse->end; /* nothing to find there: the machine fails */
	}
	parse_time(parse, &stamp, start);
	expect_next(parse, LOG_ERR_HOSTNAME, p);
	return p;
}

struct word {
	ptrdiff_t max;       /* bytes */
	enum log_error next; /* the field after it */
};
static const struct word hostname = { MAX_HOSTNAME, LOG_ERR_APPNAME };
static const struct word appname = { MAX_APPNAME, LOG_ERR_PROCID };
static const struct word procid = { MAX_PROCID, LOG_ERR_MSGID };
static const struct word msgid = { MAX_MSGID, LOG_ERR_SD };

static inline const char *
read_word(struct parse *parse, const char *p, const struct word *rule, struct str *word)
{
	if (*p == '-' && ends_field(parse, p + 1)) {
		expect_next(parse, rule->next, p + 1);
		return p + 1;
	}
	const char *end = scan(p, parse->end, BYTE_WORD);
	if (!ends_field(parse, end))
		return end;
	if (end - p > rule->max)
		parse_soft_error(parse, parse->expect, p + rule->max);
	*word = (struct str){ p, (size_t)(end - p) };
	expect_next(parse, rule->next, end);
	return end;
}

static void
begin_element(struct rfc5424 *state, const char *p)
{
	state->element = p;
	state->has_params = false;
	state->parse->field = p;
	state->parse->expect = LOG_ERR_SD_ID;
}

/* Ids are compared with those that are kept: the work stays bounded for any number of elements. */
static bool
is_used(const struct log_record *record, struct str id)
{
	for (size_t i = 0; i < record->n_sd; i++) {
		bool same_element = i > 0 && record->sd[i].id.ptr == record->sd[i - 1].id.ptr;
		if (!same_element && str_equal(record->sd[i].id, id))
			return true;
	}
	return false;
}

static const char *
read_sd_id(struct rfc5424 *state, const char *p)
{
	const char *end = scan(p, state->parse->end, BYTE_NAME);

	state->id = (struct str){ p, (size_t)(end - p) };
	if (end - p > MAX_SD_NAME)
		parse_soft_error(state->parse, LOG_ERR_SD_ID, p + MAX_SD_NAME);
	if (is_used(state->record, state->id))
		parse_soft_error(state->parse, LOG_ERR_SD_ID, p);
	return end;
}

static const char *
read_sd_name(struct rfc5424 *state, const char *p)
{
	const char *end = scan(p, state->parse->end, BYTE_NAME);

	state->name = (struct str){ p, (size_t)(end - p) };
	if (end - p > MAX_SD_NAME)
		parse_soft_error(state->parse, LOG_ERR_SD_NAME, p + MAX_SD_NAME);
	return end;
}

/* Beyond LOG_SD_MAX the raw text from here on is kept; end_element() says how far it goes. */
static void
add_sd(struct rfc5424 *state, struct str name, struct str value, bool escaped)
{
	struct log_record *record = state->record;

	if (record->n_sd < LOG_SD_MAX)
		record->sd[record->n_sd++] = (struct log_sd){ state->id, name, value, escaped };
	else if (!str_present(record->sd_rest))
		record->sd_rest.ptr = state->has_params ? name.ptr : state->element;
}

/* Length of the UTF-8 character (RFC 3629) whose first byte is >= 0x80; 0 when it is not valid. */
static ptrdiff_t
utf8_length(const char *text, const char *end)
{
	const unsigned char *p = (const unsigned char *)text;
	ptrdiff_t left = end - text;

	if (p[0] < 0xc2 || p[0] > 0xf4 || left < 2 || (p[1] & 0xc0) != 0x80)
		return 0;
	if (p[0] < 0xe0)
		return 2;
	if (left < 3 || (p[2] & 0xc0) != 0x80)
		return 0;
	if (p[0] < 0xf0) /* no overlong forms, no surrogates */
		return (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ? 0 : 3;
	if (left < 4 || (p[3] & 0xc0) != 0x80)
		return 0;
	return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ? 0 : 4;
}

/* One character of a value that does not stand for itself; returns what follows it. */
static const char *
read_special(struct parse *parse, const char *p, bool *escaped)
{
	if (*p == '\\') {
		bool pair = p + 1 < parse->end && (p[1] == '"' || p[1] == '\\' || p[1] == ']');
		*escaped |= pair;
		return p + (pair ? 2 : 1);
	}
	ptrdiff_t length = *p == ']' ? 0 : utf8_length(p, parse->end);
	if (length == 0)
		parse_soft_error(parse, LOG_ERR_SD_VALUE, p);
	return p + (length > 0 ? length : 1);
}

/* From behind the opening quote to the closing one. */
static const char *
read_sd_value(struct rfc5424 *state, const char *p)
{
	const char *start = p, *end = state->parse->end;
	bool escaped = false;

	while ((p = scan(p, end, BYTE_VALUE)) < end && *p != '"')
		p = read_special(state->parse, p, &escaped);
	add_sd(state, state->name, (struct str){ start, (size_t)(p - start) }, escaped);
	state->has_params = true;
	return p;
}

static void
end_element(struct rfc5424 *state, const char *p)
{
	struct log_record *record = state->record;

	if (!state->has_params)
		add_sd(state, STR_ABSENT, STR_ABSENT, false);
	if (str_present(record->sd_rest))
		record->sd_rest.len = (size_t)(p - record->sd_rest.ptr);
	state->whole_sd = record->n_sd;
	state->parse->expect = LOG_ERR_MESSAGE;
	state->parse->field = p;
}

/* No byte the grammar knows at p. An element that is not whole goes back to the message. */
static void
fail(struct rfc5424 *state, const char *p)
{
	struct log_record *record = state->record;

	record->n_sd = state->whole_sd;
	if (str_present(record->sd_rest) && record->sd_rest.ptr >= state->parse->field)
		record->sd_rest = STR_ABSENT;
	if (state->parse->expect == LOG_ERR_VERSION) {
		if (p < state->parse->end)
			record->version = 0;
		else
			state->parse->field = p; /* it was read, but nothing follows */
	}
	parse_hard_error(state->parse, p);
}

void
rfc5424_parse(struct parse *parse, const char *p)
{
	struct log_record *record = parse->record;
	struct rfc5424 state = { .parse = parse, .record = record };
	const char *pe = parse->end;
	const char *eof = pe;
	int cs;

	record->format = LOG_FORMAT_RFC5424;
	parse->expect = LOG_ERR_VERSION;
	parse->field = p;
	%% write init;
	%% write exec;
}
