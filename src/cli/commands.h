/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the command line, one file each. All get the settings that were read from -c and
 * the words behind the options; each returns the program's exit code: 0 done, 1 a test failed or
 * data was lost, 2 wrong configuration or use.
 */
#pragma once

#include "config/settings.h"

struct command_args {
	const struct settings *settings;
	char **words;
	size_t n_words;
	bool write; /* replay --write */
};

int command_serve(const struct command_args *args);
int command_check(const struct command_args *args);
int command_explain(const struct command_args *args);
int command_replay(const struct command_args *args);
int command_options(const struct command_args *args);

/* Prints collected configuration errors to stderr, how many they are, and returns 2. */
int command_config_failed(struct err *err);
