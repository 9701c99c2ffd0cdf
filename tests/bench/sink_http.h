/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of HTTP/1.1 the sink needs: whole requests out of a buffer. Pure: no I/O, no
 * allocation; a chunked body is joined in place once it is complete.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
	HTTP_MAX_HEAD = 16 * 1024,
	HTTP_MAX_BODY = 64 * 1024 * 1024,
};

enum http_result { HTTP_OK, HTTP_MORE, HTTP_BAD };

struct http_request {
	/* After HTTP_OK; views into the buffer. */
	const char *method, *path; /* NUL-terminated; the path without its query */
	const char *body;
	size_t body_len;
	size_t len; /* bytes of the buffer this request took */
	bool close; /* the client wants the connection closed after the answer */
	/* After HTTP_MORE. */
	bool wants_continue; /* the head is complete and asks for 100 Continue */
	size_t need;         /* the buffer must hold so many bytes in all, as far as is known */
	/* After HTTP_BAD. */
	int status; /* the answer, then close */
};

/* Writes into data only when the request is complete. */
enum http_result http_parse(char *data, size_t len, struct http_request *request);
