/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one section by the option table: expands ${NAME}, parses by type, checks the range, stores
 * at the option's offset. Errors show a value as it stands in the file, never what a variable held,
 * and never a secret.
 */
#include "config/options.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "config/value.h"

enum { MAX_SHOWN = 60 }; /* bytes of a value in an error */

bool
option_error(struct reading *reading, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	assert(reading->entry != NULL); /* a default is never wrong */
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	ini_error(reading->err, reading->section, reading->entry, "%s", text);
	free(text);
	return false;
}

/* `"VALUE" PROBLEM (allowed: ...)` */
static bool
value_error(struct reading *reading, const char *problem)
{
	assert(reading->entry != NULL);
	struct str raw = str_from(reading->entry->value);
	struct buf allowed = BUF_EMPTY;
	bool cut = raw.len > MAX_SHOWN;

	option_allowed(reading->option, &allowed);
	option_error(reading, "\"%.*s%s\" %s (allowed: %s)", cut ? MAX_SHOWN : (int)raw.len,
		raw.ptr, cut ? "..." : "", problem, buf_cstr(&allowed));
	buf_fini(&allowed);
	return false;
}

char *
path_in_folder(const char *folder, struct str path)
{
	if (folder[0] == '\0' || (path.len > 0 && path.ptr[0] == '/'))
		return xstrndup(path.ptr, path.len);
	return xasprintf("%s%s%.*s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
		(int)path.len, path.ptr);
}

/* By the member's size, so that a row of the table fits any integer type. */
static void
store_number(struct reading *reading, void *base, uint64_t value)
{
	char *member = (char *)base + reading->option->offset;

	if (reading->option->size == sizeof(bool)) {
		bool yes = value != 0;

		memcpy(member, &yes, sizeof(yes));
	} else if (reading->option->size == sizeof(uint32_t)) {
		uint32_t number = (uint32_t)value;

		memcpy(member, &number, sizeof(number));
	} else if (reading->option->size == sizeof(uint64_t)) {
		memcpy(member, &value, sizeof(value));
	} else {
		assert(reading->option->size == 0);
	}
}

/* Takes text. */
static void
store_text(struct reading *reading, void *base, char *text)
{
	char **member = (char **)(void *)((char *)base + reading->option->offset);

	free(*member);
	*member = text;
}

static bool
read_number(struct reading *reading, void *base, struct str text)
{
	const struct option *option = reading->option;
	const char *problem = "is not a whole number";
	uint64_t number = 0;
	int64_t value = 0;
	bool ok;

	if (option->zero_word != NULL && str_is(text, option->zero_word)) {
		store_number(reading, base, 0);
		return true;
	}
	if (option->type == OPTION_SIZE) {
		problem = "is not a size in B, KiB, MiB or GiB";
		ok = value_size(text, &number);
	} else if (option->type == OPTION_DURATION) {
		problem = "is not a duration in ns, us, ms, s, m, h or d";
		ok = value_duration(text, &value);
		number = (uint64_t)value;
	} else {
		ok = text.ptr[0] != '+' && str_to_int64(text, &value);
		number = (uint64_t)value; /* a negative one is out of range */
	}
	if (!ok)
		return value_error(reading, problem);
	if (number < option->min || number > option->max)
		return value_error(reading, "is out of range");
	store_number(reading, base, number);
	return true;
}

static bool
read_choice(struct reading *reading, void *base, struct str text)
{
	for (const struct option_choice *c = reading->option->choices; c->name != NULL; c++) {
		if (str_is(text, c->name)) {
			store_number(reading, base, c->value);
			return true;
		}
	}
	store_number(reading, base, 0); /* so that nothing is concluded from the default */
	return value_error(reading, "is not allowed");
}

static bool
read_yes_no(struct reading *reading, void *base, struct str text)
{
	bool yes;

	if (!value_yes_no(text, &yes))
		return value_error(reading, "is not allowed");
	store_number(reading, base, yes ? 1 : 0);
	return true;
}

/* Control characters would end up in requests and points; bad UTF-8 can damage an InfluxDB for
 * good. */
static bool
read_text(struct reading *reading, void *base, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return option_error(reading, "holds a control character");
	if (!value_is_utf8(text))
		return option_error(reading, "is not UTF-8");
	store_text(reading, base, xstrndup(text.ptr, text.len));
	return true;
}

/* Returns 0 or an errno. */
static int
try_file(const char *path)
{
	struct stat st;
	int error = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		error = EISDIR;
	close(fd);
	return error;
}

static bool
read_path(struct reading *reading, void *base, struct str text)
{
	char *path = path_in_folder(reading->folder, text);
	int error = reading->option->type == OPTION_FILE ? try_file(path) : 0;

	if (error == 0) {
		store_text(reading, base, path);
		return true;
	}
	free(path);
	/* The path is not shown: it may be a token in the wrong place. */
	if (text.ptr[0] == '/')
		return option_error(reading, "cannot be read: %s", strerror(error));
	return option_error(reading, "cannot be read: %s (the path is taken from the folder %s)",
		strerror(error), reading->folder[0] != '\0' ? reading->folder : ".");
}

static bool
read_not_yet(struct reading *reading, void *base, struct str text)
{
	const char *taken = reading->option->not_yet;

	if (taken[0] == '\0')
		return option_error(reading, "not supported yet (leave it out)");
	if (!str_is(text, taken))
		return value_error(reading, "is not supported yet");
	store_number(reading, base, 0);
	return true;
}

