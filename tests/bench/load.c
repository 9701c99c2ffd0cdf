/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logmill_load: sends a known number of realistic syslog messages and prints what it sent, by kind,
 * so that a test can ask for exact counts. Bodies are rendered before the first message goes out:
 * it costs a fraction of any receiver.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "send.h"
#include "util.h"

static const char usage[] =
	"usage: logmill_load (--tcp | --udp) HOST:PORT [OPTION]...\n"
	"\n"
	"Sends generated syslog messages, then prints as JSON what was sent. Every message ends "
	"in\n"
	"` conn=CCCC seq=NNNNNNNN`: its connection and its number, counted from 0.\n"
	"\n"
	"  --tcp HOST:PORT       send over TCP\n"
	"  --udp HOST:PORT       send over UDP, one message a datagram\n"
	"  --connections N       connections, or UDP source ports (default 1, at most 1000);\n"
	"                        message n goes over connection n modulo N\n"
	"  --messages N          messages in all (default 100000, at most 100000000)\n"
	"  --rate N              messages a second in all; 0 = as fast as they are taken (default "
	"0)\n"
	"  --framing octet|lf    TCP: RFC 6587 octet counting or a line feed after each (default "
	"octet)\n"
	"  --format FORMAT       5424 (default), forward (RSYSLOG_ForwardFormat: RFC 3164 with an\n"
	"                        RFC 3339 stamp) or 3164\n"
	"  --stamp live|second   each message the microsecond it is made in (default), or all "
	"messages\n"
	"                        the second the program started in\n"
	"  --stamp-at RFC3339    all messages this very stamp\n"
	"  --size BYTES          fill each message up to BYTES, framing not counted; a longer one "
	"stays\n"
	"                        as it is (default 0: natural length, about 250; at most 1048576, "
	"UDP 65000)\n"
	"  --timeout SECONDS     give up after that time (default 120)\n"
	"  --help                print this\n"
	"\n"
	"Kinds are named like the rules of rules10.ini that match them; `other` matches none.\n"
	"Exit code: 0 everything sent and every TCP connection closed by both sides, 1 not so, 2 "
	"usage.\n";

struct options {
	const char *target, *stamp_at;
	int socktype; /* 0 = not said */
	enum message_framing framing;
	enum message_format format;
	enum stamp_mode stamp;
	uint64_t messages, rate, size, timeout_s;
	uint32_t connections;
};

enum {
	OPT_TCP = 256,
	OPT_UDP,
	OPT_CONNECTIONS,
	OPT_MESSAGES,
	OPT_RATE,
	OPT_FRAMING,
	OPT_FORMAT,
	OPT_STAMP,
	OPT_STAMP_AT,
	OPT_SIZE,
	OPT_TIMEOUT,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "tcp", required_argument, NULL, OPT_TCP },
	{ "udp", required_argument, NULL, OPT_UDP },
	{ "connections", required_argument, NULL, OPT_CONNECTIONS },
	{ "messages", required_argument, NULL, OPT_MESSAGES },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "framing", required_argument, NULL, OPT_FRAMING },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "stamp", required_argument, NULL, OPT_STAMP },
	{ "stamp-at", required_argument, NULL, OPT_STAMP_AT },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* The position of text in a NULL-terminated list of words. */
