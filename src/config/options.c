/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table itself, one option a row, in the order in which `logmill options` shows it. Sections
 * with a NAME have the struct of one of them as base, [server] has struct settings.
 */
#include "config/options.h"

#include <stdio.h>

#include "base/diag.h"
#include "config/value.h"

#define MEMBER(type, name) \
	.offset = offsetof(struct type, name), .size = sizeof(((struct type *)0)->name)
#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define MS  UINT64_C(1000000)
#define SEC (MS * 1000)
#define DAY (SEC * 86400)

static const struct option_choice LOG_LEVELS[] = { { "debug", DIAG_DEBUG }, { "info", DIAG_INFO },
	{ "warn", DIAG_WARN }, { "error", DIAG_ERROR }, { NULL, 0 } };
static const struct option_choice FRAMINGS[] = { { "auto", FRAMING_AUTO },
	{ "octet-counting", FRAMING_OCTET_COUNTING }, { "lf", FRAMING_LF }, { "nul", FRAMING_NUL },
	{ NULL, 0 } };
static const struct option_choice FORMATS[] = { { "auto", LOG_PARSE_AUTO },
	{ "rfc5424", LOG_PARSE_RFC5424 }, { "rfc3164", LOG_PARSE_RFC3164 }, { NULL, 0 } };
static const struct option_choice TLS_VERSIONS[] = { { "1.2", 12 }, { "1.3", 13 }, { NULL, 0 } };
static const struct option_choice TIMES[] = { { "message", 0 }, { "received", 1 }, { NULL, 0 } };
static const struct option_choice VERSIONS[] = { { "1", 1 }, { "2", 2 }, { NULL, 0 } };

