/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery to a server that misbehaves in every way it can. After each story: every good line
 * arrived in a request that was answered 204, exactly once, every bad one is counted by its reason,
 * and at no time did the counts not add up.
 */
#include "output/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "support/http_fault.h"
#include "support/output_bed.h"

enum { NUMBERS_MAX = 20000 };

struct story { /* what the server does; touched by its thread only while it runs */
	unsigned bad_from, bad_to; /* numbers of lines that are refused, [from, to) */
	int bad_status;
	const char *bad_body;
	unsigned faults; /* so many requests, from the `skip`th on, get `fault` */
	unsigned skip;
	struct fault_answer fault;
	bool canary_fails; /* the fault is given to canaries too */
	size_t size_limit; /* bytes; larger bodies are answered 413 */
	bool no_database;
	const char *password; /* base64 of the right credentials; NULL = none needed */
	unsigned bad_requests, canaries, creates;
	_Atomic int64_t fault_ns; /* monotonic; of the last fault */
	_Atomic int64_t after_ns; /* of the first request after it */
	char head[2000];          /* of the last write */
	char create[200];
};

static bool
has_bad_line(const struct story *story, struct str body)
{
	char line[32];

	for (unsigned i = story->bad_from; i < story->bad_to; i++) {
		int n = snprintf(line, sizeof(line), "m n=%ui ", i);

		if (memmem(body.ptr, body.len, line, (size_t)n) != NULL)
			return true;
	}
	return false;
}

static void
tell(void *ctx, const struct fault_request *request, struct fault_answer *answer)
{
	struct story *story = ctx;
	bool canary = memmem(request->body.ptr, request->body.len, "logmill_canary", 14) != NULL;

	if (strncmp(request->head, "POST /query ", 12) == 0) {
		story->creates++;
		snprintf(story->create, sizeof(story->create), "%.*s", (int)request->body.len,
			request->body.ptr);
		story->no_database = false;
		answer->status = 200;
		strcpy(answer->body, "{\"results\":[{\"statement_id\":0}]}\n");
		return;
	}
	snprintf(story->head, sizeof(story->head), "%s", request->head);
	story->canaries += canary;
	if (canary && !story->canary_fails) {
		answer->status = 204;
		return;
	}
	if (story->password != NULL && strstr(request->head, story->password) == NULL) {
		answer->status = 401;
		strcpy(answer->body, "{\"error\":\"authorization failed\"}\n");
	} else if (story->no_database) {
		answer->status = 404;
		strcpy(answer->body, "{\"error\":\"database not found: \\\"logs\\\"\"}\n");
	} else if (request->number >= story->skip && story->faults > 0) {
		story->faults--;
		*answer = story->fault;
		answer->headers = story->fault.headers != NULL ? story->fault.headers : "";
		atomic_store(&story->fault_ns, clock_monotonic_ns());
		return;
	} else if (story->size_limit != 0 && request->body.len > story->size_limit) {
		answer->status = 413;
	} else if (has_bad_line(story, request->body)) {
		story->bad_requests++;
		answer->status = story->bad_status;
		strcpy(answer->body, story->bad_body);
	}
	if (atomic_load(&story->after_ns) == 0)
		atomic_store(&story->after_ns, clock_monotonic_ns());
}

struct stage {
	struct output_bed bed;
	struct fault_server server;
	struct story story;
};

static int
set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	bed_init(&stage->bed);
	fault_start(&stage->server, tell, &stage->story);
	bed_set_url(&stage->bed, 0, stage->server.port);
	*state = stage;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *stage = *state;

	fault_stop(&stage->server);
	bed_fini(&stage->bed);
	free(stage);
	return 0;
}

/* Numbers [0, count) were stored exactly once, but for [bad_from, bad_to), which were not. */
static void
assert_stored(struct stage *stage, unsigned count, unsigned bad_from, unsigned bad_to)
{
	static unsigned char seen[NUMBERS_MAX];
	const char *p;

	memset(seen, 0, sizeof(seen));
	pthread_mutex_lock(&stage->server.lock);
	for (p = buf_cstr(&stage->server.stored); (p = strstr(p, "m n=")) != NULL; p++) {
		unsigned number, time;

		assert_int_equal(sscanf(p, "m n=%ui %u\n", &number, &time), 2);
		assert_in_range(number, 0, count - 1);
		assert_int_equal(time, number + 1);
		seen[number]++;
	}
	pthread_mutex_unlock(&stage->server.lock);
	for (unsigned i = 0; i < count; i++)
		if (seen[i] != (i < bad_from || i >= bad_to))
			fail_msg("line %u was stored %u times", i, seen[i]);
}

