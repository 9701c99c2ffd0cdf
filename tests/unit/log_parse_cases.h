/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages and what the parser must make of them in best effort. What a line does not name is
 * absent, zero, RFC 5424, no error. The tests derive the rest: strict mode gives the same record,
 * or with an error the raw one.
 */
#pragma once

#include "parser/log_parse.h"

#define FRAME(text)                       \
	{                                 \
		"" text, sizeof(text) - 1 \
	}

#define X8   "abcdefgh"
#define X32  X8 X8 X8 X8
#define X48  X32 X8 X8
#define X128 X32 X32 X32 X32
#define X255 X128 X32 X32 X32 X8 X8 X8 "abcdefg"

#define NOW 1795217709000000000 /* 2026-11-20T23:35:09Z */
#define TIME(seconds, ns, n_digits) \
	.has_time = true, .time_ns = (seconds)*INT64_C(1000000000) + (ns), .digits = (n_digits)

struct sd_case {
	const char *id, *name, *value;
	bool escaped;
};

struct parse_case {
	struct str frame;
	enum log_format_option option;
	enum log_format format;
	enum log_error error;
	unsigned column;
	unsigned pri;
	unsigned version;
	bool has_time;
	int64_t time_ns;
	unsigned digits;
	const char *hostname, *appname, *procid, *msgid, *message, *sd_rest;
	struct sd_case sd[6];
};

