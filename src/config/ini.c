/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inih reads files line by line through a reader function. Ours looks at every line before inih
 * does and hands over only lines that inih cannot misread; a bad line is reported and becomes a
 * blank one, so that reading goes on and the user sees all errors. inih splits `key = value` and
 * calls add_entry(); the reader makes the sections, because inih says nothing of a section without
 * keys.
 */
#include "config/ini.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <ini.h>
#undef INI_MAX_LINE /* inih's macro would hide our constant */

#include "base/alloc.h"

enum {
	MAX_HEADER = 49,              /* characters between the brackets that inih keeps */
	MAX_FILE = 16 << 20,          /* bytes */
	MAX_SECTIONS = 16384,         /* of all files together */
	MAX_ENTRIES = 4096,           /* of a section */
	MAX_ERRORS = 50,              /* of a file; more of them mean that it is not an INI file */
	LINE_ROOM = INI_MAX_LINE + 3, /* with CR, LF and NUL */
};

struct ini_parse {
	struct ini *ini;
	const char *path;
	struct err *err;
	struct str rest; /* text not looked at yet */
	int line;        /* number of the line that inih has now */
	struct ini_section
		*section; /* keys go here; NULL before the first section and after a bad header */
	char header[MAX_HEADER + 1]; /* what stands between the brackets of that section */
	bool headed;                 /* a section header was seen, good or bad */
	bool told_outside;           /* one error for all the keys before the first section */
	bool stopped;                /* the rest of the file makes no sense */
	unsigned errors;
};

/* Arrays double at powers of two, so that a count is all they need to keep. */
static void *
make_room(void *array, size_t n, size_t size)
{
	return (n & (n - 1)) == 0 ? xrealloc(array, (n > 0 ? 2 * n : 1) * size) : array;
}

/* Names come from the file: control characters in them must not reach a terminal, nor forge a line.
 */
static bool
add_clean(struct err *err, struct buf *line)
{
	for (size_t i = 0; i < line->len; i++)
		if ((unsigned char)line->ptr[i] < ' ' || line->ptr[i] == 0x7f)
			line->ptr[i] = '?';
	err_add(err, "%s", buf_cstr(line));
	buf_fini(line);
	return false;
}

bool
ini_error(struct err *err, const struct ini_section *section, const struct ini_entry *entry,
	const char *format, ...)
{
	struct buf line = BUF_EMPTY;
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	buf_printf(&line, "%s:%d: [%s%s%s]", section->file,
		entry != NULL ? entry->line : section->line, section->kind,
		section->name[0] != '\0' ? " " : "", section->name);
	buf_printf(
		&line, "%s%s: %s", entry != NULL ? " " : "", entry != NULL ? entry->key : "", text);
	free(text);
	return add_clean(err, &line);
}

static void
count_error(struct ini_parse *parse)
{
	struct buf line = BUF_EMPTY;

	if (++parse->errors < MAX_ERRORS || parse->stopped)
		return;
	buf_printf(&line, "%s:%d: too many errors, the rest of the file is not read", parse->path,
		parse->line);
	add_clean(parse->err, &line);
	parse->stopped = true;
}

static void __attribute__((format(printf, 2, 3)))
line_error(struct ini_parse *parse, const char *format, ...)
{
	struct buf line = BUF_EMPTY;
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	buf_printf(&line, "%s:%d: %s", parse->path, parse->line, text);
	free(text);
	add_clean(parse->err, &line);
	count_error(parse);
}

/* What inih takes for blanks. */
static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str
trim(struct str s)
{
	while (s.len > 0 && is_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			c != '_' && c != '-' && c != '.')
			return false;
	}
	return s.len > 0;
}

static const struct ini_section *
find_section(const struct ini *ini, struct str kind, struct str name)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		if (str_is(kind, ini->sections[i].kind) && str_is(name, ini->sections[i].name))
			return &ini->sections[i];
	return NULL;
}

static void
add_section(struct ini_parse *parse, struct str kind, struct str name)
{
	struct ini *ini = parse->ini;
	const struct ini_section *first = find_section(ini, kind, name);

	if (first != NULL) {
		line_error(parse, "[%s%s%s] stands already at %s:%d", first->kind,
			name.len > 0 ? " " : "", first->name, first->file, first->line);
		return;
	}
	if (ini->n_sections == MAX_SECTIONS) {
		line_error(parse, "more than %d sections, the rest of the file is not read",
			MAX_SECTIONS);
		parse->stopped = true;
		return;
	}
	ini->sections = make_room(ini->sections, ini->n_sections, sizeof(*ini->sections));
	parse->section = &ini->sections[ini->n_sections++];
	*parse->section = (struct ini_section){
		.file = xstrdup(parse->path),
		.kind = xstrndup(kind.ptr, kind.len),
		.name = xstrndup(name.len > 0 ? name.ptr : "", name.len),
		.line = parse->line,
	};
}