static void
test_joined(void **state)
{
	struct stage *stage = *state;
	struct output_bed *bed = &stage->bed;

	bed->settings.connections = 1;
	bed->settings.retention_policy = (char[]){ "a b" };
	bed->settings.consistency = (char[]){ "one" };
	bed->targets[1].database = STR("other&db");
	bed_open(bed);
	for (unsigned i = 0; i < 10; i++)
		bed_push_numbers(bed, i * 10, 10);
	assert_int_equal(bed_state(bed).counts[0].queued, 100);
	assert_int_equal(bed_state(bed).queued_batches, 10);
	assert_true(bed_state(bed).queued_bytes > 1000);
	bed_run_idle(bed);
	/* the first goes out at once, what queued up meanwhile goes together */
	assert_int_equal(atomic_load(&stage->server.requests), 2);
	assert_stored(stage, 100, 0, 0);
	assert_non_null(strstr(stage->story.head,
		"POST /write?precision=n&db=logs&rp=a%20b&consistency=one HTTP/1.1\r\n"));
	assert_non_null(strstr(stage->story.head, "Content-Type: text/plain; charset=utf-8\r\n"));
	assert_null(strstr(stage->story.head, "Expect"));
	assert_null(strstr(stage->story.head, "Authorization"));

	struct output_state s = bed_state(bed);
	assert_int_equal(s.counts[0].accepted, 100);
	assert_int_equal(s.counts[0].written, 100);
	assert_int_equal(s.requests_ok, 2);
	assert_int_equal(s.last_status, 204);
	assert_true(s.healthy);
	assert_true(bed->changes > 0);

	/* another target, and points of rules, are never joined with others */
	bed_push(bed, 0, true, STR("m n=100i 101\n"));
	bed_push(bed, 0, true, STR("m n=101i 102\n"));
	bed_push(bed, 0, false, STR("m n=102i 103\n"));
	bed_push(bed, 1, false, STR("m n=103i 104\n"));
	bed_run_idle(bed);
	assert_int_equal(atomic_load(&stage->server.requests), 2 + 4);
	assert_non_null(strstr(stage->story.head, "db=other%26db"));
	assert_int_equal(bed_state(bed).counts[1].written, 2);
	assert_int_equal(bed_state(bed).counts[0].written, 102);
	assert_stored(stage, 104, 0, 0);
}

static void
test_limits(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.batch_bytes = 1000;
	stage->story.size_limit = 1000; /* never exceeded */
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 1000); /* 12,790 bytes */
	bed_run_idle(&stage->bed);
	assert_int_equal(bed_state(&stage->bed).requests_failed, 0);
	assert_int_equal(atomic_load(&stage->server.requests), 13);
	output_free(&stage->bed.output);

	stage->bed.settings.batch_points = 50;
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 1000, 1000);
	bed_run_idle(&stage->bed);
	assert_int_equal(atomic_load(&stage->server.requests), 13 + 20);
	assert_stored(stage, 2000, 0, 0);
}

static void
refuse(struct story *story, unsigned from, unsigned to, int status, const char *body)
{
	story->bad_from = from;
	story->bad_to = to;
	story->bad_status = status;
	story->bad_body = body;
}

static const char *const parse_error = "{\"error\":\"unable to parse 'm n=...': invalid\"}";

