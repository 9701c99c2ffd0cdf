/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl's multi socket interface on libevent: curl says which sockets and which timeout it wants
 * watched, libevent tells it what happened, and finished transfers are handed out after curl has
 * returned, so that a callback may send again.
 *
 * The body is read by curl piece by piece from the caller's memory; its length is known up front
 * (no chunked encoding). When a kept-alive connection turns out dead, curl sends the request again
 * on a new one and rewinds through on_seek.
 */
#include "output/http_sender.h"

#include <assert.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "output/retry.h"

enum {
	CONNECT_TIMEOUT_MS = 5000,
	CONNECTION_LIFETIME_S =
		300, /* a Kubernetes service balances connections, so they must end */
	REPLY_DISCARD_MAX =
		1 << 20, /* read past RETRY_BODY_MAX to keep the connection; then it is closed */
};

struct http_sender {
	CURLM *multi;
	struct event_base *base;
	struct event *timer;
	struct http_options options;
};

struct http_transfer {
	struct http_sender *sender;
	struct http_request *request;
	CURL *easy;
	struct curl_slist *headers;
	size_t total;         /* bytes of the body */
	size_t piece, offset; /* what is sent next */
	size_t sent;
	struct buf reply;
	size_t reply_bytes;
	bool reply_cut; /* we stopped reading, not the server sending */
	char error[CURL_ERROR_SIZE];
};

static size_t
on_read(char *out, size_t size, size_t n, void *arg)
{
	struct http_transfer *transfer = arg;
	const struct http_request *request = transfer->request;
	size_t room = size * n, filled = 0;

	while (filled < room && transfer->piece < request->n_body) {
		const struct iovec *from = &request->body[transfer->piece];
		size_t rest = from->iov_len - transfer->offset;
		size_t part = rest < room - filled ? rest : room - filled;

		if (part > 0)
			memcpy(out + filled, (const char *)from->iov_base + transfer->offset, part);
		filled += part;
		transfer->offset += part;
		if (transfer->offset == from->iov_len) {
			transfer->piece++;
			transfer->offset = 0;
		}
	}
	transfer->sent += filled;
	return filled;
}

static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_transfer *transfer = arg;

	if (origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_CANTSEEK;
	transfer->piece = 0;
	transfer->offset = 0;
	transfer->sent = 0;
	return CURL_SEEKFUNC_OK;
}

static size_t
on_write(char *data, size_t size, size_t n, void *arg)
{
	struct http_transfer *transfer = arg;
	size_t len = size * n, room = RETRY_BODY_MAX - transfer->reply.len;

	transfer->reply_bytes += len;
	buf_add(&transfer->reply, (struct str){ data, len < room ? len : room });
	if (transfer->reply_bytes <= REPLY_DISCARD_MAX)
		return len;
	transfer->reply_cut = true;
	return 0; /* curl ends the transfer */
}

static void
free_transfer(struct http_transfer *transfer)
{
	curl_multi_remove_handle(transfer->sender->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	buf_fini(&transfer->reply);
	free(transfer);
}

/*
 * The status counts when the answer came whole. A 413 counts as soon as it is there: the server
 * closes the connection while the body is still being sent. A success for a body that was not sent
 * to its end proves nothing.
 */
static int
final_status(struct http_transfer *transfer, CURLcode result)
{
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (result != CURLE_OK && !transfer->reply_cut && status != 413) {
		if (transfer->error[0] == '\0')
			snprintf(transfer->error, sizeof(transfer->error), "%s",
				curl_easy_strerror(result));
		return 0;
	}
	if (status < 300 && transfer->sent < transfer->total) {
		snprintf(transfer->error, sizeof(transfer->error),
			"answered before the body was sent");
		return 0;
	}
	return (int)status;
}

static void
finish(struct http_transfer *transfer, CURLcode result)
{
	struct http_request *request = transfer->request;
	struct http_answer answer = { .status = final_status(transfer, result) };
	struct curl_header *header;

	answer.body = buf_str(&transfer->reply);
	answer.error = answer.status == 0 ? transfer->error : "";
	if (curl_easy_header(transfer->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) ==
		CURLHE_OK)
		answer.retry_after = str_from(header->value);
	request->transfer = NULL;
	request->done(request, &answer);
	free_transfer(transfer);
}

static void
finish_all(struct http_sender *sender)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(sender->multi, &left)) != NULL) {
		struct http_transfer *transfer = NULL;

		assert(message->msg == CURLMSG_DONE);
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		finish(transfer, message->data.result);
	}
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct http_sender *sender = arg;
	int flags = (what & EV_READ ? CURL_CSELECT_IN : 0) |
		(what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(sender->multi, fd, flags, &running);
	finish_all(sender);
}

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct http_sender *sender = arg;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(sender->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_all(sender);
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http_sender *sender = arg;
	struct event *event = socket_arg;

	(void)easy;
	if (event != NULL)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		short flags = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
			(what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);

		event = event_new(sender->base, fd, flags, on_ready, sender);
		event_add(event, NULL);
	}
	curl_multi_assign(sender->multi, fd, event);
	return 0;
}

