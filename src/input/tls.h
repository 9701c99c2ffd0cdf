/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS for incoming connections (RFC 5425), OpenSSL behind this file. Made for rsyslog, which looks
 * at the bare TCP socket to see whether we are gone: no session tickets, and a close is a bare FIN,
 * never a close_notify.
 */
#pragma once

#include "base/err.h"
#include "config/settings.h"

struct tls_context; /* one per listener: certificate, key, what is demanded of clients; shared by
		       all workers */
struct tls;         /* one per connection */

enum tls_status { TLS_OK, TLS_WANT_READ, TLS_WANT_WRITE, TLS_EOF, TLS_FAILED };

/* NULL with the reason in err. */
struct tls_context *tls_context_new(const struct listen_settings *settings, struct err *err);
void tls_context_free(struct tls_context **context);

/* The server side of a connection; borrows fd. */
struct tls *tls_new(struct tls_context *context, int fd);
void tls_free(struct tls **tls); /* sends nothing */

enum tls_status tls_handshake(struct tls *tls);
/* Reads at most size bytes; *got is set with TLS_OK. */
enum tls_status tls_read(struct tls *tls, char *out, size_t size, size_t *got);

/* After TLS_FAILED: what OpenSSL says, for the log. Valid until the next call of this thread. */
const char *tls_error(void);