/* text is expanded. */
static bool
read_value(struct reading *reading, void *base, struct str text)
{
	const struct option *option = reading->option;

	if (option->not_yet != NULL)
		return read_not_yet(reading, base, text);
	if (text.len == 0) {
		if (option->standard == NULL || option->standard[0] != '\0')
			return value_error(reading, "is empty");
		return true; /* the default, unset */
	}
	switch (option->type) {
	case OPTION_YES_NO: return read_yes_no(reading, base, text);
	case OPTION_UINT:
	case OPTION_SIZE:
	case OPTION_DURATION: return read_number(reading, base, text);
	case OPTION_CHOICE: return read_choice(reading, base, text);
	case OPTION_TEXT:
	case OPTION_SECRET: return read_text(reading, base, text);
	case OPTION_PATH:
	case OPTION_FILE: return read_path(reading, base, text);
	case OPTION_CUSTOM: return option->read(reading, base, text);
	}
	return false;
}

static bool
is_variable(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '_' &&
			!(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return name.len > 0;
}

/* Appends the value of the variable that starts at text ("${NAME}..."); *used = bytes it takes. */
static bool
expand_one(struct reading *reading, struct str text, struct buf *out, size_t *used)
{
	const char *end = memchr(text.ptr, '}', text.len);

	if (end == NULL)
		return option_error(reading, "\"${\" without \"}\"");
	struct str name = { text.ptr + 2, (size_t)(end - text.ptr) - 2 };
	/* What looks like a name may be part of a secret: then it is not shown. */
	bool secret = reading->option->type == OPTION_SECRET;
	if (!is_variable(name))
		return option_error(
			reading, "not a variable's name in ${ } (allowed: letters, digits, _)");
	char *variable = xstrndup(name.ptr, name.len);
	const char *value = getenv(variable);
	if (value == NULL)
		option_error(reading, "the environment variable %s is not set",
			secret ? "in it" : variable);
	else
		buf_add_text(out, value);
	free(variable);
	*used = name.len + 3;
	if (out->len > INI_MAX_LINE)
		return option_error(
			reading, "longer than %d bytes with its variables", INI_MAX_LINE);
	return value != NULL;
}

static bool
expand(struct reading *reading, struct str raw, struct buf *out)
{
	size_t used = 0;

	for (size_t i = 0; i < raw.len; i += used) {
		struct str rest = { raw.ptr + i, raw.len - i };

		used = 1;
		if (!str_starts(rest, STR("${")))
			buf_add_char(out, raw.ptr[i]);
		else if (!expand_one(reading, rest, out, &used))
			return false;
	}
	return true;
}

static bool
unknown_key(struct reading *reading, const char *kind)
{
	struct value_guess guess = { .wanted = str_from(reading->entry->key) };
	size_t n;
	const struct option *options = option_table(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(options[i].section, kind) == 0)
			value_guess_try(&guess, options[i].key);
	if (guess.best != NULL)
		return option_error(reading, "unknown key (did you mean \"%s\"?)", guess.best);
	return option_error(reading, "unknown key (\"logmill options\" shows the known ones)");
}

static bool
read_entry(struct reading *reading, const char *kind, struct ini_entry *entry, void *base)
{
	struct buf text = BUF_EMPTY;

	entry->used = true;
	reading->entry = entry;
	reading->option = option_find(kind, str_from(entry->key));
	if (reading->option == NULL)
		return unknown_key(reading, kind);
	bool ok = expand(reading, str_from(entry->value), &text) &&
		read_value(reading, base, str_trim(buf_str(&text)));
	if (reading->option->type == OPTION_SECRET && text.ptr != NULL)
		explicit_bzero(text.ptr, text.cap);
	buf_fini(&text);
	return ok;
}

static void
store_defaults(struct reading *reading, const char *kind, void *base)
{
	size_t n;
	const struct option *options = option_table(&n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(options[i].section, kind) != 0 || options[i].standard == NULL ||
			options[i].not_yet != NULL)
			continue;
		reading->option = &options[i];
		bool ok = read_value(reading, base, str_from(options[i].standard));
		assert(ok);
	}
}

bool
options_read(struct reading *reading, const char *kind, struct ini_section *section, void *base)
{
	unsigned before = reading->err->count;
	size_t n;
	const struct option *options = option_table(&n);

	reading->section = section;
	reading->entry = NULL;
	store_defaults(reading, kind, base);
	for (size_t i = 0; section != NULL && i < section->n_entries; i++)
		read_entry(reading, kind, &section->entries[i], base);
	for (size_t i = 0; section != NULL && i < n; i++)
		if (strcmp(options[i].section, kind) == 0 && options[i].standard == NULL &&
			ini_find(section, options[i].key) == NULL)
			ini_error(reading->err, section, NULL, "%s is missing (allowed: %s)",
				options[i].key, options[i].allowed);
	return reading->err->count == before;
}

void
options_fini(const char *kind, void *base)
{
	size_t n;
	const struct option *options = option_table(&n);

	for (size_t i = 0; i < n; i++) {
		const struct option *o = &options[i];

		if (strcmp(o->section, kind) != 0 || o->size == 0 || o->type < OPTION_TEXT ||
			o->type > OPTION_FILE)
			continue;
		char **member = (char **)(void *)((char *)base + o->offset);
		free(*member);
		*member = NULL;
	}
}
