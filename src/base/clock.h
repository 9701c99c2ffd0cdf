/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks. Everything else takes time as a parameter, so that tests and replay bring their own.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

#define NS_PER_US  INT64_C(1000)
#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_SEC INT64_C(1000000000)

int64_t clock_realtime_ns(void);  /* ns since 1970 UTC */
int64_t clock_monotonic_ns(void); /* ns since some start; never steps */

/* RFC 3339 with `digits` fraction digits (0 to 9), UTC: 2026-11-20T10:00:00.123Z */
void clock_format(struct buf *out, int64_t time_ns, unsigned digits);
