/* SPDX-License-Identifier: Apache-2.0 */
/* Where a batch goes: which outputs, and what the rule says instead of the output's own database or
 * retention policy. */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct target {
	uint64_t outputs;    /* bit i = settings.outputs[i] */
	struct str database; /* absent: the output's own; InfluxDB 2: the bucket */
	struct str retention_policy;
};
