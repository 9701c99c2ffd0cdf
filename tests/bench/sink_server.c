/* SPDX-License-Identifier: Apache-2.0 */
#include "sink_server.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sink_http.h"
#include "util.h"

enum { MAX_CLIENTS = 512, BUFFER = 256 * 1024, MAX_EVENTS = 64 };

struct client {
	int fd;
	char *data;
	size_t len, capacity;
	bool said_continue; /* for the request being read */

	/* The answer that waits for its time; NULL when requests are read. */
	char *answer;
	size_t answer_len;
	int64_t answer_at; /* monotonic ns; INT64_MAX = never */
	bool close;        /* after the answer */
};

struct server {
	const struct server_settings *settings;
	int epoll, listener, signals;
	int64_t start_ns; /* monotonic */
	struct client *clients[MAX_CLIENTS];
	uint64_t requests, writes, faulted, bytes;
	int64_t first_write_ns, last_write_ns; /* CLOCK_REALTIME */
};

static void
print_stats(const struct server *server, FILE *out)
{
	fprintf(out, "{\n  \"requests\": %" PRIu64 ",\n  \"writes\": %" PRIu64 ",\n",
		server->requests, server->writes);
	fprintf(out, "  \"faulted\": %" PRIu64 ",\n  \"bytes\": %" PRIu64 ",\n", server->faulted,
		server->bytes);
	fprintf(out, "  \"first_write_ns\": %" PRId64 ",\n  \"last_write_ns\": %" PRId64 ",\n",
		server->first_write_ns, server->last_write_ns);
	fprintf(out, "  \"cpu_seconds\": %.6f,\n", own_cpu_seconds());
	points_print(server->settings->points, out);
	fprintf(out, "\n}\n");
	fflush(out);
}

static void
client_free(struct server *server, struct client *client)
{
	for (size_t i = 0; i < MAX_CLIENTS; i++)
		if (server->clients[i] == client)
			server->clients[i] = NULL;
	close(client->fd);
	free(client->data);
	free(client->answer);
	free(client);
}

static void
watch(struct server *server, struct client *client, int operation, bool reading)
{
	struct epoll_event event = { .events = EPOLLRDHUP | (reading ? EPOLLIN : 0),
		.data.ptr = client };

	if (epoll_ctl(server->epoll, operation, client->fd, &event) != 0)
		die(EXIT_FAILURE, "epoll_ctl: %s", strerror(errno));
}

static void
accept_client(struct server *server)
{
	size_t i = 0;
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	while (i < MAX_CLIENTS && server->clients[i] != NULL)
		i++;
	if (fd < 0)
		return;
	if (i == MAX_CLIENTS) {
		close(fd);
		return;
	}
	struct client *client = must_calloc(1, sizeof(*client));
	client->fd = fd;
	client->capacity = BUFFER;
	client->data = must_realloc(NULL, client->capacity);
	server->clients[i] = client;
	watch(server, client, EPOLL_CTL_ADD, true);
}

static bool
send_all(const struct client *client, const char *text, size_t len)
{
	return send(client->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static const char *
reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 204: return "No Content";
	case 429: return "Too Many Requests";
	case 503: return "Service Unavailable";
	default: return "Status";
	}
}

/* An answer without a body (204) or with JSON; body is borrowed. */
static void
set_answer(struct client *client, int status, const char *body)
{
	FILE *out = open_memstream(&client->answer, &client->answer_len);

	if (out == NULL)
		die(EXIT_FAILURE, "out of memory");
	fprintf(out, "HTTP/1.1 %d %s\r\nX-Influxdb-Version: 1.6.7\r\n", status, reason(status));
	if (status == 429)
		fprintf(out, "Retry-After: 1\r\n");
	if (client->close)
		fprintf(out, "Connection: close\r\n");
	if (status != 204)
		fprintf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			strlen(body));
	fprintf(out, "\r\n%s", status != 204 ? body : "");
	fclose(out);
	client->answer_at = 0;
}

static struct fault
current_fault(const struct server *server)
{
	int64_t since_ns = monotonic_ns() - server->start_ns;

	for (size_t i = 0; i < server->settings->n_faults; i++) {
		const struct fault *fault = &server->settings->faults[i];

		if (since_ns >= fault->from_ns && since_ns < fault->until_ns)
			return *fault;
	}
	return (struct fault){ .action = FAULT_NONE };
}

static void
store(struct server *server, const struct http_request *request)
{
	server->last_write_ns = realtime_ns();
	if (server->writes++ == 0)
		server->first_write_ns = server->last_write_ns;
	server->bytes += request->body_len;
	points_add(server->settings->points, request->body, request->body_len);
}

static void
answer_stats(const struct server *server, struct client *client)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		die(EXIT_FAILURE, "out of memory");
	print_stats(server, out);
	fclose(out);
	set_answer(client, 200, text);
	free(text);
}

static bool
is_route(const struct http_request *request, const char *method, const char *path)
{
	return strcmp(request->method, method) == 0 && strcmp(request->path, path) == 0;
}

