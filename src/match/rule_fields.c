/* SPDX-License-Identifier: Apache-2.0 */
/* value and fields. */
#include "match/rule_reader.h"

static const char *const STATS[] = {
	[STAT_COUNT] = "count",
	[STAT_TOTAL] = "total",
	[STAT_SUM] = "sum",
	[STAT_MIN] = "min",
	[STAT_MAX] = "max",
	[STAT_MEAN] = "mean",
	[STAT_LAST] = "last",
	[STAT_FIRST] = "first",
};

static const char *const NOT_YET[] = { "stddev", "distinct", "rate", "p50", "p90", "p95", "p99" };

#define STAT_NAMES "count total sum min max mean last first"

static bool
find_stat(struct str name, enum statistic *stat)
{
	for (size_t i = 0; i < sizeof(STATS) / sizeof(STATS[0]); i++) {
		if (str_is(name, STATS[i])) {
			*stat = (enum statistic)i;
			return true;
		}
	}
	return false;
}

/* Splits `NAME:unit` at the last colon. False when the unit is unknown (error added). */
static bool
split_unit(struct rule_reader *reader, const struct ini_entry *entry, struct str word,
	struct str *name, enum unit *unit)
{
	const char *colon = memrchr(word.ptr, ':', word.len);

	*unit = UNIT_NONE;
	*name = word;
	if (colon == NULL)
		return true;
	name->len = (size_t)(colon - word.ptr);
	struct str unit_text = { colon + 1, word.len - name->len - 1 };
	return unit_from_name(unit_text, unit) ||
		rule_error(reader, entry, "\"%.*s\" is not a unit (allowed: %s)",
			(int)unit_text.len, unit_text.ptr, UNIT_NAMES);
}

static void
read_value(struct rule_reader *reader)
{
	const struct ini_entry *entry = ini_find(reader->section, "value");
	struct rule *rule = reader->rule;
	struct str rest, word, more, name;

	if (entry == NULL)
		return;
	rule->def.has_value = true;
	rest = str_from(entry->value);
	if (!str_word(&rest, &word) || str_word(&rest, &more)) {
		rule_error(reader, entry, "one name is needed (allowed: NAME[:unit])");
		return;
	}
	if (!split_unit(reader, entry, word, &name, &rule->unit))
		return;
	rule->def.integer = unit_is_integer(rule->unit);
	rule_find_source(reader, entry, name, &rule->value);
}

static bool
key_taken(const struct rule *rule, struct str key)
{
	for (size_t i = 0; i < rule->def.n_fields; i++)
		if (str_equal(rule->def.fields[i].key, key))
			return true;
	for (size_t i = 0; i < rule->n_captures; i++)
		if (str_equal((struct str){ rule->captures[i].text.ptr,
				      rule->captures[i].text.len - 1 },
			    key))
			return true;
	return false;
}

/* A field beside a tag of the same name cannot be told from it in a query. */
static bool
is_tag(const struct rule *rule, struct str key)
{
	for (size_t i = 0; i < rule->series.n_parts; i++) {
		struct str text = rule->series.parts[i].text;

		if (text.len > key.len + 1 && memcmp(text.ptr + 1, key.ptr, key.len) == 0 &&
			text.ptr[1 + key.len] == '=')
			return true;
	}
	return false;
}

/* The field's key, escaped; absent when it cannot be one (error added). */
static struct str
field_key(struct rule_reader *reader, const struct ini_entry *entry, struct str name)
{
	struct str key = rule_escape(reader, name);

	if (key.len == 0 || str_is(name, "time")) {
		rule_error(
			reader, entry, "a field cannot be named \"%.*s\"", (int)name.len, name.ptr);
		return STR_ABSENT;
	}
	if (key_taken(reader->rule, key) || is_tag(reader->rule, key)) {
		rule_error(reader, entry, "%.*s is a %s already", (int)name.len, name.ptr,
			is_tag(reader->rule, key) ? "tag" : "field");
		return STR_ABSENT;
	}
	return key;
}

static void
add_stat(struct rule_reader *reader, const struct ini_entry *entry, enum statistic stat,
	struct str name)
{
	struct metric_def *def = &reader->rule->def;
	struct str key = field_key(reader, entry, name);

	if (stat != STAT_COUNT && stat != STAT_TOTAL && !def->has_value)
		rule_error(reader, entry, "%s needs a value (value = NAME[:unit])", STATS[stat]);
	else if (str_present(key))
		def->fields[def->n_fields++] = (struct metric_field){ stat, key };
}

static void
add_capture(struct rule_reader *reader, const struct ini_entry *entry, struct str word)
{
	struct rule *rule = reader->rule;
	struct capture_field field = { .is_text = memchr(word.ptr, ':', word.len) == NULL };
	struct str name, key;

	if (!split_unit(reader, entry, word, &name, &field.unit) ||
		!rule_find_source(reader, entry, name, &field.source))
		return;
	key = field_key(reader, entry, name);
	if (!str_present(key))
		return;
	char *text = ruleset_alloc(reader->set, key.len + 2, 1);
	memcpy(text, key.ptr, key.len);
	text[key.len] = '=';
	field.text = (struct str){ text, key.len + 1 };
	rule->captures[rule->n_captures++] = field;
}

/* `STAT`, `STAT=name`; with every = match also `NAME`, `NAME:unit`. */
static void
read_field(struct rule_reader *reader, const struct ini_entry *entry, struct str word)
{
	const char *equals = memchr(word.ptr, '=', word.len);
	struct str name = word, key = word;
	enum statistic stat;

	if (equals != NULL) {
		name.len = (size_t)(equals - word.ptr);
		key = (struct str){ equals + 1, word.len - name.len - 1 };
	}
	if (find_stat(name, &stat)) {
		add_stat(reader, entry, stat, key);
		return;
	}
	for (size_t i = 0; i < sizeof(NOT_YET) / sizeof(NOT_YET[0]); i++) {
		if (str_is(name, NOT_YET[i])) {
			rule_error(reader, entry, "%s is not supported yet (allowed: %s)",
				NOT_YET[i], STAT_NAMES);
			return;
		}
	}
	if (equals == NULL && reader->rule->def.per_match)
		add_capture(reader, entry, word);
	else
		rule_error(reader, entry, "\"%.*s\" is not a statistic (allowed: %s%s)",
			(int)name.len, name.ptr, STAT_NAMES,
			reader->rule->def.per_match ? "" : "; captures only with every = match");
}

void
rule_read_fields(struct rule_reader *reader)
{
	const struct ini_entry *entry = ini_find(reader->section, "fields");
	struct rule *rule = reader->rule;
	struct str rest, word;

	read_value(reader);
	rest = entry != NULL          ? str_from(entry->value)
		: rule->def.has_value ? STR("count sum min max mean last")
				      : STR("count total");
	if (rest.len == 0)
		rule_error(reader, entry, "the value is empty (allowed: %s)", STAT_NAMES);
	rule->def.fields = ruleset_alloc(reader->set, rest.len + 1, sizeof(struct metric_field));
	rule->captures = ruleset_alloc(reader->set, rest.len + 1, sizeof(struct capture_field));
	while (str_word(&rest, &word))
		read_field(reader, entry, word);
}
