/* SPDX-License-Identifier: Apache-2.0 */
/* Options whose values have a form of their own. */
#include "config/options.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "config/value.h"

enum { DEFAULT_LISTEN_PORT = 6514, DEFAULT_HTTP_PORT = 9514, MAX_URLS = 16 };

static void
store(char **member, struct str text)
{
	free(*member);
	*member = xstrndup(text.ptr, text.len);
}

static bool
is_printable(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	return true;
}

bool
read_host(struct reading *reading, void *base, struct str text)
{
	struct settings *settings = base;
	char name[256] = "";

	if (str_is(text, "auto") && gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0')
		text = str_from(name);
	free(settings->host);
	settings->host = NULL;
	if (str_is(text, "none"))
		return true;
	if (!is_printable(text))
		return option_error(reading, "holds a blank, or a character beyond ASCII");
	settings->host = xstrndup(text.ptr, text.len);
	return true;
}

bool
read_rules(struct reading *reading, void *base, struct str text)
{
	(void)base;
	store(&reading->rules, text);
	return true;
}

bool
read_log_outputs(struct reading *reading, void *base, struct str text)
{
	(void)base;
	store(&reading->log_outputs, text);
	return true;
}

bool
read_listen_address(struct reading *reading, void *base, struct str text)
{
	static const struct {
		const char *prefix;
		enum listen_transport transport;
		bool supported;
	} SCHEMES[] = {
		{ "tcp://", LISTEN_TCP, true },
		{ "udp://", LISTEN_UDP, true },
		{ "tls://", LISTEN_TLS, true },
		{ "unix://", LISTEN_TCP, false },
		{ "unixgram://", LISTEN_TCP, false },
		{ "relp://", LISTEN_TCP, false },
	};
	struct listen_settings *listen = base;

	for (size_t i = 0; i < sizeof(SCHEMES) / sizeof(SCHEMES[0]); i++) {
		struct str prefix = str_from(SCHEMES[i].prefix);
		struct str host, rest = { text.ptr + prefix.len, text.len - prefix.len };
		uint16_t port = DEFAULT_LISTEN_PORT;

		if (!str_starts(text, prefix))
			continue;
		if (!SCHEMES[i].supported)
			return option_error(reading, "%s not supported yet (allowed: %s)",
				prefix.ptr, reading->option->allowed);
		const char *problem = value_address(rest, &host, &port);
		if (problem != NULL)
			return option_error(
				reading, "%s (allowed: %s)", problem, reading->option->allowed);
		store(&listen->address, text);
		listen->transport = SCHEMES[i].transport;
		listen->port = port;
		if (host.len > 0)
			store(&listen->host, host);
		return true;
	}
	return option_error(reading, "not an address (allowed: %s)", reading->option->allowed);
}

bool
read_tags(struct reading *reading, void *base, struct str text)
{
	static const struct {
		const char *name;
		enum log_tag tag;
	} TAGS[] = {
		{ "severity", LOG_TAG_SEVERITY },
		{ "facility", LOG_TAG_FACILITY },
		{ "hostname", LOG_TAG_HOSTNAME },
		{ "appname", LOG_TAG_APPNAME },
		{ "source", LOG_TAG_SOURCE },
		{ "host", LOG_TAG_HOST },
	};
	enum { N_TAGS = sizeof(TAGS) / sizeof(TAGS[0]) };
	struct logs_settings *logs = base;
	struct str word;
	unsigned tags = 0;

	while (str_word(&text, &word)) {
		size_t i = 0;

		while (i < N_TAGS && !str_is(word, TAGS[i].name))
			i++;
		if (i == N_TAGS)
			return option_error(reading,
				"unknown tag (allowed: severity facility hostname appname source "
				"host)");
		tags |= TAGS[i].tag;
	}
	logs->tags = tags;
	return true;
}

bool
read_consistency(struct reading *reading, void *base, struct str text)
{
	struct output_settings *output = base;

	if (!str_is(text, "any") && !str_is(text, "one") && !str_is(text, "quorum") &&
		!str_is(text, "all"))
		return option_error(
			reading, "not a consistency (allowed: %s)", reading->option->allowed);
	store(&output->consistency, text);
	return true;
}

bool
read_file_path(struct reading *reading, void *base, struct str text)
{
	struct output_settings *output = base;

	free(output->path);
	output->path = str_is(text, "-") ? xstrdup("-") : path_in_folder(reading->folder, text);
	return true;
}

bool
read_http_address(struct reading *reading, void *base, struct str text)
{
	struct http_settings *http = base;
	uint16_t port = DEFAULT_HTTP_PORT;
	struct str host;

	free(http->host);
	http->host = NULL;
	if (str_is(text, "none"))
		return true;
	const char *problem = value_address(text, &host, &port);
	if (problem == NULL && host.len == 0)
		problem = "no host: 0.0.0.0 is every address";
	if (problem != NULL)
		return option_error(reading, "%s (allowed: %s)", problem, reading->option->allowed);
	http->host = xstrndup(host.ptr, host.len);
	http->port = port;
	return true;
}

/* NULL or what is wrong with it. */
static const char *
check_url(struct str url)
{
	struct str rest, host;
	uint16_t port = 0;

	if (str_starts(url, STR("http://")))
		rest = (struct str){ url.ptr + 7, url.len - 7 };
	else if (str_starts(url, STR("https://")))
		rest = (struct str){ url.ptr + 8, url.len - 8 };
	else
		return "not an http:// or https:// address";
	if (!is_printable(url))
		return "a character beyond ASCII in an address";
	if (memchr(rest.ptr, '@', rest.len) != NULL)
		return "no user in the address: username and password have options of their own";
	if (memchr(rest.ptr, '?', rest.len) != NULL || memchr(rest.ptr, '#', rest.len) != NULL)
		return "no \"?\" or \"#\" in the address: what is asked for has options of its own";
	const char *slash = rest.len > 0 ? memchr(rest.ptr, '/', rest.len) : NULL;
	if (slash != NULL)
		rest.len = (size_t)(slash - rest.ptr);
	const char *problem = value_address(rest, &host, &port);
	return problem != NULL ? problem : host.len == 0 ? "an address without a host" : NULL;
}

/* The URLs are never shown: a password may stand in them, where it should not. */
bool
read_urls(struct reading *reading, void *base, struct str text)
{
	struct output_settings *output = base;
	struct str url;
	size_t n = 0;
	char *urls[MAX_URLS];
	const char *problem = NULL;

	while (problem == NULL && str_word(&text, &url)) {
		problem = n == MAX_URLS ? "more than 16 addresses" : check_url(url);
		while (url.len > 0 && url.ptr[url.len - 1] == '/')
			url.len--;
		if (problem == NULL)
			urls[n++] = xstrndup(url.ptr, url.len);
	}
	if (problem != NULL) {
		option_error(reading, "%s (allowed: %s)", problem, reading->option->allowed);
		while (n > 0)
			free(urls[--n]);
		return false;
	}
	while (output->n_urls > 0)
		free(output->urls[--output->n_urls]);
	free(output->urls);
	output->urls = xcalloc(n, sizeof(*urls));
	memcpy(output->urls, urls, n * sizeof(*urls));
	output->n_urls = n;
	return true;
}