/* Clean messages of RFC 5424, those of real senders among them. */
static const struct parse_case rfc5424_cases[] = {
	{ FRAME("<1>1 - - - - - -"), .pri = 1, .version = 1 },
	{ FRAME("<0>1 - - - - - -\n"), .pri = 0, .version = 1 },
	{ FRAME("<0>1 - - - - - -\r\n"), .pri = 0, .version = 1 },
	{ FRAME("<4>11 - - - - - - "), .pri = 4, .version = 11, .message = "" },
	{ FRAME("<4>11 - - - - - -  \t \n"), .pri = 4, .version = 11, .message = "" },
	{ FRAME("<191>999 - h a p m - x"), .pri = 191, .version = 999, .hostname = "h",
		.appname = "a", .procid = "p", .msgid = "m", .message = "x" },
	{ FRAME("<1>3 - - - - - - A<1>4 - - - - - - B"), .pri = 1, .version = 3,
		.message = "A<1>4 - - - - - - B" },
	{ FRAME("<1>3 - - - - - - hello\nworld"), .pri = 1, .version = 3,
		.message = "hello\nworld" },
	{ FRAME("<1>1 - - - - - - \tA\n"), .pri = 1, .version = 1, .message = "\tA" },
	{ FRAME("<1>1 - - - - - - \xef\xbb\xbfhell\xc3\xb8"), .pri = 1, .version = 1,
		.message = "\xef\xbb\xbfhell\xc3\xb8" },
	{ FRAME("<1>1 - - - - - - x\xff\xfe\xc3("), .pri = 1, .version = 1,
		.message = "x\xff\xfe\xc3(" },
	/* All of Unicode's white space; U+200B, U+2800 and U+FEFF are none. */
	{ FRAME("<1>1 - - - - - - x\t\n\v\f\r \xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x80\xe2\x80\x8a"
		"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80"),
		.pri = 1, .version = 1, .message = "x" },
	{ FRAME("<1>1 - - - - - - x\xe2\x80\x8b "), .pri = 1, .version = 1,
		.message = "x\xe2\x80\x8b" },
	{ FRAME("<1>1 - - - - - - x\xe2\xa0\x80 "), .pri = 1, .version = 1,
		.message = "x\xe2\xa0\x80" },
	{ FRAME("<1>1 - - - - - - x\xef\xbb\xbf"), .pri = 1, .version = 1,
		.message = "x\xef\xbb\xbf" },
	{ FRAME("<1>1 - - - - - - x\x85"), .pri = 1, .version = 1, .message = "x\x85" },
	/* Stamps. */
	{ FRAME("<1>1 2024-02-29T23:59:59Z - - - - -"), .pri = 1, .version = 1,
		TIME(1709251199, 0, 0) },
	{ FRAME("<1>1 2000-02-29T00:00:00.5Z - - - - -"), .pri = 1, .version = 1,
		TIME(951782400, 500000000, 1) },
	{ FRAME("<1>1 1970-01-01T00:00:00.000001-00:00 - - - - -"), .pri = 1, .version = 1,
		TIME(0, 1000, 6) },
	{ FRAME("<1>1 1969-12-31T23:59:59.25Z - - - - -"), .pri = 1, .version = 1,
		TIME(-1, 250000000, 2) },
	{ FRAME("<1>1 2018-12-31T23:59:59.999999-23:59 - - - - -"), .pri = 1, .version = 1,
		TIME(1546387139, 999999000, 6) },
	{ FRAME("<1>1 2026-11-20T23:35:09+05:30 - - - - -"), .pri = 1, .version = 1,
		TIME(1795197909, 0, 0) },
	/* Lengths at their limits. */
	{ FRAME("<1>1 - " X255 " " X48 " " X128 " " X32 " [" X32 " " X32 "=\"" X255 "\"] x"),
		.pri = 1, .version = 1, .hostname = X255, .appname = X48, .procid = X128,
		.msgid = X32, .message = "x", .sd = { { X32, X32, X255, false } } },
	/* Structured data. */
	{ FRAME("<1>1 - - - - - [a@1]"), .pri = 1, .version = 1,
		.sd = { { "a@1", NULL, NULL, false } } },
	{ FRAME("<1>1 - - - - - [a x=\"\"][b][c y=\"1\" z=\"2\" y=\"3\"] "), .pri = 1, .version = 1,
		.message = "",
		.sd = { { "a", "x", "", false }, { "b", NULL, NULL, false },
			{ "c", "y", "1", false }, { "c", "z", "2", false },
			{ "c", "y", "3", false } } },
	{ FRAME("<1>1 - - - - - [a x=\"\\\"\\\\\\]\" y=\"\\n\\\\\"] [b]"), .pri = 1, .version = 1,
		.message = "[b]",
		.sd = { { "a", "x", "\\\"\\\\\\]", true }, { "a", "y", "\\n\\\\", true } } },
	{ FRAME("<1>1 - - - - - [a x=\"\\n\" y=\"a=b [c\n\"]"), .pri = 1, .version = 1,
		.sd = { { "a", "x", "\\n", false }, { "a", "y", "a=b [c\n", false } } },
	{ FRAME("<1>1 - - - - - [a "
		"x=\"\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]"),
		.pri = 1, .version = 1,
		.sd = { { "a", "x",
			"\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
			false } } },
	{ FRAME("<1>1 - - - - - [-] -"), .pri = 1, .version = 1, .message = "-",
		.sd = { { "-", NULL, NULL, false } } },
	{ FRAME("<1>1 - -- -a - -b -"), .pri = 1, .version = 1, .hostname = "--", .appname = "-a",
		.msgid = "-b" },
	/* Shapes that rsyslog sends. */
	{ FRAME("<35>1 2026-11-20T23:35:09.100364+00:00 n1.test sshd 1234 - -  Failed password\n"),
		.pri = 35, .version = 1, TIME(1795217709, 100364000, 6), .hostname = "n1.test",
		.appname = "sshd", .procid = "1234", .message = " Failed password" },
	{ FRAME("<134>1 2026-11-20T23:35:09.107134+00:00 vm app - ID7 [ex@32473 iut=\"3\" "
		"src=\"App \\\"q\\\"\"] with SD\n"),
		.pri = 134, .version = 1, TIME(1795217709, 107134000, 6), .hostname = "vm",
		.appname = "app", .msgid = "ID7", .message = "with SD",
		.sd = { { "ex@32473", "iut", "3", false },
			{ "ex@32473", "src", "App \\\"q\\\"", true } } },
	{ FRAME("<13>1 2026-11-20T23:35:09.143107+00:00 n1.test - - - - \n"), .pri = 13,
		.version = 1, TIME(1795217709, 143107000, 6), .hostname = "n1.test",
		.message = "" },
	{ FRAME("<13>1 2026-11-20T23:35:09+00:00 vm netu - - [timeQuality tzKnown=\"1\" "
		"isSynced=\"0\"] in"),
		.pri = 13, .version = 1, TIME(1795217709, 0, 0), .hostname = "vm",
		.appname = "netu", .message = "in",
		.sd = { { "timeQuality", "tzKnown", "1", false },
			{ "timeQuality", "isSynced", "0", false } } },
	{ FRAME("<4>1 2026-11-20T23:38:47.579311+00:00 vm kernel - - [journal@32473 "
		"transport=\"kernel\" "
		"unit=\"\" comm=\"\"]  <TASK>"),
		.pri = 4, .version = 1, TIME(1795217927, 579311000, 6), .hostname = "vm",
		.appname = "kernel", .message = " <TASK>",
		.sd = { { "journal@32473", "transport", "kernel", false },
			{ "journal@32473", "unit", "", false },
			{ "journal@32473", "comm", "", false } } },
};