/* clang-format off: one option, one block of lines that reads as a row. */
static const struct option OPTIONS[] = {
	{ "server", "workers", "auto", OPTION_UINT, 1, 256, .zero_word = "auto",
		MEMBER(settings, workers), .help = "worker threads; auto: one per core" },
	{ "server", "state_dir", "/var/lib/logmill", OPTION_PATH, .allowed = "a folder",
		MEMBER(settings, state_dir), .help = "where state is kept; made when missing" },
	{ "server", "rules", "rules/*.ini", OPTION_CUSTOM, .read = read_rules,
		.allowed = "files or globs", .help = "rule files" },
	{ "server", "host", "auto", OPTION_CUSTOM, .read = read_host, .allowed = "auto|none|NAME",
		MEMBER(settings, host),
		.help = "value of the tag host; auto: this machine's name" },
	{ "server", "log_level", "info", OPTION_CHOICE, .choices = LOG_LEVELS,
		MEMBER(settings, log_level), .help = "what logmill itself logs to stderr" },
	{ "server", "memory_limit", "256MiB", OPTION_SIZE, MIB, 1024 * GIB,
		MEMBER(settings, memory_limit),
		.help = "points queued in memory, all outputs together" },
	{ "server", "drain_delay", "0s", OPTION_DURATION, 0, 3600 * SEC,
		MEMBER(settings, drain_delay_ns),
		.help = "goes on as before for this long after SIGTERM" },
	{ "server", "drain_timeout", "10s", OPTION_DURATION, 100 * MS, 3600 * SEC,
		MEMBER(settings, drain_timeout_ns),
		.help = "ends this long after SIGTERM, drain_delay included" },

	{ "listen", "address", NULL, OPTION_CUSTOM, .read = read_listen_address,
		.allowed = "tcp://, udp:// or tls:// and HOST:PORT",
		MEMBER(listen_settings, address), .help = "no host: every address; no port: 6514" },
	{ "listen", "framing", "auto", OPTION_CHOICE, .choices = FRAMINGS,
		MEMBER(listen_settings, framing),
		.help = "how messages are cut; auto: by a connection's first byte" },
	{ "listen", "format", "auto", OPTION_CHOICE, .choices = FORMATS,
		MEMBER(listen_settings, format),
		.help = "format of the messages; auto: told apart one by one" },
	{ "listen", "best_effort", "yes", OPTION_YES_NO, MEMBER(listen_settings, best_effort),
		.help = "keep what could be read of a broken header" },
	{ "listen", "max_message_size", "64KiB", OPTION_SIZE, 256, MIB,
		MEMBER(listen_settings, max_message_size), .help = "longer messages are cut" },
	{ "listen", "max_connections", "1024", OPTION_UINT, 1, 1000000,
		MEMBER(listen_settings, max_connections), .help = "more connections are refused" },
	{ "listen", "idle_timeout", "0", OPTION_DURATION, .not_yet = "",
		.help = "closes quiet connections; 0: never" },
	{ "listen", "read_timeout", "60s", OPTION_DURATION, .not_yet = "",
		.help = "closes a connection with a half-received message" },
	{ "listen", "keepalive", "5m", OPTION_DURATION, SEC, DAY, .zero_word = "0",
		MEMBER(listen_settings, keepalive_ns),
		.help = "TCP keepalive on quiet connections; 0: off" },
	{ "listen", "allow", "", OPTION_CUSTOM, .not_yet = "",
		.help = "networks that may connect" },
	{ "listen", "timezone", "UTC", OPTION_CUSTOM, .not_yet = "",
		.help = "time zone of RFC 3164 stamps" },
	{ "listen", "source", "yes", OPTION_YES_NO, MEMBER(listen_settings, source),
		.help = "put the peer's address on the point" },
	{ "listen", "tls_cert", "", OPTION_FILE, .allowed = "a PEM file",
		MEMBER(listen_settings, tls_cert), .help = "certificate chain; tls:// needs it" },
	{ "listen", "tls_key", "", OPTION_FILE, .allowed = "a PEM file",
		MEMBER(listen_settings, tls_key), .help = "its private key; tls:// needs it" },
	{ "listen", "tls_ca", "", OPTION_FILE, .allowed = "a PEM file",
		MEMBER(listen_settings, tls_ca),
		.help = "clients must show a certificate signed by it" },
	{ "listen", "tls_permitted_peers", "", OPTION_CUSTOM, .not_yet = "",
		.help = "names or fingerprints of client certificates" },
	{ "listen", "tls_min_version", "1.2", OPTION_CHOICE, .choices = TLS_VERSIONS,
		MEMBER(listen_settings, tls_min_version), .help = "oldest TLS version" },
	{ "listen", "tls_ciphers", "", OPTION_TEXT, .allowed = "an OpenSSL cipher list",
		MEMBER(listen_settings, tls_ciphers),
		.help = "ciphers of TLS 1.2; unset: OpenSSL's" },

	{ "logs", "enabled", "yes", OPTION_YES_NO, MEMBER(logs_settings, enabled),
		.help = "write every message as a point" },
	{ "logs", "measurement", "syslog", OPTION_TEXT, .allowed = "text",
		MEMBER(logs_settings, measurement), .help = "measurement of the raw log points" },
	{ "logs", "tags", "severity facility hostname appname source host", OPTION_CUSTOM,
		.read = read_tags, .allowed = "of these six", MEMBER(logs_settings, tags),
		.help = "header values that become tags; the others become fields" },
	{ "logs", "sdparam_separator", "_", OPTION_TEXT, .allowed = "text",
		MEMBER(logs_settings, sdparam_separator),
		.help = "joins SD-ID and PARAM-NAME to a field name" },
	{ "logs", "time", "message", OPTION_CHOICE, .choices = TIMES,
		MEMBER(logs_settings, time_received), .help = "which time a point gets" },
	{ "logs", "max_age", "7d", OPTION_DURATION, 0, 36500 * DAY,
		MEMBER(logs_settings, max_age_ns), .help = "older messages get the receive time" },
	{ "logs", "max_future", "10s", OPTION_DURATION, 0, 36500 * DAY,
		MEMBER(logs_settings, max_future_ns),
		.help = "messages further ahead get the receive time" },
	{ "logs", "output", "", OPTION_CUSTOM, .read = read_log_outputs,
		.allowed = "names of outputs",
		.help = "where raw log points go; unset: to all outputs" },
	{ "logs", "max_values.*", "10000", OPTION_UINT, .not_yet = "",
		.help = "distinct values of that tag" },

	{ "drop", "*", "", OPTION_CUSTOM, .not_yet = "",
		.help = "[drop NAME]: messages that make no raw point" },

	{ "metrics", "every", "10s", OPTION_DURATION, 100 * MS, DAY,
		MEMBER(metrics_settings, every_ns), .help = "length of a window" },
	{ "metrics", "time", "message", OPTION_CHOICE, .choices = TIMES,
		MEMBER(metrics_settings, time_received),
		.help = "which time puts a message in its window" },
	{ "metrics", "lateness", "5m", OPTION_DURATION, 0, 7 * DAY,
		MEMBER(metrics_settings, lateness_ns),
		.help = "windows are kept this long for late messages" },
	{ "metrics", "max_series", "10000", OPTION_UINT, 1, 10000000,
		MEMBER(metrics_settings, max_series),
		.help = "series of a rule; more fold into _other" },
	{ "metrics", "expire", "1h", OPTION_DURATION, SEC, 36500 * DAY,
		MEMBER(metrics_settings, expire_ns), .help = "a quiet series ends after this" },
	{ "metrics", "prometheus", "yes", OPTION_YES_NO, .not_yet = "",
		.help = "rule metrics on /metrics too" },
	{ "metrics", "instance", "none", OPTION_CUSTOM, .not_yet = "",
		.help = "tag on running totals, for several replicas" },

	{ "influxdb", "url", "http://127.0.0.1:8086", OPTION_CUSTOM, .read = read_urls,
		.allowed = "http:// or https:// addresses", MEMBER(output_settings, urls),
		.help = "servers; the next one when one fails" },
	{ "influxdb", "version", "1", OPTION_CHOICE, .choices = VERSIONS,
		MEMBER(output_settings, version), .help = "write API" },
	{ "influxdb", "database", "telegraf", OPTION_TEXT, .allowed = "text",
		MEMBER(output_settings, database), .help = "version 1: database" },
	{ "influxdb", "retention_policy", "", OPTION_TEXT, .allowed = "text",
		MEMBER(output_settings, retention_policy),
		.help = "version 1; unset: the database's default" },
	{ "influxdb", "username", "", OPTION_TEXT, .allowed = "text",
		MEMBER(output_settings, username), .help = "version 1; needs a password" },
	{ "influxdb", "password", "", OPTION_SECRET, .allowed = "text",
		MEMBER(output_settings, password), .help = "version 1; better in a file" },
	{ "influxdb", "password_file", "", OPTION_FILE, .allowed = "a file",
		MEMBER(output_settings, password_file),
		.help = "version 1; read again when refused" },
	{ "influxdb", "org", "", OPTION_TEXT, .allowed = "text", MEMBER(output_settings, org),
		.help = "version 2: organisation" },
	{ "influxdb", "bucket", "", OPTION_TEXT, .allowed = "text", MEMBER(output_settings, bucket),
		.help = "version 2: bucket" },
	{ "influxdb", "token", "", OPTION_SECRET, .allowed = "text", MEMBER(output_settings, token),
		.help = "version 2; better in a file" },
	{ "influxdb", "token_file", "", OPTION_FILE, .allowed = "a file",
		MEMBER(output_settings, token_file), .help = "version 2; read again when refused" },
	{ "influxdb", "create_database", "yes", OPTION_YES_NO,
		MEMBER(output_settings, create_database),
		.help = "version 1: create it when it is missing" },
	{ "influxdb", "consistency", "", OPTION_CUSTOM, .read = read_consistency,
		.allowed = "any|one|quorum|all", MEMBER(output_settings, consistency),
		.help = "version 1: write consistency of a cluster" },
	{ "influxdb", "batch_points", "5000", OPTION_UINT, 1, 1000000,
		MEMBER(output_settings, batch_points), .help = "points of a request" },
	{ "influxdb", "batch_bytes", "1MiB", OPTION_SIZE, KIB, 4 * MIB,
		MEMBER(output_settings, batch_bytes), .help = "bytes of a request" },
	{ "influxdb", "flush_interval", "1s", OPTION_DURATION, 10 * MS, 3600 * SEC,
		MEMBER(output_settings, flush_interval_ns),
		.help = "a batch that is not full goes out after this" },
	{ "influxdb", "timeout", "10s", OPTION_DURATION, 100 * MS, 600 * SEC,
		MEMBER(output_settings, timeout_ns), .help = "of a request" },
	{ "influxdb", "connections", "2", OPTION_UINT, 1, 64, MEMBER(output_settings, connections),
		.help = "requests at a time" },
	{ "influxdb", "gzip", "no", OPTION_YES_NO, .not_yet = "no", MEMBER(output_settings, gzip),
		.help = "compress requests" },
	{ "influxdb", "spool", "no", OPTION_YES_NO, .not_yet = "no",
		.help = "keep on disk what does not fit in memory" },
	{ "influxdb", "spool_limit", "1GiB", OPTION_SIZE, .not_yet = "",
		.help = "bytes of the spool" },
	{ "influxdb", "when_full", "block", OPTION_CUSTOM, .not_yet = "block",
		.help = "block: stop reading TCP" },
	{ "influxdb", "tls_ca", "", OPTION_FILE, .allowed = "a PEM file",
		MEMBER(output_settings, tls_ca),
		.help = "https://: trusted instead of the system's authorities" },
	{ "influxdb", "tls_cert", "", OPTION_FILE, .allowed = "a PEM file",
		MEMBER(output_settings, tls_cert), .help = "https://: client certificate" },
	{ "influxdb", "tls_key", "", OPTION_FILE, .allowed = "a PEM file",
		MEMBER(output_settings, tls_key), .help = "https://: its private key" },
	{ "influxdb", "tls_verify", "yes", OPTION_YES_NO, MEMBER(output_settings, tls_verify),
		.help = "https://: check the server's certificate" },

	{ "file", "path", NULL, OPTION_CUSTOM, .read = read_file_path,
		.allowed = "a file, or - for stdout", MEMBER(output_settings, path),
		.help = "line protocol is appended to it" },
	{ "file", "rotate_size", "64MiB", OPTION_SIZE, KIB, 1024 * GIB,
		MEMBER(output_settings, rotate_size), .help = "a new file is begun at this size" },
	{ "file", "keep", "4", OPTION_UINT, 1, 1000, MEMBER(output_settings, keep),
		.help = "old files kept" },

	{ "http", "address", "127.0.0.1:9514", OPTION_CUSTOM, .read = read_http_address,
		.allowed = "HOST:PORT|none", MEMBER(http_settings, host),
		.help = "/metrics, /livez, /readyz and the live page" },
	{ "http", "token_file", "", OPTION_FILE, .allowed = "a file",
		MEMBER(http_settings, token_file), .help = "bearer token for all but the probes" },
};
/* clang-format on */

