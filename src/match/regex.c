/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCRE2's match limit holds for each start position anew, so that `(?<=a)a*a*\d` over 8 KiB of "a"
 * runs for a minute without reaching it. So a search is cut into pieces of start positions, and the
 * fewer positions a piece has, the more steps each of them may take:
 *
 *      steps * positions * bytes <= WORK      (a step looks at most at all bytes of the subject)
 *
 * Usual messages are one piece: one call, no clock. A piece that reaches its limit is tried again
 * as a quarter of it, down to single positions with MAX_STEPS; from the second call on a clock
 * bounds the whole search.
 */
#include "match/regex.h"

#include <assert.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "match/cpu_time.h"
#include "match/literal.h"

enum {
	WORK = 1 << 24,    /* steps * positions * bytes: about 10 ms */
	MIN_STEPS = 16,    /* per position, in the largest piece */
	MAX_STEPS = 20000, /* per position, alone in its piece */
	MAX_DEPTH = 10000, /* these two bound the interpreter, which runs only after a JIT stack
			      overflow */
	MAX_HEAP = 4096,   /* KiB */
	MIN_LITERAL = 3,   /* bytes; shorter ones are in too many messages */
	JIT_STACK_START = 32 * 1024,
	JIT_STACK_MAX = 512 * 1024,
};

struct regex {
	pcre2_code *code;
	const unsigned char
		*names; /* PCRE2's name table: two bytes of number, then the name, NUL-terminated */
	uint32_t n_names, name_size, n_groups;
	struct literal literal; /* looked for first; empty = none */
};

struct regex_scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
};

/* Not NULL, or out of memory. */
static void *
owned(void *ptr)
{
	if (ptr == NULL)
		abort();
	return ptr;
}

/* One name for two groups ((?J)) would leave open which one is meant; (?|...) does the same with
 * one number. */
static bool
check_groups(const struct regex *regex, struct buf *why)
{
	if (regex->n_groups > REGEX_MAX_GROUPS) {
		buf_printf(why, "more than %d groups (use (?:...) where nothing is captured)",
			REGEX_MAX_GROUPS);
		return false;
	}
	for (size_t i = 1; i < regex->n_names; i++) {
		struct str name = regex_name(regex, i);

		if (str_equal(name, regex_name(regex, i - 1))) {
			buf_printf(why, "two groups are named %.*s (use (?|...|...))",
				(int)name.len, name.ptr);
			return false;
		}
	}
	return true;
}

struct regex *
regex_new(struct str pattern, struct buf *why, size_t *offset)
{
	const uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_USE_OFFSET_LIMIT;
	int error = 0;

	*offset = 0;
	pcre2_code *code = pcre2_compile(
		(PCRE2_SPTR)pattern.ptr, pattern.len, options, &error, offset, NULL);
	if (code == NULL) {
		char *text = buf_reserve(why, 256);

		pcre2_get_error_message(error, (PCRE2_UCHAR *)text, 256);
		why->len += strlen(text);
		return NULL;
	}
	struct regex *regex = xcalloc(1, sizeof(*regex));
	regex->code = code;
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* where it cannot, the interpreter does, with
							the same bounds */
	regex->literal = literal_of(pattern);
	if (regex->literal.len < MIN_LITERAL)
		regex->literal.len = 0;
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &regex->n_groups);
	pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &regex->n_names);
	pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &regex->name_size);
	pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &regex->names);
	if (!check_groups(regex, why))
		regex_free(&regex);
	return regex;
}

void
regex_free(struct regex **regex)
{
	if (*regex == NULL)
		return;
	pcre2_code_free((*regex)->code);
	free(*regex);
	*regex = NULL;
}

size_t
regex_groups(const struct regex *regex)
{
	return regex->n_groups;
}

size_t
regex_names(const struct regex *regex)
{
	return regex->n_names;
}

struct str
regex_name(const struct regex *regex, size_t i)
{
	assert(i < regex->n_names);
	return str_from((const char *)regex->names + i * regex->name_size + 2);
}

unsigned
regex_number(const struct regex *regex, size_t i)
{
	const unsigned char *entry = regex->names + i * regex->name_size;

	assert(i < regex->n_names);
	return (unsigned)entry[0] << 8 | entry[1];
}

struct regex_scratch *
regex_scratch_new(void)
{
	struct regex_scratch *scratch = xcalloc(1, sizeof(*scratch));

	scratch->data = owned(pcre2_match_data_create(REGEX_MAX_GROUPS + 1, NULL));
	scratch->context = owned(pcre2_match_context_create(NULL));
	scratch->stack = pcre2_jit_stack_create(
		JIT_STACK_START, JIT_STACK_MAX, NULL); /* NULL: PCRE2 has no JIT */
	pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
	pcre2_set_depth_limit(scratch->context, MAX_DEPTH);
	pcre2_set_heap_limit(scratch->context, MAX_HEAP);
	return scratch;
}

