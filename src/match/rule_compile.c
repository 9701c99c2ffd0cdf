/* SPDX-License-Identifier: Apache-2.0 */
/* A [rule NAME] section becomes a struct rule: what is left unread at the end is unknown, or not
 * supported yet. */
#include "match/rule_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "config/value.h"

static const char *const KNOWN[] = { "description", "when.FIELD", "when.severity", "when.facility",
	"when.hostname", "when.appname", "when.procid", "when.msgid", "when.source", "when.message",
	"match", "group_by", "tags", "value", "fields", "every", "measurement", "output",
	"database", "retention_policy", "max_series", "expire", "time", "example", "expect",
	"reject", "example.2", "expect.2", "reject.2" };

/* Globs. */
static const char *const NOT_YET[] = { "parse", "match.*", "rollup", "once_per", "remember",
	"absent", "truncate", "preset.*", "advance", "buckets", "durability", "warn", "warn.*",
	"crit", "crit.*", "timer.*", "mem.*", "when.json.*", "when.mem.*" };

bool
rule_error(struct rule_reader *reader, const struct ini_entry *entry, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	ini_error(reader->err, reader->section, entry, "%s", text);
	free(text);
	return false;
}

static void
unread_key(struct rule_reader *reader, const struct ini_entry *entry)
{
	struct value_guess guess = { .wanted = str_from(entry->key) };

	for (size_t i = 0; i < sizeof(NOT_YET) / sizeof(NOT_YET[0]); i++) {
		if (str_glob(str_from(NOT_YET[i]), str_from(entry->key))) {
			rule_error(reader, entry, "not supported yet (leave it out)");
			return;
		}
	}
	if (strcmp(entry->key, "lateness") == 0) {
		rule_error(reader, entry, "is the same for all rules (put it into [metrics])");
		return;
	}
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		value_guess_try(&guess, KNOWN[i]);
	if (guess.best != NULL)
		rule_error(reader, entry, "unknown key (did you mean \"%s\"?)", guess.best);
	else
		rule_error(reader, entry,
			"unknown key (allowed: description when.FIELD match group_by tags value "
			"fields every measurement "
			"output database retention_policy max_series expire time example expect "
			"reject)");
}

bool
rule_compile(struct ruleset *ruleset, struct rule *rule, const struct settings *settings,
	struct ini_section *section, struct err *err)
{
	struct rule_reader reader = { ruleset, rule, settings, section, err, NULL, false };
	unsigned before = err->count;

	for (size_t i = 0; i < section->n_entries; i++)
		section->entries[i].used = false;
	rule->search = -1;
	rule->info.name = ruleset_copy(ruleset, str_from(section->name));
	rule->info.file = ruleset_copy(ruleset, str_from(section->file));
	rule->info.line = section->line;
	rule->def.rule = rule->info.name;
	rule_read_match(&reader);
	rule_read_window(&reader);
	rule_read_tags(&reader);
	rule_read_fields(&reader);
	rule_read_examples(&reader);
	for (size_t i = 0; i < section->n_entries; i++)
		if (!section->entries[i].used)
			unread_key(&reader, &section->entries[i]);
	return err->count == before;
}
