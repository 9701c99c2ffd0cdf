/* SPDX-License-Identifier: Apache-2.0 */
/* measurement, group_by and tags: everything of a point's series that is known before a message
 * comes is escaped here. */
#include "match/rule_reader.h"

#include "metric/line_protocol.h"

struct plan_tag {
	struct str key;
	struct str value; /* of a fixed tag, else absent */
	bool grouping;    /* from group_by */
	struct rule_source source;
};

struct plan {
	struct plan_tag tags[RULE_MAX_TAGS];
	size_t n_tags;
};

struct str
rule_escape(struct rule_reader *reader, struct str key)
{
	char *text = ruleset_alloc(reader->set, key.len * LP_GROWTH + 1, 1);

	return (struct str){ text, (size_t)(lp_put_key(text, key) - text) };
}

/* Keeps tags sorted by key. */
static void
add_tag(struct rule_reader *reader, const struct ini_entry *entry, struct plan *plan,
	struct plan_tag tag)
{
	size_t at = plan->n_tags;

	if (plan->n_tags == RULE_MAX_TAGS) {
		rule_error(reader, entry, "more than %d tags", RULE_MAX_TAGS);
		return;
	}
	if (str_is(tag.key, "time") || rule_escape(reader, tag.key).len == 0) {
		rule_error(reader, entry, "a tag cannot be named \"%.*s\"", (int)tag.key.len,
			tag.key.ptr);
		return;
	}
	for (size_t i = 0; i < plan->n_tags; i++) {
		if (str_equal(plan->tags[i].key, tag.key)) {
			rule_error(reader, entry, "%.*s is a tag already", (int)tag.key.len,
				tag.key.ptr);
			return;
		}
	}
	tag.key = ruleset_copy(reader->set, tag.key);
	for (; at > 0 && strcmp(plan->tags[at - 1].key.ptr, tag.key.ptr) > 0; at--)
		plan->tags[at] = plan->tags[at - 1];
	plan->tags[at] = tag;
	plan->n_tags++;
}

static void
read_group_by(struct rule_reader *reader, struct plan *plan)
{
	const struct ini_entry *entry = ini_find(reader->section, "group_by");
	struct str rest, name;

	if (entry == NULL)
		return;
	rest = str_from(entry->value);
	if (rest.len == 0)
		rule_error(reader, entry, "the value is empty (leave it out for a single series)");
	while (str_word(&rest, &name)) {
		struct plan_tag tag = { .key = name, .grouping = true };

		if (rule_find_source(reader, entry, name, &tag.source))
			add_tag(reader, entry, plan, tag);
	}
}

static void
read_tag(struct rule_reader *reader, const struct ini_entry *entry, struct str word,
	struct plan *plan)
{
	const char *equals = memchr(word.ptr, '=', word.len);
	struct plan_tag tag = { .key = word };

	if (equals == NULL) {
		if (!rule_find_source(reader, entry, word, &tag.source))
			return;
		if (!reader->rule->def.per_match) {
			rule_error(reader, entry,
				"%.*s alone needs every = match (allowed: NAME=value; group_by "
				"makes series)",
				(int)word.len, word.ptr);
			return;
		}
	} else {
		tag.key.len = (size_t)(equals - word.ptr);
		tag.value = ruleset_copy(
			reader->set, (struct str){ equals + 1, word.len - tag.key.len - 1 });
		if (rule_escape(reader, tag.value).len == 0) {
			rule_error(reader, entry, "\"%.*s\" has no value (allowed: NAME=value)",
				(int)word.len, word.ptr);
			return;
		}
	}
	add_tag(reader, entry, plan, tag);
}

static void
read_tags(struct rule_reader *reader, struct plan *plan)
{
	const struct ini_entry *entry = ini_find(reader->section, "tags");
	struct str rest, word;

	if (entry == NULL)
		return;
	rest = str_from(entry->value);
	if (rest.len == 0)
		rule_error(reader, entry, "the value is empty (leave it out instead)");
	while (str_word(&rest, &word))
		read_tag(reader, entry, word, plan);
}

/* `,key=` and the value of a fixed tag. */
static struct str
part_text(struct rule_reader *reader, const struct plan_tag *tag, struct str value)
{
	struct str key = rule_escape(reader, tag->key), escaped = rule_escape(reader, value);
	char *text = ruleset_alloc(reader->set, key.len + escaped.len + 2, 1);

	text[0] = ',';
	memcpy(text + 1, key.ptr, key.len);
	text[1 + key.len] = '=';
	memcpy(text + 2 + key.len, escaped.ptr, escaped.len);
	return (struct str){ text, 2 + key.len + escaped.len };
}

static void
make_plan(struct rule_reader *reader, const struct plan *plan, bool groups_only,
	struct series_plan *out)
{
	out->parts = ruleset_alloc(reader->set, plan->n_tags + 1, sizeof(*out->parts));
	for (size_t i = 0; i < plan->n_tags; i++) {
		const struct plan_tag *tag = &plan->tags[i];

		if (groups_only && !tag->grouping)
			continue;
		out->parts[out->n_parts++] = (struct series_part){
			.text = part_text(
				reader, tag, str_present(tag->value) ? tag->value : STR("")),
			.fixed = str_present(tag->value),
			.source = tag->source,
		};
	}
}

/* What matches beyond max_series fold into: every value that comes from messages becomes `_other`.
 */
static struct str
overflow_series(struct rule_reader *reader, const struct plan *plan, struct str measurement)
{
	struct buf text = BUF_EMPTY;

	buf_add(&text, measurement);
	for (size_t i = 0; i < plan->n_tags; i++) {
		const struct plan_tag *tag = &plan->tags[i];

		buf_add(&text,
			part_text(
				reader, tag, str_present(tag->value) ? tag->value : STR("_other")));
	}
	struct str series = ruleset_copy(reader->set, buf_str(&text));
	buf_fini(&text);
	return series;
}

static struct str
read_measurement(struct rule_reader *reader)
{
	const struct ini_entry *entry = ini_find(reader->section, "measurement");
	struct str name = entry != NULL ? str_from(entry->value) : reader->rule->info.name;
	char *text = ruleset_alloc(reader->set, name.len * LP_GROWTH + 1, 1);
	struct str measurement = { text, (size_t)(lp_put_measurement(text, name) - text) };

	/* A line that starts with # is a comment to InfluxDB. */
	if (measurement.len == 0 || measurement.ptr[0] == '#')
		rule_error(reader, entry, "\"%.*s\" cannot be a measurement's name", (int)name.len,
			name.ptr);
	return measurement;
}

void
rule_read_tags(struct rule_reader *reader)
{
	struct rule *rule = reader->rule;
	struct plan plan = { .n_tags = 0 };

	rule->series.measurement = rule->group.measurement = read_measurement(reader);
	read_group_by(reader, &plan);
	read_tags(reader, &plan);
	make_plan(reader, &plan, false, &rule->series);
	make_plan(reader, &plan, true, &rule->group);
	rule->def.overflow_series = overflow_series(reader, &plan, rule->series.measurement);
}
