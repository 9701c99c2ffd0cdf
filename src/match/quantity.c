/* SPDX-License-Identifier: Apache-2.0 */
#include "match/quantity.h"

#include <math.h>

struct suffix {
	const char *name;
	double factor;
};

static const char *const UNITS[] = {
	[UNIT_NONE] = "",
	[UNIT_FLOAT] = "float",
	[UNIT_INT] = "int",
	[UNIT_BYTES] = "bytes",
	[UNIT_KIB] = "KiB",
	[UNIT_MIB] = "MiB",
	[UNIT_MS] = "ms",
	[UNIT_US] = "us",
	[UNIT_S] = "s",
	[UNIT_DURATION] = "duration",
};

/* kB is 1000 here; kernels that write kB and mean 1024 are what the unit KiB is for. */
static const struct suffix SIZES[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "kB", 1e3 },
	{ "KB", 1e3 },
	{ "MB", 1e6 },
	{ "GB", 1e9 },
	{ "TB", 1e12 },
	{ "KiB", 1024 },
	{ "MiB", 1024.0 * 1024 },
	{ "GiB", 1024.0 * 1024 * 1024 },
	{ "TiB", 1024.0 * 1024 * 1024 * 1024 },
	{ NULL, 0 },
};

/* Divisors where they are exact and their inverses are not. */
static const struct suffix TIMES[] = {
	{ "ns", -1e9 },
	{ "us", -1e6 },
	{ "\xc2\xb5s", -1e6 }, /* the micro sign */
	{ "\xce\xbcs", -1e6 }, /* the Greek letter */
	{ "ms", -1e3 },
	{ "s", 1 },
	{ "m", 60 },
	{ "h", 3600 },
	{ "d", 86400 },
	{ NULL, 0 },
};

bool
unit_from_name(struct str name, enum unit *unit)
{
	for (size_t i = UNIT_FLOAT; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
		if (str_is(name, UNITS[i])) {
			*unit = (enum unit)i;
			return true;
		}
	}
	return false;
}

const char *
unit_name(enum unit unit)
{
	return UNITS[unit];
}

bool
unit_is_integer(enum unit unit)
{
	return unit == UNIT_INT || unit == UNIT_BYTES || unit == UNIT_KIB || unit == UNIT_MIB;
}

static bool
is_number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

/* Takes digits and points off *text. */
static struct str
take_number(struct str *text)
{
	struct str number = { text->ptr, 0 };

	while (number.len < text->len && is_number_char(text->ptr[number.len]))
		number.len++;
	text->ptr += number.len;
	text->len -= number.len;
	return number;
}

static bool
find_suffix(const struct suffix *suffixes, struct str name, double *factor)
{
	for (; suffixes->name != NULL; suffixes++) {
		if (str_is(name, suffixes->name)) {
			*factor = suffixes->factor;
			return true;
		}
	}
	return false;
}

/* Whole numbers stay exact over all of int64; fractions round to the nearest whole one. */
static bool
scale(struct str number, double factor, bool negative, int64_t *out)
{
	int64_t whole;
	double real;

	if (str_to_int64(number, &whole))
		return !__builtin_mul_overflow(negative ? -whole : whole, (int64_t)factor, out);
	if (!str_to_double(number, &real))
		return false;
	real = round((negative ? -real : real) * factor);
	if (!(real >= -0x1p63 && real < 0x1p63))
		return false;
	*out = (int64_t)real;
	return true;
}

static bool
take_sign(struct str *text)
{
	bool negative = text->len > 0 && text->ptr[0] == '-';

	if (negative) {
		text->ptr++;
		text->len--;
	}
	return negative;
}

static bool
read_bytes(struct str text, int64_t *out)
{
	bool negative = take_sign(&text);
	struct str number = take_number(&text);
	double factor;

	return find_suffix(SIZES, str_trim(text), &factor) && scale(number, factor, negative, out);
}

static bool
read_multiple(struct str text, double factor, int64_t *out)
{
	bool negative = take_sign(&text);
	struct str number = take_number(&text);

	return text.len == 0 && scale(number, factor, negative, out);
}

static bool
read_duration(struct str text, double *out)
{
	bool negative = take_sign(&text);
	double total = 0;

	if (str_is(text, "0")) {
		*out = 0;
		return true;
	}
	if (text.len == 0)
		return false;
	while (text.len > 0) {
		double amount, factor;

		if (!str_to_double(take_number(&text), &amount))
			return false;
		text = str_trim(text);
		struct str unit = { text.ptr, 0 };
		while (unit.len < text.len && !is_number_char(text.ptr[unit.len]) &&
			text.ptr[unit.len] != ' ')
			unit.len++;
		if (!find_suffix(TIMES, unit, &factor))
			return false;
		total += factor < 0 ? amount / -factor : amount * factor;
		text = str_trim((struct str){ text.ptr + unit.len, text.len - unit.len });
	}
	*out = negative ? -total : total;
	return isfinite(total);
}

static bool
read_float(struct str text, double divisor, double *out)
{
	if (!str_to_double(text, out))
		return false;
	*out /= divisor;
	return true;
}

bool
quantity_read(enum unit unit, struct str text, union metric_value *value)
{
	text = str_trim(text);
	switch (unit) {
	case UNIT_NONE:
	case UNIT_FLOAT:
	case UNIT_S: return read_float(text, 1, &value->number);
	case UNIT_MS: return read_float(text, 1e3, &value->number);
	case UNIT_US: return read_float(text, 1e6, &value->number);
	case UNIT_DURATION: return read_duration(text, &value->number);
	case UNIT_INT: return str_to_int64(text, &value->integer);
	case UNIT_BYTES: return read_bytes(text, &value->integer);
	case UNIT_KIB: return read_multiple(text, 1024, &value->integer);
	case UNIT_MIB: return read_multiple(text, 1024.0 * 1024, &value->integer);
	}
	return false;
}
