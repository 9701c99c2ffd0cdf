/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stamps are read digit by digit, each digit checked against what the calendar still allows, so
 * that on an error the cursor stands on the exact byte: the 1 of April 31st, the 6 of a leap
 * second.
 */
#include "parser/timestamp.h"

#include <string.h>

static const int64_t NS_PER_SECOND = 1000000000;
static const int64_t MAX_SECONDS = INT64_MAX / 1000000000 - 1;

static inline bool
take_char(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	++*p;
	return true;
}

static inline bool
take_digit(const char **p, const char *end, int min, int max, int *digit)
{
	if (*p == end)
		return false;
	*digit = **p - '0';
	if (*digit < min || *digit > max)
		return false;
	++*p;
	return true;
}

/* Two digits, min to max; digit by digit only to find out which one is wrong. */
static inline bool
take_two(const char **p, const char *end, int min, int max, int *value)
{
	int tens, ones;

	if (end - *p >= 2) {
		unsigned t = (unsigned)((*p)[0] - '0'), o = (unsigned)((*p)[1] - '0');
		*value = (int)(t * 10 + o);
		if (t <= 9 && o <= 9 && *value >= min && *value <= max) {
			*p += 2;
			return true;
		}
	}
	if (take_digit(p, end, min / 10, max / 10, &tens))
		take_digit(p, end, tens == min / 10 ? min % 10 : 0, tens == max / 10 ? max % 10 : 9,
			&ones);
	return false;
}

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Seconds from 1970 to the start of a day. */
static int64_t
day_seconds(int year, int month, int day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int y = year - 1;
	int days = y * 365 + y / 4 - y / 100 + y / 400 -
		719162; /* 719,162 days from year 1 to 1970 */

	days += before[month - 1] + (month > 2 && is_leap(year) ? 1 : 0) + day - 1;
	return (int64_t)days * 86400;
}

static inline bool
take_time_of_day(const char **p, const char *end, int *seconds)
{
	int hour, minute, second;

	if (!take_two(p, end, 0, 23, &hour) || !take_char(p, end, ':') ||
		!take_two(p, end, 0, 59, &minute) || !take_char(p, end, ':') ||
		!take_two(p, end, 0, 59, &second))
		return false;
	*seconds = hour * 3600 + minute * 60 + second;
	return true;
}

static inline bool
take_date(const char **p, const char *end, int64_t *seconds)
{
	int year = 0, digit = 0, month, day;

	for (int i = 0; i < 4; i++) {
		if (!take_digit(p, end, 0, 9, &digit))
			return false;
		year = year * 10 + digit;
	}
	if (!take_char(p, end, '-') || !take_two(p, end, 1, 12, &month) ||
		!take_char(p, end, '-') || !take_two(p, end, 1, days_in_month(year, month), &day))
		return false;
	*seconds = day_seconds(year, month, day);
	return true;
}

/* ".1" to ".123456789", or nothing. */
static inline bool
take_fraction(const char **p, const char *end, struct timestamp *out)
{
	static const int scale[] = { 1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000,
		100, 10, 1 };
	int value = 0, digits = 0, digit;

	if (take_char(p, end, '.')) {
		while (digits < TIMESTAMP_MAX_DIGITS && take_digit(p, end, 0, 9, &digit)) {
			value = value * 10 + digit;
			digits++;
		}
		if (digits == 0)
			return false;
	}
	out->digits = (uint8_t)digits;
	out->ns = (int64_t)value * scale[digits];
	return true;
}

static inline bool
take_offset(const char **p, const char *end, int *seconds)
{
	int hour, minute;

	*seconds = 0;
	if (take_char(p, end, 'Z'))
		return true;
	int sign = *p < end && **p == '-' ? -1 : 1;
	if (sign == 1 && (*p == end || **p != '+'))
		return false;
	++*p;
	if (!take_two(p, end, 0, 23, &hour) || !take_char(p, end, ':') ||
		!take_two(p, end, 0, 59, &minute))
		return false;
	*seconds = sign * (hour * 3600 + minute * 60);
	return true;
}

/* Puts whole seconds before the fraction that is in out->ns. */
static void
set_seconds(struct timestamp *out, int64_t seconds)
{
	out->in_range = seconds >= -MAX_SECONDS && seconds <= MAX_SECONDS;
	if (out->in_range)
		out->ns += seconds * NS_PER_SECOND;
}

bool
timestamp_rfc3339(const char **p, const char *end, struct timestamp *out)
{
	const char *at = *p; /* in a register, not in the caller's memory */
	int64_t date;
	int time, offset;

	bool read = take_date(&at, end, &date) && take_char(&at, end, 'T') &&
		take_time_of_day(&at, end, &time) && take_fraction(&at, end, out) &&
		take_offset(&at, end, &offset);
	*p = at;
	if (read)
		set_seconds(out, date + time - offset);
	return read;
}

static bool
take_month(const char **p, const char *end, int *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	size_t longest = 0, left = (size_t)(end - *p);

	*month = 0;
	for (int i = 0; i < 12 && longest < 3; i++) {
		size_t n = 0;
		while (n < 3 && n < left && (*p)[n] == names[i * 3 + (int)n])
			n++;
		longest = n > longest ? n : longest;
		*month = i + 1;
	}
	*p += longest;
	return longest == 3;
}

/* "20", "02", " 2", and "2" before a space. */
static bool
take_day(const char **p, const char *end, int max, int *day)
{
	int tens, ones;

	if (take_char(p, end, ' '))
		return take_digit(p, end, 1, 9, day);
	if (!take_digit(p, end, 0, 9, &tens))
		return false;
	*day = tens;
	if (tens > 0 && *p < end && **p == ' ')
		return true;
	if (tens > max / 10 ||
		!take_digit(p, end, tens == 0 ? 1 : 0, tens == max / 10 ? max % 10 : 9, &ones))
		return false;
	*day = tens * 10 + ones;
	return true;
}

/* Start of that day in the year that puts the time nearest to now (all in seconds). */
static int64_t
nearest_day(int month, int day, int time, int64_t now)
{
	int year = (int)(1970 + now / 31556952);           /* at New Year perhaps the one beside */
	int reach = day > days_in_month(1, month) ? 4 : 1; /* February 29th: 2096, then 2104 */
	int64_t best = 0, best_distance = INT64_MAX;

	for (int y = year - reach; y <= year + reach; y++) {
		if (day > days_in_month(y, month))
			continue;
		int64_t start = day_seconds(y, month, day);
		int64_t distance = start + time > now ? start + time - now : now - start - time;
		if (distance < best_distance) {
			best = start;
			best_distance = distance;
		}
	}
	return best;
}

bool
timestamp_rfc3164(const char **p, const char *end, int64_t now_ns, struct timestamp *out)
{
	int month, day, time;

	/* Year 4: a leap year, as February 29th may be right. */
	if (!take_month(p, end, &month) || !take_char(p, end, ' ') ||
		!take_day(p, end, days_in_month(4, month), &day) || !take_char(p, end, ' ') ||
		!take_time_of_day(p, end, &time))
		return false;
	out->digits = 0;
	out->ns = 0;
	set_seconds(out, nearest_day(month, day, time, now_ns / NS_PER_SECOND) + time);
	return true;
}
