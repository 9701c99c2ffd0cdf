/* SPDX-License-Identifier: Apache-2.0 */
#include "util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

void
die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(status);
}

uint64_t
number_option(const char *option, const char *text, uint64_t low, uint64_t high)
{
	char *end = NULL;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < low ||
		value > high)
		die(EXIT_USAGE, "--%s %s: must be a number from %llu to %llu", option, text,
			(unsigned long long)low, (unsigned long long)high);
	return value;
}

void *
must_calloc(size_t n, size_t size)
{
	void *memory = calloc(n, size);

	if (memory == NULL)
		die(EXIT_FAILURE, "out of memory (%zu bytes)", n * size);
	return memory;
}

void *
must_realloc(void *old, size_t size)
{
	void *memory = realloc(old, size);

	if (memory == NULL)
		die(EXIT_FAILURE, "out of memory (%zu bytes)", size);
	return memory;
}

struct addrinfo *
resolve(const char *host_port, int socktype, bool passive)
{
	char host[256];
	const char *colon = strrchr(host_port, ':');
	size_t len = colon != NULL ? (size_t)(colon - host_port) : 0;
	struct addrinfo hints = { .ai_socktype = socktype, .ai_flags = passive ? AI_PASSIVE : 0 };
	struct addrinfo *address = NULL;

	if (len == 0 || len >= sizeof(host) || colon[1] == '\0')
		die(EXIT_USAGE, "%s: must be HOST:PORT", host_port);
	if (host_port[0] == '[' && host_port[len - 1] == ']') {
		host_port++;
		len -= 2;
	}
	memcpy(host, host_port, len);
	host[len] = '\0';
	int error = getaddrinfo(host, colon + 1, &hints, &address);
	if (error != 0)
		die(EXIT_USAGE, "%s: %s", host_port, gai_strerror(error));
	return address;
}

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t
monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t
realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

double
own_cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