enum { N_OPTIONS = sizeof(OPTIONS) / sizeof(OPTIONS[0]) };

const struct option *
option_table(size_t *n)
{
	*n = N_OPTIONS;
	return OPTIONS;
}

const struct option *
option_find(const char *section, struct str key)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (strcmp(OPTIONS[i].section, section) == 0 &&
			str_glob(str_from(OPTIONS[i].key), key))
			return &OPTIONS[i];
	return NULL;
}

static void
add_number(const struct option *option, uint64_t number, struct buf *out)
{
	if (option->type == OPTION_SIZE)
		value_add_size(out, number);
	else if (option->type == OPTION_DURATION)
		value_add_duration(out, (int64_t)number);
	else
		buf_add_uint(out, number);
}

void
option_allowed(const struct option *option, struct buf *out)
{
	if (option->not_yet != NULL) {
		buf_add_text(out, option->not_yet);
	} else if (option->allowed != NULL) {
		buf_add_text(out, option->allowed);
	} else if (option->type == OPTION_YES_NO) {
		buf_add_text(out, "yes|no");
	} else if (option->type == OPTION_CHOICE) {
		for (const struct option_choice *c = option->choices; c->name != NULL; c++)
			buf_printf(out, "%s%s", c == option->choices ? "" : "|", c->name);
	} else {
		if (option->zero_word != NULL)
			buf_printf(out, "%s or ", option->zero_word);
		add_number(option, option->min, out);
		buf_add_text(out, " to ");
		add_number(option, option->max, out);
	}
}

