/* SPDX-License-Identifier: Apache-2.0 */
#include "match/ruleset.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "match/rule.h"

struct rule_block {
	struct rule_block *next;
	max_align_t bytes[];
};

void *
ruleset_alloc(struct ruleset *ruleset, size_t count, size_t size)
{
	struct rule_block *block;

	assert(size > 0 && count < SIZE_MAX / 2 / size);
	block = xcalloc(1, sizeof(*block) + count * size);
	block->next = ruleset->blocks;
	ruleset->blocks = block;
	return block->bytes;
}

struct str
ruleset_copy(struct ruleset *ruleset, struct str s)
{
	char *copy = ruleset_alloc(ruleset, s.len + 1, 1);

	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return (struct str){ copy, s.len };
}

static void
ruleset_free(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->n_conditions; i++)
		condition_fini(&ruleset->conditions[i]);
	for (size_t i = 0; i < ruleset->n_searches; i++)
		regex_free(&ruleset->searches[i].regex);
	while (ruleset->blocks != NULL) {
		struct rule_block *next = ruleset->blocks->next;

		free(ruleset->blocks);
		ruleset->blocks = next;
	}
	free(ruleset->conditions);
	free(ruleset->searches);
	free(ruleset->rules);
	free(ruleset->defs);
	free(ruleset);
}

/* False when an error was added. */
static bool
add_rule(struct ruleset *ruleset, const struct settings *settings, struct ini_section *section,
	struct err *err)
{
	struct rule *rule = &ruleset->rules[ruleset->n_rules];

	if (strcmp(section->kind, "patterns") == 0)
		return ini_error(err, section, NULL, "not supported yet (leave it out)");
	if (strcmp(section->kind, "rule") != 0)
		return ini_error(
			err, section, NULL, "unknown section (rule files have [rule NAME])");
	if (section->name[0] == '\0')
		return ini_error(err, section, NULL, "a rule needs a name ([rule NAME])");
	rule->def.index = (uint32_t)ruleset->n_rules++;
	return rule_compile(ruleset, rule, settings, section, err);
}

/* Cheap conditions come first: when this is a regex, all are. */
static uint32_t
find_gate(const struct ruleset *ruleset, const struct rule *rule)
{
	if (rule->n_conditions == 0 ||
		ruleset->conditions[rule->conditions[0]].kind == CONDITION_REGEX)
		return RULE_NO_GATE;
	return rule->conditions[0];
}

struct ruleset *
ruleset_new(const struct settings *settings, struct err *err)
{
	struct ruleset *ruleset = xcalloc(1, sizeof(*ruleset));
	size_t n = settings->rules.n_sections;
	bool ok = true;

	atomic_init(&ruleset->refs, 1);
	ruleset->self = ruleset;
	ruleset->rules = xcalloc(n + 1, sizeof(*ruleset->rules));
	ruleset->defs = xcalloc(n + 1, sizeof(struct metric_def *));
	ruleset->gates = ruleset_alloc(ruleset, n + 1, sizeof(*ruleset->gates));
	for (size_t i = 0; i < n; i++)
		ok = add_rule(ruleset, settings, &settings->rules.sections[i], err) && ok;
	if (!ok) {
		ruleset_free(ruleset);
		return NULL;
	}
	for (size_t i = 0; i < ruleset->n_rules; i++) {
		struct rule *rule = &ruleset->rules[i];

		ruleset->defs[i] = &rule->def;
		ruleset->gates[i] = find_gate(ruleset, rule);
		rule->info.def = &rule->def;
	}
	return ruleset;
}

struct ruleset *
ruleset_ref(const struct ruleset *ruleset)
{
	struct ruleset *shared = ruleset->self;

	atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

void
ruleset_unref(struct ruleset **ruleset)
{
	if (*ruleset != NULL &&
		atomic_fetch_sub_explicit(&(*ruleset)->refs, 1, memory_order_acq_rel) == 1)
		ruleset_free(*ruleset);
	*ruleset = NULL;
}

size_t
ruleset_size(const struct ruleset *ruleset)
{
	return ruleset->n_rules;
}

const struct rule_info *
ruleset_rule(const struct ruleset *ruleset, size_t i)
{
	assert(i < ruleset->n_rules);
	return &ruleset->rules[i].info;
}

const struct metric_def *const *
ruleset_defs(const struct ruleset *ruleset)
{
	return ruleset->defs;
}

void
ruleset_set_target(struct ruleset *ruleset, size_t i, uint16_t target)
{
	assert(i < ruleset->n_rules);
	ruleset->rules[i].def.target = target;
}
