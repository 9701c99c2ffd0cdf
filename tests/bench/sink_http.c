/* SPDX-License-Identifier: Apache-2.0 */
#include "sink_http.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

struct head {
	size_t len; /* with the empty line */
	size_t content_length;
	bool chunked, close, wants_continue;
	int bad; /* status, 0 = fine */
};

static enum http_result
bad(struct http_request *request, int status)
{
	request->status = status;
	return HTTP_BAD;
}

static bool
read_length(const char *value, size_t len, size_t *out)
{
	*out = 0;
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9' || *out > HTTP_MAX_BODY)
			return false;
		*out = *out * 10 + (size_t)(value[i] - '0');
	}
	return len > 0;
}

static bool
is_word(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(s, word, len) == 0;
}

static void
read_header(const char *line, size_t len, struct head *head)
{
	const char *colon = memchr(line, ':', len);

	if (colon == NULL) {
		head->bad = 400;
		return;
	}
	size_t name_len = (size_t)(colon - line);
	const char *value = colon + 1;
	size_t value_len = len - name_len - 1;
	while (value_len > 0 && *value == ' ') {
		value++;
		value_len--;
	}
	if (is_word(line, name_len, "content-length")) {
		if (!read_length(value, value_len, &head->content_length))
			head->bad = 400;
	} else if (is_word(line, name_len, "transfer-encoding")) {
		head->chunked = true;
		if (!is_word(value, value_len, "chunked"))
			head->bad = 400;
	} else if (is_word(line, name_len, "content-encoding")) {
		if (!is_word(value, value_len, "identity"))
			head->bad = 415; /* lines inside gzip could not be counted */
	} else if (is_word(line, name_len, "connection")) {
		head->close = is_word(value, value_len, "close");
	} else if (is_word(line, name_len, "expect")) {
		head->wants_continue = is_word(value, value_len, "100-continue");
	}
}

static void
read_head(const char *data, size_t len, struct head *head)
{
	const char *end = data + len - 2; /* before the empty line */
	const char *line = memmem(data, len, "\r\n", 2);

	*head = (struct head){ .len = len };
	for (line += 2; line < end;) {
		const char *stop = memmem(line, (size_t)(data + len - line), "\r\n", 2);

		read_header(line, (size_t)(stop - line), head);
		line = stop + 2;
	}
	if (head->content_length > HTTP_MAX_BODY)
		head->bad = 413;
}

/* Reads the line `HEX[;extension]` of a chunk. */
static enum http_result
read_chunk_line(const char *data, size_t len, size_t *line_len, size_t *chunk_len)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	const char *stop = memmem(data, len, "\r\n", 2);
	size_t digits = 0;

	*chunk_len = 0;
	for (; digits < len && digits < 9; digits++) {
		const char *at = memchr(hex, data[digits], sizeof(hex));
		size_t digit = at != NULL ? (size_t)(at - hex) : sizeof(hex);

		if (digit >= 22)
			break;
		*chunk_len = *chunk_len * 16 + (digit < 16 ? digit : digit - 6);
	}
	if (stop == NULL)
		return len > 256 ? HTTP_BAD : HTTP_MORE;
	*line_len = (size_t)(stop - data) + 2;
	return digits > 0 && digits < 9 && (data[digits] == '\r' || data[digits] == ';') ? HTTP_OK
											 : HTTP_BAD;
}

/* Walks the chunks after the head; *len becomes the bytes they take. With `join` their contents are
 * moved together. */
static enum http_result
walk_chunks(char *data, size_t *len, bool join, size_t *body_len)
{
	size_t at = 0, line_len, chunk_len;

	*body_len = 0;
	do {
		enum http_result result = read_chunk_line(
			data + at, *len - at, &line_len, &chunk_len);

		if (result != HTTP_OK)
			return result;
		at += line_len;
		if (*body_len + chunk_len > HTTP_MAX_BODY)
			return HTTP_BAD;
		if (*len - at < chunk_len + 2)
			return HTTP_MORE;
		if (memcmp(data + at + chunk_len, "\r\n", 2) != 0)
			return HTTP_BAD; /* trailers are not understood either */
		if (join)
			memmove(data + *body_len, data + at, chunk_len);
		*body_len += chunk_len;
		at += chunk_len + 2;
	} while (chunk_len > 0);
	*len = at;
	return HTTP_OK;
}

/* Cuts `METHOD PATH[?QUERY] HTTP/1.1` with NULs. */
static bool
cut_request_line(char *data, size_t len, struct http_request *request)
{
	char *stop = memmem(data, len, "\r\n", 2);
	char *path = memchr(data, ' ', (size_t)(stop - data));
	char *version = path != NULL ? memchr(path + 1, ' ', (size_t)(stop - path - 1)) : NULL;

	if (version == NULL || stop - version != 9 || memcmp(version, " HTTP/1.", 8) != 0)
		return false;
	if (version[8] == '0')
		request->close = true;
	*path++ = '\0';
	*version = '\0';
	char *query = strchr(path, '?');
	if (query != NULL)
		*query = '\0';
	request->method = data;
	request->path = path;
	return true;
}

enum http_result
http_parse(char *data, size_t len, struct http_request *request)
{
	size_t window = len < HTTP_MAX_HEAD ? len : HTTP_MAX_HEAD;
	char *end = memmem(data, window, "\r\n\r\n", 4);
	struct head head;

	*request = (struct http_request){ .need = len + 1 };
	if (end == NULL)
		return window == HTTP_MAX_HEAD ? bad(request, 431) : HTTP_MORE;
	read_head(data, (size_t)(end - data) + 4, &head);
	if (head.bad != 0)
		return bad(request, head.bad);
	request->wants_continue = head.wants_continue;
	request->close = head.close;
	request->body = data + head.len;
	request->body_len = head.content_length;
	request->len = head.len + head.content_length;
	if (head.chunked) {
		size_t chunks = len - head.len;
		enum http_result result = walk_chunks(
			data + head.len, &chunks, false, &request->body_len);

		if (result != HTTP_OK)
			return result == HTTP_BAD ? bad(request, 400) : HTTP_MORE;
		walk_chunks(data + head.len, &chunks, true, &request->body_len);
		request->len = head.len + chunks;
	} else if (len < request->len) {
		request->need = request->len;
		return HTTP_MORE;
	}
	return cut_request_line(data, head.len, request) ? HTTP_OK : bad(request, 400);
}
