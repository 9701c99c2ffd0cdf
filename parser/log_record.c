/* SPDX-License-Identifier: Apache-2.0 */
/* The names that go with a record: severities, facilities, and what can be wrong with a message. */
#include "parser/log_record.h"

#include <assert.h>

const struct str log_severity_names[8] = {
	{ "emerg", 5 },
	{ "alert", 5 },
	{ "crit", 4 },
	{ "err", 3 },
	{ "warning", 7 },
	{ "notice", 6 },
	{ "info", 4 },
	{ "debug", 5 },
};

const struct str log_facility_names[24] = {
	{ "kern", 4 },
	{ "user", 4 },
	{ "mail", 4 },
	{ "daemon", 6 },
	{ "auth", 4 },
	{ "syslog", 6 },
	{ "lpr", 3 },
	{ "news", 4 },
	{ "uucp", 4 },
	{ "cron", 4 },
	{ "authpriv", 8 },
	{ "ftp", 3 },
	{ "ntp", 3 },
	{ "security", 8 },
	{ "console", 7 },
	{ "cron2", 5 },
	{ "local0", 6 },
	{ "local1", 6 },
	{ "local2", 6 },
	{ "local3", 6 },
	{ "local4", 6 },
	{ "local5", 6 },
	{ "local6", 6 },
	{ "local7", 6 },
};

static const struct {
	const char *name;
	const char *text;
} errors[LOG_ERR_COUNT] = {
#define X(id, name, text) { name, text },
	LOG_ERRORS(X)
#undef X
};

const char *
log_error_name(enum log_error error)
{
	assert(error < LOG_ERR_COUNT);
	return errors[error].name;
}

const char *
log_error_text(enum log_error error)
{
	assert(error < LOG_ERR_COUNT);
	return errors[error].text;
}