static const char *
shown_default(const struct option *option)
{
	if (option->not_yet != NULL && option->not_yet[0] == '\0')
		return "-";
	if (option->standard == NULL)
		return "(required)";
	return option->standard[0] != '\0' ? option->standard : "-";
}

enum { COLUMNS = 4 };

/* The columns before the help text. */
static void
row_texts(const struct option *option, struct buf texts[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++)
		buf_clear(&texts[i]);
	buf_printf(&texts[0], "[%s]", option->section);
	buf_add_text(&texts[1], option->key);
	buf_add_text(&texts[2], shown_default(option));
	option_allowed(option, &texts[3]);
	if (texts[3].len == 0)
		buf_add_char(&texts[3], '-');
}

void
options_print(struct buf *out)
{
	static const char *const TITLES[COLUMNS] = { "SECTION", "OPTION", "DEFAULT", "ALLOWED" };
	struct buf texts[COLUMNS] = { BUF_EMPTY, BUF_EMPTY, BUF_EMPTY, BUF_EMPTY };
	int widths[COLUMNS];

	for (size_t c = 0; c < COLUMNS; c++)
		widths[c] = (int)strlen(TITLES[c]);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		row_texts(&OPTIONS[i], texts);
		for (size_t c = 0; c < COLUMNS; c++)
			if ((int)texts[c].len > widths[c])
				widths[c] = (int)texts[c].len;
	}
	for (size_t c = 0; c < COLUMNS; c++)
		buf_printf(out, "%-*s  ", widths[c], TITLES[c]);
	buf_add_text(out, "HELP\n");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const char *not_yet = OPTIONS[i].not_yet;

		row_texts(&OPTIONS[i], texts);
		for (size_t c = 0; c < COLUMNS; c++)
			buf_printf(out, "%-*s  ", widths[c], buf_cstr(&texts[c]));
		buf_printf(out, "%s%s\n", OPTIONS[i].help,
			not_yet == NULL              ? ""
				: not_yet[0] == '\0' ? " (not supported yet)"
						     : " (other values: not supported yet)");
	}
	for (size_t c = 0; c < COLUMNS; c++)
		buf_fini(&texts[c]);
}
