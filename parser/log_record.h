/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one syslog message says: the record that the parser fills and everything behind it reads.
 * All text is a view into the frame that was parsed: valid as long as that frame's bytes are.
 */
#pragma once

#include <stdint.h>

#include "parser/str.h"

enum {
	LOG_SD_MAX = 64
}; /* structured-data keys kept apart in one message; the rest goes to sd_rest */

enum log_format {
	LOG_FORMAT_RFC5424, /* <PRI>VERSION ... */
	LOG_FORMAT_RFC3164, /* <PRI>STAMP HOST TAG: MSG, stamp as in RFC 3164 or RFC 3339 (rsyslog's
			       forward format) */
	LOG_FORMAT_RAW,     /* nothing could be read: facility user, severity notice, the frame as
			       message */
};

/*
 * Why a message is not clean, in grammar order: the enumerator, its name (label of a counter, first
 * word of the field parse_error) and the sentence that a person reads.
 */
#define LOG_ERRORS(X)                                                                           \
	X(LOG_ERR_NONE, "none", "no error")                                                     \
	X(LOG_ERR_EMPTY, "empty", "the frame is empty")                                         \
	X(LOG_ERR_PRI, "pri", "expected a priority value <0> to <191>")                         \
	X(LOG_ERR_VERSION, "version", "expected a version 1 to 999 and a space")                \
	X(LOG_ERR_TIMESTAMP, "timestamp", "expected an RFC 3339 timestamp or -")                \
	X(LOG_ERR_STAMP, "stamp", "expected a stamp such as Nov 20 23:00:00 or RFC 3339")       \
	X(LOG_ERR_HOSTNAME, "hostname", "expected a hostname of 1 to 255 printable characters") \
	X(LOG_ERR_APPNAME, "appname", "expected an app-name of 1 to 48 printable characters")   \
	X(LOG_ERR_PROCID, "procid", "expected a procid of 1 to 128 printable characters")       \
	X(LOG_ERR_MSGID, "msgid", "expected a msgid of 1 to 32 printable characters")           \
	X(LOG_ERR_SD, "structured_data", "expected structured data or -")                       \
	X(LOG_ERR_SD_ID, "sd_id", "expected an SD-ID of 1 to 32 characters, used once")         \
	X(LOG_ERR_SD_NAME, "sd_name", "expected a parameter name of 1 to 32 characters")        \
	X(LOG_ERR_SD_VALUE, "sd_value", "expected a quoted UTF-8 parameter value")              \
	X(LOG_ERR_TAG, "tag", "expected a tag")                                                 \
	X(LOG_ERR_MESSAGE, "message", "expected a space before the message")

enum log_error {
#define X(id, name, text) id,
	LOG_ERRORS(X)
#undef X
		LOG_ERR_COUNT
};

/* One structured-data parameter, or an element without parameters (name absent). */
struct log_sd {
	struct str id;
	struct str name;  /* absent: the element has no parameters */
	struct str value; /* as on the wire: \" \\ \] still escaped when `escaped` is set */
	bool escaped;
};

struct log_record {
	struct str frame; /* the bytes that were parsed, unchanged */
	enum log_format format;
	enum log_error error; /* first thing that was wrong; LOG_ERR_NONE when clean */
	uint32_t column;      /* 1-based byte position of that error in the frame */
	uint8_t facility;     /* 0 to 23 */
	uint8_t severity;     /* 0 to 7 */
	uint16_t version;     /* 1 to 999; 0 = absent (RFC 3164, raw) */
	bool has_time;
	uint8_t time_digits; /* fraction digits of the stamp: 0 = whole seconds ... 9 */
	uint16_t n_sd;
	int64_t time_ns;     /* the message's own time, ns since 1970 UTC; only when has_time */
	struct str hostname; /* absent when nil ("-") or not there, as are the next three */
	struct str appname;
	struct str procid;
	struct str msgid;
	struct str message; /* absent: no MSG at all. Trailing white space (Unicode's) cut, leading
			       kept, BOM kept */
	struct str
		sd_rest; /* raw text of the structured data beyond LOG_SD_MAX keys, else absent */
	struct log_sd sd[LOG_SD_MAX]; /* only the first n_sd are set */
};

/* Names as Telegraf and Chronograf spell them ("emerg" ... "debug", "kern" ... "local7"). */
extern const struct str log_severity_names[8];
extern const struct str log_facility_names[24];

/* "timestamp", ... and the sentence; borrowed, static. */
const char *log_error_name(enum log_error error);
const char *log_error_text(enum log_error error);
