/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery over TLS. A thread ends TLS in front of a server of few words and hands the bytes on, so
 * that what is checked is who is let in: the right authority, the right name, a client certificate.
 */
#include "output/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>

#include <poll.h>

#include "support/certificates.h"
#include "support/http_fault.h"
#include "support/log_capture.h"
#include "support/output_bed.h"

struct front {
	int fd, stop;
	unsigned port, inner_port;
	pthread_t thread;
	SSL_CTX *tls;
	_Atomic unsigned handshakes, refusals;
	char peer[64]; /* the client certificate's name; written before `handshakes` counts it */
};

struct stage {
	struct output_bed bed;
	struct fault_server server;
	struct front front;
	struct log_capture log;
	char paths[3][128];
};

static int
connect_inner(unsigned port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int failed = connect(fd, (struct sockaddr *)(void *)&sa, sizeof(sa));

	assert(failed == 0);
	(void)failed;
	return fd;
}

/* Bytes both ways until one side ends or the test does. */
static void
relay(struct front *front, SSL *tls)
{
	struct pollfd fds[] = { { .fd = front->stop, .events = POLLIN },
		{ .fd = SSL_get_fd(tls), .events = POLLIN },
		{ .fd = connect_inner(front->inner_port), .events = POLLIN } };
	char data[16384];
	int n = 1;

	while (n > 0) {
		if (SSL_pending(tls) == 0)
			poll(fds, 3, -1);
		if (fds[0].revents != 0)
			break;
		if (SSL_pending(tls) > 0 || fds[1].revents != 0) {
			n = SSL_read(tls, data, sizeof(data));
			if (n > 0)
				n = (int)send(fds[2].fd, data, (size_t)n, MSG_NOSIGNAL);
		} else if (fds[2].revents != 0) {
			n = (int)read(fds[2].fd, data, sizeof(data));
			if (n > 0)
				n = SSL_write(tls, data, n);
		}
	}
	close(fds[2].fd);
}

static void
serve(struct front *front, int fd)
{
	SSL *tls = SSL_new(front->tls);

	SSL_set_fd(tls, fd);
	if (SSL_accept(tls) == 1) {
		X509 *peer = SSL_get1_peer_certificate(tls);

		if (peer != NULL)
			X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName,
				front->peer, (int)sizeof(front->peer));
		X509_free(peer);
		atomic_fetch_add(&front->handshakes, 1);
		relay(front, tls);
	} else {
		atomic_fetch_add(&front->refusals, 1);
	}
	ERR_clear_error();
	SSL_free(tls);
	close(fd);
}

static void *
front_main(void *arg)
{
	struct front *front = arg;
	struct pollfd fds[] = { { .fd = front->stop, .events = POLLIN },
		{ .fd = front->fd, .events = POLLIN } };

	for (;;) {
		poll(fds, 2, -1);
		if (fds[0].revents != 0)
			return NULL;
		serve(front, accept4(front->fd, NULL, NULL, SOCK_CLOEXEC));
	}
}

static void
front_start(struct front *front, const char *dir, unsigned inner_port)
{
	char path[128];

	front->inner_port = inner_port;
	front->tls = SSL_CTX_new(TLS_server_method());
	assert_non_null(front->tls);
	SSL_CTX_set_mode(front->tls, SSL_MODE_NO_AUTO_CHAIN); /* sends its own certificate only */
	snprintf(path, sizeof(path), "%s/server.crt", dir);
	assert_int_equal(SSL_CTX_use_certificate_file(front->tls, path, SSL_FILETYPE_PEM), 1);
	snprintf(path, sizeof(path), "%s/server.key", dir);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(front->tls, path, SSL_FILETYPE_PEM), 1);
	snprintf(path, sizeof(path), "%s/ca.crt", dir);
	assert_int_equal(SSL_CTX_load_verify_locations(front->tls, path, NULL), 1);
	front->stop = eventfd(0, EFD_CLOEXEC);
	front->fd = fault_listen(&front->port);
}

static void
front_stop(struct front *front)
{
	uint64_t one = 1;

	(void)!write(front->stop, &one, sizeof(one));
	if (front->thread != 0)
		pthread_join(front->thread, NULL);
	close(front->fd);
	close(front->stop);
	SSL_CTX_free(front->tls);
}

static void
accept_all(void *ctx, const struct fault_request *request, struct fault_answer *answer)
{
	(void)ctx;
	(void)request;
	(void)answer; /* 204 */
}

/* An authority, a stranger, the server's certificate for 127.0.0.1, a client's of either. */
static void
make_certificates(const char *dir)
{
	cert_make_authority(dir, "ca");
	cert_make_authority(dir, "stranger");
	cert_make(dir, "server", "ca", "IP:127.0.0.1");
	cert_make(dir, "client", "ca", "DNS:client.test");
	cert_make(dir, "unknown", "stranger", "DNS:client.test");
}

static int
set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	log_capture_start(&stage->log);
	bed_init(&stage->bed);
	diag_set_level(DIAG_INFO);
	make_certificates(stage->bed.dir);
	fault_start(&stage->server, accept_all, NULL);
	front_start(&stage->front, stage->bed.dir, stage->server.port);
	stage->bed.settings.connections = 1;
	*state = stage;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *stage = *state;

	bed_close(&stage->bed); /* its connection ends the relay */
	front_stop(&stage->front);
	fault_stop(&stage->server);
	stage->bed.disk = disk_start(); /* for bed_fini to stop */
	bed_fini(&stage->bed);
	log_capture_stop(&stage->log);
	free(stage);
	return 0;
}

