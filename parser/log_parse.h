/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses one syslog message: RFC 5424 (section 6), the RFC 3164 shape (section 4.1) with its own or
 * an RFC 3339 stamp. Pure: no I/O, no allocation, no clock, no locale; results are views into the
 * frame. Any bytes are legal input and always give a record: there is no message that cannot become
 * a log point.
 */
#pragma once

#include "parser/log_record.h"

enum log_format_option {
	LOG_PARSE_AUTO, /* told apart per message: digits and a space after the PRI mean RFC 5424 */
	LOG_PARSE_RFC5424,
	LOG_PARSE_RFC3164,
};

struct log_parse_options {
	enum log_format_option format;
	/*
	 * true: keep the header read so far, over-long names too, and the unread rest as message;
	 * false (strict): any error gives the LOG_FORMAT_RAW record. `error` and `column` are set
	 * in both.
	 */
	bool best_effort;
	int64_t now_ns; /* receive time: the year of an RFC 3164 stamp is the one that puts it
			   nearest to this */
};

/*
 * Fills *record (all of it but the unused sd entries). Borrows frame; the record's views are valid
 * as long as the frame's bytes. Returns true when the message is clean (error == LOG_ERR_NONE).
 */
bool
log_parse(struct str frame, const struct log_parse_options *options, struct log_record *record);

/*
 * Removes the escapes \" \\ \] (RFC 5424 6.3.3; any other backslash stays as it is). Writes at most
 * value.len bytes to out and returns how many.
 */
size_t log_sd_unescape(struct str value, char *out);
