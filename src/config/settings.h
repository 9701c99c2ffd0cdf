/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole configuration as plain values, and how it is read. Every option stands once, in the
 * option table (config/options.c), which gives its default, its range, its help text and what reads
 * it.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "config/ini.h"
#include "parser/framer.h"
#include "parser/log_parse.h"

enum listen_transport { LISTEN_TCP, LISTEN_UDP, LISTEN_TLS };

struct listen_settings { /* [listen NAME] */
	char *name;
	char *address; /* as written, for messages */
	enum listen_transport transport;
	char *host; /* numeric or name, brackets removed; NULL = every address */
	uint16_t port;
	enum framing framing;
	enum log_format_option format;
	bool best_effort;
	bool source;             /* put the peer's address on the point */
	size_t max_message_size; /* bytes */
	uint32_t max_connections;
	int64_t keepalive_ns; /* 0 = off */
	char *tls_cert, *tls_key,
		*tls_ca;     /* resolved paths; tls_ca NULL = no client certificate asked */
	int tls_min_version; /* 12 or 13 */
	char *tls_ciphers;   /* NULL = OpenSSL's */
};

/* The header values that [logs] tags may name; those it leaves out become string fields. */
enum log_tag {
	LOG_TAG_APPNAME = 1 << 0,
	LOG_TAG_FACILITY = 1 << 1,
	LOG_TAG_HOST = 1 << 2,
	LOG_TAG_HOSTNAME = 1 << 3,
	LOG_TAG_SEVERITY = 1 << 4,
	LOG_TAG_SOURCE = 1 << 5,
	LOG_TAG_ALL = (1 << 6) - 1,
};

struct logs_settings { /* [logs] */
	bool enabled;
	char *measurement;
	unsigned tags; /* enum log_tag, or-ed */
	char *sdparam_separator;
	bool time_received;
	int64_t max_age_ns, max_future_ns;
	uint64_t outputs; /* bit i = outputs[i] gets the raw points */
};

struct metrics_settings { /* [metrics] */
	int64_t every_ns, lateness_ns, expire_ns;
	bool time_received;
	uint32_t max_series;
};

enum output_kind { OUTPUT_INFLUXDB, OUTPUT_FILE };

struct output_settings { /* [influxdb NAME] and [file NAME] */
	enum output_kind kind;
	char *name;
	/* influxdb */
	char **urls; /* without a trailing slash */
	size_t n_urls;
	int version; /* 1 or 2 */
	char *database, *retention_policy, *username, *password, *password_file, *consistency;
	char *org, *bucket, *token, *token_file;
	bool create_database;
	uint32_t batch_points;
	size_t batch_bytes;
	int64_t flush_interval_ns, timeout_ns;
	uint32_t connections;
	bool gzip;
	char *tls_ca, *tls_cert, *tls_key;
	bool tls_verify;
	/* file */
	char *path; /* "-" = standard output */
	uint64_t rotate_size;
	uint32_t keep;
};

struct http_settings { /* [http] */
	char *host;    /* NULL = no admin port */
	uint16_t port;
	char *token_file;
};

struct settings {
	/* [server] */
	uint32_t workers; /* 0 = one per core this process may use */
	char *state_dir;
	char *host;            /* value of the tag host; NULL = left out */
	int log_level;         /* enum diag_level */
	uint64_t memory_limit; /* bytes of queued points */
	int64_t drain_delay_ns, drain_timeout_ns;

	struct listen_settings *listens;
	size_t n_listens;
	struct logs_settings logs;
	struct metrics_settings metrics;
	struct output_settings
		*outputs; /* at most 64; at least one: the default [file] when none is configured */
	size_t n_outputs;
	bool default_output; /* true: that default is in use */
	struct http_settings http;

	/* [rule NAME] and [patterns] sections of the main file and of the rule files, unread:
	 * match/ compiles them. */
	struct ini rules;
	size_t n_rule_files;
};

/*
 * Reads path (and the rule files it names) into *settings. All errors are added to err, not just
 * the first; false when there was one, and *settings then holds what was understood, to look for
 * more errors in: settings_fini() is owed either way. Relative paths are taken from the file's
 * folder. ${NAME} is expanded from the environment in every section but the rules'.
 */
bool settings_read(struct settings *settings, const char *path, struct err *err);
void settings_fini(struct settings *settings);

/* Index of the output with that name, or -1. */
int settings_find_output(const struct settings *settings, struct str name);

/* `logmill options`: every option with section, default, range and help. */
void options_print(struct buf *out);

/* Whole-string parsers of the value types; also used by rules. `10s`, `250ms`, `64KiB`, `yes`. */
bool value_duration(struct str s, int64_t *ns);
bool value_size(struct str s, uint64_t *bytes);
bool value_yes_no(struct str s, bool *yes);
