/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the main file: each section by the option table into its struct, then what needs several
 * sections (rule files, outputs by name). Nothing stops at the first error.
 */
#include "config/settings.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "config/options.h"
#include "config/rule_files.h"
#include "config/settings_check.h"
#include "config/value.h"

enum { MAX_LISTENS = 64, MAX_OUTPUTS = 64 };

struct section_kind {
	const char *kind;
	bool named;
	void (*read)(
		struct reading *reading, struct settings *settings, struct ini_section *section);
};

static void
read_server(struct reading *reading, struct settings *settings, struct ini_section *section)
{
	options_read(reading, "server", section, settings);
	check_server(settings, section, reading->err);
}

static void
read_logs(struct reading *reading, struct settings *settings, struct ini_section *section)
{
	options_read(reading, "logs", section, &settings->logs);
}

static void
read_metrics(struct reading *reading, struct settings *settings, struct ini_section *section)
{
	options_read(reading, "metrics", section, &settings->metrics);
}

static void
read_http(struct reading *reading, struct settings *settings, struct ini_section *section)
{
	options_read(reading, "http", section, &settings->http);
}

static void
read_listen(struct reading *reading, struct settings *settings, struct ini_section *section)
{
	size_t i = settings->n_listens;

	if (i == MAX_LISTENS) {
		ini_error(reading->err, section, NULL, "more than %d listeners", MAX_LISTENS);
		return;
	}
	settings->listens = xrealloc(settings->listens, (i + 1) * sizeof(*settings->listens));
	settings->listens[i] = (struct listen_settings){ .name = xstrdup(section->name) };
	settings->n_listens++;
	options_read(reading, "listen", section, &settings->listens[i]);
	check_listen(settings, i, section, reading->err);
}

static struct output_settings *
add_output(struct settings *settings, enum output_kind kind, const char *name)
{
	struct output_settings *output;

	settings->outputs = xrealloc(
		settings->outputs, (settings->n_outputs + 1) * sizeof(*settings->outputs));
	output = &settings->outputs[settings->n_outputs++];
	*output = (struct output_settings){ .kind = kind, .name = xstrdup(name) };
	return output;
}

static void
read_output(struct reading *reading, struct settings *settings, struct ini_section *section)
{
	bool influxdb = strcmp(section->kind, "influxdb") == 0;

	if (settings->n_outputs == MAX_OUTPUTS) {
		ini_error(reading->err, section, NULL, "more than %d outputs", MAX_OUTPUTS);
		return;
	}
	struct output_settings *output = add_output(
		settings, influxdb ? OUTPUT_INFLUXDB : OUTPUT_FILE, section->name);
	options_read(reading, section->kind, section, output);
	check_output(settings, settings->n_outputs - 1, section, reading->err);
}

static void
refuse_drop(struct reading *reading, struct settings *settings, struct ini_section *section)
{
	(void)settings;
	ini_error(reading->err, section, NULL, "not supported yet (leave it out)");
}

static const struct section_kind KINDS[] = {
	{ "server", false, read_server },
	{ "listen", true, read_listen },
	{ "logs", false, read_logs },
	{ "drop", true, refuse_drop },
	{ "metrics", false, read_metrics },
	{ "influxdb", true, read_output },
	{ "file", true, read_output },
	{ "http", false, read_http },
	{ "rule", true, NULL }, /* not read here */
	{ "patterns", false, NULL },
};

enum { N_KINDS = sizeof(KINDS) / sizeof(KINDS[0]) };

static bool
is_rule_section(const struct ini_section *section)
{
	return strcmp(section->kind, "rule") == 0 || strcmp(section->kind, "patterns") == 0;
}

static bool
unknown_section(const struct ini_section *section, struct err *err)
{
	struct value_guess guess = { .wanted = str_from(section->kind) };

	for (size_t i = 0; i < N_KINDS; i++)
		value_guess_try(&guess, KINDS[i].kind);
	for (size_t i = 0; i < N_KINDS && guess.best != NULL; i++)
		if (guess.best == KINDS[i].kind)
			return ini_error(err, section, NULL,
				"unknown section (did you mean [%s%s]?)", guess.best,
				KINDS[i].named ? " NAME" : "");
	return ini_error(
		err, section, NULL, "unknown section (\"logmill options\" shows the known ones)");
}

static void
read_section(struct reading *reading, struct settings *settings, struct ini_section *section)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		bool named = section->name[0] != '\0';

		if (strcmp(KINDS[i].kind, section->kind) != 0)
			continue;
		if (KINDS[i].named && !named)
			ini_error(reading->err, section, NULL, "needs a name: [%s NAME]",
				section->kind);
		else if (!KINDS[i].named && named)
			ini_error(
				reading->err, section, NULL, "takes no name: [%s]", section->kind);
		KINDS[i].read(reading, settings, section);
		return;
	}
	unknown_section(section, reading->err);
}

