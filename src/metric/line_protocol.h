/* SPDX-License-Identifier: Apache-2.0 */
/*
 * InfluxDB line protocol (docs.influxdata.com, "Line protocol reference", 1.x), written and read.
 * The one place that knows the escapes: nothing from outside can add a line, a tag or a field.
 *
 *      measurement,tagkey=tagvalue fieldkey=1i,other="text" 1795168800000000000
 *
 * Everywhere NUL and invalid UTF-8 become U+FFFD, in names and tags every control character too; a
 * tag value loses its trailing backslashes (InfluxDB cannot read them back). The lp_put_* functions
 * write at a pointer and return the new end; the caller has reserved at least LP_GROWTH bytes for
 * each byte of input.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

enum { LP_GROWTH = 3 }; /* a byte becomes at most two (escape) or three (U+FFFD) */

/* Must not start with # (InfluxDB would take the line for a comment): configuration refuses that.
 */
char *lp_put_measurement(char *out, struct str name);
/* Tag key, tag value, field key: comma, equals sign and space escaped. May write nothing (value of
 * only backslashes). */
char *lp_put_key(char *out, struct str key);
/* "text" with quotes; quotes and backslashes escaped; LF and other control characters kept. */
char *lp_put_string(char *out, struct str text);
char *lp_put_int(char *out, int64_t value); /* 42i, at most 21 bytes */
char *lp_put_float(char *out,
	double value); /* shortest that reads back the same; finite only; at most 32 bytes */

/* A tag for lp_add_series(). */
struct lp_tag {
	struct str key, value;
};
/* Appends `measurement,key=value,...` with tags sorted by key (in place), empty ones left out; of
 * equal keys the first stays. */
void lp_add_series(struct buf *out, struct str measurement, struct lp_tag *tags, size_t n_tags);

/* ---- Reading: the independent decoder of rule tests, the live page and property tests. ---- */

enum lp_type { LP_INT, LP_FLOAT, LP_STRING, LP_BOOL };

struct lp_field {
	struct str key; /* unescaped */
	enum lp_type type;
	int64_t integer; /* LP_INT; LP_BOOL as 0, 1 */
	double number;   /* LP_FLOAT */
	struct str text; /* LP_STRING, unescaped */
};

enum { LP_MAX_TAGS = 64, LP_MAX_FIELDS = 256 };

struct lp_point {
	struct str measurement;
	struct lp_tag tags[LP_MAX_TAGS];
	size_t n_tags;
	struct lp_field fields[LP_MAX_FIELDS];
	size_t n_fields;
	bool has_time;
	int64_t time_ns;
};

/*
 * Reads one line from the front of *rest and moves *rest behind it (a LF inside quotes is part of
 * the string). Unescaped text goes to scratch, whose bytes the point's views point into: keep it
 * until done with the point. On a syntax error returns false with *why set (static text) and *rest
 * moved behind the line.
 */
bool lp_read(struct str *rest, struct buf *scratch, struct lp_point *point, const char **why);