/* `[kind]` or `[kind NAME]`; line begins with the bracket. True when inih may see it. */
static bool
read_header(struct ini_parse *parse, struct str line)
{
	const char *end = memchr(line.ptr, ']', line.len);
	struct str kind, name, more;

	parse->headed = true;
	parse->section = NULL;
	if (end == NULL) {
		line_error(parse, "the section has no closing \"]\"");
		return false;
	}
	if (end + 1 != line.ptr + line.len) {
		line_error(parse,
			"text behind the section's \"]\" (a comment needs a line of its own)");
		return false;
	}
	struct str header = { line.ptr + 1, line.len - 2 };
	if (header.len > MAX_HEADER) {
		line_error(parse, "the section is longer than %d characters between its brackets",
			MAX_HEADER);
		return false;
	}
	struct str rest = header;
	bool has_kind = str_word(&rest, &kind), has_name = str_word(&rest, &name);
	if (!has_kind || str_word(&rest, &more) || !is_name(kind) || (has_name && !is_name(name))) {
		line_error(parse,
			"not a section (allowed: [kind] or [kind NAME], with letters, digits, "
			"\"_\", \"-\" and \".\")");
		return false;
	}
	add_section(parse, kind, name);
	memcpy(parse->header, header.ptr, header.len);
	parse->header[header.len] = '\0';
	return parse->section != NULL;
}

/*
 * True when inih may see the line. What stands in it is never shown: a line that is not understood
 * may be a password.
 */
static bool
check_key(struct ini_parse *parse, struct str line)
{
	const char *equals = memchr(line.ptr, '=', line.len);

	if (!parse->headed) {
		if (!parse->told_outside)
			line_error(parse,
				"text before the first section (a file starts with a [section])");
		parse->told_outside = true;
		return false;
	}
	if (equals == NULL) {
		line_error(parse,
			"no \"=\" in the line (allowed: key = value; a comment starts with # or "
			";)");
		return false;
	}
	struct str key = trim((struct str){ line.ptr, (size_t)(equals - line.ptr) });
	if (key.len == 0) {
		line_error(parse, "no key before the \"=\"");
		return false;
	}
	/* inih would end the key at the colon. */
	if (memchr(key.ptr, ':', key.len) != NULL) {
		line_error(parse, "\":\" in a key (only \"=\" stands between key and value)");
		return false;
	}
	for (size_t i = 0; i < key.len; i++) {
		if ((unsigned char)key.ptr[i] <= ' ' || key.ptr[i] == 0x7f) {
			line_error(parse, "blank or control character in a key");
			return false;
		}
	}
	return parse->section != NULL;
}

