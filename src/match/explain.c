/* SPDX-License-Identifier: Apache-2.0 */
/* Why a rule matched or did not, in words: the first thing that failed, with what was there and
 * what was wanted. */
#include "match/matcher.h"

enum { MAX_SHOWN = 200 }; /* bytes of a text */

/* In quotes; bytes that could upset a terminal are shown as \xNN, a long text is cut. */
static void
add_quoted(struct buf *out, struct str text)
{
	size_t len = text.len > MAX_SHOWN ? MAX_SHOWN : text.len;

	buf_add_char(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < ' ' || c >= 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_add_char(out, (char)c);
	}
	buf_add_text(out, len < text.len ? "...\"" : "\"");
}

static const char *
verdict_text(enum verdict verdict)
{
	return verdict == VERDICT_SUSPENDED
		? "not searched: the pattern is suspended, as it kept being too slow"
		: verdict == VERDICT_LIMIT ? "given up: the search took too many steps or too long"
					   : "no match";
}

static void
explain_when(struct matcher *matcher, const struct condition *condition, enum verdict verdict,
	const struct rule_input *input, struct buf *out)
{
	struct str value = field_value(condition->field, input, &matcher->scratch);

	buf_add_text(out, "when.");
	field_add_name(out, condition->field);
	buf_add_text(out, ": ");
	if (verdict != VERDICT_NO)
		buf_printf(out, "%s; ", verdict_text(verdict));
	buf_add_text(out, "is ");
	if (str_present(value))
		add_quoted(out, value);
	else
		buf_add_text(out, "absent");
	buf_printf(out, ", needs %.*s\n", (int)condition->text.len, condition->text.ptr);
}

static void
explain_match(const struct search *search, enum verdict verdict, const struct rule_input *input,
	struct buf *out)
{
	if (!str_present(input->record->message)) {
		buf_add_text(out, "match: there is no message to search in\n");
		return;
	}
	buf_printf(out, "match: %s; the message is ", verdict_text(verdict));
	add_quoted(out, input->record->message);
	buf_printf(out, ", the pattern %.*s\n", (int)search->pattern.len, search->pattern.ptr);
}

static void
explain_value(struct matcher *matcher, const struct rule *rule, const struct rule_outcome *outcome,
	const struct rule_input *input, struct buf *out)
{
	const struct capture_field *capture = outcome->capture;
	const struct rule_source *source = capture != NULL ? &capture->source : &rule->value;
	enum unit unit = capture != NULL ? capture->unit : rule->unit;

	buf_printf(out, "%s: ", capture != NULL ? "fields" : "value");
	if (outcome->end == RULE_NO_VALUE) {
		buf_printf(out, "%.*s is absent\n", (int)source->name.len, source->name.ptr);
		return;
	}
	buf_printf(out, "%.*s is ", (int)source->name.len, source->name.ptr);
	add_quoted(out, matcher_text(matcher, rule, source, input));
	buf_printf(out, ", not a number%s%s%s\n", unit != UNIT_NONE ? " (" : "", unit_name(unit),
		unit != UNIT_NONE ? ")" : "");
}

static void
explain_matched(struct matcher *matcher, const struct rule *rule, struct buf *out)
{
	const struct regex *regex = rule->search < 0
		? NULL
		: matcher->ruleset->searches[rule->search].regex;

	buf_add_text(out, "matched\n");
	for (size_t i = 0; regex != NULL && i < regex_names(regex); i++) {
		struct str text = matcher->searches[rule->search].groups[regex_number(regex, i)];

		buf_printf(out, "  %s = ", regex_name(regex, i).ptr);
		if (str_present(text))
			add_quoted(out, text);
		else
			buf_add_text(out, "absent");
		buf_add_char(out, '\n');
	}
}

bool
matcher_explain(struct matcher *matcher, size_t i, const struct rule_input *input,
	struct delta *delta, struct buf *out)
{
	const struct ruleset *set = matcher->ruleset;
	const struct rule *rule = &set->rules[i];

	matcher_next(matcher);
	struct rule_outcome outcome = matcher_rule(matcher, i, input, delta);
	switch (outcome.end) {
	case RULE_MATCHED: explain_matched(matcher, rule, out); return true;
	case RULE_WHEN:
		explain_when(
			matcher, &set->conditions[outcome.condition], outcome.verdict, input, out);
		break;
	case RULE_NO_MATCH:
		explain_match(&set->searches[rule->search], outcome.verdict, input, out);
		break;
	case RULE_NO_VALUE:
	case RULE_BAD_VALUE: explain_value(matcher, rule, &outcome, input, out); break;
	}
	return false;
}
