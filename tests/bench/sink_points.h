/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sink remembers of the points it was given: lines by measurement, which message numbers
 * came, and the value of every rule's windows. It keeps no points.
 *
 * Message numbers are looked for (`seq=NNNNNNNN`) in points of the measurement `syslog`. Points of
 * other measurements are a rule's: of their integer field `count` the last value for a series and
 * time holds, as in InfluxDB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct points;

/*
 * Messages are numbered 0 .. messages-1; 0 messages: numbers are not looked for. `identity`
 * remembers (16 bytes or more a point) which raw point carries which number, so that a repeated
 * point and a lost one can be told apart.
 */
struct points *points_new(uint64_t messages, bool identity);
void points_free(struct points **points);

/* Takes in one body of line protocol; borrows it. */
void points_add(struct points *points, const char *body, size_t len);

/* Writes the members of a JSON object, without the braces. */
void points_print(const struct points *points, FILE *out);
