/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the load generator and the sink share. They use nothing of src/: a tool that checks the
 * server must not have the server's bugs.
 */
#pragma once

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define NS_PER_S INT64_C(1000000000)

enum { EXIT_USAGE = 2 };

/* Prints "PROGRAM: TEXT" and exits. */
_Noreturn void die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The whole text as a decimal number in [low, high]; else usage error naming the option. */
uint64_t number_option(const char *option, const char *text, uint64_t low, uint64_t high);

/* malloc/calloc/realloc that never return NULL. Zeroed. */
void *must_calloc(size_t n, size_t size);
void *must_realloc(void *old, size_t size);

/* "HOST:PORT" or "[HOST]:PORT"; dies when it does not resolve. Returns owned (freeaddrinfo). */
struct addrinfo *resolve(const char *host_port, int socktype, bool passive);

int64_t monotonic_ns(void);
int64_t realtime_ns(void);
double own_cpu_seconds(void);
