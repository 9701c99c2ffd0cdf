/* SPDX-License-Identifier: Apache-2.0 */
/* What one option's value cannot tell: options that need, exclude or contradict each other. Errors
 * are added to err. */
#pragma once

#include "config/settings.h"

/* The server's own section; section may be NULL. */
void check_server(const struct settings *settings, struct ini_section *section, struct err *err);
/* settings->listens[i] against its section and the listeners before it. */
void check_listen(
	const struct settings *settings, size_t i, struct ini_section *section, struct err *err);
/* settings->outputs[i], likewise. */
void check_output(
	const struct settings *settings, size_t i, struct ini_section *section, struct err *err);
