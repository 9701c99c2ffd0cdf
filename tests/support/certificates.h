/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for tests, made by the openssl command when they run: nothing that expires is kept
 * in the tree.
 */
#pragma once

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static inline void
cert_run(const char *dir, const char *arguments)
{
	char command[1024];

	snprintf(command, sizeof(command), "cd '%s' && openssl %s >>openssl.log 2>&1", dir,
		arguments);
	int status = system(command);
	assert(status == 0);
	(void)status;
}

/* dir/NAME.crt and dir/NAME.key: an authority. */
static inline void
cert_make_authority(const char *dir, const char *name)
{
	char arguments[512];

	snprintf(arguments, sizeof(arguments),
		"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
		"-subj /CN=%s -keyout %s.key -out %s.crt",
		name, name, name);
	cert_run(dir, arguments);
}

/* dir/NAME.crt and dir/NAME.key, signed by that authority; san: "IP:127.0.0.1", "DNS:x". */
static inline void
cert_make(const char *dir, const char *name, const char *authority, const char *san)
{
	char text[512];

	snprintf(text, sizeof(text), "%s/%s.ext", dir, name);
	FILE *file = fopen(text, "w");
	assert(file != NULL);
	fprintf(file, "subjectAltName=%s\n", san);
	fclose(file);
	snprintf(text, sizeof(text),
		"req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%s -keyout "
		"%s.key -out %s.csr",
		name, name, name);
	cert_run(dir, text);
	snprintf(text, sizeof(text),
		"x509 -req -in %s.csr -CA %s.crt -CAkey %s.key -CAcreateserial -days 2 "
		"-extfile %s.ext -out %s.crt",
		name, authority, authority, name, name);
	cert_run(dir, text);
}
