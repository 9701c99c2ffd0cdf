/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a message that rules may name: its header, its text, its structured data. */
#pragma once

#include "base/buf.h"
#include "match/ruleset.h"

enum field_kind {
	FIELD_SEVERITY,
	FIELD_FACILITY,
	FIELD_HOSTNAME,
	FIELD_APPNAME,
	FIELD_PROCID,
	FIELD_MSGID,
	FIELD_SOURCE,
	FIELD_MESSAGE,
	FIELD_SD, /* sd.ID.PARAM, or sd.ID for an element without parameters (its value is "true")
		   */
};

struct field {
	enum field_kind kind;
	struct str sd; /* "ID.PARAM"; compared as a whole, so that dots in either do no harm */
};

#define FIELD_NAMES "severity facility hostname appname procid msgid source message sd.ID.PARAM"

/* False: no such field. Borrows name for as long as *field is used. */
bool field_from_name(struct str name, struct field *field);

/* Appends the name as a rule spells it. */
void field_add_name(struct buf *out, struct field field);

/* Absent when the message has no such value. Valid until scratch is used again (structured data is
 * unescaped there). */
struct str field_value(struct field field, const struct rule_input *input, struct buf *scratch);
