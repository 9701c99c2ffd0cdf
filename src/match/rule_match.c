/* SPDX-License-Identifier: Apache-2.0 */
/* when.FIELD and match. Equal conditions and patterns of all rules are kept once. */
#include <stdlib.h>

#include "base/alloc.h"
#include "match/rule_reader.h"

static bool
field_equal(struct field a, struct field b)
{
	return a.kind == b.kind && (a.kind != FIELD_SD || str_equal(a.sd, b.sd));
}

/*
 * The pattern as the user wrote it with a mark under the place, as further lines of the error that
 * was just added: control characters are shown as "?", and of a long pattern only the surroundings.
 */
static void
show_pattern(struct err *err, struct str pattern, size_t offset)
{
	enum { BEFORE = 60, BEHIND = 30 };
	size_t from = offset > BEFORE ? offset - BEFORE : 0;
	size_t to = pattern.len - offset > BEHIND ? offset + BEHIND : pattern.len;
	size_t columns = 0;

	buf_add_text(&err->text, "    ");
	for (size_t i = from; i < to; i++) {
		char c = pattern.ptr[i];

		if ((unsigned char)c < ' ' || c == 0x7f)
			c = '?';
		buf_add_char(&err->text, c);
		if (i < offset && ((unsigned char)c & 0xc0) != 0x80) /* UTF-8: one column */
			columns++;
	}
	buf_add_char(&err->text, '\n');
	for (size_t i = 0; i < columns + 4; i++)
		buf_add_char(&err->text, ' ');
	buf_add_text(&err->text, "^\n");
}

/* Index of the search, a new one when no rule has it yet; -1 when the pattern is wrong (errors
 * added). */
static int64_t
find_search(struct rule_reader *reader, const struct ini_entry *entry, struct field field,
	struct str pattern)
{
	struct ruleset *set = reader->set;
	struct buf why = BUF_EMPTY;
	size_t offset;

	for (size_t i = 0; i < set->n_searches; i++)
		if (field_equal(set->searches[i].field, field) &&
			str_equal(set->searches[i].pattern, pattern))
			return (int64_t)i;
	struct regex *regex = regex_new(pattern, &why, &offset);
	if (regex == NULL) {
		rule_error(reader, entry, "%s, at byte %zu of the pattern", buf_cstr(&why), offset);
		show_pattern(reader->err, pattern, offset);
		buf_fini(&why);
		return -1;
	}
	set->searches = xrealloc(set->searches, (set->n_searches + 1) * sizeof(*set->searches));
	set->searches[set->n_searches] = (struct search){
		.field = { field.kind, ruleset_copy(set, field.sd) },
		.pattern = ruleset_copy(set, pattern),
		.regex = regex,
	};
	return (int64_t)set->n_searches++;
}

/* Index of the condition, or -1 when it is wrong (errors added). */
static int64_t
find_condition(struct rule_reader *reader, const struct ini_entry *entry, struct field field)
{
	struct ruleset *set = reader->set;
	struct str text = str_trim(str_from(entry->value));
	struct condition condition;
	struct buf why = BUF_EMPTY;

	for (size_t i = 0; i < set->n_conditions; i++)
		if (field_equal(set->conditions[i].field, field) &&
			str_equal(set->conditions[i].text, text))
			return (int64_t)i;
	field.sd = ruleset_copy(set, field.sd);
	bool ok = condition_parse(&condition, field, ruleset_copy(set, text), &why);
	if (!ok)
		rule_error(reader, entry, "%s", buf_cstr(&why));
	buf_fini(&why);
	if (ok && condition.kind == CONDITION_REGEX) {
		int64_t search = find_search(reader, entry, field, condition.pattern);

		ok = search >= 0;
		condition.search = ok ? (uint32_t)search : 0;
	}
	if (!ok) {
		condition_fini(&condition);
		return -1;
	}
	set->conditions = xrealloc(
		set->conditions, (set->n_conditions + 1) * sizeof(*set->conditions));
	set->conditions[set->n_conditions] = condition;
	return (int64_t)set->n_conditions++;
}

