/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How InfluxDB wants to be asked: addresses and credentials for versions 1.x (/write, basic
 * authentication) and 2.x
 * (/api/v2/write, token). Secrets from files are read at first use and again when the server
 * refuses them.
 */
#pragma once

#include "config/settings.h"
#include "output/http_sender.h"
#include "output/target.h"

struct influx_api {
	const struct output_settings *settings; /* borrowed */
	struct buf secret;                      /* password or token, NUL-terminated */
	struct buf authorization;               /* value of that header, NUL-terminated (2.x) */
	bool secret_read;
};

void influx_api_init(struct influx_api *api, const struct output_settings *settings);
void influx_api_fini(struct influx_api *api);

/* Database (2.x: bucket) that the target's points go to. */
struct str influx_api_database(const struct influx_api *api, const struct target *target);

/* Retention policy that they go to; empty: the database's default, and always with 2.x. */
struct str influx_api_policy(const struct influx_api *api, const struct target *target);

/* Write the address to *url, NUL-terminated. base_url: one of settings->urls. */
void influx_api_write_url(const struct influx_api *api, const char *base_url,
	const struct target *target, struct buf *url);
void influx_api_query_url(const char *base_url, struct buf *url);

/* The form body that creates the database. */
void influx_api_create_body(struct str database, struct buf *body);

/* Fills in the request's credentials; valid until the next call here. */
void influx_api_authorize(struct influx_api *api, struct http_request *request);

/* Reads the secret's file again; true when the secret is now another one. */
bool influx_api_reload_secret(struct influx_api *api);