static int
want_timeout(CURLM *multi, long ms, void *arg)
{
	struct http_sender *sender = arg;
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		evtimer_del(sender->timer);
	else
		evtimer_add(sender->timer, &wait);
	return 0;
}

struct http_sender *
http_sender_new(struct event_base *base, const struct http_options *options, struct err *err)
{
	struct http_sender *sender;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_add(err, "libcurl does not start");
		return NULL;
	}
	sender = xcalloc(1, sizeof(*sender));
	sender->base = base;
	sender->options = *options;
	sender->timer = evtimer_new(base, on_timeout, sender);
	sender->multi = curl_multi_init();
	assert(sender->timer != NULL && sender->multi != NULL);
	curl_multi_setopt(sender->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(sender->multi, CURLMOPT_SOCKETDATA, sender);
	curl_multi_setopt(sender->multi, CURLMOPT_TIMERFUNCTION, want_timeout);
	curl_multi_setopt(sender->multi, CURLMOPT_TIMERDATA, sender);
	curl_multi_setopt(sender->multi, CURLMOPT_MAXCONNECTS, (long)options->connections + 1);
	return sender;
}

void
http_sender_free(struct http_sender **sender)
{
	struct http_sender *gone = *sender;

	*sender = NULL;
	if (gone == NULL)
		return;
	curl_multi_cleanup(gone->multi); /* closes the idle connections: may still call want_* */
	event_free(gone->timer);
	free(gone);
	curl_global_cleanup();
}

static bool
has_text(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static void
set_transport(CURL *easy, const struct http_options *options)
{
	long timeout_ms = (long)(options->timeout_ns / NS_PER_MS);

	timeout_ms = timeout_ms > 0 ? timeout_ms : 1;
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFETIME_S);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "logmill/" LOGMILL_VERSION);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->tls_verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->tls_verify ? 2L : 0L);
	if (has_text(options->tls_ca))
		curl_easy_setopt(easy, CURLOPT_CAINFO, options->tls_ca);
	if (has_text(options->tls_cert))
		curl_easy_setopt(easy, CURLOPT_SSLCERT, options->tls_cert);
	if (has_text(options->tls_key))
		curl_easy_setopt(easy, CURLOPT_SSLKEY, options->tls_key);
}

static void
add_header(struct http_transfer *transfer, const char *name, const char *value)
{
	char *line = xasprintf("%s: %s", name, value);

	transfer->headers = curl_slist_append(transfer->headers, line);
	assert(transfer->headers != NULL);
	explicit_bzero(line, strlen(line));
	free(line);
}

static void
set_headers(struct http_transfer *transfer)
{
	const struct http_request *request = transfer->request;

	transfer->headers = curl_slist_append(
		NULL, "Expect:"); /* or bodies over 1 MiB wait for a 100 */
	assert(transfer->headers != NULL);
	add_header(transfer, "Content-Type", request->content_type);
	if (request->authorization != NULL)
		add_header(transfer, "Authorization", request->authorization);
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	if (request->username == NULL)
		return;
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	curl_easy_setopt(transfer->easy, CURLOPT_USERNAME, request->username);
	curl_easy_setopt(transfer->easy, CURLOPT_PASSWORD, request->password);
}

void
http_send(struct http_sender *sender, struct http_request *request)
{
	struct http_transfer *transfer = xcalloc(1, sizeof(*transfer));
	CURL *easy = curl_easy_init();

	assert(easy != NULL);
	*transfer = (struct http_transfer){ .sender = sender, .request = request, .easy = easy };
	request->transfer = transfer;
	for (size_t i = 0; i < request->n_body; i++)
		transfer->total += request->body[i].iov_len;
	set_transport(easy, &sender->options);
	set_headers(transfer);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->total);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	CURLMcode added = curl_multi_add_handle(sender->multi, easy);
	assert(added == CURLM_OK);
}

void
http_cancel(struct http_request *request)
{
	struct http_transfer *transfer = request->transfer;

	request->transfer = NULL;
	if (transfer != NULL)
		free_transfer(transfer);
}
