/* SPDX-License-Identifier: Apache-2.0 */
#include "stamp.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util.h"

static const char rfc3164_format[] = "%b %e %H:%M:%S";

/* Compares with a shape where 'd' stands for a digit. Returns what follows, or NULL. */
static const char *
follows(const char *text, const char *shape)
{
	for (; *shape != '\0'; shape++, text++)
		if (*shape == 'd' ? !isdigit((unsigned char)*text) : *text != *shape)
			return NULL;
	return text;
}

static bool
is_rfc3339(const char *text)
{
	const char *rest = follows(text, "dddd-dd-ddTdd:dd:dd");

	if (rest != NULL && *rest == '.' && isdigit((unsigned char)rest[1]))
		rest += 1 + strspn(rest + 1, "0123456789");
	if (rest == NULL)
		return false;
	if (*rest == 'Z')
		rest++;
	else if (*rest == '+' || *rest == '-')
		rest = follows(rest + 1, "dd:dd");
	return rest != NULL && *rest == '\0' && rest > text + 19;
}

/* RFC 3164 has no zone: the stamp's own clock digits are kept. */
static void
set_fixed_3164(struct stamp *stamp, const char *at)
{
	struct tm when = { 0 };

	strptime(at, "%Y-%m-%dT%H:%M:%S", &when);
	strftime(stamp->text, sizeof(stamp->text), rfc3164_format, &when);
}

bool
stamp_init(struct stamp *stamp, enum stamp_mode mode, const char *at, bool rfc3164, int64_t now_ns)
{
	*stamp = (struct stamp){ .live = true, .rfc3164 = rfc3164, .second = -1 };
	stamp_set(stamp, now_ns);
	stamp->live = mode == STAMP_LIVE;
	if (mode == STAMP_SECOND && !rfc3164)
		memcpy(stamp->text + strlen("2026-11-20T10:00:00"), "+00:00", sizeof("+00:00"));
	if (mode == STAMP_AT) {
		if (!is_rfc3339(at) || strlen(at) >= STAMP_MAX)
			return false;
		if (rfc3164)
			set_fixed_3164(stamp, at);
		else
			memcpy(stamp->text, at, strlen(at) + 1);
	}
	stamp->len = (uint32_t)strlen(stamp->text);
	return true;
}

void
stamp_set(struct stamp *stamp, int64_t now_ns)
{
	int64_t second = now_ns / NS_PER_S;

	if (!stamp->live)
		return;
	if (second != stamp->second) {
		time_t seconds = (time_t)second;
		struct tm when;

		gmtime_r(&seconds, &when);
		strftime(stamp->text, sizeof(stamp->text),
			stamp->rfc3164 ? rfc3164_format : "%Y-%m-%dT%H:%M:%S.000000+00:00", &when);
		stamp->second = second;
	}
	if (stamp->rfc3164)
		return;
	uint32_t us = (uint32_t)(now_ns % NS_PER_S / 1000);
	for (size_t i = strlen("2026-11-20T10:00:00.00000"); us > 0 || stamp->text[i] != '.';
		us /= 10)
		stamp->text[i--] = (char)('0' + us % 10);
}
