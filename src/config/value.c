/* SPDX-License-Identifier: Apache-2.0 */
#include "config/value.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "config/settings.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first. */
static const struct unit DURATIONS[] = {
	{ "d", 24 * UINT64_C(3600000000000) },
	{ "h", UINT64_C(3600000000000) },
	{ "m", UINT64_C(60000000000) },
	{ "s", UINT64_C(1000000000) },
	{ "ms", 1000000 },
	{ "us", 1000 },
	{ "ns", 1 },
};
static const struct unit SIZES[] = {
	{ "GiB", UINT64_C(1) << 30 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "B", 1 },
};

enum {
	N_DURATIONS = sizeof(DURATIONS) / sizeof(DURATIONS[0]),
	N_SIZES = sizeof(SIZES) / sizeof(SIZES[0])
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes `digits unit` off *s. False when it is something else or too large. *unit is n for no unit.
 */
static bool
take_amount(struct str *s, const struct unit *units, size_t n, uint64_t *amount, size_t *unit)
{
	size_t digits = 0, letters = 0;
	uint64_t value = 0;

	for (; digits < s->len && is_digit(s->ptr[digits]); digits++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (unsigned)(s->ptr[digits] - '0'), &value))
			return false;
	while (digits + letters < s->len && !is_digit(s->ptr[digits + letters]))
		letters++;
	if (digits == 0)
		return false;
	struct str name = { s->ptr + digits, letters };
	for (*unit = 0; *unit < n && !str_is(name, units[*unit].name); ++*unit)
		;
	if (*unit == n && letters > 0)
		return false;
	s->ptr += digits + letters;
	s->len -= digits + letters;
	return !__builtin_mul_overflow(value, *unit < n ? units[*unit].factor : 1, amount);
}

/* Units must get smaller: `1h30m`, so that `30m1h` is seen as the slip it is. */
bool
value_duration(struct str s, int64_t *ns)
{
	uint64_t total = 0, amount;
	size_t unit, next = 0;

	if (str_is(s, "0")) {
		*ns = 0;
		return true;
	}
	if (s.len == 0)
		return false;
	for (; s.len > 0; next = unit + 1)
		if (!take_amount(&s, DURATIONS, N_DURATIONS, &amount, &unit) ||
			unit == N_DURATIONS || unit < next ||
			__builtin_add_overflow(total, amount, &total))
			return false;
	if (total > INT64_MAX)
		return false;
	*ns = (int64_t)total;
	return true;
}

bool
value_size(struct str s, uint64_t *bytes)
{
	uint64_t amount;
	size_t unit;

	if (!take_amount(&s, SIZES, N_SIZES, &amount, &unit) || s.len > 0)
		return false;
	*bytes = amount;
	return true;
}

bool
value_yes_no(struct str s, bool *yes)
{
	*yes = str_is(s, "yes");
	return *yes || str_is(s, "no");
}

static void
add_amount(struct buf *out, uint64_t value, const struct unit *units, size_t n)
{
	size_t i = 0;

	while (i + 1 < n && value % units[i].factor != 0)
		i++;
	buf_add_uint(out, value / units[i].factor);
	buf_add_text(out, units[i].name);
}

void
value_add_size(struct buf *out, uint64_t bytes)
{
	add_amount(out, bytes, SIZES, N_SIZES);
}

void
value_add_duration(struct buf *out, int64_t ns)
{
	if (ns == 0)
		buf_add_char(out, '0');
	else
		add_amount(out, (uint64_t)ns, DURATIONS, N_DURATIONS);
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool
value_is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	for (size_t i = 0; i < s.len;) {
		unsigned char c = p[i];
		size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
		unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

		if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || more > s.len - i - 1)
			return false;
		if (more > 0 && (p[i + 1] < low || p[i + 1] > high))
			return false;
		for (size_t k = 2; k <= more; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
		i += more + 1;
	}
	return true;
}