/* One bad line among 5,000, wherever it is, costs at most 2 log2(n) + 2 requests. */
static void
test_bisect_cost(void **state)
{
	static const unsigned places[] = { 0, 1, 2499, 2500, 3333, 4998, 4999 };
	struct stage *stage = *state;

	stage->bed.settings.connections = 1;
	bed_open(&stage->bed);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		unsigned before = atomic_load(&stage->server.requests);

		refuse(&stage->story, places[i], places[i] + 1, 400, parse_error);
		stage->server.stored.len = 0;
		bed_push_numbers(&stage->bed, 0, 5000);
		bed_run_idle(&stage->bed);
		assert_stored(stage, 5000, places[i], places[i] + 1);
		assert_in_range(atomic_load(&stage->server.requests) - before, 2, 1 + 26);
	}
	struct output_state s = bed_state(&stage->bed);
	assert_int_equal(s.counts[0].rejected[REJECT_PARSE], 7);
	assert_int_equal(s.counts[0].written, 7 * 4999);
	assert_true(s.healthy);

	bed_close(&stage->bed);
	char *dead = bed_read_file(stage->bed.state_dir, "dead-letter.lp");
	assert_non_null(dead);
	assert_int_equal(strncmp(dead, "# 20", 4), 0);
	assert_non_null(strstr(dead,
		"Z output=main reason=parse status=400 "
		"reply=\"{\\\"error\\\":\\\"unable to parse 'm n=...': invalid\\\"}\"\nm n=0i 1\n# "
		"20"));
	assert_non_null(strstr(dead, "\nm n=4999i 5000\n"));
	free(dead);
}

static void
test_many_bad(void **state)
{
	struct stage *stage = *state;

	refuse(&stage->story, 95, 205, 422, "{\"code\":\"x\",\"message\":\"field type conflict\"}");
	bed_open(&stage->bed);
	for (unsigned i = 0; i < 10; i++)
		bed_push_numbers(&stage->bed, i * 100, 100);
	bed_run_idle(&stage->bed);
	assert_stored(stage, 1000, 95, 205);
	assert_int_equal(bed_state(&stage->bed).counts[0].rejected[REJECT_FIELD_TYPE], 110);
}

/* Newer values of a window never overtake older ones, though there is a connection free and others
 * do pass. */
static void
test_rules_in_order(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.timeout_ns = 200 * NS_PER_MS;
	stage->story.fault = (struct fault_answer){ .kind = FAULT_HANG };
	stage->story.faults = 1;
	bed_open(&stage->bed);
	bed_push(&stage->bed, 0, false, STR("w v=1i 7\n"));
	bed_push(&stage->bed, 0, false, STR("w v=2i 7\n"));
	bed_push_numbers(&stage->bed, 0, 10);
	bed_run_idle(&stage->bed);
	pthread_mutex_lock(&stage->server.lock);
	const char *stored = buf_cstr(&stage->server.stored);
	const char *first = strstr(stored, "w v=1i 7\n"), *second = strstr(stored, "w v=2i 7\n");
	assert_non_null(first);
	assert_non_null(second);
	assert_true(first < second);
	assert_true(strstr(stored, "m n=0i") < first); /* raw points did not wait for them */
	pthread_mutex_unlock(&stage->server.lock);
}

/* With one connection the side queue and the others take turns: neither waits for the end of the
 * other. */
static void
test_turns(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.connections = 1;
	stage->bed.settings.batch_points = 16;
	refuse(&stage->story, 5, 6, 400, parse_error);
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 16 * 50);
	while (bed_state(&stage->bed).counts[0].rejected[REJECT_PARSE] == 0)
		event_base_loop(stage->bed.base, EVLOOP_ONCE);
	/* at most 1 + 8 requests for the bad line's batch, as many for others in between */
	assert_in_range(bed_state(&stage->bed).counts[0].queued, 16 * 40, 16 * 46);
	bed_run_idle(&stage->bed);
	assert_stored(stage, 16 * 50, 5, 6);
}

