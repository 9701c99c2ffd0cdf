/* SPDX-License-Identifier: Apache-2.0 */
/* Keys with plain values: when points are written, and where to. */
#include "base/clock.h"
#include "match/rule_reader.h"

/* The same ranges as in [metrics]. */
static const int64_t MIN_EVERY = 100 * NS_PER_MS, MAX_EVERY = 86400 * NS_PER_SEC;
static const int64_t MIN_EXPIRE = NS_PER_SEC, MAX_EXPIRE = 36500 * (86400 * NS_PER_SEC);

static struct str
read_text(struct rule_reader *reader, const char *key)
{
	const struct ini_entry *entry = ini_find(reader->section, key);

	if (entry == NULL)
		return STR_ABSENT;
	if (entry->value[0] == '\0') {
		rule_error(reader, entry, "the value is empty (leave it out instead)");
		return STR_ABSENT;
	}
	return ruleset_copy(reader->set, str_from(entry->value));
}

static void
read_every(struct rule_reader *reader)
{
	const struct ini_entry *entry = ini_find(reader->section, "every");
	struct metric_def *def = &reader->rule->def;

	def->window_ns = reader->settings->metrics.every_ns;
	if (entry == NULL || strcmp(entry->value, "window") == 0)
		return;
	if (strcmp(entry->value, "match") == 0) {
		def->per_match = true;
		return;
	}
	if (!value_duration(str_from(entry->value), &def->window_ns) ||
		def->window_ns < MIN_EVERY || def->window_ns > MAX_EVERY)
		rule_error(reader, entry,
			"\"%s\" is no such time (allowed: 100ms to 1d, match, window)",
			entry->value);
}

static void
read_time(struct rule_reader *reader)
{
	const struct ini_entry *entry = ini_find(reader->section, "time");
	struct metric_def *def = &reader->rule->def;

	def->time_received = reader->settings->metrics.time_received;
	if (entry == NULL)
		return;
	def->time_received = strcmp(entry->value, "received") == 0;
	if (!def->time_received && strcmp(entry->value, "message") != 0)
		rule_error(reader, entry, "\"%s\" is no such time (allowed: message|received)",
			entry->value);
}

static void
read_caps(struct rule_reader *reader)
{
	const struct ini_entry *series = ini_find(reader->section, "max_series");
	const struct ini_entry *expire = ini_find(reader->section, "expire");
	struct metric_def *def = &reader->rule->def;
	int64_t n;

	def->max_series = reader->settings->metrics.max_series;
	def->expire_ns = reader->settings->metrics.expire_ns;
	def->lateness_ns = reader->settings->metrics.lateness_ns;
	if (series != NULL) {
		if (!str_to_int64(str_from(series->value), &n) || n < 1 || n > 10000000)
			rule_error(reader, series,
				"\"%s\" is no such number (allowed: 1 to 10000000)", series->value);
		else
			def->max_series = (uint32_t)n;
	}
	if (expire != NULL &&
		(!value_duration(str_from(expire->value), &def->expire_ns) ||
			def->expire_ns < MIN_EXPIRE || def->expire_ns > MAX_EXPIRE))
		rule_error(reader, expire, "\"%s\" is no such time (allowed: 1s to 36500d)",
			expire->value);
}

static void
unknown_output(struct rule_reader *reader, const struct ini_entry *entry, struct str name)
{
	const struct settings *settings = reader->settings;
	struct buf names = BUF_EMPTY;

	for (size_t i = 0; i < settings->n_outputs; i++)
		buf_printf(&names, "%s%s", i > 0 ? " " : "", settings->outputs[i].name);
	rule_error(reader, entry, "no output is named \"%.*s\" (configured: %s)", (int)name.len,
		name.ptr, settings->n_outputs > 0 ? buf_cstr(&names) : "none");
	buf_fini(&names);
}

static void
read_output(struct rule_reader *reader)
{
	const struct ini_entry *entry = ini_find(reader->section, "output");
	struct str rest, name;

	if (entry == NULL)
		return;
	rest = str_from(entry->value);
	if (rest.len == 0)
		rule_error(reader, entry, "the value is empty (leave it out for all outputs)");
	while (str_word(&rest, &name)) {
		int i = settings_find_output(reader->settings, name);

		if (i < 0)
			unknown_output(reader, entry, name);
		else
			reader->rule->info.outputs |= UINT64_C(1) << i;
	}
}

void
rule_read_window(struct rule_reader *reader)
{
	struct rule_info *info = &reader->rule->info;

	read_every(reader);
	read_time(reader);
	read_caps(reader);
	read_output(reader);
	info->description = read_text(reader, "description");
	info->database = read_text(reader, "database");
	info->retention_policy = read_text(reader, "retention_policy");
}
