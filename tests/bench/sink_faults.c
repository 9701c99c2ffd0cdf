/* SPDX-License-Identifier: Apache-2.0 */
#include "sink_faults.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

static const struct {
	const char *name;
	enum fault_action action;
} actions[] = {
	{ "hang", FAULT_HANG },
	{ "reset", FAULT_RESET },
	{ "slow", FAULT_SLOW },
};

/* Reads `3s` or `250ms`, which must be followed by `stop`. Returns what follows it, or NULL. */
static const char *
read_duration(const char *text, char stop, int64_t *ns)
{
	char *unit = NULL;
	unsigned long value = strtoul(text, &unit, 10);
	size_t len = strncmp(unit, "ms", 2) == 0 ? 2 : 1;

	if (*text < '0' || *text > '9' || value > 86400000 || (len == 1 && *unit != 's') ||
		unit[len] != stop)
		return NULL;
	*ns = (int64_t)value * (len == 2 ? 1000000 : NS_PER_S);
	return unit + len + (stop != '\0');
}

bool
fault_parse(const char *text, struct fault *fault)
{
	const char *colon = strchr(text, ':');
	int64_t duration_ns = 0;

	*fault = (struct fault){ 0 };
	if (colon == NULL)
		return false;
	size_t len = (size_t)(colon - text);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strlen(actions[i].name) == len && memcmp(actions[i].name, text, len) == 0)
			fault->action = actions[i].action;
	if (len == 3 && strspn(text, "0123456789") == 3 && text[0] >= '2' && text[0] <= '5') {
		fault->action = FAULT_STATUS;
		fault->status = atoi(text);
	}
	const char *start = read_duration(colon + 1, '@', &duration_ns);
	if (start == NULL || read_duration(start, '\0', &fault->from_ns) == NULL)
		return false;
	fault->until_ns = fault->from_ns + duration_ns;
	return fault->action != FAULT_NONE;
}
