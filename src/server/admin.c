/* SPDX-License-Identifier: Apache-2.0 */
#include "server/admin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

enum {
	MAX_HEADERS = 8192,   /* bytes of a request's head */
	REQUEST_TIMEOUT = 10, /* seconds */
	TOKEN_MAX = 4096,
	REST_S = 1, /* after running out of descriptors */
};

struct admin {
	const struct http_settings *settings;
	const struct status *status;
	struct evhttp *http;
	struct evconnlistener *listener; /* of http */
	struct event *on_rest_over;
	bool loopback;
};

static bool
is_loopback(const char *host)
{
	struct in_addr v4;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static void
reply(struct evhttp_request *request, int code, const char *type, struct str body)
{
	struct evbuffer *buffer = evbuffer_new();
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'");
	evbuffer_add(buffer, body.ptr, body.len);
	evhttp_send_reply(request, code, NULL, buffer);
	evbuffer_free(buffer);
}

static void
reply_text(struct evhttp_request *request, int code, const char *text)
{
	reply(request, code, "text/plain; charset=utf-8", str_from(text));
}

/* Equal without telling by its duration how much of it was. */
static bool
same_secret(struct str a, struct str b)
{
	unsigned char difference = a.len != b.len;

	for (size_t i = 0; i < a.len && i < b.len; i++)
		difference |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
	return difference == 0;
}

/* The file is read at each request, so that a changed token counts at once. */
static bool
token_matches(const struct admin *admin, const char *header)
{
	char token[TOKEN_MAX];
	FILE *file = fopen(admin->settings->token_file, "re");

	if (file == NULL)
		return false;
	size_t n = fread(token, 1, sizeof(token), file);
	fclose(file);
	struct str wanted = str_trim((struct str){ token, n });
	struct str given = str_from(header);
	if (!str_present(given) || !str_starts(given, STR("Bearer ")) || wanted.len == 0)
		return false;
	return same_secret(str_trim((struct str){ given.ptr + 7, given.len - 7 }), wanted);
}

/* Answers and returns false when the request may not see what it asks for. */
static bool
allowed(struct admin *admin, struct evhttp_request *request)
{
	if (admin->settings->token_file == NULL) {
		if (admin->loopback)
			return true;
		reply_text(request, 403,
			"This address is not loopback: set token_file in [http] to see more than "
			"the probes.\n");
		return false;
	}
	if (token_matches(admin,
		    evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization")))
		return true;
	evhttp_add_header(evhttp_request_get_output_headers(request), "WWW-Authenticate", "Bearer");
	reply_text(request, 401,
		"Send the header Authorization: Bearer TOKEN, with the token of token_file in "
		"[http].\n");
	return false;
}

static void
on_livez(struct evhttp_request *request, void *ctx)
{
	(void)ctx;
	reply_text(request, 200, "ok\n");
}

static void
on_readyz(struct evhttp_request *request, void *ctx)
{
	const struct admin *admin = ctx;

	if (admin->status->ready)
		reply_text(request, 200, "ok\n");
	else
		reply_text(request, 503, "not ready: starting or stopping\n");
}

static void
on_metrics(struct evhttp_request *request, void *ctx)
{
	struct admin *admin = ctx;
	struct buf body = BUF_EMPTY;

	if (!allowed(admin, request))
		return;
	metrics_write(admin->status, &body);
	reply(request, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&body));
	buf_fini(&body);
}

static void
on_page(struct evhttp_request *request, void *ctx)
{
	struct admin *admin = ctx;
	struct buf body = BUF_EMPTY;

	if (!allowed(admin, request))
		return;
	page_write(admin->status, &body);
	reply(request, 200, "text/html; charset=utf-8", buf_str(&body));
	buf_fini(&body);
}

static void
on_other(struct evhttp_request *request, void *ctx)
{
	(void)ctx;
	reply_text(request, 404, "Here are: / /metrics /livez /readyz\n");
}

/* No descriptor is left (the acceptors say so): without a rest the loop would try for ever. */
static void
on_accept_failed(struct evconnlistener *listener, void *ctx)
{
	(void)ctx; /* evhttp's own */
	evconnlistener_disable(listener);
}

static void
on_rest_over(evutil_socket_t fd, short what, void *ctx)
{
	struct admin *admin = ctx;

	(void)fd;
	(void)what;
	evconnlistener_enable(admin->listener);
}

static bool
listen_on(struct admin *admin, struct event_base *base)
{
	const struct timeval rest = { REST_S, 0 };
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(
		admin->http, admin->settings->host, admin->settings->port);

	if (bound == NULL)
		return false;
	admin->listener = evhttp_bound_socket_get_listener(bound);
	evconnlistener_set_error_cb(admin->listener, on_accept_failed);
	admin->on_rest_over = event_new(base, -1, EV_PERSIST, on_rest_over, admin);
	event_add(admin->on_rest_over, &rest);
	return true;
}

struct admin *
admin_new(const struct http_settings *settings, const struct status *status,
	struct event_base *base, struct err *err)
{
	struct admin *admin = xcalloc(1, sizeof(*admin));

	admin->settings = settings;
	admin->status = status;
	admin->loopback = is_loopback(settings->host);
	admin->http = evhttp_new(base);
	evhttp_set_allowed_methods(admin->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(admin->http, MAX_HEADERS);
	evhttp_set_max_body_size(admin->http, 0);
	evhttp_set_timeout(admin->http, REQUEST_TIMEOUT);
	evhttp_set_cb(admin->http, "/livez", on_livez, admin);
	evhttp_set_cb(admin->http, "/readyz", on_readyz, admin);
	evhttp_set_cb(admin->http, "/metrics", on_metrics, admin);
	evhttp_set_cb(admin->http, "/", on_page, admin);
	evhttp_set_gencb(admin->http, on_other, admin);
	if (!listen_on(admin, base)) {
		err_add(err,
			"[http] address %s:%u: %s (choose another address, or `address = none`)",
			settings->host, settings->port, strerror(errno));
		admin_free(&admin);
	}
	return admin;
}

void
admin_free(struct admin **admin)
{
	if (*admin == NULL)
		return;
	if ((*admin)->on_rest_over != NULL)
		event_free((*admin)->on_rest_over);
	evhttp_free((*admin)->http);
	free(*admin);
	*admin = NULL;
}