/* Errors after which reading goes on. */
static const struct parse_case soft_cases[] = {
	{ FRAME("<invld>1 2026-11-20T23:35:09.143115+00:00 n1.test - - - - <999>bad pri"),
		.pri = 13, .error = LOG_ERR_PRI, .column = 2, .version = 1,
		TIME(1795217709, 143115000, 6), .hostname = "n1.test", .message = "<999>bad pri" },
	{ FRAME("<999>1 - h - - - - x"), .pri = 13, .error = LOG_ERR_PRI, .column = 4, .version = 1,
		.hostname = "h", .message = "x" },
	{ FRAME("<192>1 - h - - - - x"), .pri = 13, .error = LOG_ERR_PRI, .column = 4, .version = 1,
		.hostname = "h", .message = "x" },
	{ FRAME("<013>1 - - - - - - x"), .pri = 13, .error = LOG_ERR_PRI, .column = 3, .version = 1,
		.message = "x" },
	{ FRAME("<1234>1 - - - - - - x"), .pri = 13, .error = LOG_ERR_PRI, .column = 5,
		.version = 1, .message = "x" },
	{ FRAME("<1>1 - " X255 "i - - - - x"), .pri = 1, .error = LOG_ERR_HOSTNAME, .column = 263,
		.version = 1, .hostname = X255 "i", .message = "x" },
	{ FRAME("<1>1 - - " X48 "ijk 7 - - x"), .pri = 1, .error = LOG_ERR_APPNAME, .column = 58,
		.version = 1, .appname = X48 "ijk", .procid = "7", .message = "x" },
	{ FRAME("<1>1 - - - " X128 "i - - x"), .pri = 1, .error = LOG_ERR_PROCID, .column = 140,
		.version = 1, .procid = X128 "i", .message = "x" },
	{ FRAME("<1>1 - - - - " X32 "i - x"), .pri = 1, .error = LOG_ERR_MSGID, .column = 46,
		.version = 1, .msgid = X32 "i", .message = "x" },
	{ FRAME("<1>1 - - - - - [" X32 "i k=\"v\"] x"), .pri = 1, .error = LOG_ERR_SD_ID,
		.column = 49, .version = 1, .message = "x",
		.sd = { { X32 "i", "k", "v", false } } },
	{ FRAME("<1>1 - - - - - [k8s app.kubernetes.io/managed-by-something=\"v\"] x"), .pri = 1,
		.error = LOG_ERR_SD_NAME, .column = 53, .version = 1, .message = "x",
		.sd = { { "k8s", "app.kubernetes.io/managed-by-something", "v", false } } },
	{ FRAME("<1>1 - - - - - [a k=\"1\"][b][a k=\"2\"] x"), .pri = 1, .error = LOG_ERR_SD_ID,
		.column = 29, .version = 1, .message = "x",
		.sd = { { "a", "k", "1", false }, { "b", NULL, NULL, false },
			{ "a", "k", "2", false } } },
	{ FRAME("<1>1 - - - - - [a k=\"x\xff\"] x"), .pri = 1, .error = LOG_ERR_SD_VALUE,
		.column = 23, .version = 1, .message = "x",
		.sd = { { "a", "k", "x\xff", false } } },
	{ FRAME("<1>1 - - - - - [a k=\"\xed\xa0\x80\xc2\"]"), .pri = 1, .error = LOG_ERR_SD_VALUE,
		.column = 22, .version = 1, .sd = { { "a", "k", "\xed\xa0\x80\xc2", false } } },
	{ FRAME("<1>1 - - - - - [a k=\"\xe0\x9f\xbf\"]"), .pri = 1, .error = LOG_ERR_SD_VALUE,
		.column = 22, .version = 1, .sd = { { "a", "k", "\xe0\x9f\xbf", false } } },
	{ FRAME("<1>1 - - - - - [a k=\"\xf4\x90\x80\x80\"]"), .pri = 1, .error = LOG_ERR_SD_VALUE,
		.column = 22, .version = 1, .sd = { { "a", "k", "\xf4\x90\x80\x80", false } } },
	{ FRAME("<1>1 - - - - - [a k=\"x]y\"] x"), .pri = 1, .error = LOG_ERR_SD_VALUE,
		.column = 23, .version = 1, .message = "x", .sd = { { "a", "k", "x]y", false } } },
	{ FRAME("<1>1 2026-11-20T23:35:09.123456789Z h - - - - x"), .pri = 1,
		.error = LOG_ERR_TIMESTAMP, .column = 32, .version = 1,
		TIME(1795217709, 123456789, 9), .hostname = "h", .message = "x" },
	{ FRAME("<1>1 9999-12-31T23:59:59Z h - - - - x"), .pri = 1, .error = LOG_ERR_TIMESTAMP,
		.column = 6, .version = 1, .hostname = "h", .message = "x" },
	{ FRAME("<1>1 0000-01-01T00:00:00Z h - - - - x"), .pri = 1, .error = LOG_ERR_TIMESTAMP,
		.column = 6, .version = 1, .hostname = "h", .message = "x" },
	/* Only the first one counts. */
	{ FRAME("<999>1 - - " X48 "i - - [a k=\"\xff\"]x"), .pri = 13, .error = LOG_ERR_PRI,
		.column = 4, .version = 1, .appname = X48 "i", .message = "x",
		.sd = { { "a", "k", "\xff", false } } },
};