static char *
file_of(struct stage *stage, size_t i, const char *name)
{
	snprintf(stage->paths[i], sizeof(stage->paths[i]), "%s/%s", stage->bed.dir, name);
	return stage->paths[i];
}

/* host: as the URL names the server. */
static void
open_output(struct stage *stage, const char *host)
{
	char url[64];

	if (stage->front.thread == 0)
		assert_int_equal(
			pthread_create(&stage->front.thread, NULL, front_main, &stage->front), 0);
	snprintf(url, sizeof(url), "https://%s:%u", host, stage->front.port);
	free(stage->bed.urls[0]);
	stage->bed.urls[0] = strdup(url);
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 100);
}

static void
assert_delivered(struct stage *stage)
{
	bed_run_idle(&stage->bed);
	assert_int_equal(bed_state(&stage->bed).counts[0].written, 100);
	assert_true(bed_state(&stage->bed).healthy);
	assert_int_equal(stage->front.handshakes, 1);
	pthread_mutex_lock(&stage->server.lock);
	assert_int_equal(strncmp(buf_cstr(&stage->server.stored), "m n=0i 1\nm n=1i 2\n", 18), 0);
	pthread_mutex_unlock(&stage->server.lock);
	assert_int_equal(log_capture_count(&stage->log, "delivery_failed"), 0);
}

/* Kept, unhealthy, said once and why; not a byte has gone to the server. */
static void
assert_refused(struct stage *stage, const char *error)
{
	char line[256];

	bed_run_failed(&stage->bed, 2);
	struct output_state s = bed_state(&stage->bed);
	assert_int_equal(s.counts[0].queued, 100);
	assert_int_equal(s.counts[0].written, 0);
	assert_false(s.healthy);
	assert_string_equal(s.problem, "no_answer");
	assert_int_equal(stage->server.requests, 0);
	snprintf(line, sizeof(line),
		"level=warn event=delivery_failed output=main status=0 reason=no_answer "
		"error=\"%s",
		error);
	assert_int_equal(log_capture_count(&stage->log, line), 1);
	assert_int_equal(log_capture_count(&stage->log, "delivery_failed"), 1);
}

static void
test_right_authority(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.tls_ca = file_of(stage, 0, "ca.crt");
	open_output(stage, "127.0.0.1");
	assert_delivered(stage);
}

static void
test_wrong_authority(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.tls_ca = file_of(stage, 0, "stranger.crt");
	open_output(stage, "127.0.0.1");
	assert_refused(stage, "SSL certificate problem: unable to get local issuer certificate\"");
}

/* The system's authorities do not know it either. */
static void
test_no_authority(void **state)
{
	struct stage *stage = *state;

	open_output(stage, "127.0.0.1");
	assert_refused(stage, "SSL certificate problem: unable to get local issuer certificate\"");
}

static void
test_wrong_name(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.tls_ca = file_of(stage, 0, "ca.crt");
	open_output(stage, "localhost");
	assert_refused(stage,
		"SSL: no alternative certificate subject name matches target host name "
		"'localhost'\"");
}

static void
test_not_verified(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.tls_ca = file_of(stage, 0, "stranger.crt");
	stage->bed.settings.tls_verify = false;
	open_output(stage, "localhost");
	assert_delivered(stage);
}

static void
require_client_certificate(struct stage *stage)
{
	SSL_CTX_set_verify(
		stage->front.tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_max_proto_version(
		stage->front.tls, TLS1_2_VERSION); /* refused in the handshake, not after it */
	stage->bed.settings.tls_ca = file_of(stage, 0, "ca.crt");
}

static void
test_client_certificate(void **state)
{
	struct stage *stage = *state;

	require_client_certificate(stage);
	stage->bed.settings.tls_cert = file_of(stage, 1, "client.crt");
	stage->bed.settings.tls_key = file_of(stage, 2, "client.key");
	open_output(stage, "127.0.0.1");
	assert_delivered(stage);
	assert_string_equal(stage->front.peer, "client");
}

static void
test_wrong_client_certificate(void **state)
{
	struct stage *stage = *state;

	require_client_certificate(stage);
	stage->bed.settings.tls_cert = file_of(stage, 1, "unknown.crt");
	stage->bed.settings.tls_key = file_of(stage, 2, "unknown.key");
	open_output(stage, "127.0.0.1");
	assert_refused(stage, "");
	assert_int_equal(log_capture_count(&stage->log, "alert unknown ca\""), 1);
	assert_int_equal(stage->front.handshakes, 0);
	/* The client has seen its refusals before the server's thread has counted them. */
	for (int i = 0; i < 500 && atomic_load(&stage->front.refusals) < 2; i++)
		poll(NULL, 0, 10);
	assert_true(stage->front.refusals >= 2);
}

static void
test_no_client_certificate(void **state)
{
	struct stage *stage = *state;

	require_client_certificate(stage);
	open_output(stage, "127.0.0.1");
	assert_refused(stage, "");
	assert_int_equal(log_capture_count(&stage->log, "alert handshake failure\""), 1);
	assert_int_equal(stage->front.handshakes, 0);
}

int
main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(test_right_authority),
		STORY(test_wrong_authority),
		STORY(test_no_authority),
		STORY(test_wrong_name),
		STORY(test_not_verified),
		STORY(test_client_certificate),
		STORY(test_wrong_client_certificate),
		STORY(test_no_client_certificate),
	};

	signal(SIGPIPE, SIG_IGN); /* as the program does: OpenSSL writes to closed connections */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