/* What a condition costs, roughly: a load and a shift, a compare or two, a lookup, a regex. */
static unsigned
condition_cost(const struct condition *condition)
{
	if (condition->kind == CONDITION_REGEX)
		return 3;
	if (condition->field.kind == FIELD_SD)
		return 2;
	return condition->kind == CONDITION_MASK ? 0 : 1;
}

static void
add_condition(struct rule_reader *reader, struct ini_entry *entry)
{
	struct rule *rule = reader->rule;
	struct field field;

	if (!field_from_name(str_from(entry->key + strlen("when.")), &field)) {
		if (!str_starts(str_from(entry->key), STR("when.json.")) &&
			!str_starts(str_from(entry->key), STR("when.mem."))) {
			entry->used = true;
			rule_error(reader, entry,
				"no such field (allowed: %s; keys of json, logfmt and kv are not "
				"supported yet)",
				FIELD_NAMES);
		}
		return;
	}
	entry->used = true;
	int64_t found = find_condition(reader, entry, field);
	if (found < 0)
		return;
	/* Insertion keeps the cheap ones first. */
	const struct condition *all = reader->set->conditions;
	size_t at = rule->n_conditions++;
	for (; at > 0 &&
		condition_cost(&all[rule->conditions[at - 1]]) > condition_cost(&all[found]);
		at--)
		rule->conditions[at] = rule->conditions[at - 1];
	rule->conditions[at] = (uint32_t)found;
}

void
rule_read_match(struct rule_reader *reader)
{
	struct ini_section *section = reader->section;
	struct ini_entry *match = ini_find(section, "match");

	reader->rule->conditions = ruleset_alloc(
		reader->set, section->n_entries + 1, sizeof(uint32_t));
	for (size_t i = 0; i < section->n_entries; i++)
		if (str_starts(str_from(section->entries[i].key), STR("when.")))
			add_condition(reader, &section->entries[i]);
	if (match == NULL)
		return;
	reader->match_failed = true;
	if (match->value[0] == '\0') {
		rule_error(reader, match,
			"the pattern is empty (leave it out to count every message)");
		return;
	}
	const struct field message = { FIELD_MESSAGE, STR("") };
	int64_t search = find_search(reader, match, message, str_from(match->value));
	if (search < 0)
		return;
	reader->rule->search = search;
	reader->regex = reader->set->searches[search].regex;
	reader->match_failed = false;
}

static bool
unknown_name(struct rule_reader *reader, const struct ini_entry *entry, struct str name)
{
	struct buf text = BUF_EMPTY;

	if (reader->match_failed)
		return false; /* its groups are not known: one error is enough */
	buf_printf(&text, "no group or field is named \"%.*s\" (groups:", (int)name.len, name.ptr);
	for (size_t i = 0; reader->regex != NULL && i < regex_names(reader->regex); i++)
		buf_printf(&text, " %s", regex_name(reader->regex, i).ptr);
	buf_printf(&text, "%s; fields: %s)",
		reader->regex == NULL || regex_names(reader->regex) == 0 ? " none" : "",
		FIELD_NAMES);
	rule_error(reader, entry, "%s", buf_cstr(&text));
	buf_fini(&text);
	return false;
}

bool
rule_find_source(struct rule_reader *reader, const struct ini_entry *entry, struct str name,
	struct rule_source *source)
{
	*source = (struct rule_source){ .name = ruleset_copy(reader->set, name) };
	for (size_t i = 0; reader->regex != NULL && i < regex_names(reader->regex); i++) {
		if (str_equal(regex_name(reader->regex, i), name)) {
			source->group = regex_number(reader->regex, i);
			return true;
		}
	}
	return field_from_name(source->name, &source->field) || unknown_name(reader, entry, name);
}