/* Errors that end the header: the rest is the message. */
static const struct parse_case hard_cases[] = {
	{ FRAME("<13>"), .pri = 13, .option = LOG_PARSE_RFC5424, .error = LOG_ERR_VERSION,
		.column = 5 },
	{ FRAME("<13>x"), .pri = 13, .option = LOG_PARSE_RFC5424, .error = LOG_ERR_VERSION,
		.column = 5, .message = "x" },
	{ FRAME("<13>0 -"), .pri = 13, .option = LOG_PARSE_RFC5424, .error = LOG_ERR_VERSION,
		.column = 5, .message = "0 -" },
	{ FRAME("<13>1000 -"), .pri = 13, .option = LOG_PARSE_RFC5424, .error = LOG_ERR_VERSION,
		.column = 8, .message = "1000 -" },
	{ FRAME("<13>1x -"), .pri = 13, .option = LOG_PARSE_RFC5424, .error = LOG_ERR_VERSION,
		.column = 6, .message = "1x -" },
	{ FRAME("<1>2"), .pri = 1, .error = LOG_ERR_VERSION, .column = 5, .version = 2 },
	{ FRAME("<1>2 "), .pri = 1, .error = LOG_ERR_TIMESTAMP, .column = 6, .version = 2 },
	{ FRAME("<1>217 <11>1 - -"), .pri = 1, .error = LOG_ERR_TIMESTAMP, .column = 8,
		.version = 217, .message = "<11>1 - -" },
	{ FRAME("<1>1  - - - - -"), .pri = 1, .error = LOG_ERR_TIMESTAMP, .column = 6, .version = 1,
		.message = " - - - - -" },
	{ FRAME("<1>1 -"), .pri = 1, .error = LOG_ERR_HOSTNAME, .column = 7, .version = 1 },
	{ FRAME("<1>1 -x h - - - -"), .pri = 1, .error = LOG_ERR_TIMESTAMP, .column = 7,
		.version = 1, .message = "-x h - - - -" },
	{ FRAME("<1>1 - "), .pri = 1, .error = LOG_ERR_HOSTNAME, .column = 8, .version = 1 },
	{ FRAME("<1>1 -  h a"), .pri = 1, .error = LOG_ERR_HOSTNAME, .column = 8, .version = 1,
		.message = " h a" },
	{ FRAME("<1>1 - h\xc3\xb6 a"), .pri = 1, .error = LOG_ERR_HOSTNAME, .column = 9,
		.version = 1, .message = "h\xc3\xb6 a" },
	{ FRAME("<1>1 - h\x7f a long way from the end"), .pri = 1, .error = LOG_ERR_HOSTNAME,
		.column = 9, .version = 1, .message = "h\x7f a long way from the end" },
	{ FRAME("<1>1 - h"), .pri = 1, .error = LOG_ERR_APPNAME, .column = 9, .version = 1,
		.hostname = "h" },
	{ FRAME("<1>1 - h a\tb p"), .pri = 1, .error = LOG_ERR_APPNAME, .column = 11, .version = 1,
		.hostname = "h", .message = "a\tb p" },
	{ FRAME("<1>1 - h a p"), .pri = 1, .error = LOG_ERR_MSGID, .column = 13, .version = 1,
		.hostname = "h", .appname = "a", .procid = "p" },
	{ FRAME("<1>1 - h a p\x7f"), .pri = 1, .error = LOG_ERR_PROCID, .column = 13, .version = 1,
		.hostname = "h", .appname = "a", .message = "p\x7f" },
	{ FRAME("<1>1 - - - - m"), .pri = 1, .error = LOG_ERR_SD, .column = 15, .version = 1,
		.msgid = "m" },
	{ FRAME("<1>1 - - - - - X"), .pri = 1, .error = LOG_ERR_SD, .column = 16, .version = 1,
		.message = "X" },
	{ FRAME("<1>1 - - - - - -x"), .pri = 1, .error = LOG_ERR_MESSAGE, .column = 17,
		.version = 1, .message = "x" },
	{ FRAME("<1>1 - - - - - -\n<2>1 - - - - - -"), .pri = 1, .error = LOG_ERR_MESSAGE,
		.column = 17, .version = 1, .message = "\n<2>1 - - - - - -" },
	{ FRAME("<1>1 - - - - - [a]x y"), .pri = 1, .error = LOG_ERR_MESSAGE, .column = 19,
		.version = 1, .message = "x y", .sd = { { "a", NULL, NULL, false } } },
	{ FRAME("<1>1 - - - - - [a]["), .pri = 1, .error = LOG_ERR_SD_ID, .column = 20,
		.version = 1, .message = "[", .sd = { { "a", NULL, NULL, false } } },
	{ FRAME("<1>1 - - - - - [] x"), .pri = 1, .error = LOG_ERR_SD_ID, .column = 17,
		.version = 1, .message = "[] x" },
	{ FRAME("<1>1 - - - - - [a=\"1\"] x"), .pri = 1, .error = LOG_ERR_SD_ID, .column = 18,
		.version = 1, .message = "[a=\"1\"] x" },
	{ FRAME("<1>1 - - - - - [a k=\"1\"][b l=\"2\" ] x"), .pri = 1, .error = LOG_ERR_SD_NAME,
		.column = 34, .version = 1, .message = "[b l=\"2\" ] x",
		.sd = { { "a", "k", "1", false } } },
	{ FRAME("<1>1 - - - - - [a k] x"), .pri = 1, .error = LOG_ERR_SD_NAME, .column = 20,
		.version = 1, .message = "[a k] x" },
	{ FRAME("<1>1 - - - - - [a k=v] x"), .pri = 1, .error = LOG_ERR_SD_VALUE, .column = 21,
		.version = 1, .message = "[a k=v] x" },
	{ FRAME("<1>1 - - - - - [a k=\"v"), .pri = 1, .error = LOG_ERR_SD_VALUE, .column = 23,
		.version = 1, .message = "[a k=\"v" },
	{ FRAME("<1>1 - - - - - [a k=\"v\\\""), .pri = 1, .error = LOG_ERR_SD_VALUE, .column = 25,
		.version = 1, .message = "[a k=\"v\\\"" },
	{ FRAME("<1>1 - - - - - [a k=\"v\"x] y"), .pri = 1, .error = LOG_ERR_SD, .column = 24,
		.version = 1, .message = "[a k=\"v\"x] y" },
	{ FRAME("<101>11 2003-09-31T22:14:15.003Z"), .pri = 101, .error = LOG_ERR_TIMESTAMP,
		.column = 18, .version = 11, .message = "2003-09-31T22:14:15.003Z" },
};

