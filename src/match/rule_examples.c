/* SPDX-License-Identifier: Apache-2.0 */
/* example, expect, reject: kept as written; who runs them is elsewhere. */
#include "match/rule_reader.h"

enum { MAX_NUMBER = 9999 };

/* `KEY` is number 1, `KEY.N` number N. 0: another key; -1: the number is wrong (error added). */
static int
example_number(struct rule_reader *reader, struct ini_entry *entry, const char *key)
{
	struct str rest = str_from(entry->key), name = str_from(key);
	int64_t n;

	if (!str_starts(rest, name) || (rest.len > name.len && rest.ptr[name.len] != '.'))
		return 0;
	entry->used = true;
	if (entry->value[0] == '\0') {
		rule_error(reader, entry, "the value is empty (leave it out instead)");
		return -1;
	}
	if (rest.len == name.len)
		return 1;
	rest = (struct str){ rest.ptr + name.len + 1, rest.len - name.len - 1 };
	if (str_to_int64(rest, &n) && n >= 1 && n <= MAX_NUMBER)
		return (int)n;
	rule_error(
		reader, entry, "\"%s\" is no such number (allowed: 1 to %d)", rest.ptr, MAX_NUMBER);
	return -1;
}

/* In order of numbers; of equal numbers the example comes first. */
static void
insert_example(struct rule_example *examples, size_t n, struct rule_example example)
{
	for (; n > 0; n--) {
		const struct rule_example *before = &examples[n - 1];

		if (before->number < example.number ||
			(before->number == example.number && !str_present(example.example)))
			break;
		examples[n] = *before;
	}
	examples[n] = example;
}

static void
add_example(struct rule_reader *reader, struct ini_entry *entry, struct rule_example *examples,
	size_t *n)
{
	int number = example_number(reader, entry, "example");
	bool reject = number == 0;

	if (reject)
		number = example_number(reader, entry, "reject");
	if (number <= 0)
		return;
	for (size_t i = 0; i < *n; i++)
		if (examples[i].number == number && str_present(examples[i].reject) == reject) {
			rule_error(reader, entry, "number %d stands already in line %d", number,
				examples[i].line);
			return;
		}
	struct str text = ruleset_copy(reader->set, str_from(entry->value));
	insert_example(examples, (*n)++,
		(struct rule_example){
			.number = number,
			.line = entry->line,
			.example = reject ? STR_ABSENT : text,
			.reject = reject ? text : STR_ABSENT,
		});
}

static void
add_expect(struct rule_reader *reader, struct ini_entry *entry, struct rule_example *examples,
	size_t n)
{
	int number = example_number(reader, entry, "expect");

	if (number <= 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct rule_example *example = &examples[i];

		if (example->number != number || !str_present(example->example))
			continue;
		if (example->n_expects > 0) {
			rule_error(reader, entry, "example %d has an expect already", number);
			return;
		}
		example->expects = ruleset_alloc(reader->set, 1, sizeof(struct str));
		example->expects[example->n_expects++] = ruleset_copy(
			reader->set, str_from(entry->value));
		return;
	}
	rule_error(reader, entry, "there is no example with number %d", number);
}

void
rule_read_examples(struct rule_reader *reader)
{
	struct ini_section *section = reader->section;
	struct rule_example *examples = ruleset_alloc(
		reader->set, section->n_entries + 1, sizeof(*examples));
	size_t n = 0;

	for (size_t i = 0; i < section->n_entries; i++)
		add_example(reader, &section->entries[i], examples, &n);
	for (size_t i = 0; i < section->n_entries; i++)
		add_expect(reader, &section->entries[i], examples, n);
	reader->rule->info.examples = examples;
	reader->rule->info.n_examples = n;
}
