/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a rule set, shared by what compiles it, what runs it and what explains it.
 * Conditions and searches are kept once, however many rules name them: the matcher evaluates each
 * at most once a message.
 */
#pragma once

#include <stdatomic.h>

#include "match/condition.h"
#include "match/quantity.h"
#include "match/regex.h"
#include "match/ruleset.h"

#define RULE_NO_GATE UINT32_MAX

enum {
	RULE_MAX_TAGS = 32, /* group_by and tags together */
	/* Bytes of a message's text that become a tag; a longer text is cut */
	RULE_MAX_TAG_VALUE = 256,
};

/* A pattern searched in one field. */
struct search {
	struct field field;
	struct str pattern;
	struct regex *regex;
};

/* Where a tag's or field's text comes from. */
struct rule_source {
	struct str name;
	unsigned group; /* of the rule's match; 0 = the field */
	struct field field;
};

/* Series text is put together from parts that are escaped already; only message text is escaped
 * later. */
struct series_part {
	struct str text; /* `,key=` or, for a fixed tag, `,key=value` */
	bool fixed;
	struct rule_source source;
};
struct series_plan {
	struct str measurement;
	struct series_part *parts; /* sorted by key */
	size_t n_parts;
};

/* A capture that becomes a field (every = match). */
struct capture_field {
	struct str text; /* `key=` */
	struct rule_source source;
	bool is_text;
	enum unit unit;
};

struct rule {
	struct rule_info info;
	struct metric_def def;
	uint32_t *conditions; /* cheap ones first */
	size_t n_conditions;
	int64_t search; /* its match; -1 = none */
	struct rule_source value;
	enum unit unit;
	struct series_plan series; /* with all tags */
	struct series_plan
		group; /* without `tags`: what running totals count per (every = match) */
	struct capture_field *captures;
	size_t n_captures;
};

struct ruleset {
	_Atomic(size_t) refs;
	struct ruleset *self; /* a reference is counted through a const view too */
	struct rule *rules;
	const struct metric_def **defs;
	uint32_t *gates; /* of each rule: its first condition, or RULE_NO_GATE: it has none but
			    regexes */
	size_t n_rules;
	struct condition *conditions;
	size_t n_conditions;
	struct search *searches;
	size_t n_searches;
	struct rule_block *blocks; /* strings and arrays, freed with the set */
};

/* Zeroed memory that lives as long as the rule set; never NULL. */
void *ruleset_alloc(struct ruleset *ruleset, size_t count, size_t size);
struct str ruleset_copy(struct ruleset *ruleset, struct str s); /* NUL-terminated too */

/* Compiles one [rule NAME] section into *rule (zeroed, index given). False when errors were added.
 */
bool rule_compile(struct ruleset *ruleset, struct rule *rule, const struct settings *settings,
	struct ini_section *section, struct err *err);