/* Where in a stamp the byte is that is wrong: "<1>1 " STAMP " h". */
static const struct {
	const char *stamp;
	unsigned at; /* 1-based, in the stamp */
} bad_stamps[] = {
	{ "2026", 5 },
	{ "x", 1 },
	{ "202x-01-01T00:00:00Z", 4 },
	{ "2026/01-01T00:00:00Z", 5 },
	{ "2026-00-01T00:00:00Z", 7 },
	{ "2026-13-01T00:00:00Z", 7 },
	{ "2026-20-01T00:00:00Z", 6 },
	{ "2026-01-00T00:00:00Z", 10 },
	{ "2026-01-32T00:00:00Z", 10 },
	{ "2026-04-31T00:00:00Z", 10 },
	{ "2026-02-29T00:00:00Z", 10 },
	{ "2024-02-30T00:00:00Z", 9 },
	{ "1900-02-29T00:00:00Z", 10 },
	{ "2026-01-01t00:00:00Z", 11 },
	{ "2026-01-01 00:00:00Z", 11 },
	{ "2026-01-01T24:00:00Z", 13 },
	{ "2026-01-01T00:60:00Z", 15 },
	{ "2026-01-01T00:00:60Z", 18 },
	{ "2026-01-01T00:00:00", 20 },
	{ "2026-01-01T00:00:00z", 20 },
	{ "2026-01-01T00:00:00.Z", 21 },
	{ "2026-01-01T00:00:00.1", 22 },
	{ "2026-01-01T00:00:00.1234567X", 27 },
	{ "2026-01-01T00:00:00+24:00", 22 },
	{ "2026-01-01T00:00:00+00:60", 24 },
	{ "2026-01-01T00:00:00+0000", 23 },
	{ "2026-01-01T00:00:00ZZ", 21 },
};

