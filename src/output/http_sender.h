/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP POST requests to one database, several in flight, on a libevent loop. libcurl stays behind
 * this file. A request has one whole answer or none: there is no half success. Bodies are sent from
 * where they lie; answers are read up to RETRY_BODY_MAX. Redirects are never followed, no proxy is
 * taken from the environment.
 *
 * Used on the thread of the event loop only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/str.h"

struct event_base;
struct http_sender;

struct http_options {                            /* borrowed, outlive the sender */
	int64_t timeout_ns;                      /* of a whole request */
	uint32_t connections;                    /* kept open */
	const char *tls_ca, *tls_cert, *tls_key; /* files; NULL or "" = the system's, none, none */
	bool tls_verify;
};

struct http_answer {            /* valid during the callback */
	int status;             /* 0 = no (whole) answer */
	struct str body;        /* its first RETRY_BODY_MAX bytes */
	struct str retry_after; /* header, absent when not sent */
	const char *error;      /* why there is no answer; "" when there is one */
};

struct http_request {
	const char *url; /* these are borrowed during http_send */
	const char *content_type;
	const char *authorization;       /* a header's value, or NULL */
	const char *username, *password; /* basic authentication; username NULL = none */
	const struct iovec *body;        /* borrowed until done; owned by whoever sends */
	size_t n_body;
	/* Called once, unless cancelled; the request may be freed in it. */
	void (*done)(struct http_request *request, const struct http_answer *answer);
	struct http_transfer *transfer; /* private */
};

/* Returns owned; NULL with an error added when curl cannot be had. */
struct http_sender *
http_sender_new(struct event_base *base, const struct http_options *options, struct err *err);
/* All requests are done or cancelled before. */
void http_sender_free(struct http_sender **sender);

void http_send(struct http_sender *sender, struct http_request *request);
/* The callback will not be called. */
void http_cancel(struct http_request *request);