static struct ini_section *
find_kind(struct ini *ini, const char *kind)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		if (strcmp(ini->sections[i].kind, kind) == 0)
			return &ini->sections[i];
	return NULL;
}

/* The sections of the main file, and the defaults of those that it does not have. */
static void
read_sections(struct reading *reading, struct settings *settings, struct ini *ini)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!KINDS[i].named && KINDS[i].read != NULL &&
			find_kind(ini, KINDS[i].kind) == NULL)
			KINDS[i].read(reading, settings, NULL);
	for (size_t i = 0; i < ini->n_sections;) {
		if (is_rule_section(&ini->sections[i])) {
			rule_section_check(&ini->sections[i], reading->err);
			ini_move_section(&settings->rules, ini, i);
		} else {
			read_section(reading, settings, &ini->sections[i++]);
		}
	}
}

static void
add_default_output(struct reading *reading, struct settings *settings)
{
	struct output_settings *output = add_output(settings, OUTPUT_FILE, "default");

	options_read(reading, "file", NULL, output);
	output->path = path_in_folder(settings->state_dir, STR("points.lp"));
	settings->default_output = true;
}

/* [logs] output: names become bits. */
static void
resolve_log_outputs(struct reading *reading, struct settings *settings, struct ini *ini)
{
	struct str list = str_from(reading->log_outputs), name;

	settings->logs.outputs = settings->n_outputs == 64
		? UINT64_MAX
		: (UINT64_C(1) << settings->n_outputs) - 1;
	if (reading->log_outputs == NULL)
		return;
	settings->logs.outputs = 0;
	while (str_word(&list, &name)) {
		int i = settings_find_output(settings, name);

		if (i >= 0) {
			settings->logs.outputs |= UINT64_C(1) << i;
			continue;
		}
		struct ini_section *section = find_kind(ini, "logs");
		struct value_guess guess = { .wanted = name };
		for (size_t k = 0; k < settings->n_outputs; k++)
			value_guess_try(&guess, settings->outputs[k].name);
		ini_error(reading->err, section, ini_find(section, "output"),
			"no output of that name%s%s%s",
			guess.best != NULL ? " (did you mean \"" : "",
			guess.best != NULL ? guess.best : "", guess.best != NULL ? "\"?)" : "");
	}
}

/* Returns owned: the folder of the file, "" when its path has none. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return xstrndup(path, slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path));
}

bool
settings_read(struct settings *settings, const char *path, struct err *err)
{
	char *folder = folder_of(path);
	struct reading reading = { .folder = folder, .err = err };
	struct ini ini = INI_EMPTY;
	unsigned before = err->count;

	*settings = (struct settings){ .rules = INI_EMPTY };
	ini_read_file(&ini, path, err);
	read_sections(&reading, settings, &ini);
	struct ini_section *server = find_kind(&ini, "server");
	reading.section = server;
	reading.entry = server != NULL ? ini_find(server, "rules") : NULL;
	rule_files_read(&reading, settings, str_from(reading.rules));
	if (settings->n_outputs == 0)
		add_default_output(&reading, settings);
	resolve_log_outputs(&reading, settings, &ini);
	free(reading.rules);
	free(reading.log_outputs);
	ini_fini(&ini);
	free(folder);
	return err->count == before;
}

static void
listen_fini(struct listen_settings *listen)
{
	options_fini("listen", listen);
	free(listen->name);
	free(listen->address);
	free(listen->host);
}

static void
output_fini(struct output_settings *output)
{
	options_fini("influxdb", output);
	for (size_t i = 0; i < output->n_urls; i++)
		free(output->urls[i]);
	free(output->urls);
	free(output->name);
	free(output->consistency);
	free(output->path);
}

void
settings_fini(struct settings *settings)
{
	for (size_t i = 0; i < settings->n_listens; i++)
		listen_fini(&settings->listens[i]);
	free(settings->listens);
	for (size_t i = 0; i < settings->n_outputs; i++)
		output_fini(&settings->outputs[i]);
	free(settings->outputs);
	options_fini("server", settings);
	free(settings->host);
	options_fini("logs", &settings->logs);
	options_fini("http", &settings->http);
	free(settings->http.host);
	ini_fini(&settings->rules);
	*settings = (struct settings){ .rules = INI_EMPTY };
}

int
settings_find_output(const struct settings *settings, struct str name)
{
	for (size_t i = 0; i < settings->n_outputs; i++)
		if (str_is(name, settings->outputs[i].name))
			return (int)i;
	return -1;
}
