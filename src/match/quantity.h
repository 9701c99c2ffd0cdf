/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The number in a log text, by its unit, in base units (bytes, seconds): `value = rss:KiB`. The
 * unit alone decides the type: int, bytes, KiB and MiB give integers; no unit, float and times give
 * floats.
 */
#pragma once

#include "metric/accum.h"

enum unit {
	UNIT_NONE,  /* 12 or 1.5 */
	UNIT_FLOAT, /* the same */
	UNIT_INT,   /* 12 */
	UNIT_BYTES, /* 10MiB, 10 MB, 1.5GiB, 4096 */
	UNIT_KIB,   /* 8 is 8192; fractions are rounded to whole bytes */
	UNIT_MIB,
	UNIT_MS, /* 5.4 is 0.0054 */
	UNIT_US,
	UNIT_S,
	UNIT_DURATION, /* 5.4ms, 1m30s, 2h */
};

/* All names but that of UNIT_NONE, for messages. */
#define UNIT_NAMES "int float bytes KiB MiB ms us s duration"

bool unit_from_name(struct str name, enum unit *unit);
const char *unit_name(enum unit unit); /* "" for UNIT_NONE */
bool unit_is_integer(enum unit unit);

/* Reads all of text (blanks around it do not matter). False: not such a number, not finite, or out
 * of range. */
bool quantity_read(enum unit unit, struct str text, union metric_value *value);
