/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an option is given is asked of the section, not of the settings: a value that was refused
 * is given too, and should not lead to a second error.
 */
#include "config/settings_check.h"

/* The entry, when it is there and not empty. */
static struct ini_entry *
given(struct ini_section *section, const char *key)
{
	struct ini_entry *entry = ini_find(section, key);

	return entry != NULL && entry->value[0] != '\0' ? entry : NULL;
}

void
check_server(const struct settings *settings, struct ini_section *section, struct err *err)
{
	if (section == NULL || settings->drain_delay_ns < settings->drain_timeout_ns)
		return;
	struct ini_entry *entry = ini_find(section, "drain_delay");
	ini_error(err, section, entry != NULL ? entry : ini_find(section, "drain_timeout"),
		"drain_timeout includes drain_delay and must be longer");
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
check_listen_address(
	const struct settings *settings, size_t i, struct ini_section *section, struct err *err)
{
	const struct listen_settings *listen = &settings->listens[i];

	for (size_t k = 0; k < i; k++) {
		const struct listen_settings *other = &settings->listens[k];

		if (other->address != NULL && other->port == listen->port &&
			same_text(other->host, listen->host) &&
			(other->transport == LISTEN_UDP) == (listen->transport == LISTEN_UDP)) {
			ini_error(err, section, given(section, "address"),
				"the same as that of [listen %s]", other->name);
			return;
		}
	}
}

void
check_listen(
	const struct settings *settings, size_t i, struct ini_section *section, struct err *err)
{
	static const char *const TLS_KEYS[] = { "tls_cert", "tls_key", "tls_ca", "tls_min_version",
		"tls_ciphers" };
	const struct listen_settings *listen = &settings->listens[i];

	if (listen->address == NULL)
		return; /* the transport is not known */
	check_listen_address(settings, i, section, err);
	if (listen->transport == LISTEN_TLS) {
		if (given(section, "tls_cert") == NULL)
			ini_error(err, section, NULL,
				"a tls:// listener needs tls_cert, which is missing");
		if (given(section, "tls_key") == NULL)
			ini_error(err, section, NULL,
				"a tls:// listener needs tls_key, which is missing");
		return;
	}
	for (size_t k = 0; k < sizeof(TLS_KEYS) / sizeof(TLS_KEYS[0]); k++) {
		const struct ini_entry *entry = given(section, TLS_KEYS[k]);

		if (entry != NULL)
			ini_error(err, section, entry,
				"only a tls:// listener takes this, not %s://",
				listen->transport == LISTEN_UDP ? "udp" : "tcp");
	}
}

/* At most one of a secret and its file. */
static bool
check_secret(struct ini_section *section, const char *key, const char *file_key, struct err *err)
{
	bool plain = given(section, key) != NULL;
	const struct ini_entry *file = given(section, file_key);

	if (plain && file != NULL)
		ini_error(err, section, file, "%s is given too (allowed: one of them)", key);
	return plain || file != NULL;
}

static void
check_version(const struct output_settings *output, struct ini_section *section, struct err *err)
{
	static const char *const KEYS_1[] = { "database", "retention_policy", "username",
		"password", "password_file", "create_database", "consistency", NULL };
	static const char *const KEYS_2[] = { "org", "bucket", "token", "token_file", NULL };

	if (output->version == 0)
		return; /* was refused */
	for (const char *const *key = output->version == 1 ? KEYS_2 : KEYS_1; *key != NULL; key++) {
		const struct ini_entry *entry = given(section, *key);

		if (entry != NULL)
			ini_error(err, section, entry, "only with version = %d",
				output->version == 1 ? 2 : 1);
	}
	if (output->version == 1) {
		bool password = check_secret(section, "password", "password_file", err);
		const struct ini_entry *username = given(section, "username");

		if (password && username == NULL)
			ini_error(
				err, section, NULL, "a password needs username, which is missing");
		if (!password && username != NULL)
			ini_error(err, section, username,
				"needs password or password_file, which are missing");
		return;
	}
	if (given(section, "org") == NULL)
		ini_error(err, section, NULL, "version = 2 needs org, which is missing");
	if (given(section, "bucket") == NULL)
		ini_error(err, section, NULL, "version = 2 needs bucket, which is missing");
	if (!check_secret(section, "token", "token_file", err))
		ini_error(err, section, NULL,
			"version = 2 needs token or token_file, which are missing");
}

static void
check_output_tls(const struct output_settings *output, struct ini_section *section, struct err *err)
{
	static const char *const TLS_KEYS[] = { "tls_ca", "tls_cert", "tls_key", "tls_verify" };
	bool https = output->n_urls == 0; /* refused: not known */
	const struct ini_entry *cert = given(section, "tls_cert"), *key = given(section, "tls_key");

	for (size_t i = 0; i < output->n_urls; i++)
		if (strncmp(output->urls[i], "https:", 6) == 0)
			https = true;
	for (size_t i = 0; !https && i < sizeof(TLS_KEYS) / sizeof(TLS_KEYS[0]); i++) {
		const struct ini_entry *entry = given(section, TLS_KEYS[i]);

		if (entry != NULL)
			ini_error(err, section, entry, "only with an https:// address in url");
	}
	if (cert != NULL && key == NULL)
		ini_error(err, section, cert, "needs tls_key, which is missing");
	if (key != NULL && cert == NULL)
		ini_error(err, section, key, "needs tls_cert, which is missing");
}

void
check_output(
	const struct settings *settings, size_t i, struct ini_section *section, struct err *err)
{
	const struct output_settings *output = &settings->outputs[i];

	for (size_t k = 0; k < i; k++) {
		const struct output_settings *other = &settings->outputs[k];

		if (strcmp(other->name, output->name) == 0)
			ini_error(err, section, NULL,
				"an output of that name is already there: [%s %s]",
				other->kind == OUTPUT_INFLUXDB ? "influxdb" : "file", other->name);
		if (output->kind == OUTPUT_FILE && output->path != NULL && other->path != NULL &&
			strcmp(output->path, other->path) == 0)
			ini_error(err, section, given(section, "path"),
				"the same as that of [file %s]", other->name);
	}
	if (output->kind == OUTPUT_INFLUXDB) {
		check_version(output, section, err);
		check_output_tls(output, section, err);
	}
}
