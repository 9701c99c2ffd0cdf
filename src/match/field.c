/* SPDX-License-Identifier: Apache-2.0 */
#include "match/field.h"

#include "parser/log_parse.h"

static const char *const NAMES[] = {
	[FIELD_SEVERITY] = "severity",
	[FIELD_FACILITY] = "facility",
	[FIELD_HOSTNAME] = "hostname",
	[FIELD_APPNAME] = "appname",
	[FIELD_PROCID] = "procid",
	[FIELD_MSGID] = "msgid",
	[FIELD_SOURCE] = "source",
	[FIELD_MESSAGE] = "message",
};

bool
field_from_name(struct str name, struct field *field)
{
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		if (str_is(name, NAMES[i])) {
			*field = (struct field){ (enum field_kind)i, STR_ABSENT };
			return true;
		}
	}
	if (!str_starts(name, STR("sd.")) || name.len == 3)
		return false;
	*field = (struct field){ FIELD_SD, { name.ptr + 3, name.len - 3 } };
	return true;
}

void
field_add_name(struct buf *out, struct field field)
{
	buf_add_text(out, field.kind == FIELD_SD ? "sd." : NAMES[field.kind]);
	buf_add(out, field.sd);
}

/* Is key == id + "." + name, or == id when there is no name? */
static bool
sd_is(const struct log_sd *sd, struct str key)
{
	if (!str_present(sd->name))
		return str_equal(sd->id, key);
	return key.len == sd->id.len + 1 + sd->name.len && str_starts(key, sd->id) &&
		key.ptr[sd->id.len] == '.' &&
		str_equal((struct str){ key.ptr + sd->id.len + 1, sd->name.len }, sd->name);
}

static struct str
sd_value(const struct log_record *record, struct str key, struct buf *scratch)
{
	/* Of equal keys the last one wins, as in the raw point. */
	for (size_t i = record->n_sd; i-- > 0;) {
		const struct log_sd *sd = &record->sd[i];

		if (!sd_is(sd, key))
			continue;
		if (!str_present(sd->name))
			return STR("true");
		if (!sd->escaped)
			return sd->value;
		buf_clear(scratch);
		scratch->len = log_sd_unescape(sd->value, buf_reserve(scratch, sd->value.len + 1));
		return buf_str(scratch);
	}
	return STR_ABSENT;
}

struct str
field_value(struct field field, const struct rule_input *input, struct buf *scratch)
{
	const struct log_record *record = input->record;

	switch (field.kind) {
	case FIELD_SEVERITY: return log_severity_names[record->severity & 7];
	case FIELD_FACILITY:
		return log_facility_names[record->facility < 24 ? record->facility : 23];
	case FIELD_HOSTNAME: return record->hostname;
	case FIELD_APPNAME: return record->appname;
	case FIELD_PROCID: return record->procid;
	case FIELD_MSGID: return record->msgid;
	case FIELD_SOURCE: return input->source;
	case FIELD_MESSAGE: return record->message;
	case FIELD_SD: return sd_value(record, field.sd, scratch);
	}
	return STR_ABSENT;
}
