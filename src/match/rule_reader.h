/* SPDX-License-Identifier: Apache-2.0 */
/* The rule being compiled, and the readers of its keys: each reads some keys and marks them used.
 */
#pragma once

#include "match/rule.h"

struct rule_reader {
	struct ruleset *set;
	struct rule *rule;
	const struct settings *settings;
	struct ini_section *section;
	struct err *err;
	const struct regex *regex; /* of match; NULL = none, or it is wrong */
	bool match_failed;         /* so that names of its groups are not reported too */
};

/* Adds "FILE:LINE: [rule NAME] KEY: TEXT"; entry may be NULL. Returns false. */
bool rule_error(struct rule_reader *reader, const struct ini_entry *entry, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* In this order, as later ones need what earlier ones set. */
void rule_read_match(struct rule_reader *reader);  /* when.FIELD, match */
void rule_read_window(struct rule_reader *reader); /* every time expire max_series output ... */
void rule_read_tags(struct rule_reader *reader);   /* measurement group_by tags */
void rule_read_fields(struct rule_reader *reader); /* value fields */
void rule_read_examples(struct rule_reader *reader);

/* Finds the group or header field of that name (a group wins). Adds an error when there is none. */
bool rule_find_source(struct rule_reader *reader, const struct ini_entry *entry, struct str name,
	struct rule_source *source);

/* Returns the key with escapes, living as long as the rule set; empty when it cannot be written. */
struct str rule_escape(struct rule_reader *reader, struct str key);
