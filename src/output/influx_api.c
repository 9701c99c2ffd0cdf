/* SPDX-License-Identifier: Apache-2.0 */
#include "output/influx_api.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/diag.h"

enum { SECRET_MAX = 4096 }; /* bytes of a secret's file */

static const char *
text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static const char *
secret_file(const struct influx_api *api)
{
	const struct output_settings *s = api->settings;

	return text_or_null(s->version == 2 ? s->token_file : s->password_file);
}

void
influx_api_init(struct influx_api *api, const struct output_settings *settings)
{
	*api = (struct influx_api){ .settings = settings };
}

static void
forget(struct buf *secret)
{
	if (secret->ptr != NULL)
		explicit_bzero(secret->ptr, secret->cap);
	buf_fini(secret);
}

void
influx_api_fini(struct influx_api *api)
{
	forget(&api->secret);
	forget(&api->authorization);
}

struct str
influx_api_database(const struct influx_api *api, const struct target *target)
{
	const struct output_settings *s = api->settings;

	if (str_present(target->database))
		return target->database;
	return str_from(s->version == 2 ? s->bucket : s->database);
}

struct str
influx_api_policy(const struct influx_api *api, const struct target *target)
{
	const struct output_settings *s = api->settings;

	if (s->version == 2)
		return str_from("");
	if (str_present(target->retention_policy))
		return target->retention_policy;
	return str_from(s->retention_policy);
}

/* RFC 3986 2.3: all but unreserved characters become %XX. */
static void
add_escaped(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '.' || c == '_' || c == '~')
			buf_add_char(out, c);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
	}
}

static void
add_parameter(struct buf *url, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	buf_printf(url, "&%s=", name);
	add_escaped(url, value);
}

void
influx_api_write_url(const struct influx_api *api, const char *base_url,
	const struct target *target, struct buf *url)
{
	const struct output_settings *s = api->settings;

	buf_clear(url);
	if (s->version == 2) {
		buf_printf(url, "%s/api/v2/write?precision=ns", base_url);
		add_parameter(url, "org", str_from(s->org));
		add_parameter(url, "bucket", influx_api_database(api, target));
	} else {
		buf_printf(url, "%s/write?precision=n", base_url);
		add_parameter(url, "db", influx_api_database(api, target));
		add_parameter(url, "rp", influx_api_policy(api, target));
		add_parameter(url, "consistency", str_from(s->consistency));
	}
	buf_cstr(url);
}

void
influx_api_query_url(const char *base_url, struct buf *url)
{
	buf_clear(url);
	buf_printf(url, "%s/query", base_url);
	buf_cstr(url);
}

void
influx_api_create_body(struct str database, struct buf *body)
{
	struct buf query = BUF_EMPTY;

	buf_add_text(&query, "CREATE DATABASE \"");
	for (size_t i = 0; i < database.len; i++) {
		if (database.ptr[i] == '"' || database.ptr[i] == '\\')
			buf_add_char(&query, '\\');
		buf_add_char(&query, database.ptr[i]);
	}
	buf_add_char(&query, '"');
	buf_clear(body);
	buf_add_text(body, "q=");
	add_escaped(body, buf_str(&query));
	buf_fini(&query);
}

/* The file's text without the line end that editors leave; empty when it cannot be read. */
static void
read_secret(const char *path, const char *output, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf_reserve(out, SECRET_MAX), SECRET_MAX);

	if (n < 0)
		diag_error("secret_unreadable", DIAG_TEXT("output", output),
			DIAG_TEXT("file", path), DIAG_TEXT("error", strerror(errno)));
	else
		out->len = str_trim((struct str){ out->ptr, (size_t)n }).len;
	if (n > 0)
		memmove(out->ptr, str_trim((struct str){ out->ptr, (size_t)n }).ptr, out->len);
	if (fd >= 0)
		close(fd);
}

bool
influx_api_reload_secret(struct influx_api *api)
{
	const struct output_settings *s = api->settings;
	const char *file = secret_file(api);
	struct buf fresh = BUF_EMPTY;

	if (api->secret_read && file == NULL)
		return false;
	if (file != NULL)
		read_secret(file, s->name, &fresh);
	else
		buf_add(&fresh, str_from(s->version == 2 ? s->token : s->password));
	bool changed = !str_equal(buf_str(&fresh), buf_str(&api->secret));

	forget(&api->secret);
	api->secret = fresh;
	buf_cstr(&api->secret);
	forget(&api->authorization);
	if (s->version == 2 && api->secret.len > 0) {
		buf_reserve(&api->authorization,
			api->secret.len + 16); /* at once: no copies left behind */
		buf_add_text(&api->authorization, "Token ");
		buf_add(&api->authorization, buf_str(&api->secret));
		buf_cstr(&api->authorization);
	}
	api->secret_read = true;
	return changed;
}

void
influx_api_authorize(struct influx_api *api, struct http_request *request)
{
	if (!api->secret_read)
		influx_api_reload_secret(api);
	request->authorization = api->authorization.len > 0 ? api->authorization.ptr : NULL;
	request->username = api->settings->version == 2 ? NULL
							: text_or_null(api->settings->username);
	request->password = api->secret.ptr;
}
