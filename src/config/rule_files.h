/* SPDX-License-Identifier: Apache-2.0 */
/* The files that [server] rules names. */
#pragma once

#include "config/options.h"

/* Reads the files of the list (paths and globs) and appends their sections to settings->rules. */
void rule_files_read(struct reading *reading, struct settings *settings, struct str list);

/* [rule NAME] or [patterns], as it should be? Adds an error otherwise, false. */
bool rule_section_check(const struct ini_section *section, struct err *err);
