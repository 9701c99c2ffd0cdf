/* SPDX-License-Identifier: Apache-2.0 */
/* `logmill check`: the configuration is read already when this runs; compiles the rules and runs
 * their examples. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/rule_test.h"

int
command_check(const struct command_args *args)
{
	const struct settings *settings = args->settings;
	struct rule_test_result result = { 0, 0, 0, 0, BUF_EMPTY };
	struct err err = ERR_NONE;
	int code;

	if (!rule_test_run(settings, &result, &err)) {
		code = command_config_failed(&err);
	} else {
		fputs(buf_cstr(&result.report), stdout);
		printf("%zu listeners, %zu outputs, %zu rule files, %u rules: %u examples, %u "
		       "failed",
			settings->n_listens, settings->n_outputs, settings->n_rule_files,
			result.rules + result.untested, result.examples, result.failed);
		if (result.untested > 0)
			printf(" (%u rules have no example)", result.untested);
		putchar('\n');
		code = result.failed > 0 ? 1 : 0;
	}
	buf_fini(&result.report);
	err_fini(&err);
	return code;
}