#define R3164 .format = LOG_FORMAT_RFC3164

static const struct parse_case rfc3164_cases[] = {
	{ FRAME("<13>Dec  2 16:31:03 host app: Test"), R3164, .pri = 13, TIME(1796229063, 0, 0),
		.hostname = "host", .appname = "app", .message = "Test" },
	{ FRAME("<35>Nov 20 23:35:09 n1.test sshd[1234]: Failed password\n"), R3164, .pri = 35,
		TIME(1795217709, 0, 0), .hostname = "n1.test", .appname = "sshd", .procid = "1234",
		.message = "Failed password" },
	{ FRAME("<134>Nov 20 23:35:09 vm app with SD via RFC5424"), R3164, .pri = 134,
		TIME(1795217709, 0, 0), .hostname = "vm", .appname = "app",
		.message = "with SD via RFC5424" },
	{ FRAME("<30>2026-11-20T23:35:09.100364+05:30 h-1 app[9]:  two  "), R3164, .pri = 30,
		TIME(1795197909, 100364000, 6), .hostname = "h-1", .appname = "app", .procid = "9",
		.message = " two" },
	{ FRAME("<30>2026-11-20T23:35:09.123456789Z h a: x"), R3164, .pri = 30,
		TIME(1795217709, 123456789, 9), .hostname = "h", .appname = "a", .message = "x" },
	{ FRAME("<13>Nov  2 03:04:05 h a: x"), R3164, .pri = 13, TIME(1793588645, 0, 0),
		.hostname = "h", .appname = "a", .message = "x" },
	{ FRAME("<13>Nov 02 03:04:05 h a: x"), R3164, .pri = 13, TIME(1793588645, 0, 0),
		.hostname = "h", .appname = "a", .message = "x" },
	{ FRAME("<13>Nov 2 03:04:05 h a: x"), R3164, .pri = 13, TIME(1793588645, 0, 0),
		.hostname = "h", .appname = "a", .message = "x" },
	/* Both ends of the year around NOW: June 2027 is farther than June 2026. */
	{ FRAME("<13>Jan  1 00:00:05 h a: x"), R3164, .pri = 13, TIME(1798761605, 0, 0),
		.hostname = "h", .appname = "a", .message = "x" },
	{ FRAME("<13>Feb 29 12:00:00 h a: x"), R3164, .pri = 13, TIME(1835438400, 0, 0),
		.hostname = "h", .appname = "a", .message = "x" },
	/* No hostname, no colon, no blank, no pid, no message. */
	{ FRAME("<13>Nov 20 23:35:09 raw: plain"), R3164, .pri = 13, TIME(1795217709, 0, 0),
		.appname = "raw", .message = "plain" },
	{ FRAME("<13>Nov 20 23:35:09 cee[77]: @cee:{\"a\":[1]}"), R3164, .pri = 13,
		TIME(1795217709, 0, 0), .appname = "cee", .procid = "77",
		.message = "@cee:{\"a\":[1]}" },
	{ FRAME("<13>Nov 20 23:35:09 cee[77]:x y"), R3164, .pri = 13, TIME(1795217709, 0, 0),
		.appname = "cee", .procid = "77", .message = "x y" },
	{ FRAME("<13>Nov 20 23:35:09 gr\xc3\xbc\xc3\x9f: x"), R3164, .pri = 13,
		TIME(1795217709, 0, 0), .appname = "gr\xc3\xbc\xc3\x9f", .message = "x" },
	{ FRAME("<13>Nov 20 23:35:09 fe80::1 app: x"), R3164, .pri = 13, TIME(1795217709, 0, 0),
		.hostname = "fe80::1", .appname = "app", .message = "x" },
	{ FRAME("<13>Nov 20 23:35:09 - app[-]:x"), R3164, .pri = 13, TIME(1795217709, 0, 0),
		.appname = "app", .message = "x" },
	{ FRAME("<13>Nov 20 23:35:09 h app[]"), R3164, .pri = 13, TIME(1795217709, 0, 0),
		.hostname = "h", .appname = "app" },
	{ FRAME("<13>Nov 20 23:35:09 h app[1 2] x"), R3164, .pri = 13, TIME(1795217709, 0, 0),
		.hostname = "h", .appname = "app", .message = "[1 2] x" },
	{ FRAME("<13>Nov 20 23:35:09 h app["), R3164, .pri = 13, TIME(1795217709, 0, 0),
		.hostname = "h", .appname = "app", .message = "[" },
	{ FRAME("<13>Nov 20 23:35:09 h app:"), R3164, .pri = 13, TIME(1795217709, 0, 0),
		.hostname = "h", .appname = "app" },
	{ FRAME("<13>Nov 20 23:35:09 h app: "), R3164, .pri = 13, TIME(1795217709, 0, 0),
		.hostname = "h", .appname = "app", .message = "" },
	{ FRAME("<13>Nov 20 23:35:09 h sp ace[1]: q"), R3164, .pri = 13, TIME(1795217709, 0, 0),
		.hostname = "h", .appname = "sp", .message = "ace[1]: q" },
	{ FRAME("<13>1 Nov 20"), R3164, .option = LOG_PARSE_RFC3164, .pri = 13,
		.error = LOG_ERR_STAMP, .column = 6, .message = "1 Nov 20" },
	{ FRAME("<13>1000 -"), R3164, .pri = 13, .error = LOG_ERR_STAMP, .column = 9,
		.message = "1000 -" },
	{ FRAME("<5>12:00"), R3164, .pri = 5, .error = LOG_ERR_STAMP, .column = 6,
		.message = "12:00" },
	/* Errors. */
	{ FRAME("<invld>Nov 20 23:35:09 h  <999>bad pri"), R3164, .pri = 13, .error = LOG_ERR_PRI,
		.column = 2, TIME(1795217709, 0, 0), .hostname = "h", .message = "<999>bad pri" },
	{ FRAME("<6>Nov 20 23:35:09 h  [ 12.3] no tag"), R3164, .pri = 6, .error = LOG_ERR_TAG,
		.column = 22, TIME(1795217709, 0, 0), .hostname = "h",
		.message = "[ 12.3] no tag" },
	{ FRAME("<13>Nov 20 23:35:09 h"), R3164, .pri = 13, .error = LOG_ERR_TAG, .column = 22,
		TIME(1795217709, 0, 0), .hostname = "h" },
	{ FRAME("<13>Nov 20 23:35:09"), R3164, .pri = 13, .error = LOG_ERR_HOSTNAME, .column = 20,
		TIME(1795217709, 0, 0) },
	{ FRAME("<13>Nov 20 23:35:09  h a"), R3164, .pri = 13, .error = LOG_ERR_HOSTNAME,
		.column = 21, TIME(1795217709, 0, 0), .message = " h a" },
	{ FRAME("<13>Nov 20 23:35:09 h\xc3\xb6 a: x"), R3164, .pri = 13, .error = LOG_ERR_HOSTNAME,
		.column = 22, TIME(1795217709, 0, 0), .message = "h\xc3\xb6 a: x" },
	{ FRAME("<13>Nov 20 23:35:09 " X255 "i a: x"), R3164, .pri = 13, .error = LOG_ERR_HOSTNAME,
		.column = 276, TIME(1795217709, 0, 0), .hostname = X255 "i", .appname = "a",
		.message = "x" },
	{ FRAME("<13>Nov 20 23:35:09 h a[" X128 "i]: x"), R3164, .pri = 13, .error = LOG_ERR_PROCID,
		.column = 153, TIME(1795217709, 0, 0), .hostname = "h", .appname = "a",
		.procid = X128 "i", .message = "x" },
	{ FRAME("<13>"), R3164, .pri = 13, .error = LOG_ERR_STAMP, .column = 5 },
	{ FRAME("<13>hello"), R3164, .pri = 13, .error = LOG_ERR_STAMP, .column = 5,
		.message = "hello" },
	{ FRAME("<13>Nox 20 23:35:09 h a: x"), R3164, .pri = 13, .error = LOG_ERR_STAMP,
		.column = 7, .message = "Nox 20 23:35:09 h a: x" },
	{ FRAME("<13>Nov 31 23:35:09 h"), R3164, .pri = 13, .error = LOG_ERR_STAMP, .column = 10,
		.message = "Nov 31 23:35:09 h" },
	{ FRAME("<13>Nov 40 23:35:09 h"), R3164, .pri = 13, .error = LOG_ERR_STAMP, .column = 10,
		.message = "Nov 40 23:35:09 h" },
	{ FRAME("<13>Nov  0 23:35:09 h"), R3164, .pri = 13, .error = LOG_ERR_STAMP, .column = 10,
		.message = "Nov  0 23:35:09 h" },
	{ FRAME("<13>Nov 20 23:35:60 h"), R3164, .pri = 13, .error = LOG_ERR_STAMP, .column = 18,
		.message = "Nov 20 23:35:60 h" },
	{ FRAME("<13>Nov 20 23:35:09: h"), R3164, .pri = 13, .error = LOG_ERR_STAMP, .column = 20,
		.message = "Nov 20 23:35:09: h" },
	{ FRAME("<13>2026-11-20T23:35:09 h a: x"), R3164, .pri = 13, .error = LOG_ERR_STAMP,
		.column = 24, .message = "2026-11-20T23:35:09 h a: x" },
};

