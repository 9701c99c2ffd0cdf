/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field names that structured data has brought so far, over all workers: a fixed, lock-free set, so
 * that a hostile sender cannot fill InfluxDB with field names. Beyond its cap a parameter's text
 * goes to the field sd_rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SD_NAMES_MAX = 1000 };

struct sd_names;
struct sd_names *sd_names_new(void);
void sd_names_free(struct sd_names **names);

/* True when the name with this hash is in the set, or there was room to add it. Any thread. */
bool sd_names_admit(struct sd_names *names, uint64_t hash);
