/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table and what reads values by it. Each option stands there once; parsing, defaults,
 * range checks, the output of `logmill options` and the test of conf/logmill.ini all follow from
 * its row.
 */
#pragma once

#include "config/settings.h"

struct reading;

enum option_type {
	OPTION_YES_NO,   /* bool */
	OPTION_UINT,     /* uint32_t, min to max */
	OPTION_SIZE,     /* size_t or uint64_t, bytes, min to max */
	OPTION_DURATION, /* int64_t, ns, min to max */
	OPTION_CHOICE,   /* one of .choices, as int, enum or bool */
	OPTION_TEXT,     /* char *, NULL when empty */
	OPTION_SECRET,   /* the same, never shown */
	OPTION_PATH,     /* the same, taken from the configuration's folder */
	OPTION_FILE,     /* the same, and it must be readable now */
	OPTION_CUSTOM,   /* what .read makes of it */
};

struct option_choice {
	const char *name; /* NULL ends the list */
	unsigned value;
};

struct option {
	const char *section; /* kind */
	const char *key;     /* may hold a `*` when it is not supported yet */
	const char
		*standard; /* the default, as text; "" = unset, NULL = the option must be given */
	enum option_type type;
	uint64_t min, max;
	const char
		*zero_word; /* a word that means 0, which may lie outside min to max; NULL = none */
	const struct option_choice *choices;
	/* OPTION_CUSTOM: stores text (expanded, not empty) in base; false when it added an error.
	 */
	bool (*read)(struct reading *reading, void *base, struct str text);
	const char *allowed; /* says what is allowed where type and range do not */
	const char
		*not_yet; /* NULL = supported; else the only value taken until it is, "" = none */
	const char *help; /* one line */
	size_t offset, size; /* of the member in the section's struct; size 0 = has none */
};

/* What is being read: the place of the value for errors, and what is kept for later. */
struct reading {
	const char *folder; /* relative paths are taken from here; "" = the working directory */
	struct err *err;
	/* The value in hand; NULL while defaults are stored. */
	const struct ini_section *section;
	const struct ini_entry *entry;
	const struct option *option;
	/* Lists that need other sections read first; owned, NULL = not given. */
	char *rules;
	char *log_outputs;
};

const struct option *option_table(size_t *n);
/* NULL when there is none. */
const struct option *option_find(const char *section, struct str key);
/* Appends what the option allows: "1KiB to 4MiB", "yes|no". */
void option_allowed(const struct option *option, struct buf *out);

/*
 * Fills base, the struct of that kind of section: defaults first, then the section's entries
 * (section may be NULL). Unknown and unsupported keys, bad values and missing options are added to
 * reading->err. False when there were any.
 */
bool
options_read(struct reading *reading, const char *kind, struct ini_section *section, void *base);
/* Frees the strings that options_read() stored in base. */
void options_fini(const char *kind, void *base);

/* Adds an error about the value in hand; always false. */
bool option_error(struct reading *reading, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Returns owned: path as seen from folder. */
char *path_in_folder(const char *folder, struct str path);

/* The custom values (option_custom.c). */
bool read_host(struct reading *reading, void *base, struct str text);
bool read_rules(struct reading *reading, void *base, struct str text);
bool read_listen_address(struct reading *reading, void *base, struct str text);
bool read_tags(struct reading *reading, void *base, struct str text);
bool read_log_outputs(struct reading *reading, void *base, struct str text);
bool read_urls(struct reading *reading, void *base, struct str text);
bool read_consistency(struct reading *reading, void *base, struct str text);
bool read_file_path(struct reading *reading, void *base, struct str text);
bool read_http_address(struct reading *reading, void *base, struct str text);
