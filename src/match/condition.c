/* SPDX-License-Identifier: Apache-2.0 */
#include "match/condition.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

static const struct {
	struct str sign;
	enum condition_order order;
} ORDERS[] = {
	/* longer signs first */
	{ { "<=", 2 }, ORDER_LESS_EQUAL },
	{ { ">=", 2 }, ORDER_GREATER_EQUAL },
	{ { "<", 1 }, ORDER_LESS },
	{ { ">", 1 }, ORDER_GREATER },
};

static bool
say(struct buf *why, const char *text)
{
	buf_add_text(why, text);
	return false;
}

static struct str
skip(struct str s, size_t n)
{
	return (struct str){ s.ptr + n, s.len - n };
}

static bool
in_order(enum condition_order order, double a, double b)
{
	switch (order) {
	case ORDER_LESS: return a < b;
	case ORDER_LESS_EQUAL: return a <= b;
	case ORDER_GREATER: return a > b;
	case ORDER_GREATER_EQUAL: return a >= b;
	}
	return false;
}

static bool
item_matches(const struct condition_item *item, struct str value)
{
	return item->glob ? str_glob(item->text, value) : str_equal(item->text, value);
}

/* Returns how many names there are. */
static size_t
field_names(enum field_kind kind, const struct str **names)
{
	*names = kind == FIELD_SEVERITY ? log_severity_names : log_facility_names;
	return kind == FIELD_SEVERITY ? 8 : 24;
}

static bool
parse_severity_order(struct condition *condition, struct str operand, struct buf *why)
{
	for (unsigned code = 0; code < 8; code++) {
		if (!str_equal(operand, log_severity_names[code]))
			continue;
		for (unsigned other = 0; other < 8; other++)
			if (in_order(condition->order, other, code))
				condition->mask |= 1U << other;
		condition->kind = CONDITION_MASK;
		return true;
	}
	buf_printf(why,
		"\"%.*s\" is not a severity (emerg alert crit err warning notice info debug)",
		(int)operand.len, operand.ptr);
	return false;
}

static bool
parse_order(struct condition *condition, struct str text, size_t which, struct buf *why)
{
	struct str operand = str_trim(skip(text, ORDERS[which].sign.len));

	condition->order = ORDERS[which].order;
	condition->kind = CONDITION_COMPARE;
	if (condition->field.kind == FIELD_SEVERITY)
		return parse_severity_order(condition, operand, why);
	if (condition->field.kind == FIELD_FACILITY)
		return say(why,
			"facilities have no order (allowed: a | b, glob*, /regex/, ! in front)");
	if (!str_to_double(operand, &condition->number)) {
		buf_printf(why, "\"%.*s\" is not a number (>= 500)", (int)operand.len, operand.ptr);
		return false;
	}
	return true;
}

static bool
parse_regex(struct condition *condition, struct str text, struct buf *why)
{
	if (text.len < 3 || text.ptr[text.len - 1] != '/')
		return say(why,
			"a regex needs a / at both ends and something between (/err(or)?/); it "
			"stands alone");
	condition->kind = CONDITION_REGEX;
	condition->pattern = (struct str){ text.ptr + 1, text.len - 2 };
	return true;
}

static bool
add_item(struct condition *condition, struct str text, struct buf *why)
{
	if (text.len == 0)
		return say(why, "nothing at one side of a | (a | b)");
	if (text.ptr[0] == '!')
		return say(why, "! stands in front of the whole condition (! a | b)");
	if (text.ptr[0] == '/')
		return say(why, "a /regex/ stands alone (/a|b/)");
	condition->items[condition->n_items++] = (struct condition_item){
		.text = text,
		.glob = memchr(text.ptr, '*', text.len) != NULL,
	};
	return true;
}

static bool
parse_list(struct condition *condition, struct str text, struct buf *why)
{
	size_t bars = 0;

	for (size_t i = 0; i < text.len; i++)
		bars += text.ptr[i] == '|';
	condition->kind = CONDITION_LIST;
	condition->items = xcalloc(bars + 1, sizeof(*condition->items));
	for (;;) {
		const char *bar = memchr(text.ptr, '|', text.len);
		struct str item = { text.ptr, bar != NULL ? (size_t)(bar - text.ptr) : text.len };

		if (!add_item(condition, str_trim(item), why))
			return false;
		if (bar == NULL)
			return true;
		text = skip(text, item.len + 1);
	}
}

/* Values of severity and facility are known now: the list becomes a bit mask, and a slip is seen.
 */
static bool
list_to_mask(struct condition *condition, struct buf *why)
{
	const struct str *names;
	size_t n = field_names(condition->field.kind, &names);

	for (size_t i = 0; i < condition->n_items; i++) {
		uint32_t bits = 0;

		for (size_t code = 0; code < n; code++)
			if (item_matches(&condition->items[i], names[code]))
				bits |= 1U << code;
		condition->mask |= bits;
		if (bits != 0)
			continue;
		struct str text = condition->items[i].text;
		buf_printf(why, "\"%.*s\" is not a %s (", (int)text.len, text.ptr,
			condition->field.kind == FIELD_SEVERITY ? "severity" : "facility");
		for (size_t code = 0; code < n; code++)
			buf_printf(why, "%s%s", code > 0 ? " " : "", names[code].ptr);
		buf_add_char(why, ')');
		return false;
	}
	condition->kind = CONDITION_MASK;
	return true;
}

bool
condition_parse(struct condition *condition, struct field field, struct str text, struct buf *why)
{
	*condition = (struct condition){ .field = field, .text = str_trim(text) };
	text = condition->text;
	if (text.len > 0 && text.ptr[0] == '!') {
		condition->negated = true;
		text = str_trim(skip(text, 1));
	}
	if (text.len == 0)
		return say(why,
			"the condition is empty (allowed: a | b, glob*, /regex/, <= warning, >= "
			"500, ! in front)");
	if (text.ptr[0] == '/')
		return parse_regex(condition, text, why);
	for (size_t i = 0; i < sizeof(ORDERS) / sizeof(ORDERS[0]); i++)
		if (str_starts(text, ORDERS[i].sign))
			return parse_order(condition, text, i, why);
	if (!parse_list(condition, text, why))
		return false;
	return (field.kind != FIELD_SEVERITY && field.kind != FIELD_FACILITY) ||
		list_to_mask(condition, why);
}

void
condition_fini(struct condition *condition)
{
	free(condition->items);
	condition->items = NULL;
	condition->n_items = 0;
}

static bool
matches_text(const struct condition *condition, struct str value)
{
	double number;

	if (condition->kind == CONDITION_COMPARE)
		return str_to_double(str_trim(value), &number) &&
			in_order(condition->order, number, condition->number);
	for (size_t i = 0; i < condition->n_items; i++)
		if (item_matches(&condition->items[i], value))
			return true;
	return false;
}

bool
condition_holds(
	const struct condition *condition, const struct rule_input *input, struct buf *scratch)
{
	assert(condition->kind != CONDITION_REGEX);
	if (condition->kind == CONDITION_MASK) {
		unsigned code = condition->field.kind == FIELD_SEVERITY ? input->record->severity
									: input->record->facility;

		return ((condition->mask >> code & 1) != 0) != condition->negated;
	}
	struct str value = field_value(condition->field, input, scratch);
	if (!str_present(value))
		return condition->negated;
	return matches_text(condition, value) != condition->negated;
}