static void
test_413(void **state)
{
	struct stage *stage = *state;

	stage->story.size_limit = 10000;
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 5000); /* 73 kB: halved, quartered, eighths pass */
	bed_run_idle(&stage->bed);
	assert_stored(stage, 5000, 0, 0);
	assert_int_equal(bed_state(&stage->bed).requests_failed, 1 + 2 + 4);

	/* the size is remembered */
	bed_push_numbers(&stage->bed, 5000, 5000);
	bed_run_idle(&stage->bed);
	assert_stored(stage, 10000, 0, 0);
	assert_int_equal(bed_state(&stage->bed).requests_failed, 1 + 2 + 4);

	/* a single line that is too large */
	char *big = malloc(12001);
	memset(big, 'x', 12000);
	memcpy(big, "m s=\"", 5);
	memcpy(big + 11995, "\" 1\n", 5);
	bed_push(&stage->bed, 0, true, str_from(big));
	free(big);
	bed_run_idle(&stage->bed);
	assert_int_equal(bed_state(&stage->bed).counts[0].rejected[REJECT_TOO_LARGE], 1);
	assert_int_equal(bed_state(&stage->bed).counts[0].written, 10000);
}

/* As InfluxDB does it: 413 and close, before the body has been read. */
static void
test_early_413(void **state)
{
	struct stage *stage = *state;

	stage->server.early_413 = 300000;
	stage->bed.settings.batch_bytes = 4 << 20;
	stage->bed.settings.batch_points = NUMBERS_MAX;
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, NUMBERS_MAX); /* about 380 kB */
	bed_run_idle(&stage->bed);
	assert_stored(stage, NUMBERS_MAX, 0, 0);
	assert_int_equal(bed_state(&stage->bed).counts[0].written, NUMBERS_MAX);
}

static void
run_fault(struct stage *stage, const struct fault_answer *fault, unsigned times)
{
	stage->story.fault = *fault;
	stage->story.faults = times;
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 50);
	bed_push_numbers(&stage->bed, 50, 50);
	bed_run_idle(&stage->bed);
	assert_stored(stage, 100, 0, 0);

	struct output_state s = bed_state(&stage->bed);
	assert_int_equal(s.counts[0].written, 100);
	assert_int_equal(bed_rejected(&s), 0);
	assert_true(s.healthy);
	assert_null(s.problem);
	assert_int_equal(s.requests_failed, times);
	assert_int_equal(s.retries, times);
	assert_true(s.retry_at_ns == 0);
}

static void
test_retry_after_honoured(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.connections = 1;
	run_fault(
		stage, &(struct fault_answer){ .status = 429, .headers = "Retry-After: 2\r\n" }, 1);
	int64_t waited = stage->story.after_ns - stage->story.fault_ns;
	assert_true(waited > 1900 * NS_PER_MS && waited < 2900 * NS_PER_MS);
}

static void
test_503(void **state)
{
	run_fault(*state,
		&(struct fault_answer){ .status = 503, .body = "request throttled, queue full\n" },
		3);
}

static void
test_close(void **state)
{
	run_fault(*state, &(struct fault_answer){ .kind = FAULT_CLOSE }, 2);
}

static void
test_close_in_answer(void **state)
{
	/* half a 400 is no verdict */
	run_fault(*state,
		&(struct fault_answer){ .kind = FAULT_CLOSE_MID,
			.status = 400,
			.body = "{\"error\":\"unable to parse 'x'\"}" },
		1);
}

static void
test_hang(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.timeout_ns = 200 * NS_PER_MS;
	run_fault(stage, &(struct fault_answer){ .kind = FAULT_HANG }, 1);
}

static void
test_trickle(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.timeout_ns = 300 * NS_PER_MS;
	run_fault(stage,
		&(struct fault_answer){
			.kind = FAULT_TRICKLE, .status = 400, .body = "{\"error\":" },
		1);
}

static void
test_endless(void **state)
{
	struct stage *stage = *state;

	/* read up to its cap, then the connection is closed; the status counts */
	stage->bed.settings.timeout_ns = 60 * NS_PER_SEC;
	run_fault(stage, &(struct fault_answer){ .kind = FAULT_ENDLESS, .status = 503 }, 1);
}

