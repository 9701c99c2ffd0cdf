/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin port: /livez and /readyz for probes, /metrics for Prometheus, / for people. On the
 * control thread's loop. With a token file, everything but the probes wants `Authorization: Bearer
 * TOKEN`; without one, an address that is not loopback serves the probes only.
 */
#pragma once

#include "base/err.h"
#include "server/status.h"

struct event_base;
struct admin;

/* Binds and serves. NULL with the reason in err. */
struct admin *admin_new(const struct http_settings *settings, const struct status *status,
	struct event_base *base, struct err *err);
void admin_free(struct admin **admin);
