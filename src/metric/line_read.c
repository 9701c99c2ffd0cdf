/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading line protocol: written from the format's description, apart from the writer, so that each
 * checks the other. Unescaped text is collected in scratch; as that buffer may move while it grows,
 * views hold offsets until the end.
 */
#include "metric/line_protocol.h"

struct reader {
	const char *p, *end;
	struct buf *scratch;
	const char *why;
};

static bool
fail(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

/* A view into scratch, as an offset until lp_read() is done. */
static struct str
scratch_from(const struct reader *r, size_t start)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
	return (struct str){ (const char *)(uintptr_t)start, r->scratch->len - start };
}

/* Reads up to an unescaped byte of `stops`; backslash escapes the bytes of `escapes` only. */
static bool
read_name(struct reader *r, const char *stops, const char *escapes, struct str *out)
{
	size_t start = r->scratch->len;

	while (r->p < r->end && strchr(stops, *r->p) == NULL) {
		if (*r->p == '\n' || *r->p == '\0')
			return fail(r, "control character in a name");
		if (*r->p == '\\' && r->p + 1 < r->end && r->p[1] != '\0' &&
			strchr(escapes, r->p[1]) != NULL)
			r->p++;
		buf_add_char(r->scratch, *r->p++);
	}
	*out = scratch_from(r, start);
	return out->len > 0 || fail(r, "empty name");
}

static bool
read_string(struct reader *r, struct lp_field *field)
{
	size_t start = r->scratch->len;

	field->type = LP_STRING;
	for (r->p++; r->p < r->end && *r->p != '"'; r->p++) {
		if (*r->p == '\\' && r->p + 1 < r->end && (r->p[1] == '"' || r->p[1] == '\\'))
			r->p++;
		buf_add_char(r->scratch, *r->p);
	}
	if (r->p == r->end)
		return fail(r, "unbalanced quotes");
	r->p++;
	field->text = scratch_from(r, start);
	return true;
}

static bool
read_value(struct reader *r, struct lp_field *field)
{
	if (r->p < r->end && *r->p == '"')
		return read_string(r, field);

	const char *start = r->p;
	while (r->p < r->end && strchr(", \n", *r->p) == NULL)
		r->p++;
	struct str word = { start, (size_t)(r->p - start) };

	if (word.len > 1 && word.ptr[word.len - 1] == 'i') {
		field->type = LP_INT;
		word.len--;
		return str_to_int64(word, &field->integer) || fail(r, "bad integer");
	}
	bool yes = str_is(word, "true") || str_is(word, "t") || str_is(word, "T");
	if (yes || str_is(word, "false") || str_is(word, "f") || str_is(word, "F")) {
		field->type = LP_BOOL;
		field->integer = yes;
		return true;
	}
	field->type = LP_FLOAT;
	return str_to_double(word, &field->number) ||
		fail(r, "bad field value (numbers end in i for integers, text is quoted)");
}

static bool
read_tags(struct reader *r, struct lp_point *point)
{
	while (r->p < r->end && *r->p == ',') {
		struct lp_tag *tag = &point->tags[point->n_tags];

		r->p++;
		if (point->n_tags == LP_MAX_TAGS)
			return fail(r, "too many tags");
		if (!read_name(r, "=, ", ",= ", &tag->key) || r->p == r->end || *r->p != '=')
			return fail(r, "bad tag key");
		r->p++;
		if (!read_name(r, ", =", ",= ", &tag->value))
			return fail(r, "bad tag value");
		point->n_tags++;
	}
	return true;
}

static bool
read_fields(struct reader *r, struct lp_point *point)
{
	if (r->p == r->end || *r->p != ' ')
		return fail(r, "missing fields");
	do {
		struct lp_field *field = &point->fields[point->n_fields];

		r->p++;
		if (point->n_fields == LP_MAX_FIELDS)
			return fail(r, "too many fields");
		if (!read_name(r, "=, ", ",= ", &field->key) || r->p == r->end || *r->p != '=')
			return fail(r, "bad field key");
		r->p++;
		if (!read_value(r, field))
			return false;
		point->n_fields++;
	} while (r->p < r->end && *r->p == ',');
	return true;
}

static bool
read_time(struct reader *r, struct lp_point *point)
{
	point->has_time = false;
	while (r->p < r->end && *r->p == ' ')
		r->p++;
	if (r->p == r->end || *r->p == '\n')
		return true;
	const char *start = r->p;
	while (r->p < r->end && *r->p != '\n' && *r->p != ' ')
		r->p++;
	point->has_time = true;
	if (!str_to_int64((struct str){ start, (size_t)(r->p - start) }, &point->time_ns))
		return fail(r, "bad timestamp (nanoseconds)");
	while (r->p < r->end && *r->p == ' ')
		r->p++;
	return r->p == r->end || *r->p == '\n' || fail(r, "text after the timestamp");
}

static void
resolve(const struct reader *r, struct str *s)
{
	s->ptr = r->scratch->ptr + (uintptr_t)s->ptr;
}

bool
lp_read(struct str *rest, struct buf *scratch, struct lp_point *point, const char **why)
{
	struct reader r = { rest->ptr, rest->ptr + rest->len, scratch, NULL };

	point->n_tags = point->n_fields = 0;
	buf_reserve(scratch, 1);
	bool ok = read_name(&r, ", ", ", ", &point->measurement) && read_tags(&r, point) &&
		read_fields(&r, point) && read_time(&r, point);
	if (!ok)
		while (r.p < r.end && *r.p != '\n')
			r.p++;
	if (r.p < r.end)
		r.p++;
	*rest = (struct str){ r.p, (size_t)(r.end - r.p) };
	*why = r.why;
	if (!ok)
		return false;
	resolve(&r, &point->measurement);
	for (size_t i = 0; i < point->n_tags; i++) {
		resolve(&r, &point->tags[i].key);
		resolve(&r, &point->tags[i].value);
	}
	for (size_t i = 0; i < point->n_fields; i++) {
		resolve(&r, &point->fields[i].key);
		if (point->fields[i].type == LP_STRING)
			resolve(&r, &point->fields[i].text);
	}
	return true;
}
