/* SPDX-License-Identifier: Apache-2.0 */
#include "metric/fields.h"

#include "metric/line_protocol.h"

enum { MAX_NUMBER = 32 }; /* bytes: what lp_put_int and lp_put_float need at most */

static char *
put_value(char *out, const struct metric_def *def, union metric_value value)
{
	return def->integer ? lp_put_int(out, value.integer) : lp_put_float(out, value.number);
}

static char *
put_mean(char *out, const struct metric_def *def, const struct accum *accum)
{
	double sum = def->integer ? (double)accum->sum.integer : accum->sum.number;

	return lp_put_float(out, sum / (double)accum->count);
}

static char *
put_stat(char *out, const struct metric_def *def, enum statistic stat, const struct accum *accum,
	int64_t total)
{
	switch (stat) {
	case STAT_COUNT: return lp_put_int(out, accum->count);
	case STAT_TOTAL: return lp_put_int(out, total);
	case STAT_SUM: return put_value(out, def, accum->sum);
	case STAT_MIN: return put_value(out, def, accum->min);
	case STAT_MAX: return put_value(out, def, accum->max);
	case STAT_MEAN: return put_mean(out, def, accum);
	case STAT_LAST: return put_value(out, def, accum->last);
	case STAT_FIRST: return put_value(out, def, accum->first);
	}
	return out;
}

static bool
has_zero(enum statistic stat)
{
	return stat == STAT_COUNT || stat == STAT_TOTAL || stat == STAT_SUM;
}

void
fields_add(struct buf *out, const struct metric_def *def, const struct accum *accum, int64_t total)
{
	static const struct accum zero = {
		0
	}; /* with an integer's zero or, all bits 0 too, a double's */
	bool comma = false;

	if (accum->count == 0)
		accum = &zero;
	for (size_t i = 0; i < def->n_fields; i++) {
		const struct metric_field *field = &def->fields[i];

		if (accum->count == 0 && !has_zero(field->stat))
			continue;
		if (comma)
			buf_add_char(out, ',');
		comma = true;
		buf_add(out, field->key);
		buf_add_char(out, '=');
		char *end = put_stat(buf_reserve(out, MAX_NUMBER), def, field->stat, accum, total);

		out->len = (size_t)(end - out->ptr);
	}
}
