/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path of every message through every rule. Nothing is allocated once the buffers are warm, and
 * nothing is evaluated twice for one message: conditions and searches belong to the rule set, rules
 * only point at them.
 *
 * Clocks cost about as much as a usual search, so only every 256th message is timed. A search that
 * was given up, or was slow in such a message, is watched: its next searches are measured by the
 * thread's CPU time (a stalled machine is not the pattern's fault), and what is over the budget
 * then counts against it (match/breaker.h).
 */
#include "match/matcher.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "match/cpu_time.h"
#include "metric/line_protocol.h"

enum {
	SAMPLE = 256, /* a power of two */
	WATCHED = 1024,
};

struct matcher *
matcher_new(const struct ruleset *ruleset)
{
	struct matcher *matcher = xcalloc(1, sizeof(*matcher));

	matcher->ruleset = ruleset_ref(ruleset);
	matcher->regex = regex_scratch_new();
	matcher->searches = xcalloc(ruleset->n_searches + 1, sizeof(*matcher->searches));
	matcher->conditions = xcalloc(ruleset->n_conditions + 1, sizeof(*matcher->conditions));
	matcher->counters = xcalloc(ruleset->n_rules + 1, sizeof(*matcher->counters));
	for (size_t i = 0; i < ruleset->n_searches; i++)
		matcher->searches[i].groups = xcalloc(
			regex_groups(ruleset->searches[i].regex) + 1, sizeof(struct str));
	return matcher;
}

void
matcher_free(struct matcher **matcher)
{
	struct matcher *old = *matcher;

	if (old == NULL)
		return;
	for (size_t i = 0; i < old->ruleset->n_searches; i++)
		free(old->searches[i].groups);
	free(old->searches);
	free(old->conditions);
	free(old->counters);
	buf_fini(&old->scratch);
	buf_fini(&old->group);
	buf_fini(&old->series);
	buf_fini(&old->fields);
	regex_scratch_free(&old->regex);
	ruleset_unref(&old->ruleset);
	free(old);
	*matcher = NULL;
}

const struct rule_counters *
matcher_counters(const struct matcher *matcher, size_t rule)
{
	assert(rule < matcher->ruleset->n_rules);
	return &matcher->counters[rule];
}

static void
judge_time(struct search_state *state, int64_t start_ns)
{
	if (state->watched == 0) {
		if (clock_monotonic_ns() - start_ns > BREAKER_BUDGET_NS)
			state->watched = WATCHED;
		return;
	}
	state->watched--;
	if (cpu_time_ns() - start_ns <= BREAKER_BUDGET_NS)
		return;
	state->over_budget = true;
	state->watched = WATCHED;
	breaker_strike(&state->breaker, clock_monotonic_ns());
}

static void
run_search(struct matcher *matcher, size_t i, const struct rule_input *input)
{
	static const enum verdict verdicts[] = {
		[REGEX_NONE] = VERDICT_NO,
		[REGEX_MATCH] = VERDICT_YES,
		[REGEX_LIMIT] = VERDICT_LIMIT,
	};
	const struct search *search = &matcher->ruleset->searches[i];
	struct search_state *state = &matcher->searches[i];
	int64_t start_ns = 0;

	state->generation = matcher->generation;
	state->over_budget = false;
	state->verdict = VERDICT_SUSPENDED;
	if (state->breaker.open_until != 0 && breaker_open(&state->breaker, clock_monotonic_ns()))
		return;
	struct str subject = field_value(search->field, input, &matcher->scratch);
	state->verdict = VERDICT_NO;
	if (!str_present(subject))
		return;
	if (state->watched > 0)
		start_ns = cpu_time_ns();
	else if (matcher->sampled)
		start_ns = clock_monotonic_ns();
	state->searches++;
	state->verdict =
		verdicts[regex_search(search->regex, matcher->regex, subject, state->groups)];
	if (start_ns != 0)
		judge_time(state, start_ns);
	if (state->verdict == VERDICT_LIMIT && state->watched == 0)
		state->watched = WATCHED;
}