/* Takes the next line off the text, without its LF or CR LF. */
static struct str
take_line(struct ini_parse *parse)
{
	const char *end = memchr(parse->rest.ptr, '\n', parse->rest.len);
	struct str line = parse->rest;

	if (end != NULL)
		line.len = (size_t)(end - line.ptr);
	size_t taken = line.len + (end != NULL ? 1 : 0);
	parse->rest.ptr += taken;
	parse->rest.len -= taken;
	parse->line++;
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* The inih reader: writes the next line to out, blank when there is nothing in it for inih. */
static char *
next_line(char *out, int room, void *ctx)
{
	struct ini_parse *parse = ctx;
	bool pass = false;

	assert(room >= LINE_ROOM);
	if (parse->stopped || parse->rest.len == 0)
		return NULL;
	struct str whole = take_line(parse);
	struct str line = trim(whole);
	if (memchr(whole.ptr, '\0', whole.len) != NULL) {
		line_error(parse, "NUL byte: not a text file, the rest of it is not read");
		parse->stopped = true;
	} else if (whole.len > INI_MAX_LINE) {
		line_error(parse, "line longer than %d bytes", INI_MAX_LINE);
	} else if (line.len > 0 && line.ptr[0] == '[') {
		pass = read_header(parse, line);
	} else if (line.len > 0 && line.ptr[0] != '#' && line.ptr[0] != ';') {
		pass = check_key(parse, line);
	}
	if (!pass)
		line.len = 0;
	if (line.len > 0)
		memcpy(out, line.ptr, line.len);
	out[line.len] = '\n';
	out[line.len + 1] = '\0';
	return out;
}

/* The inih handler. Always 1: errors are ours to report. */
static int
add_entry(void *ctx, const char *header, const char *key, const char *value)
{
	struct ini_parse *parse = ctx;
	struct ini_section *section = parse->section;

	assert(section != NULL && strcmp(header, parse->header) == 0);
	for (size_t i = 0; i < section->n_entries; i++) {
		if (strcmp(section->entries[i].key, key) == 0) {
			ini_error(parse->err, section,
				&(struct ini_entry){
					.key = section->entries[i].key, .line = parse->line },
				"stands already in line %d", section->entries[i].line);
			count_error(parse);
			return 1;
		}
	}
	if (section->n_entries == MAX_ENTRIES) {
		line_error(parse,
			"more than %d keys in a section, the rest of the file is not read",
			MAX_ENTRIES);
		parse->stopped = true;
		return 1;
	}
	section->entries = make_room(
		section->entries, section->n_entries, sizeof(*section->entries));
	section->entries[section->n_entries++] = (struct ini_entry){
		.key = xstrdup(key),
		.value = xstrdup(value),
		.line = parse->line,
	};
	return 1;
}

/* Debian's inih has its options in global variables; its defaults cut lines at 200 bytes and values
 * at " ;". */
static void
set_inih_options(void)
{
	ini_use_stack = false;
	ini_allow_realloc = false;
	ini_initial_alloc = LINE_ROOM;
	ini_max_line = LINE_ROOM;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_no_value = false;
	ini_allow_bom = false; /* taken off before */
	ini_stop_on_first_error = false;
}

bool
ini_read_text(struct ini *ini, const char *path, struct str text, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct ini_parse parse = { .ini = ini, .path = path, .err = err, .rest = text };
	const struct str bom = STR("\xef\xbb\xbf");
	unsigned before = err->count;

	pthread_once(&once, set_inih_options);
	if (str_starts(text, STR("\xff\xfe")) || str_starts(text, STR("\xfe\xff"))) {
		parse.line = 1;
		line_error(&parse, "UTF-16 text (save the file as UTF-8)");
		return false;
	}
	if (str_starts(text, bom)) {
		parse.rest = (struct str){ text.ptr + bom.len, text.len - bom.len };
		if (str_starts(parse.rest, bom)) {
			parse.line = 1;
			line_error(&parse,
				"two byte order marks (save the file as UTF-8 with one or none)");
			return false;
		}
	}
	/* Every line was looked at before, so inih has nothing to object to but a lack of memory.
	 */
	int rc = ini_parse_stream(next_line, &parse, add_entry, &parse);
	assert(rc == 0);
	return err->count == before;
}

static bool
file_error(struct err *err, const char *path, int error)
{
	struct buf line = BUF_EMPTY;
	const char *advice = "";

	if (error == ENOENT || error == ENOTDIR)
		advice = " (check the path)";
	else if (error == EACCES)
		advice = " (the user who runs logmill must be able to read it)";
	else if (error == EISDIR)
		advice = " (name a file, or DIR/*.ini where a list of globs is allowed)";
	buf_printf(&line, "%s: cannot be read: %s%s", path, strerror(error), advice);
	return add_clean(err, &line);
}

/* Returns 0 or an errno. */
static int
read_all(const char *path, struct buf *text)
{
	int error = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	while (error == 0 && text->len <= MAX_FILE) {
		ssize_t n = read(fd, buf_reserve(text, 65536), 65536);

		if (n == 0)
			break;
		if (n > 0)
			text->len += (size_t)n;
		else if (errno != EINTR)
			error = errno;
	}
	close(fd);
	return error == 0 && text->len > MAX_FILE ? EFBIG : error;
}

bool
ini_read_file(struct ini *ini, const char *path, struct err *err)
{
	struct buf text = BUF_EMPTY;
	int error = read_all(path, &text);
	bool ok = error == 0 ? ini_read_text(ini, path, buf_str(&text), err)
			     : file_error(err, path, error);

	buf_fini(&text);
	return ok;
}

static void
section_fini(struct ini_section *section)
{
	for (size_t i = 0; i < section->n_entries; i++) {
		free(section->entries[i].key);
		free(section->entries[i].value);
	}
	free(section->entries);
	free(section->file);
	free(section->kind);
	free(section->name);
}

void
ini_fini(struct ini *ini)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		section_fini(&ini->sections[i]);
	free(ini->sections);
	*ini = INI_EMPTY;
}

void
ini_move_section(struct ini *to, struct ini *from, size_t i)
{
	assert(i < from->n_sections);
	to->sections = make_room(to->sections, to->n_sections, sizeof(*to->sections));
	to->sections[to->n_sections++] = from->sections[i];
	from->n_sections--;
	memmove(&from->sections[i], &from->sections[i + 1],
		(from->n_sections - i) * sizeof(*from->sections));
}

struct ini_entry *
ini_find(struct ini_section *section, const char *key)
{
	for (size_t i = 0; i < section->n_entries; i++) {
		if (strcmp(section->entries[i].key, key) == 0) {
			section->entries[i].used = true;
			return &section->entries[i];
		}
	}
	return NULL;
}
