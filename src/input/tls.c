/* SPDX-License-Identifier: Apache-2.0 */
#include "input/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <stdio.h>
#include <stdlib.h>

/* struct tls_context is OpenSSL's SSL_CTX and struct tls its SSL under our names: no state of our
 * own. */

static SSL_CTX *
ctx_of(struct tls_context *context)
{
	return (SSL_CTX *)context;
}

static SSL *
ssl_of(struct tls *tls)
{
	return (SSL *)tls;
}

const char *
tls_error(void)
{
	static _Thread_local char text[256];
	unsigned long code, last = 0;

	while ((code = ERR_get_error()) !=
		0) /* the queue holds several, the last one is the nearest to the cause */
		last = code;
	if (last == 0)
		return "connection closed inside a record";
	const char *reason = ERR_reason_error_string(last);
	snprintf(text, sizeof(text), "%s", reason != NULL ? reason : "unknown TLS error");
	return text;
}

static bool
load_files(SSL_CTX *ctx, const struct listen_settings *settings, struct err *err)
{
	const char *name = settings->name;

	if (SSL_CTX_use_certificate_chain_file(ctx, settings->tls_cert) != 1)
		return err_add(err,
			"[listen %s] tls_cert %s: %s (PEM: the server's certificate, then its "
			"chain)",
			name, settings->tls_cert, tls_error());
	if (SSL_CTX_use_PrivateKey_file(ctx, settings->tls_key, SSL_FILETYPE_PEM) != 1)
		return err_add(err, "[listen %s] tls_key %s: %s (PEM, the key of tls_cert)", name,
			settings->tls_key, tls_error());
	if (SSL_CTX_check_private_key(ctx) != 1)
		return err_add(err, "[listen %s] tls_key %s: is not the key of %s", name,
			settings->tls_key, settings->tls_cert);
	if (settings->tls_ca == NULL)
		return true;
	if (SSL_CTX_load_verify_locations(ctx, settings->tls_ca, NULL) != 1)
		return err_add(err, "[listen %s] tls_ca %s: %s (PEM certificates)", name,
			settings->tls_ca, tls_error());
	SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(settings->tls_ca));
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return true;
}

struct tls_context *
tls_context_new(const struct listen_settings *settings, struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL) {
		err_add(err, "[listen %s] OpenSSL: %s", settings->name, tls_error());
		return NULL;
	}
	SSL_CTX_set_min_proto_version(
		ctx, settings->tls_min_version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
			SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* Without a context a client that resumes is refused when client certificates are asked
	 * for. */
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"logmill", 7);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	bool ok = load_files(ctx, settings, err);
	if (ok && settings->tls_ciphers != NULL &&
		SSL_CTX_set_cipher_list(ctx, settings->tls_ciphers) != 1)
		ok = err_add(err,
			"[listen %s] tls_ciphers: %s (OpenSSL's cipher list format, for TLS 1.2)",
			settings->name, tls_error());
	if (!ok) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return (struct tls_context *)ctx;
}

void
tls_context_free(struct tls_context **context)
{
	SSL_CTX_free(ctx_of(*context));
	*context = NULL;
}

struct tls *
tls_new(struct tls_context *context, int fd)
{
	SSL *ssl = SSL_new(ctx_of(context));

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		abort(); /* out of memory */
	SSL_set_accept_state(ssl);
	return (struct tls *)ssl;
}

void
tls_free(struct tls **tls)
{
	SSL_free(ssl_of(*tls));
	*tls = NULL;
}

static enum tls_status
status_of(SSL *ssl, int rc)
{
	switch (SSL_get_error(ssl, rc)) {
	case SSL_ERROR_WANT_READ: return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE: return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN: return TLS_EOF;
	default: return TLS_FAILED;
	}
}

enum tls_status
tls_handshake(struct tls *tls)
{
	ERR_clear_error();
	int rc = SSL_do_handshake(ssl_of(tls));
	return rc == 1 ? TLS_OK : status_of(ssl_of(tls), rc);
}

enum tls_status
tls_read(struct tls *tls, char *out, size_t size, size_t *got)
{
	ERR_clear_error();
	int rc = SSL_read_ex(ssl_of(tls), out, size, got);
	return rc == 1 ? TLS_OK : status_of(ssl_of(tls), rc);
}