static void
test_refused(void **state)
{
	struct stage *stage = *state;
	unsigned closed_port;

	close(fault_listen(&closed_port));
	free(stage->bed.urls[0]);
	bed_set_url(&stage->bed, 0, closed_port);
	bed_open(&stage->bed);
	for (unsigned i = 0; i < 5; i++)
		bed_push_numbers(&stage->bed, i * 10, 10);
	bed_run_for(&stage->bed, 300 * NS_PER_MS);

	struct output_state s = bed_state(&stage->bed);
	assert_false(s.healthy);
	assert_string_equal(s.problem, "no_answer");
	assert_int_equal(s.last_status, 0);
	assert_true(s.retry_at_ns > clock_monotonic_ns());
	assert_int_equal(s.counts[0].queued, 50);
	assert_int_equal(s.requests_failed, 2); /* both were on their way; then it waits */
	bed_run_for(&stage->bed, 1200 * NS_PER_MS);
	assert_in_range(bed_state(&stage->bed).requests_failed, 3, 4); /* one probe, not two */

	/* the program ends: short waits */
	output_hurry(stage->bed.output);
	uint64_t before = bed_state(&stage->bed).requests_failed;
	bed_run_for(&stage->bed, 1100 * NS_PER_MS);
	assert_in_range(bed_state(&stage->bed).requests_failed - before, 3, 5);
}

static void
test_failover(void **state)
{
	struct stage *stage = *state;
	unsigned closed_port;
	char *good = stage->bed.urls[0];

	close(fault_listen(&closed_port));
	bed_set_url(&stage->bed, 0, closed_port);
	stage->bed.urls[1] = good;
	stage->bed.settings.n_urls = 2;
	stage->bed.settings.connections = 1;
	bed_open(&stage->bed);
	int64_t start = clock_monotonic_ns();
	for (unsigned i = 0; i < 5; i++) {
		bed_push_numbers(&stage->bed, i * 10, 10);
		bed_run_idle(&stage->bed);
	}
	assert_true(
		clock_monotonic_ns() - start < 400 * NS_PER_MS); /* at once to the next address */
	assert_stored(stage, 50, 0, 0);
	assert_int_equal(bed_state(&stage->bed).requests_failed, 1); /* and it stays there */
	assert_true(bed_state(&stage->bed).healthy);
}

static void
test_retention(void **state)
{
	struct stage *stage = *state;

	refuse(&stage->story, 3, 4, 400,
		"{\"error\":\"partial write: points beyond retention policy dropped=4\"}\n");
	stage->bed.settings.connections = 1;
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 10);
	bed_run_idle(&stage->bed);
	struct output_state s = bed_state(&stage->bed);
	assert_int_equal(s.counts[0].written, 6);
	assert_int_equal(s.counts[0].rejected[REJECT_RETENTION], 4);
	assert_int_equal(atomic_load(&stage->server.requests), 1);
}

/* A line that makes the server answer 500 for ever: found, given up after three times; the others
 * pass meanwhile. */
static void
test_poison(void **state)
{
	struct stage *stage = *state;
	int64_t start = clock_monotonic_ns();

	stage->bed.settings.connections = 1;
	refuse(&stage->story, 7, 8, 500, "Internal Server Error");
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 16);
	bed_run_for(&stage->bed, 50 * NS_PER_MS);
	bed_push_numbers(&stage->bed, 16, 16);
	while (bed_state(&stage->bed).counts[0].written < 16)
		event_base_loop(stage->bed.base, EVLOOP_ONCE);
	assert_true(clock_monotonic_ns() - start < 400 * NS_PER_MS);
	assert_int_equal(bed_state(&stage->bed).counts[0].queued, 16);
	bed_run_idle(&stage->bed);
	assert_stored(stage, 32, 7, 8);

	struct output_state s = bed_state(&stage->bed);
	assert_int_equal(s.counts[0].rejected[REJECT_SERVER_ERROR], 1);
	assert_int_equal(s.counts[0].written, 31);
	/* 16 lines twice, 8, 4, 2 once, the line itself three times; a canary each */
	assert_int_equal(stage->story.bad_requests, 8);
	assert_int_equal(stage->story.canaries, 8);
}