static void
handle(struct server *server, struct client *client, const struct http_request *request)
{
	struct fault fault = current_fault(server);
	bool write = is_route(request, "POST", "/write") ||
		is_route(request, "POST", "/api/v2/write");

	client->close = request->close;
	if (is_route(request, "GET", "/stats")) {
		answer_stats(server, client);
		return;
	}
	server->requests++;
	server->faulted += fault.action != FAULT_NONE;
	if (write && fault.action != FAULT_STATUS && fault.action != FAULT_HANG)
		store(server, request);
	if (fault.action == FAULT_STATUS)
		set_answer(client, fault.status, "{\"error\":\"fault asked for\"}\n");
	else if (write || strcmp(request->path, "/ping") == 0)
		set_answer(client, 204, "");
	else if (strcmp(request->path, "/query") == 0)
		set_answer(client, 200, "{\"results\":[{\"statement_id\":0}]}\n");
	else
		set_answer(client, 404, "{\"error\":\"not found\"}\n");
	if (fault.action == FAULT_HANG) {
		client->answer_at = INT64_MAX;
		return;
	}
	int64_t delay_ns = server->settings->delay_ns;
	if (fault.action == FAULT_SLOW)
		delay_ns += (int64_t)FAULT_SLOW_MS * 1000000;
	if (delay_ns > 0)
		client->answer_at = monotonic_ns() + delay_ns;
	if (fault.action == FAULT_RESET) {
		struct linger now = { .l_onoff = 1 };

		client->answer_len /= 2;
		client->close = true;
		setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	}
}

/* False when the client is gone. */
static bool
give_answer(struct server *server, struct client *client)
{
	bool sent = send_all(client, client->answer, client->answer_len);

	free(client->answer);
	client->answer = NULL;
	if (sent && !client->close)
		return true;
	client_free(server, client);
	return false;
}

static void
make_room(struct client *client, size_t need)
{
	if (need <= client->capacity)
		return;
	while (client->capacity < need)
		client->capacity *= 2;
	client->data = must_realloc(client->data, client->capacity);
}

/* Handles the requests that have arrived, up to one whose answer has to wait. False when the client
 * is gone. */
static bool
handle_requests(struct server *server, struct client *client)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct http_request request;

	while (client->answer == NULL && client->len > 0) {
		enum http_result result = http_parse(client->data, client->len, &request);

		if (result == HTTP_MORE) {
			if (request.wants_continue && !client->said_continue) {
				client->said_continue = true;
				send_all(client, go_on, sizeof(go_on) - 1);
			}
			make_room(client, request.need);
			return true;
		}
		if (result == HTTP_BAD) {
			client->close = true;
			set_answer(client, request.status, "{\"error\":\"bad request\"}\n");
			return give_answer(server, client);
		}
		client->said_continue = false;
		handle(server, client, &request);
		client->len -= request.len;
		memmove(client->data, client->data + request.len, client->len);
		if (client->answer_at == 0 && !give_answer(server, client))
			return false;
	}
	return true;
}

static void
on_client(struct server *server, struct client *client, uint32_t events)
{
	if (client->answer !=
		NULL) { /* waiting, so this is its end: nobody would read the answer */
		client_free(server, client);
		return;
	}
	ssize_t n = recv(client->fd, client->data + client->len, client->capacity - client->len, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
		(n < 0 && (events & EPOLLERR))) {
		client_free(server, client);
		return;
	}
	if (n < 0)
		return;
	client->len += (size_t)n;
	if (handle_requests(server, client) && client->answer != NULL)
		watch(server, client, EPOLL_CTL_MOD, false);
}

/* Gives the answers that are due. Returns the milliseconds to the next one, -1 when none waits. */
static int
give_due_answers(struct server *server)
{
	int64_t now = monotonic_ns(), next = INT64_MAX;

	for (size_t i = 0; i < MAX_CLIENTS; i++) {
		struct client *client = server->clients[i];

		if (client != NULL && client->answer != NULL && client->answer_at <= now) {
			if (!give_answer(server, client) || !handle_requests(server, client))
				continue;
			if (client->answer == NULL)
				watch(server, client, EPOLL_CTL_MOD, true);
		}
		if (client != NULL && client->answer != NULL && client->answer_at < next)
			next = client->answer_at;
	}
	return next == INT64_MAX ? -1 : (int)((next - now) / 1000000) + 1;
}

/* Returns false when it is time to end. */
static bool
on_signal(struct server *server)
{
	struct signalfd_siginfo info;

	if (read(server->signals, &info, sizeof(info)) != sizeof(info))
		return true;
	print_stats(server, stdout);
	return info.ssi_signo == SIGUSR1;
}

static void
start(struct server *server)
{
	const struct addrinfo *address = server->settings->address;
	struct sockaddr_storage bound = { 0 };
	socklen_t len = sizeof(bound);
	char host[64] = "?", port[16] = "?";
	sigset_t set;
	int on = 1;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	server->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->listener = socket(
		address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(server->listener, address->ai_addr, address->ai_addrlen) != 0 ||
		listen(server->listener, 128) != 0)
		die(EXIT_FAILURE, "cannot listen: %s", strerror(errno));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &server->listener };
	epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event);
	event.data.ptr = &server->signals;
	epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->signals, &event);
	server->start_ns = monotonic_ns();
	getsockname(server->listener, (struct sockaddr *)&bound, &len);
	getnameinfo((struct sockaddr *)&bound, len, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV);
	printf(bound.ss_family == AF_INET6 ? "listening [%s]:%s\n" : "listening %s:%s\n", host,
		port);
	fflush(stdout);
}

void
server_run(const struct server_settings *settings)
{
	struct server server = { .settings = settings };
	struct epoll_event events[MAX_EVENTS];
	bool serving = true;

	start(&server);
	while (serving) {
		int n = epoll_wait(server.epoll, events, MAX_EVENTS, give_due_answers(&server));

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &server.listener)
				accept_client(&server);
			else if (events[i].data.ptr == &server.signals)
				serving &= on_signal(&server);
			else
				on_client(&server, events[i].data.ptr, events[i].events);
		}
	}
	for (size_t i = 0; i < MAX_CLIENTS; i++)
		if (server.clients[i] != NULL)
			client_free(&server, server.clients[i]);
	close(server.listener);
	close(server.signals);
	close(server.epoll);
}
