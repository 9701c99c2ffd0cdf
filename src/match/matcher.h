/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a matcher, shared by what runs rules and what explains them. Results are kept for
 * the message in hand: a state whose generation is the matcher's is of this message.
 */
#pragma once

#include "match/breaker.h"
#include "match/rule.h"

enum verdict {
	VERDICT_NO,
	VERDICT_YES,
	VERDICT_LIMIT, /* a search was given up: neither yes nor no, so the rule does not match */
	VERDICT_SUSPENDED, /* not searched: the same */
};

struct search_state {
	uint64_t generation;
	enum verdict verdict;
	bool over_budget; /* this message's search was */
	unsigned watched; /* searches still to be timed exactly */
	struct breaker breaker;
	struct str *groups; /* of a match; views into the message */
	uint64_t searches;  /* how often it was really run */
};

struct condition_state {
	uint64_t generation;
	enum verdict verdict;
};

struct matcher {
	struct ruleset *ruleset; /* a reference */
	struct regex_scratch *regex;
	struct search_state *searches;
	struct condition_state *conditions;
	struct rule_counters *counters;
	uint64_t generation; /* messages seen */
	bool sampled;        /* this message is timed */
	struct buf scratch;  /* of field_value() */
	struct buf group, series, fields;
};

/* How far a rule got with a message. */
enum rule_end {
	RULE_MATCHED,
	RULE_WHEN,      /* a condition did not hold */
	RULE_NO_MATCH,  /* the pattern did not match */
	RULE_NO_VALUE,  /* a text that must be there took no part */
	RULE_BAD_VALUE, /* a text is not a number of its unit */
};
struct rule_outcome {
	enum rule_end end;
	enum verdict verdict;                /* of RULE_WHEN and RULE_NO_MATCH; never VERDICT_YES */
	uint32_t condition;                  /* RULE_WHEN */
	const struct capture_field *capture; /* of the last two: which field; NULL = `value` */
};

/* Between messages: forgets the last one's results. */
void matcher_next(struct matcher *matcher);

/* Runs rule i on the message in hand; a match goes to delta. */
struct rule_outcome matcher_rule(
	struct matcher *matcher, size_t i, const struct rule_input *input, struct delta *delta);

/* The text of a tag, value or field; absent when it took no part. Valid until the next call. */
struct str matcher_text(struct matcher *matcher, const struct rule *rule,
	const struct rule_source *source, const struct rule_input *input);