/* 500 to everything, the canary included: an outage, nothing is given up. */
static void
test_500_outage(void **state)
{
	struct stage *stage = *state;

	stage->story.canary_fails = true;
	stage->story.fault = (struct fault_answer){ .status = 500,
		.body = "{\"error\":\"engine: closed\"}\n" };
	stage->story.faults = 4;
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 20);
	bed_run_for(&stage->bed, 200 * NS_PER_MS);
	assert_false(bed_state(&stage->bed).healthy);
	assert_string_equal(bed_state(&stage->bed).problem, "server_error");
	assert_int_equal(bed_state(&stage->bed).last_status, 500);
	bed_run_idle(&stage->bed);
	assert_stored(stage, 20, 0, 0);
	assert_int_equal(stage->story.canaries, 4);
	assert_int_equal(bed_state(&stage->bed).counts[0].written, 20);
	assert_true(bed_state(&stage->bed).healthy);
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
test_secret(void **state)
{
	struct stage *stage = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/password", stage->bed.dir);
	write_file(path, "old\n");
	stage->story.password = "Authorization: Basic dTpuZXcgb25l\r\n"; /* u:new one */
	stage->bed.settings.username = (char[]){ "u" };
	stage->bed.settings.password_file = path;
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 10);
	bed_push_numbers(&stage->bed, 10, 10);
	bed_run_for(&stage->bed, 200 * NS_PER_MS);
	assert_string_equal(bed_state(&stage->bed).problem, "unauthorized");
	assert_int_equal(bed_state(&stage->bed).counts[0].queued, 20);
	assert_int_equal(bed_state(&stage->bed).last_status, 401);

	write_file(path, "new one\n");
	output_hurry(stage->bed.output); /* or the test takes 5 s */
	bed_run_idle(&stage->bed);
	assert_stored(stage, 20, 0, 0);
	assert_true(bed_state(&stage->bed).healthy);
	assert_null(strstr(stage->story.head, "new one"));
}

static void
test_create_database(void **state)
{
	struct stage *stage = *state;

	stage->story.no_database = true;
	free(stage->bed.settings.database);
	stage->bed.settings.database = strdup("my \"logs\"");
	bed_open(&stage->bed);
	int64_t start = clock_monotonic_ns();
	bed_push_numbers(&stage->bed, 0, 10);
	bed_push_numbers(&stage->bed, 10, 10);
	bed_run_idle(&stage->bed);
	assert_true(clock_monotonic_ns() - start < 400 * NS_PER_MS);
	assert_stored(stage, 20, 0, 0);
	assert_int_equal(stage->story.creates, 1);
	assert_string_equal(
		stage->story.create, "q=CREATE%20DATABASE%20%22my%20%5C%22logs%5C%22%22");
	assert_true(bed_state(&stage->bed).healthy);
}

static void
test_may_not_create(void **state)
{
	struct stage *stage = *state;

	stage->story.no_database = true;
	stage->bed.settings.create_database = false;
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 10);
	bed_run_for(&stage->bed, 200 * NS_PER_MS);
	assert_string_equal(bed_state(&stage->bed).problem, "database_not_found");
	assert_int_equal(bed_state(&stage->bed).counts[0].queued, 10);
	assert_int_equal(stage->story.creates, 0);
}

static void
assert_head(struct stage *stage, const char *query, const char *authorization, unsigned length)
{
	char head[1000];

	snprintf(head, sizeof(head),
		"POST /api/v2/write?precision=ns&%s HTTP/1.1\r\n"
		"Host: 127.0.0.1:%u\r\n"
		"User-Agent: logmill/" LOGMILL_VERSION "\r\n"
		"Accept: */*\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Authorization: %s\r\n"
		"Content-Length: %u\r\n\r\n",
		query, stage->server.port, authorization, length);
	assert_string_equal(stage->story.head, head);
}

static void
test_version_2(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.version = 2;
	stage->bed.settings.org = (char[]){ "my org" };
	stage->bed.settings.bucket = (char[]){ "b/1" };
	stage->bed.settings.token = (char[]){ "secret==" };
	/* of 1.x, and nothing to 2.x */
	stage->bed.settings.username = (char[]){ "u" };
	stage->bed.settings.password = (char[]){ "p" };
	stage->bed.settings.retention_policy = (char[]){ "rp" };
	stage->bed.settings.consistency = (char[]){ "one" };
	stage->bed.targets[1].database = STR("b2");
	stage->bed.targets[1].retention_policy = STR("rp2");
	stage->story.password = "\r\nAuthorization: Token secret==\r\n";
	bed_open(&stage->bed);
	bed_push_numbers(&stage->bed, 0, 10);
	bed_run_idle(&stage->bed);
	assert_stored(stage, 10, 0, 0);
	assert_head(stage, "org=my%20org&bucket=b%2F1", "Token secret==", 9 * 9 + 10);
	bed_push(&stage->bed, 1, false, STR("m n=10i 11\n"));
	bed_run_idle(&stage->bed);
	assert_head(stage, "org=my%20org&bucket=b2", "Token secret==", 11);
	assert_int_equal(atomic_load(&stage->server.requests), 2);
}