/* For each rule that asks, so that the counters of rules that share a pattern tell the same. */
static enum verdict
search_verdict(struct matcher *matcher, size_t i, struct rule_counters *counters,
	const struct rule_input *input)
{
	struct search_state *state = &matcher->searches[i];

	if (state->generation != matcher->generation)
		run_search(matcher, i, input);
	counters->over_budget += state->over_budget;
	counters->step_limit += state->verdict == VERDICT_LIMIT;
	counters->suspended += state->verdict == VERDICT_SUSPENDED;
	return state->verdict;
}

/* Of a condition that is no regex. */
static enum verdict
plain_verdict(struct matcher *matcher, uint32_t i, const struct rule_input *input)
{
	struct condition_state *state = &matcher->conditions[i];

	if (state->generation != matcher->generation) {
		const struct condition *condition = &matcher->ruleset->conditions[i];

		state->generation = matcher->generation;
		state->verdict = condition_holds(condition, input, &matcher->scratch) ? VERDICT_YES
										      : VERDICT_NO;
	}
	return state->verdict;
}

static enum verdict
condition_verdict(struct matcher *matcher, uint32_t i, struct rule_counters *counters,
	const struct rule_input *input)
{
	const struct condition *condition = &matcher->ruleset->conditions[i];

	if (condition->kind != CONDITION_REGEX)
		return plain_verdict(matcher, i, input);
	enum verdict found = search_verdict(matcher, condition->search, counters, input);
	if (condition->negated && found <= VERDICT_YES)
		found = found == VERDICT_NO ? VERDICT_YES : VERDICT_NO;
	return found;
}

struct str
matcher_text(struct matcher *matcher, const struct rule *rule, const struct rule_source *source,
	const struct rule_input *input)
{
	if (source->group > 0)
		return matcher->searches[rule->search].groups[source->group];
	return field_value(source->field, input, &matcher->scratch);
}

/* At most RULE_MAX_TAG_VALUE bytes, and not in the middle of a character. */
static struct str
cut_tag(struct str value)
{
	if (value.len <= RULE_MAX_TAG_VALUE)
		return value;
	value.len = RULE_MAX_TAG_VALUE;
	for (int i = 0; i < 3 && ((unsigned char)value.ptr[value.len] & 0xc0) == 0x80; i++)
		value.len--;
	return value;
}

static struct str
build_series(struct matcher *matcher, const struct rule *rule, const struct series_plan *plan,
	const struct rule_input *input, struct buf *out)
{
	buf_clear(out);
	buf_add(out, plan->measurement);
	for (size_t i = 0; i < plan->n_parts; i++) {
		const struct series_part *part = &plan->parts[i];

		if (part->fixed) {
			buf_add(out, part->text);
			continue;
		}
		struct str value = cut_tag(matcher_text(matcher, rule, &part->source, input));
		if (value.len == 0)
			continue; /* absent or empty: InfluxDB has no empty tags */
		char *start = buf_reserve(out, part->text.len + value.len * LP_GROWTH);
		memcpy(start, part->text.ptr, part->text.len);
		char *end = lp_put_key(start + part->text.len, value);
		if (end > start + part->text.len)
			out->len += (size_t)(end - start);
	}
	return buf_str(out);
}

/* Appends one capture field, unless it took no part. False: it is not a number. */
static bool
add_capture(struct matcher *matcher, const struct rule *rule, const struct capture_field *capture,
	const struct rule_input *input)
{
	struct buf *out = &matcher->fields;
	struct str text = matcher_text(matcher, rule, &capture->source, input);
	union metric_value value = { .integer = 0 };

	if (!str_present(text))
		return true;
	if (!capture->is_text && !quantity_read(capture->unit, text, &value))
		return false;
	if (out->len > 0)
		buf_add_char(out, ',');
	buf_add(out, capture->text);
	char *start = buf_reserve(out, text.len * LP_GROWTH + 40);
	char *end = capture->is_text             ? lp_put_string(start, text)
		: unit_is_integer(capture->unit) ? lp_put_int(start, value.integer)
						 : lp_put_float(start, value.number);
	out->len += (size_t)(end - start);
	return true;
}

/* What goes wrong here is told by the outcome's end; RULE_MATCHED: all is well and in *value and
 * matcher->fields. */