static unsigned
word_option(const char *option, const char *text, const char *const *words)
{
	for (unsigned i = 0; words[i] != NULL; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	die(EXIT_USAGE, "--%s %s: not one of its words, see --help", option, text);
}

static void
set_option(struct options *options, int option, const char *name, const char *text)
{
	static const char *const framings[] = { "octet", "lf", NULL };
	static const char *const formats[] = { "5424", "forward", "3164", NULL };
	static const char *const stamps[] = { "live", "second", NULL };

	switch (option) {
	case OPT_TCP:
	case OPT_UDP:
		if (options->socktype != 0)
			die(EXIT_USAGE, "--tcp or --udp, once");
		options->socktype = option == OPT_TCP ? SOCK_STREAM : SOCK_DGRAM;
		options->target = text;
		break;
	case OPT_CONNECTIONS:
		options->connections = (uint32_t)number_option(name, text, 1, SEND_MAX_CONNECTIONS);
		break;
	case OPT_MESSAGES:
		options->messages = number_option(name, text, 1, CORPUS_MAX_MESSAGES);
		break;
	case OPT_RATE: options->rate = number_option(name, text, 0, 1000000000); break;
	case OPT_FRAMING: options->framing = word_option(name, text, framings); break;
	case OPT_FORMAT: options->format = word_option(name, text, formats); break;
	case OPT_STAMP: options->stamp = word_option(name, text, stamps); break;
	case OPT_STAMP_AT:
		options->stamp = STAMP_AT;
		options->stamp_at = text;
		break;
	case OPT_SIZE: options->size = number_option(name, text, 0, CORPUS_MAX_SIZE); break;
	case OPT_TIMEOUT: options->timeout_s = number_option(name, text, 1, 86400); break;
	case OPT_HELP: fputs(usage, stdout); exit(0);
	default: exit(EXIT_USAGE); /* getopt has said why */
	}
}

static struct options
read_options(int argc, char **argv)
{
	struct options options = { .connections = 1, .messages = 100000, .timeout_s = 120 };
	int option, index = 0;

	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1)
		set_option(&options, option, long_options[index].name, optarg);
	if (options.target == NULL || optind != argc) {
		fputs(usage, stderr);
		exit(EXIT_USAGE);
	}
	if (options.socktype == SOCK_DGRAM) {
		options.framing = FRAMING_NONE;
		if (options.size > 65000)
			die(EXIT_USAGE, "--size: a datagram has room for 65000 bytes");
	}
	return options;
}

static void
print_result(const struct send_result *result)
{
	printf("{\n  \"messages\": %" PRIu64 ",\n  \"bytes\": %" PRIu64 ",\n", result->messages,
		result->bytes);
	printf("  \"started_ns\": %" PRId64 ",\n  \"ended_ns\": %" PRId64 ",\n", result->started_ns,
		result->ended_ns);
	printf("  \"closed_ns\": %" PRId64 ",\n", result->closed_ns);
	printf("  \"seconds\": %.6f,\n",
		(double)(result->ended_ns - result->started_ns) / (double)NS_PER_S);
	printf("  \"cpu_seconds\": %.6f,\n  \"clean_closes\": %" PRIu32 ",\n  \"kinds\": {",
		own_cpu_seconds(), result->clean_closes);
	for (int kind = 0; kind < KIND_N; kind++)
		printf("%s\n    \"%s\": %" PRIu64, kind > 0 ? "," : "", kind_names[kind],
			result->kinds[kind]);
	printf("\n  }\n}\n");
}

int
main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	int64_t deadline_ns = monotonic_ns() + (int64_t)options.timeout_s * NS_PER_S;
	struct corpus *corpus = must_calloc(1, sizeof(*corpus));
	struct send_result result;
	struct stamp stamp;

	if (!stamp_init(&stamp, options.stamp, options.stamp_at, options.format == FORMAT_3164,
		    realtime_ns()))
		die(EXIT_USAGE, "--stamp-at %s: not an RFC 3339 time stamp", options.stamp_at);
	corpus_init(corpus, options.format, options.framing, options.size, &stamp);
	struct addrinfo *address = resolve(options.target, options.socktype, false);
	struct send_plan plan = {
		.address = address,
		.corpus = corpus,
		.messages = options.messages,
		.rate = options.rate,
		.connections = options.connections,
		.deadline_ns = deadline_ns,
	};
	send_run(&plan, &stamp, &result);
	print_result(&result);
	freeaddrinfo(address);
	corpus_fini(corpus);
	free(corpus);
	if (result.error == NULL)
		return EXIT_SUCCESS;
	fprintf(stderr, "logmill_load: %s: %s\n", options.target, result.error);
	return EXIT_FAILURE;
}
