/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One `when.FIELD = CONDITION`:
 *
 *      a | b          one of these values      <= warning     severity: emerg to warning
 *      glob*          * stands for any bytes   >= 500         numbers: < <= > >=
 *      /regex/        found anywhere in it     ! CONDITION    not so; only this holds for an absent
 * field
 */
#pragma once

#include "match/field.h"

enum condition_kind {
	CONDITION_MASK,    /* severity, facility: a bit for each code */
	CONDITION_LIST,    /* exact values and globs */
	CONDITION_COMPARE, /* a number */
	CONDITION_REGEX,   /* whoever holds the regex searches: the matcher */
};

enum condition_order { ORDER_LESS, ORDER_LESS_EQUAL, ORDER_GREATER, ORDER_GREATER_EQUAL };

struct condition_item {
	struct str text;
	bool glob;
};

struct condition {
	struct field field;
	struct str text; /* as written */
	enum condition_kind kind;
	bool negated;
	uint32_t mask;                /* MASK */
	struct condition_item *items; /* LIST; owned */
	size_t n_items;
	enum condition_order order; /* COMPARE */
	double number;
	struct str pattern; /* REGEX: what stands between the slashes */
	uint32_t search;    /* REGEX: for the rule set, which search that is */
};

/*
 * Reads text, which condition keeps views of. False: *why says what is wrong. condition_fini() in
 * any case.
 */
bool
condition_parse(struct condition *condition, struct field field, struct str text, struct buf *why);
void condition_fini(struct condition *condition);

/* Does it hold? Not for CONDITION_REGEX. */
bool condition_holds(
	const struct condition *condition, const struct rule_input *input, struct buf *scratch);
