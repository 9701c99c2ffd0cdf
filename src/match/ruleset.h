/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules, compiled: conditions, PCRE2 patterns, grouping, value and what to write. A rule set is
 * immutable and reference- counted, shared by all workers; what changes while matching (PCRE2 match
 * data, JIT stack, counters, suspensions) is in each worker's struct matcher.
 *
 *      record -> when (header conditions) -> match (PCRE2) -> group_by, tags, value -> delta
 */
#pragma once

#include "base/err.h"
#include "config/settings.h"
#include "metric/delta.h"
#include "parser/log_record.h"

struct ruleset;
struct matcher;

/* One message as rules see it; all borrowed. */
struct rule_input {
	const struct log_record *record;
	struct str source; /* the peer's address, or absent */
	int64_t time_ns;   /* the message's time when sane, else the receive time */
	int64_t received_ns;
};

/* `example`, `expect`, `reject` of a rule, as written, in order of their numbers. */
struct rule_example {
	int number; /* 1 for plain `example` */
	int line;
	struct str example;  /* absent for a reject */
	struct str reject;   /* absent for an example */
	struct str *expects; /* lines of line protocol; borrowed */
	size_t n_expects;
};

struct rule_info {
	struct str name, description, file;
	int line;
	const struct metric_def *def;
	const struct rule_example *examples;
	size_t n_examples;
	/* Where its points go: bits of settings.outputs (0 = all), and overrides (absent = the
	 * output's own). */
	uint64_t outputs;
	struct str database, retention_policy;
};

/*
 * Compiles settings->rules. All errors are collected, one bad rule does not hide the next one's.
 * Borrows nothing after it returns. NULL when there was an error. metric_def.target is 0 until
 * ruleset_set_target().
 */
struct ruleset *ruleset_new(const struct settings *settings, struct err *err);
struct ruleset *ruleset_ref(const struct ruleset *ruleset);
void ruleset_unref(struct ruleset **ruleset);

size_t ruleset_size(const struct ruleset *ruleset);
const struct rule_info *ruleset_rule(const struct ruleset *ruleset, size_t i);
/* The metric definitions of all rules, by index, for aggregator_new(). Valid as long as the rule
 * set. */
const struct metric_def *const *ruleset_defs(const struct ruleset *ruleset);
/* Only before the rule set is shared. */
void ruleset_set_target(struct ruleset *ruleset, size_t i, uint16_t target);

/* Per worker and rule; plain counters of one writer, handed over with the worker's tally. */
struct rule_counters {
	uint64_t evaluated; /* conditions held, pattern searched */
	uint64_t matched;
	uint64_t step_limit;  /* PCRE2 match, depth or heap limit, or JIT stack: no match then */
	uint64_t bad_value;   /* the value was not a number: the match is not counted */
	uint64_t no_value;    /* the value's group did not take part: the same */
	uint64_t over_budget; /* a search took longer than the time budget */
	uint64_t suspended;   /* messages not tried because the rule is suspended for being over
				 budget */
	uint64_t ns;          /* time spent, sampled: every 256th message counts 256 times */
};

struct matcher *matcher_new(const struct ruleset *ruleset); /* holds a reference */
void matcher_free(struct matcher **matcher);

/* Runs all rules on one message; what matches is added to delta. */
void matcher_run(struct matcher *matcher, const struct rule_input *input, struct delta *delta);

const struct rule_counters *matcher_counters(const struct matcher *matcher, size_t rule);

/*
 * Runs one rule and tells what happened in words, for `logmill explain`: "matched" plus captures,
 * or the first thing that failed ("when.appname: is \"sshd\", needs kernel"). Appends lines to out;
 * true when it matched (the match is then in delta).
 */
bool matcher_explain(struct matcher *matcher, size_t rule, const struct rule_input *input,
	struct delta *delta, struct buf *out);