static struct rule_outcome
read_values(struct matcher *matcher, const struct rule *rule, const struct rule_input *input,
	union metric_value *value)
{
	buf_clear(&matcher->fields);
	if (rule->def.has_value) {
		struct str text = matcher_text(matcher, rule, &rule->value, input);

		if (!str_present(text))
			return (struct rule_outcome){ .end = RULE_NO_VALUE };
		if (!quantity_read(rule->unit, text, value))
			return (struct rule_outcome){ .end = RULE_BAD_VALUE };
	}
	for (size_t i = 0; i < rule->n_captures; i++)
		if (!add_capture(matcher, rule, &rule->captures[i], input))
			return (struct rule_outcome){ .end = RULE_BAD_VALUE,
				.capture = &rule->captures[i] };
	if (rule->def.n_fields == 0 && matcher->fields.len == 0) /* a point needs a field */
		return (struct rule_outcome){ .end = RULE_NO_VALUE, .capture = &rule->captures[0] };
	return (struct rule_outcome){ .end = RULE_MATCHED };
}

static struct rule_outcome
emit(struct matcher *matcher, const struct rule *rule, struct rule_counters *counters,
	const struct rule_input *input, struct delta *delta)
{
	const struct metric_def *def = &rule->def;
	int64_t time_ns = def->time_received ? input->received_ns : input->time_ns;
	union metric_value value = { .integer = 0 };
	struct rule_outcome outcome = read_values(matcher, rule, input, &value);

	if (outcome.end != RULE_MATCHED) {
		counters->no_value += outcome.end == RULE_NO_VALUE;
		counters->bad_value += outcome.end == RULE_BAD_VALUE;
		return outcome;
	}
	counters->matched++;
	struct str series = build_series(matcher, rule, &rule->series, input, &matcher->series);
	if (!def->per_match) {
		delta_add(delta, def, series, value, time_ns);
	} else {
		struct str group = build_series(
			matcher, rule, &rule->group, input, &matcher->group);

		delta_add_match(
			delta, def, group, series, buf_str(&matcher->fields), value, time_ns);
	}
	return outcome;
}

struct rule_outcome
matcher_rule(struct matcher *matcher, size_t i, const struct rule_input *input, struct delta *delta)
{
	const struct rule *rule = &matcher->ruleset->rules[i];
	struct rule_counters *counters = &matcher->counters[i];
	enum verdict verdict;

	for (size_t k = 0; k < rule->n_conditions; k++) {
		verdict = condition_verdict(matcher, rule->conditions[k], counters, input);
		if (verdict != VERDICT_YES)
			return (struct rule_outcome){ .end = RULE_WHEN,
				.verdict = verdict,
				.condition = rule->conditions[k] };
	}
	counters->evaluated++;
	if (rule->search >= 0) {
		verdict = search_verdict(matcher, (size_t)rule->search, counters, input);
		if (verdict != VERDICT_YES)
			return (struct rule_outcome){ .end = RULE_NO_MATCH, .verdict = verdict };
	}
	return emit(matcher, rule, counters, input, delta);
}

void
matcher_next(struct matcher *matcher)
{
	matcher->generation++;
	matcher->sampled = (matcher->generation & (SAMPLE - 1)) == 0;
}

static void
run_timed(struct matcher *matcher, size_t i, const struct rule_input *input, struct delta *delta)
{
	int64_t start_ns = clock_monotonic_ns();

	matcher_rule(matcher, i, input, delta);
	matcher->counters[i].ns += (uint64_t)(clock_monotonic_ns() - start_ns) * SAMPLE;
}

/* Most rules end at their gate, before they are touched. */
void
matcher_run(struct matcher *matcher, const struct rule_input *input, struct delta *delta)
{
	const struct ruleset *set = matcher->ruleset;

	matcher_next(matcher);
	for (size_t i = 0; i < set->n_rules; i++) {
		uint32_t gate = set->gates[i];

		if (matcher->sampled)
			run_timed(matcher, i, input, delta);
		else if (gate == RULE_NO_GATE || plain_verdict(matcher, gate, input) == VERDICT_YES)
			matcher_rule(matcher, i, input, delta);
	}
}
