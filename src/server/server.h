/* SPDX-License-Identifier: Apache-2.0 */
/* `logmill serve`: sets everything up, runs until SIGTERM or SIGINT, stops without loss. Returns
 * the exit code. */
#pragma once

#include "base/err.h"
#include "config/settings.h"

/* Errors found while setting up (ports, certificates, outputs) go to err; the return value is 2
 * then. */
int server_run(const struct settings *settings, struct err *err);
