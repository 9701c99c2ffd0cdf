/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to this library: what the grammars share. A grammar moves through the frame field by
 * field. A soft error is noted (the first one only) and reading goes on; a hard one ends it, and
 * the text from the failed field on becomes the message. Strict mode needs no code of its own here:
 * log_parse() replaces a record with an error.
 */
#pragma once

#include "parser/log_record.h"
#include "parser/timestamp.h"

struct parse {
	struct log_record *record;
	const char *start; /* the frame, its line end left out */
	const char *end;
	enum log_error expect; /* the field that comes next or is being read ... */
	const char *field;     /* ... and its first byte */
};

enum { /* limits of RFC 5424 section 6, in bytes */
	MAX_HOSTNAME = 255,
	MAX_APPNAME = 48,
	MAX_PROCID = 128,
	MAX_MSGID = 32,
	MAX_SD_NAME = 32,
};

void parse_soft_error(struct parse *parse, enum log_error error, const char *at);

/* parse->expect was not found at this byte: the rest from parse->field on is the message. */
void parse_hard_error(struct parse *parse, const char *at);

/* Stores the stamp that was read at this byte; one that 64 bits do not hold is a soft error. */
void parse_time(struct parse *parse, const struct timestamp *stamp, const char *at);

/* The message is what is left from here on, its trailing white space cut. */
void parse_message(struct parse *parse, const char *from);

/* Both read from behind the PRI on and fill the record. */
void rfc5424_parse(struct parse *parse, const char *p);
void rfc3164_parse(struct parse *parse, const char *p, int64_t now_ns);
