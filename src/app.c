/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"

#include <getopt.h>
#include <stdio.h>

#include "base/diag.h"
#include "cli/commands.h"
#include "match/ruleset.h"

static const char default_config[] = "/etc/logmill/logmill.ini";

static const char usage[] =
	"logmill - logs to metrics: receives syslog, counts what rules say, writes both to "
	"InfluxDB\n"
	"\n"
	"Usage:\n"
	"  logmill serve   [-c FILE]              run the server in the foreground; logs to "
	"stderr\n"
	"  logmill check   [-c FILE]              check the configuration and run every rule's "
	"examples\n"
	"  logmill explain [-c FILE] 'LINE'       show how a line is parsed and what each rule "
	"makes of it\n"
	"  logmill replay  [-c FILE] [--write] [LOGFILE...]\n"
	"                                         run log files (or standard input) through the "
	"same pipeline with\n"
	"                                         message time as clock; print line protocol, or "
	"--write it to the\n"
	"                                         configured outputs\n"
	"  logmill options                        list every configuration option\n"
	"\n"
	"Options:\n"
	"  -c, --config FILE   configuration file (default: /etc/logmill/logmill.ini)\n"
	"  -w, --write         replay: send to the configured outputs instead of standard output\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version\n"
	"\n"
	"Exit codes: 0 done, 1 a rule's example failed or points were lost, 2 wrong configuration "
	"or usage.\n"
	"Start with conf/quickstart.ini; docs/configuration.md and docs/rules.md explain the "
	"rest.\n";

static const struct command {
	const char *name;
	int (*run)(const struct command_args *args);
	bool needs_config;
	size_t min_words, max_words;
} commands[] = {
	{ "serve", command_serve, true, 0, 0 },
	{ "check", command_check, true, 0, 0 },
	{ "explain", command_explain, true, 1, 1 },
	{ "replay", command_replay, true, 0, SIZE_MAX },
	{ "options", command_options, false, 0, 0 },
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
misused(const char *text, const char *what)
{
	fprintf(stderr, "logmill: %s%s%s (see logmill --help)\n", text, what != NULL ? ": " : "",
		what != NULL ? what : "");
	return 2;
}

static int
run_with_config(const struct command *command, const char *config, struct command_args *args)
{
	struct settings settings;
	struct err err = ERR_NONE;
	int code;

	if (settings_read(&settings, config, &err)) {
		diag_set_level((enum diag_level)settings.log_level);
		args->settings = &settings;
		code = command->run(args);
	} else {
		struct ruleset *rules = ruleset_new(
			&settings, &err); /* for its errors: all are shown at once */

		if (rules != NULL)
			ruleset_unref(&rules);
		code = command_config_failed(&err);
	}
	settings_fini(&settings);
	err_fini(&err);
	return code;
}

int
app_main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "write", no_argument, NULL, 'w' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 } };
	struct command_args args = { .write = false };
	const char *config = default_config;

	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, ":c:whV", options, NULL)) != -1;) {
		switch (option) {
		case 'c': config = optarg; break;
		case 'w': args.write = true; break;
		case 'h': return fputs(usage, stdout) < 0;
		case 'V': return puts("logmill " LOGMILL_VERSION) < 0;
		case ':': return misused("this option needs a value", argv[optind - 1]);
		default: return misused("unknown option", argv[optind - 1]);
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	const struct command *command = find_command(argv[optind]);
	if (command == NULL)
		return misused("unknown command", argv[optind]);
	args.words = argv + optind + 1;
	args.n_words = (size_t)(argc - optind - 1);
	if (args.n_words < command->min_words)
		return misused("explain needs the line to explain, in quotes", NULL);
	if (args.n_words > command->max_words)
		return misused("too many arguments (the configuration goes behind -c)",
			args.words[command->max_words]);
	if (args.write && strcmp(command->name, "replay") != 0)
		return misused("--write is for replay", NULL);
	return command->needs_config ? run_with_config(command, config, &args)
				     : command->run(&args);
}