/* A token that has been replaced on disk: the 401 makes logmill look, and the next try is at once.
 */
static void
test_token_file(void **state)
{
	struct stage *stage = *state;
	struct output_bed *bed = &stage->bed;
	char path[128];

	snprintf(path, sizeof(path), "%s/token", bed->dir);
	write_file(path, "  first \n");
	bed->settings.version = 2;
	bed->settings.connections = 1;
	bed->settings.org = (char[]){ "o" };
	bed->settings.bucket = (char[]){ "b" };
	bed->settings.token_file = path;
	stage->story.password = "\r\nAuthorization: Token first\r\n";
	bed_open(bed);
	bed_push_numbers(bed, 0, 10);
	bed_run_idle(bed);
	assert_int_equal(bed_state(bed).requests_ok, 1);

	write_file(path, "second\n");
	output_free(&bed->output); /* it reads the file at its first request only */
	bed_open(bed);
	bed_push_numbers(bed, 10, 10);
	bed_run_failed(bed, 1);
	bed_run_for(bed, 30 * NS_PER_MS);
	assert_string_equal(bed_state(bed).problem, "unauthorized");
	assert_int_equal(bed_state(bed).requests_failed, 1); /* the same token: no use at once */

	write_file(path, "first\n");
	output_hurry(bed->output); /* or the test takes 5 s */
	int64_t start = clock_monotonic_ns();
	bed_run_idle(bed);
	assert_true(clock_monotonic_ns() - start < NS_PER_SEC);
	assert_int_equal(bed_state(bed).requests_failed, 2); /* once more with the old one */
	assert_int_equal(bed_state(bed).requests_ok, 1);
	assert_int_equal(bed_state(bed).retries, 2);
	assert_stored(stage, 20, 0, 0);
	assert_head(stage, "org=o&bucket=b", "Token first", 10 * 11);
	assert_true(bed_state(bed).healthy);
}

/* Ending in the middle of everything: what is left is still counted, and nothing leaks. */
static void
test_free_busy(void **state)
{
	struct stage *stage = *state;

	stage->story.fault = (struct fault_answer){ .kind = FAULT_HANG };
	stage->story.faults = 100;
	refuse(&stage->story, 0, 1, 400, parse_error);
	stage->story.skip = 3;
	bed_open(&stage->bed);
	for (unsigned i = 0; i < 20; i++)
		bed_push_numbers(&stage->bed, i * 10, 10);
	bed_run_for(&stage->bed, 100 * NS_PER_MS);
	struct output_state s = bed_state(&stage->bed);
	assert_false(output_idle(stage->bed.output));
	assert_int_equal(s.counts[0].queued + s.counts[0].written, 200);
	assert_true(s.counts[0].queued > 0);
	output_free(&stage->bed.output);
	assert_null(stage->bed.output);
	assert_int_equal(batch_bytes_alive(), 0);
}

int
main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(test_joined),
		STORY(test_limits),
		STORY(test_bisect_cost),
		STORY(test_many_bad),
		STORY(test_rules_in_order),
		STORY(test_turns),
		STORY(test_413),
		STORY(test_early_413),
		STORY(test_retry_after_honoured),
		STORY(test_503),
		STORY(test_close),
		STORY(test_close_in_answer),
		STORY(test_hang),
		STORY(test_trickle),
		STORY(test_endless),
		STORY(test_refused),
		STORY(test_failover),
		STORY(test_retention),
		STORY(test_poison),
		STORY(test_500_outage),
		STORY(test_secret),
		STORY(test_create_database),
		STORY(test_may_not_create),
		STORY(test_version_2),
		STORY(test_token_file),
		STORY(test_free_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
