/* SPDX-License-Identifier: Apache-2.0 */
/* `logmill serve` and `logmill options`: thin wrappers. */
#include <stdio.h>

#include "base/diag.h"
#include "cli/commands.h"
#include "cli/rule_test.h"
#include "server/server.h"

static int
say_errors(struct err *err, const char *where)
{
	fputs(buf_cstr(&err->text), stderr);
	fprintf(stderr, "%u error%s %s\n", err->count, err->count == 1 ? "" : "s", where);
	return 2;
}

int
command_config_failed(struct err *err)
{
	return say_errors(err, "in the configuration");
}

/* A rule whose own examples fail would count wrongly: it does not get to run. */
static bool
examples_hold(const struct settings *settings, struct err *err)
{
	struct rule_test_result result = { 0, 0, 0, 0, BUF_EMPTY };
	bool ok = rule_test_run(settings, &result, err);

	if (ok && result.failed > 0) {
		fputs(buf_cstr(&result.report), stderr);
		ok = err_add(err, "%u failed in %u rule examples; `logmill check` shows the same",
			result.failed, result.examples);
	}
	buf_fini(&result.report);
	return ok;
}

int
command_serve(const struct command_args *args)
{
	struct err err = ERR_NONE;
	const char *where = "in the configuration";
	int code = 2;

	if (args->settings->n_listens == 0)
		err_add(&err,
			"no [listen NAME] section: add one, such as\n    [listen syslog]\n    "
			"address = tcp://:6514");
	if (examples_hold(args->settings, &err) && err.count == 0) {
		where = "at the start"; /* a port that is taken: the configuration is right */
		code = server_run(args->settings, &err);
	}
	if (err.count > 0)
		code = say_errors(&err, where);
	err_fini(&err);
	return code;
}

int
command_options(const struct command_args *args)
{
	struct buf out = BUF_EMPTY;

	(void)args;
	options_print(&out);
	fwrite(out.ptr, 1, out.len, stdout);
	buf_fini(&out);
	return fflush(stdout) == 0 ? 0 : 2;
}