static const char *
check_host(struct str host, bool bracketed)
{
	char text[256];
	struct in6_addr address;
	bool numeric = true;

	if (host.len >= sizeof(text))
		return "the host is too long";
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	if (bracketed)
		return inet_pton(AF_INET6, text, &address) == 1 ? NULL
								: "not an IPv6 address in [ ]";
	for (size_t i = 0; i < host.len; i++) {
		char c = text[i];

		if (!is_digit(c) && c != '.')
			numeric = false;
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !is_digit(c) &&
			c != '.' && c != '-' && c != '_')
			return "not a host name or address (IPv6 stands in [ ])";
	}
	if (numeric && inet_pton(AF_INET, text, &address) != 1)
		return "not an IPv4 address";
	return NULL;
}

static const char *
read_port(struct str digits, uint16_t *port)
{
	int64_t number;

	for (size_t i = 0; i < digits.len; i++)
		if (!is_digit(digits.ptr[i]))
			return "the port is not a number from 1 to 65535";
	if (!str_to_int64(digits, &number) || number < 1 || number > UINT16_MAX)
		return "the port is not a number from 1 to 65535";
	*port = (uint16_t)number;
	return NULL;
}

const char *
value_address(struct str text, struct str *host, uint16_t *port)
{
	bool bracketed = text.len > 0 && text.ptr[0] == '[';
	const char *end = text.len > 0 ? memchr(text.ptr, bracketed ? ']' : ':', text.len) : NULL;

	*host = text;
	if (bracketed) {
		if (end == NULL)
			return "\"[\" without \"]\"";
		*host = (struct str){ text.ptr + 1, (size_t)(end - text.ptr) - 1 };
		end++;
	} else if (end != NULL) {
		host->len = (size_t)(end - text.ptr);
	} else {
		end = text.ptr + text.len;
	}
	const char *problem = host->len > 0 || bracketed ? check_host(*host, bracketed) : NULL;
	struct str rest = { end, (size_t)(text.ptr + text.len - end) };
	if (problem != NULL || rest.len == 0)
		return problem;
	if (rest.ptr[0] != ':')
		return "text behind \"]\"";
	if (!bracketed && memchr(rest.ptr + 1, ':', rest.len - 1) != NULL)
		return "an IPv6 address stands in [ ]";
	return read_port((struct str){ rest.ptr + 1, rest.len - 1 }, port);
}

enum { MAX_GUESS = 64 };

/* Letters to change, add, remove, or swap with their neighbour. */
static size_t
edit_distance(struct str a, struct str b)
{
	unsigned char cost[MAX_GUESS + 1]
			  [MAX_GUESS + 1]; /* of making b's first j out of a's first i */

	for (size_t i = 0; i <= a.len; i++) {
		for (size_t j = 0; j <= b.len; j++) {
			size_t best = i + j;

			if (i > 0 && j > 0) {
				bool same = a.ptr[i - 1] == b.ptr[j - 1];
				size_t change = cost[i - 1][j - 1] + (same ? 0U : 1U);
				size_t remove = cost[i - 1][j] + 1U, add = cost[i][j - 1] + 1U;

				best = remove < add ? remove : add;
				best = change < best ? change : best;
			}
			if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
				a.ptr[i - 2] == b.ptr[j - 1] && cost[i - 2][j - 2] + 1U < best)
				best = cost[i - 2][j - 2] + 1U;
			cost[i][j] = (unsigned char)best;
		}
	}
	return cost[a.len][b.len];
}

void
value_guess_try(struct value_guess *guess, const char *known)
{
	struct str name = str_from(known);

	if (guess->wanted.len > MAX_GUESS || name.len > MAX_GUESS)
		return;
	size_t distance = edit_distance(guess->wanted, name);
	/* A third of the letters may be wrong. */
	if (distance * 3 <= name.len + 1 && (guess->best == NULL || distance < guess->distance)) {
		guess->best = known;
		guess->distance = distance;
	}
}