#define RAW .format = LOG_FORMAT_RAW, .pri = 13

/* Nothing of a header: the frame as it is. */
static const struct parse_case raw_cases[] = {
	{ { NULL, 0 }, RAW, .error = LOG_ERR_EMPTY, .column = 1 },
	{ FRAME("\r\n"), RAW, .error = LOG_ERR_EMPTY, .column = 1 },
	{ FRAME("  \n"), RAW, .error = LOG_ERR_PRI, .column = 1, .message = "" },
	{ FRAME("no pri at all \n"), RAW, .error = LOG_ERR_PRI, .column = 1,
		.message = "no pri at all" },
	{ FRAME("<"), RAW, .error = LOG_ERR_PRI, .column = 2, .message = "<" },
	{ FRAME("<>1 - - - - - -"), RAW, .error = LOG_ERR_PRI, .column = 2,
		.message = "<>1 - - - - - -" },
	{ FRAME("<13"), RAW, .error = LOG_ERR_PRI, .column = 4, .message = "<13" },
	{ FRAME("<13 1 -"), RAW, .error = LOG_ERR_PRI, .column = 4, .message = "<13 1 -" },
	{ FRAME("<-1>1 -"), RAW, .error = LOG_ERR_PRI, .column = 2, .message = "<-1>1 -" },
	{ FRAME("<html>1 - - - - - -"), RAW, .error = LOG_ERR_PRI, .column = 2,
		.message = "<html>1 - - - - - -" },
	/* A wrong PRI in front of no header stays, too. */
	{ FRAME("<999>bad pri"), RAW, .error = LOG_ERR_PRI, .column = 4,
		.message = "<999>bad pri" },
	{ FRAME("<invld>"), RAW, .error = LOG_ERR_PRI, .column = 2, .message = "<invld>" },
	{ FRAME("<999>1x"), RAW, .option = LOG_PARSE_RFC5424, .error = LOG_ERR_PRI, .column = 4,
		.message = "<999>1x" },
};
