/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logmill_sink: an InfluxDB that stores nothing and counts everything: which messages came, how
 * often, and what the rules counted. Cheap, because it shares the machine with what is measured;
 * can misbehave on request.
 */
#include <getopt.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "sink_server.h"
#include "util.h"

static const char usage[] =
	"usage: logmill_sink [OPTION]...\n"
	"\n"
	"Answers POST /write and /api/v2/write with 204, /query with an empty result, /ping with "
	"204.\n"
	"Prints `listening HOST:PORT`, and what it has counted as JSON at its end (SIGTERM, "
	"SIGINT), at\n"
	"SIGUSR1 and in answer to GET /stats. Compressed bodies are refused with 415.\n"
	"\n"
	"  --listen HOST:PORT    default 127.0.0.1:0; port 0 = any free one\n"
	"  --messages N          look for seq=00000000 to N-1 in points of the measurement "
	"`syslog`,\n"
	"                        report missing and repeated ones (default 0: do not look)\n"
	"  --identity            tell apart messages repeated as the same point (seq_same_point: "
	"harmless)\n"
	"                        and different messages on one point (seq_merged: one is lost)\n"
	"  --delay-ms N          wait that long before each answer (default 0)\n"
	"  --fail KIND:FOR@FROM  misbehave FROM the start on, FOR a time (`3s`, `250ms`); may be "
	"repeated\n"
	"                          503, 429, ... answer that status, store nothing (429: "
	"Retry-After: 1)\n"
	"                          hang           never answer, store nothing\n"
	"                          reset          store, reset the connection in mid-answer\n"
	"                          slow           store, answer 1 s later\n"
	"  --help                print this\n";

enum { OPT_LISTEN = 256, OPT_MESSAGES, OPT_IDENTITY, OPT_DELAY, OPT_FAIL, OPT_HELP };

static const struct option long_options[] = {
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "messages", required_argument, NULL, OPT_MESSAGES },
	{ "identity", no_argument, NULL, OPT_IDENTITY },
	{ "delay-ms", required_argument, NULL, OPT_DELAY },
	{ "fail", required_argument, NULL, OPT_FAIL },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static void
add_fault(struct server_settings *settings, const char *text)
{
	if (settings->n_faults == SERVER_MAX_FAULTS)
		die(EXIT_USAGE, "--fail: at most %d", SERVER_MAX_FAULTS);
	if (!fault_parse(text, &settings->faults[settings->n_faults++]))
		die(EXIT_USAGE, "--fail %s: must be KIND:FOR@FROM, see --help", text);
}

int
main(int argc, char **argv)
{
	struct server_settings settings = { 0 };
	const char *listen_on = "127.0.0.1:0";
	uint64_t messages = 0;
	bool identity = false;
	int option, index = 0;

	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		const char *name = long_options[index].name;

		switch (option) {
		case OPT_LISTEN: listen_on = optarg; break;
		case OPT_MESSAGES: messages = number_option(name, optarg, 0, 100000000); break;
		case OPT_IDENTITY: identity = true; break;
		case OPT_DELAY:
			settings.delay_ns = (int64_t)number_option(name, optarg, 0, 3600000) *
				1000000;
			break;
		case OPT_FAIL: add_fault(&settings, optarg); break;
		case OPT_HELP: fputs(usage, stdout); return EXIT_SUCCESS;
		default: return EXIT_USAGE; /* getopt has said why */
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	struct addrinfo *address = resolve(listen_on, SOCK_STREAM, true);
	settings.address = address;
	settings.points = points_new(messages, identity);
	server_run(&settings);
	points_free(&settings.points);
	freeaddrinfo(address);
	return EXIT_SUCCESS;
}
