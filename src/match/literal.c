/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a pattern from left to right. A run is made of plain characters at the top level; groups,
 * classes and the like end it. What would change the meaning of the rest (options, verbs, \Q,
 * alternatives at the top level) or is not known here gives up: a literal less costs some time, a
 * wrong one would lose matches.
 */
#include "match/literal.h"

struct reader {
	struct str rest;
	struct literal run;
	size_t run_len; /* also counts what no longer fitted into run */
	struct literal best;
};

/* Letters that take nothing with them behind a backslash, and those that take only what is
 * harmless where it is skipped (`\x{41}` and `\12` in a group or class). */
static const struct str LETTERS = STR_INIT("ABDGHKRSVWZabdefhnrstvwz");
static const struct str SKIPPED_LETTERS = STR_INIT("0123456789NPpx");

/* The most frequent bytes of logs, most frequent first. */
static const struct str FREQUENT = STR_INIT(" e0t1a2onirs3c5d4l8679-.=pmu/:f\"hgb_vyk,wT()[]x");

static void
advance(struct reader *reader, size_t n)
{
	reader->rest.ptr += n;
	reader->rest.len -= n;
}

/* Byte i of what is left; 0 behind its end. */
static char
peek(const struct reader *reader, size_t i)
{
	return i < reader->rest.len ? reader->rest.ptr[i] : '\0';
}

static bool
one_of(char c, struct str set)
{
	return memchr(set.ptr, c, set.len) != NULL;
}

static void
end_run(struct reader *reader)
{
	reader->run.len = reader->run_len < LITERAL_MAX ? reader->run_len : LITERAL_MAX;
	if (reader->run.len > reader->best.len)
		reader->best = reader->run;
	reader->run_len = 0;
}

static void
add_to_run(struct reader *reader, char c)
{
	if (reader->run_len < LITERAL_MAX)
		reader->run.bytes[reader->run_len] = c;
	reader->run_len++;
}

/* A backslash in front of one of these is only there to take its meaning away. */
static bool
is_mark(char c)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

	return c >= ' ' && c <= '~' && !letter && !(c >= '0' && c <= '9');
}

static bool
skip_escape(struct reader *reader)
{
	char c = peek(reader, 1);

	if (!is_mark(c) && !one_of(c, LETTERS) && !one_of(c, SKIPPED_LETTERS))
		return false;
	advance(reader, 2);
	return true;
}

/* `[:alpha:]` or a bracket that stands for itself, in a class. */
static bool
skip_posix(struct reader *reader)
{
	size_t n = 2;

	if (!one_of(peek(reader, 1), STR(":.="))) {
		advance(reader, 1);
		return true;
	}
	while (peek(reader, n) == '^' || (peek(reader, n) >= 'a' && peek(reader, n) <= 'z'))
		n++;
	if (peek(reader, 1) != ':' || peek(reader, n) != ':' || peek(reader, n + 1) != ']')
		return false;
	advance(reader, n + 2);
	return true;
}

static bool
skip_class(struct reader *reader)
{
	advance(reader, peek(reader, 1) == '^' ? 2 : 1);
	if (peek(reader, 0) == ']') /* at the start it stands for itself */
		advance(reader, 1);
	while (reader->rest.len > 0) {
		bool understood = true;

		switch (peek(reader, 0)) {
		case ']': advance(reader, 1); return true;
		case '[': understood = skip_posix(reader); break;
		case '\\': understood = skip_escape(reader); break;
		default: advance(reader, 1);
		}
		if (!understood)
			return false;
	}
	return false;
}

/* Groups of any kind that captures, holds together or looks around; no options, verbs, conditions,
 * calls, comments. */
static bool
open_group(struct reader *reader)
{
	char kind = peek(reader, 2);

	if (peek(reader, 1) == '*')
		return false;
	if (peek(reader, 1) == '?' && !one_of(kind, STR(":|>=!<'")) &&
		!(kind == 'P' && peek(reader, 3) == '<'))
		return false;
	advance(reader, 1);
	return true;
}

static bool
skip_group(struct reader *reader)
{
	size_t depth = 0;

	do {
		bool understood = true;

		switch (peek(reader, 0)) {
		case '(':
			understood = open_group(reader);
			depth++;
			break;
		case ')':
			advance(reader, 1);
			depth--;
			break;
		case '[': understood = skip_class(reader); break;
		case '\\': understood = skip_escape(reader); break;
		default: advance(reader, 1);
		}
		if (!understood)
			return false;
	} while (depth > 0 && reader->rest.len > 0);
	return depth == 0;
}

/* Bytes of the quantifier that comes next; 0 = none. `{,}` and the like are no quantifiers for
 * every PCRE2; taken for one, they only make the literal shorter. */
static size_t
quantifier_len(const struct reader *reader)
{
	char c = peek(reader, 0);
	size_t n = 1;

	if (c == '*' || c == '+' || c == '?')
		return 1;
	if (c != '{')
		return 0;
	while (one_of(peek(reader, n), STR("0123456789, \t")))
		n++;
	return peek(reader, n) == '}' ? n + 1 : 0;
}

/* What was read last may be repeated: `plain` says that it is the last byte of the run. */
static bool
read_quantifier(struct reader *reader, bool plain)
{
	size_t len = quantifier_len(reader);

	if (len == 0)
		return true;
	if (plain && peek(reader, 0) != '+')
		reader->run_len--;
	end_run(reader);
	advance(reader, len);
	if (peek(reader, 0) == '?' || peek(reader, 0) == '+')
		advance(reader, 1);
	return quantifier_len(reader) == 0; /* `a+{0}` needs no "a" */
}

static bool
read_item(struct reader *reader)
{
	char c = peek(reader, 0);
	bool plain = false, understood = true;

	switch (c) {
	case '(': understood = skip_group(reader); break;
	case '[': understood = skip_class(reader); break;
	case '|':
	case ')':
	case '*':
	case '+':
	case '?': understood = false; break;
	case '.':
	case '^':
	case '$': advance(reader, 1); break;
	case '\\':
		c = peek(reader, 1);
		plain = is_mark(c);
		understood = plain || one_of(c, LETTERS);
		advance(reader, understood ? 2 : 0);
		break;
	default: plain = true; advance(reader, 1);
	}
	if (plain)
		add_to_run(reader, c);
	else
		end_run(reader);
	return understood && read_quantifier(reader, plain);
}

static size_t
frequency(char c)
{
	const char *at = memchr(FREQUENT.ptr, c, FREQUENT.len);

	return at != NULL ? FREQUENT.len - (size_t)(at - FREQUENT.ptr) : 0;
}

struct literal
literal_of(struct str pattern)
{
	struct reader reader = { .rest = pattern };
	struct literal *best = &reader.best;

	while (reader.rest.len > 0)
		if (!read_item(&reader))
			return (struct literal){ .len = 0 };
	end_run(&reader);
	for (size_t i = 1; i < best->len; i++)
		if (frequency(best->bytes[i]) < frequency(best->bytes[best->rare]))
			best->rare = i;
	return *best;
}

/* memmem() does not know which byte is rare, and takes three times as long. */
bool
literal_in(const struct literal *literal, struct str subject)
{
	size_t len = literal->len, rare = literal->rare;

	if (subject.len < len)
		return false;
	const char *at = subject.ptr + rare, *end = at + (subject.len - len + 1);
	while ((at = memchr(at, literal->bytes[rare], (size_t)(end - at))) != NULL) {
		if (memcmp(at - rare, literal->bytes, len) == 0)
			return true;
		at++;
	}
	return false;
}
