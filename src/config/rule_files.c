/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs are expanded by glob(3), in the order of the names. One that matches nothing is legal; a
 * path without wildcards must exist. A file that two words name is read once.
 */
#include "config/rule_files.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>

#include "base/alloc.h"

struct path_list {
	char **items;
	size_t n;
};

bool
rule_section_check(const struct ini_section *section, struct err *err)
{
	if (strcmp(section->kind, "rule") == 0)
		return section->name[0] != '\0'
			? true
			: ini_error(err, section, NULL, "needs a name: [rule NAME]");
	if (strcmp(section->kind, "patterns") == 0)
		return section->name[0] == '\0'
			? true
			: ini_error(err, section, NULL, "takes no name: [patterns]");
	return ini_error(err, section, NULL,
		"not allowed in a rule file (allowed: [rule NAME] and [patterns])");
}

static bool
is_wildcard(char c)
{
	return c == '*' || c == '?' || c == '[';
}

static bool
is_glob(struct str word)
{
	for (size_t i = 0; i < word.len; i++)
		if (is_wildcard(word.ptr[i]))
			return true;
	return false;
}

/* A missing folder matches nothing; one that cannot be read is an error. */
static int
folder_failed(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static void
read_once(struct reading *reading, struct settings *settings, struct path_list *seen,
	const char *path)
{
	size_t before = settings->rules.n_sections;

	for (size_t i = 0; i < seen->n; i++)
		if (strcmp(seen->items[i], path) == 0)
			return;
	seen->items = xrealloc(seen->items, (seen->n + 1) * sizeof(*seen->items));
	seen->items[seen->n++] = xstrdup(path);
	settings->n_rule_files++;
	ini_read_file(&settings->rules, path, reading->err);
	for (size_t i = before; i < settings->rules.n_sections; i++)
		rule_section_check(&settings->rules.sections[i], reading->err);
}

static void
read_glob(
	struct reading *reading, struct settings *settings, struct path_list *seen, struct str word)
{
	struct buf pattern = BUF_EMPTY;
	glob_t found;

	/* Only the user's own wildcards count, not those in the name of the folder. */
	for (const char *c = word.ptr[0] != '/' ? reading->folder : ""; *c != '\0'; c++) {
		if (is_wildcard(*c) || *c == '\\')
			buf_add_char(&pattern, '\\');
		buf_add_char(&pattern, *c);
		if (c[1] == '\0' && *c != '/')
			buf_add_char(&pattern, '/');
	}
	buf_add(&pattern, word);
	int rc = glob(buf_cstr(&pattern), 0, folder_failed, &found);
	if (rc == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_once(reading, settings, seen, found.gl_pathv[i]);
	else if (rc != GLOB_NOMATCH && reading->section != NULL)
		ini_error(reading->err, reading->section, reading->entry, "cannot look for %s: %s",
			buf_cstr(&pattern), strerror(errno));
	else if (rc != GLOB_NOMATCH)
		err_add(reading->err, "[server] rules: cannot look for %s: %s", buf_cstr(&pattern),
			strerror(errno));
	globfree(&found);
	buf_fini(&pattern);
}

void
rule_files_read(struct reading *reading, struct settings *settings, struct str list)
{
	struct path_list seen = { NULL, 0 };
	struct str word;

	while (str_word(&list, &word)) {
		if (is_glob(word)) {
			read_glob(reading, settings, &seen, word);
		} else {
			char *path = path_in_folder(reading->folder, word);

			read_once(reading, settings, &seen, path);
			free(path);
		}
	}
	for (size_t i = 0; i < seen.n; i++)
		free(seen.items[i]);
	free(seen.items);
}