void
regex_scratch_free(struct regex_scratch **scratch)
{
	if (*scratch == NULL)
		return;
	pcre2_jit_stack_free((*scratch)->stack);
	pcre2_match_context_free((*scratch)->context);
	pcre2_match_data_free((*scratch)->data);
	free(*scratch);
	*scratch = NULL;
}

/*
 * The deadline is first measured with the cheap clock; when that is over, what is left is granted
 * by the thread's own CPU time, so that a machine that stalls costs no match.
 */
struct deadline {
	int64_t wall_ns, cpu_ns; /* 0 = not started */
};

static bool
deadline_over(struct deadline *deadline)
{
	if (deadline->cpu_ns != 0)
		return cpu_time_ns() >= deadline->cpu_ns;
	int64_t now = clock_monotonic_ns();
	if (deadline->wall_ns == 0)
		deadline->wall_ns = now + REGEX_DEADLINE_NS / 2;
	if (now >= deadline->wall_ns)
		deadline->cpu_ns = cpu_time_ns() + REGEX_DEADLINE_NS / 2;
	return false;
}

static uint32_t
steps_for(size_t positions, size_t len)
{
	size_t steps = WORK / (positions * (len + 1));

	if (positions == 1 || steps > MAX_STEPS)
		return MAX_STEPS;
	return steps < MIN_STEPS ? MIN_STEPS : (uint32_t)steps;
}

/* PCRE2's return code of the whole search. The last position is the end of the subject. */
static int
search_pieces(const struct regex *regex, struct regex_scratch *scratch, struct str subject,
	uint32_t options)
{
	const size_t end = subject.len + 1, largest = WORK / MIN_STEPS / end;
	struct deadline deadline = { 0, 0 };
	size_t at = 0, piece = largest;
	uint32_t jit = 0;

	/* Here one call alone may take the whole time, so its start counts; the system call is
	 * small beside it. */
	if (subject.len > REGEX_MAX_SUBJECT / 2)
		deadline.cpu_ns = cpu_time_ns() + REGEX_DEADLINE_NS;
	for (;;) {
		if (piece > end - at)
			piece = end - at;
		pcre2_set_offset_limit(scratch->context, at + piece - 1);
		pcre2_set_match_limit(scratch->context, steps_for(piece, subject.len));
		int rc = pcre2_match(regex->code, (PCRE2_SPTR)subject.ptr, subject.len, at,
			options | jit, scratch->data, scratch->context);
		bool limited = rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT;

		if (rc == PCRE2_ERROR_JIT_STACKLIMIT && jit == 0) {
			jit = PCRE2_NO_JIT;
		} else if (limited && piece > 1) {
			piece = piece > 4 ? piece / 4 : 1;
		} else if (rc != PCRE2_ERROR_NOMATCH) {
			return rc;
		} else {
			at += piece;
			if (at == end)
				return rc;
			piece = piece < largest / 2 ? piece * 2 : largest;
		}
		if (deadline_over(&deadline))
			return PCRE2_ERROR_MATCHLIMIT;
	}
}

enum regex_result
regex_search(const struct regex *regex, struct regex_scratch *scratch, struct str subject,
	struct str *groups)
{
	uint32_t options = 0;

	if (subject.len > REGEX_MAX_SUBJECT) {
		subject.len = REGEX_MAX_SUBJECT;
		options = PCRE2_NOTEOL; /* this is not where the value ends */
	}
	if (regex->literal.len > 0 && !literal_in(&regex->literal, subject))
		return REGEX_NONE;
	int rc = search_pieces(regex, scratch, subject, options);
	if (rc == PCRE2_ERROR_NOMATCH)
		return REGEX_NONE;
	if (rc <= 0)
		return REGEX_LIMIT;
	const size_t *spans = pcre2_get_ovector_pointer(scratch->data);
	for (size_t i = 0; i <= regex->n_groups; i++) {
		bool took_part = i < (size_t)rc && spans[2 * i] != PCRE2_UNSET &&
			spans[2 * i] <= spans[2 * i + 1];

		groups[i] = took_part ? (struct str){ subject.ptr + spans[2 * i],
			spans[2 * i + 1] - spans[2 * i] }
				      : STR_ABSENT;
	}
	return REGEX_MATCH;
}
