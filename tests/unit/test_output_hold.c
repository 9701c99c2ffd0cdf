/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule that names a database, bucket or retention policy that does not exist costs that rule: its
 * points wait, counted and within bounds, while all others pass. What the output itself lacks holds
 * everything.
 */
#include "output/job.h"
#include "output/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "support/http_fault.h"
#include "support/log_capture.h"
#include "support/output_bed.h"

/* An InfluxDB of few words. */
struct world {
	_Atomic bool policy_missing, database_missing, own_missing;
	_Atomic int status;        /* not 0: to everything but canaries */
	_Atomic int create_status; /* not 200: CREATE DATABASE is refused */
	_Atomic unsigned refused;  /* writes to what is missing */
	_Atomic unsigned creates, canaries;
	_Atomic int64_t refused_ns[8]; /* monotonic */
};

struct stage {
	struct output_bed bed;
	struct fault_server server;
	struct log_capture log;
	struct world world;
};

static bool
names(const struct fault_request *request, const char *key, const char *value)
{
	char text[64];

	snprintf(text, sizeof(text), "&%s=%s", key, value);
	const char *at = strstr(request->head, text);

	return at != NULL && strchr("& ", at[strlen(text)]) != NULL;
}

static void
refuse(struct world *world, struct fault_answer *answer, int status, const char *body)
{
	unsigned n = atomic_fetch_add(&world->refused, 1);

	if (n < 8)
		atomic_store(&world->refused_ns[n], clock_monotonic_ns());
	answer->status = status;
	strcpy(answer->body, body);
}

static void
take_create(struct world *world, struct fault_answer *answer)
{
	atomic_fetch_add(&world->creates, 1);
	answer->status = atomic_load(&world->create_status);
	strcpy(answer->body,
		answer->status == 200 ? "{\"results\":[{\"statement_id\":0}]}\n"
				      : "{\"error\":\"not authorized\"}\n");
	if (answer->status == 200)
		world->database_missing = world->own_missing = false;
}

static void
tell(void *ctx, const struct fault_request *request, struct fault_answer *answer)
{
	struct world *world = ctx;
	bool canary = memmem(request->body.ptr, request->body.len, "logmill_canary", 14) != NULL;

	if (strncmp(request->head, "POST /query ", 12) == 0) {
		take_create(world, answer);
		return;
	}
	atomic_fetch_add(&world->canaries, canary);
	if (!canary && atomic_load(&world->status) != 0)
		answer->status = atomic_load(&world->status);
	else if (world->own_missing && names(request, "db", "logs"))
		refuse(world, answer, 404, "{\"error\":\"database not found: \\\"logs\\\"\"}\n");
	else if (world->own_missing && names(request, "bucket", "logs"))
		refuse(world, answer, 404,
			"{\"code\":\"not found\",\"message\":\"bucket \\\"logs\\\" not found\"}");
	else if (world->database_missing && names(request, "db", "gone"))
		refuse(world, answer, 404, "{\"error\":\"database not found: \\\"gone\\\"\"}\n");
	else if (world->database_missing && names(request, "bucket", "gone"))
		refuse(world, answer, 404,
			"{\"code\":\"not found\",\"message\":\"bucket \\\"gone\\\" not found\"}");
	else if (world->policy_missing && strstr(request->head, "&rp=gone") != NULL)
		refuse(world, answer, 500, "{\"error\":\"retention policy not found: gone\"}\n");
	else if (memmem(request->body.ptr, request->body.len, "bad", 3) != NULL) {
		answer->status = 400;
		strcpy(answer->body, "{\"error\":\"field type conflict\"}\n");
	}
}

static int
set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	log_capture_start(&stage->log);
	bed_init(&stage->bed);
	diag_set_level(DIAG_INFO);
	stage->world.create_status = 200;
	stage->bed.settings.create_database = false;
	stage->bed.settings.connections = 1;
	stage->bed.targets[1].retention_policy = STR("gone");
	stage->bed.targets[2].database = STR("gone");
	stage->bed.targets[3].database = STR("other");
	fault_start(&stage->server, tell, &stage->world);
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
	log_capture_stop(&stage->log);
	free(stage);
	return 0;
}

/* One batch a line: `MEASUREMENT n=FIRSTi TIME` ... */
static void
push_lines(struct output_bed *bed, uint16_t target, bool raw, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++) {
		char line[64];

		snprintf(line, sizeof(line), "t%u n=%ui %u\n", target, i, i + 1);
		bed_push(bed, target, raw, str_from(line));
	}
}

/* Of the target exactly the numbers [first, last) were stored, once, in their order. */
static void
assert_stored(struct stage *stage, unsigned target, unsigned first, unsigned last)
{
	char start[16];
	const char *p;
	unsigned next = first;

	snprintf(start, sizeof(start), "t%u n=", target);
	pthread_mutex_lock(&stage->server.lock);
	for (p = buf_cstr(&stage->server.stored); (p = strstr(p, start)) != NULL; p++)
		assert_int_equal(strtoul(p + strlen(start), NULL, 10), next++);
	pthread_mutex_unlock(&stage->server.lock);
	assert_int_equal(next, last);
}

static void
run_until_written(struct output_bed *bed, size_t kind, uint64_t points)
{
	int64_t end = clock_monotonic_ns() + 30 * NS_PER_SEC;

	while (bed_state(bed).counts[kind].written < points) {
		assert_true(clock_monotonic_ns() < end);
		event_base_loop(bed->base, EVLOOP_ONCE);
	}
}

static void
run_until_refused(struct stage *stage, unsigned times)
{
	int64_t end = clock_monotonic_ns() + 30 * NS_PER_SEC;

	while (stage->world.refused < times) {
		assert_true(clock_monotonic_ns() < end);
		bed_run_for(&stage->bed, NS_PER_MS);
	}
	bed_run_for(&stage->bed, 50 * NS_PER_MS); /* the answer */
}

/* Raw points written and rules' points queued, by the target that is held. */
static void
assert_held_alone(struct stage *stage, const char *problem, unsigned raw, unsigned held)
{
	struct output_state s = bed_state(&stage->bed);

	assert_int_equal(s.counts[0].written, raw);
	assert_int_equal(s.counts[0].queued, 0);
	assert_int_equal(s.counts[1].queued, held);
	assert_int_equal(s.counts[1].dropped, 0);
	assert_false(s.healthy);
	assert_string_equal(s.problem, problem);
	assert_int_equal(s.retry_at_ns, 0);
}

static void
test_policy(void **state)
{
	struct stage *stage = *state;
	struct output_bed *bed = &stage->bed;

	stage->world.policy_missing = true;
	bed_open(bed);
	push_lines(bed, 0, true, 0, 10);
	push_lines(bed, 1, false, 0, 10);
	push_lines(bed, 0, true, 10, 10);
	push_lines(bed, 3, false, 0, 10);
	run_until_written(bed, 0, 20);
	run_until_written(bed, 1, 10); /* the other rule's */
	bed_run_for(bed, 100 * NS_PER_MS);
	assert_held_alone(stage, "retention_policy_not_found", 20, 10);
	unsigned changes = bed->changes;

	/* what comes later waits without a request */
	push_lines(bed, 1, false, 10, 90);
	push_lines(bed, 0, true, 20, 5);
	run_until_written(bed, 0, 25);
	assert_held_alone(stage, "retention_policy_not_found", 25, 100);
	assert_int_equal(stage->world.refused, 1);
	assert_true(bed->changes > changes);

	/* tried again on its own timer */
	run_until_refused(stage, 2);
	assert_in_range(stage->world.refused_ns[1] - stage->world.refused_ns[0], 4900 * NS_PER_MS,
		5900 * NS_PER_MS);
	assert_held_alone(stage, "retention_policy_not_found", 25, 100);
	assert_int_equal(log_capture_count(&stage->log, "event=target_held "), 1);
	assert_int_equal(log_capture_count(&stage->log,
				 "level=error event=target_held output=main database=logs "
				 "retention_policy=gone status=500 "
				 "reason=retention_policy_not_found "
				 "todo=\"create retention policy gone on database logs, or remove "
				 "it from the rule\" "),
		1);
	assert_int_equal(log_capture_count(&stage->log, "output_holds"), 0);

	stage->world.policy_missing = false;
	output_hurry(bed->output); /* or the test takes 10 s more */
	bed_run_idle(bed);
	assert_stored(stage, 0, 0, 25);
	assert_stored(stage, 1, 0, 100);
	assert_stored(stage, 3, 0, 10);
	assert_true(bed_state(bed).healthy);
	assert_null(bed_state(bed).problem);
	assert_int_equal(log_capture_count(&stage->log,
				 "event=target_released output=main database=logs "
				 "retention_policy=gone after=retention_policy_not_found "
				 "failures=2 dropped=0"),
		1);

	/* and again: what was said once is news once more */
	stage->world.policy_missing = true;
	push_lines(bed, 1, false, 100, 50);
	bed_run_failed(bed, 3);
	assert_held_alone(stage, "retention_policy_not_found", 25, 50);
	assert_int_equal(log_capture_count(&stage->log, "event=target_held "), 2);
	stage->world.policy_missing = false;
	bed_run_idle(bed);
	assert_stored(stage, 1, 0, 150);
}

static void
test_two_connections(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.connections = 2;
	stage->world.policy_missing = true;
	bed_open(&stage->bed);
	push_lines(&stage->bed, 1, false, 0, 30);
	push_lines(&stage->bed, 0, true, 0, 30);
	run_until_written(&stage->bed, 0, 30);
	bed_run_for(&stage->bed, 200 * NS_PER_MS);
	assert_held_alone(stage, "retention_policy_not_found", 30, 30);
	assert_int_equal(stage->world.refused, 1); /* points of rules go one request at a time */
	assert_int_equal(log_capture_count(&stage->log, "event=target_held "), 1);
	output_hurry(stage->bed.output);
	run_until_refused(stage, 2);
	assert_int_equal(stage->world.refused, 2); /* one job is tried, not two */
	stage->world.policy_missing = false;
	bed_run_idle(&stage->bed);
	assert_int_equal(bed_state(&stage->bed).counts[1].written, 30);
}

static void
test_database(void **state)
{
	struct stage *stage = *state;

	stage->world.database_missing = true;
	bed_open(&stage->bed);
	push_lines(&stage->bed, 2, false, 0, 10);
	push_lines(&stage->bed, 0, true, 0, 10);
	run_until_written(&stage->bed, 0, 10);
	assert_held_alone(stage, "database_not_found", 10, 10);
	assert_int_equal(stage->world.creates, 0);
	assert_int_equal(log_capture_count(&stage->log,
				 "event=target_held output=main database=gone "
				 "retention_policy=\"\" status=404 reason=database_not_found "
				 "todo=\"create database gone, or remove it from the rule\" "),
		1);
	stage->world.database_missing = false;
	int64_t start = clock_monotonic_ns();
	output_hurry(stage->bed.output);
	bed_run_idle(&stage->bed);
	assert_true(clock_monotonic_ns() - start < NS_PER_SEC);
	assert_stored(stage, 2, 0, 10);
}

/* The user may write, but not create: that is no matter of the whole output. */
static void
test_may_not_create(void **state)
{
	struct stage *stage = *state;

	stage->world.database_missing = true;
	stage->world.create_status = 403;
	stage->bed.settings.create_database = true;
	bed_open(&stage->bed);
	push_lines(&stage->bed, 2, false, 0, 10);
	push_lines(&stage->bed, 0, true, 0, 10);
	run_until_written(&stage->bed, 0, 10);
	assert_held_alone(stage, "database_not_created", 10, 10);
	assert_int_equal(stage->world.creates, 1);
	stage->world.create_status = 200;
	output_hurry(stage->bed.output);
	bed_run_idle(&stage->bed);
	assert_int_equal(stage->world.creates, 2);
	assert_stored(stage, 2, 0, 10);
	assert_true(bed_state(&stage->bed).healthy);
}

/* Two databases that are missing at once are both made, at once. */
static void
test_both_created(void **state)
{
	struct stage *stage = *state;

	stage->bed.targets[3].database = STR("gone");
	stage->bed.targets[3].retention_policy = STR("x");
	stage->bed.settings.create_database = true;
	bed_open(&stage->bed);
	for (uint16_t target = 2; target <= 3; target++) {
		stage->world.database_missing = true;
		push_lines(&stage->bed, target, false, 0, 10);
		bed_run_idle(&stage->bed);
		assert_stored(stage, target, 0, 10);
	}
	assert_int_equal(stage->world.creates, 2);
	assert_int_equal(log_capture_count(&stage->log, "level=error"), 0);
}

struct whole_case {
	const char *problem;
	int status;               /* to all */
	bool own_missing, policy; /* database; retention policy that is the output's own */
	uint16_t target;          /* the request that meets it first */
};

/* What the output itself lacks, or may not, holds everything, whichever request finds out. */
static void
test_whole_output(void **state)
{
	static const struct whole_case cases[] = {
		{ "unauthorized", 401, false, false, 0 }, { "unauthorized", 401, false, false, 1 },
		{ "forbidden", 403, false, false, 2 }, { "database_not_found", 0, true, false, 0 },
		{ "database_not_found", 0, true, false,
			1 }, /* its policy is another, not its database */
		{ "retention_policy_not_found", 0, false, true, 0 },
		{ "retention_policy_not_found", 0, false, true, 1 }, /* names the output's own */
	};
	struct stage *stage = *state;
	struct output_bed *bed = &stage->bed;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct whole_case *c = &cases[i];
		char policy[] = "gone";

		bed->settings.retention_policy = c->policy ? policy : NULL;
		stage->world.policy_missing = c->policy;
		stage->world.own_missing = c->own_missing;
		stage->world.status = c->status;
		bed_open(bed);
		push_lines(bed, c->target, c->target == 0, 0, 1);
		push_lines(bed, 0, true, 1, 5);
		push_lines(bed, 3, false, 0, 5);
		bed_run_failed(bed, 1);
		bed_run_for(bed, 30 * NS_PER_MS);
		struct output_state s = bed_state(bed);
		assert_string_equal(s.problem, c->problem);
		assert_int_equal(s.counts[0].queued + s.counts[1].queued, 11);
		assert_int_equal(s.requests_failed, 1);
		assert_true(s.retry_at_ns > clock_monotonic_ns());
		output_free(&bed->output);
	}
	assert_int_equal(log_capture_count(&stage->log, "event=output_holds "), 7);
	assert_int_equal(log_capture_count(&stage->log, "event=target_held "), 0);
	bed->settings.retention_policy = NULL;
}

static void
test_bucket(void **state)
{
	struct stage *stage = *state;
	struct output_bed *bed = &stage->bed;

	bed->settings.version = 2;
	bed->settings.bucket = (char[]){ "logs" };
	bed->settings.org = (char[]){ "o" };
	bed->settings.token = (char[]){ "t" };
	stage->world.database_missing = true;
	bed_open(bed);
	push_lines(bed, 2, false, 0, 10);
	push_lines(bed, 0, true, 0, 10);
	run_until_written(bed, 0, 10);
	assert_held_alone(stage, "bucket_not_found", 10, 10);
	assert_int_equal(log_capture_count(&stage->log,
				 "event=target_held output=main database=gone "
				 "retention_policy=\"\" status=404 reason=bucket_not_found "
				 "todo=\"create bucket gone, or remove it from the rule\" "),
		1);
	stage->world.database_missing = false;
	output_hurry(bed->output);
	bed_run_idle(bed);
	assert_stored(stage, 2, 0, 10);
	output_free(&bed->output);

	/* the output's own: a rule's retention policy means nothing here */
	stage->world.own_missing = true;
	bed_open(bed);
	push_lines(bed, 1, false, 0, 10);
	push_lines(bed, 0, true, 10, 10);
	bed_run_failed(bed, 1);
	assert_string_equal(bed_state(bed).problem, "bucket_not_found");
	assert_int_equal(bed_state(bed).counts[0].queued, 10);
	assert_int_equal(bed_state(bed).counts[1].queued, 10);
	assert_int_equal(log_capture_count(&stage->log,
				 "event=output_holds output=main status=404 "
				 "reason=bucket_not_found todo=\"check org and bucket\""),
		1);
	stage->world.own_missing = false;
	output_hurry(bed->output);
	bed_run_idle(bed);
	assert_stored(stage, 0, 0, 20);
	assert_stored(stage, 1, 0, 10);
}

/* Beyond 1/8 of memory_limit the oldest go, no more of them than needed; all others pass. */
static void
test_bound(void **state)
{
	enum { LIMIT = 1 << 20, COUNT = 3000 };
	struct stage *stage = *state;
	struct output_bed *bed = &stage->bed;

	bed->env.memory_limit = LIMIT;
	stage->world.policy_missing = true;
	bed_open(bed);
	push_lines(bed, 1, false, 0, 1);
	bed_run_failed(bed, 1);
	push_lines(bed, 1, false, 1, COUNT - 1);
	struct output_state s = bed_state(bed);
	assert_int_equal(s.counts[1].accepted, COUNT);
	assert_int_equal(s.counts[1].dropped + s.counts[1].queued, COUNT);
	assert_in_range(s.counts[1].queued, 400, 1000);
	size_t kept = batch_bytes_alive() + s.queued_batches * sizeof(struct piece);
	assert_in_range(kept, LIMIT / 8 - LIMIT / 8 / 16 - 1000, LIMIT / 8);
	assert_int_equal(log_capture_count(&stage->log,
				 "level=warn event=points_dropped output=main database=logs "
				 "retention_policy=gone reason=retention_policy_not_found "
				 "points_so_far="),
		1);

	push_lines(bed, 0, true, 0, 10);
	run_until_written(bed, 0, 10);
	stage->world.policy_missing = false;
	output_hurry(bed->output);
	bed_run_idle(bed);
	assert_stored(stage, 1, (unsigned)s.counts[1].dropped, COUNT);
	assert_int_equal(bed_state(bed).counts[1].dropped, s.counts[1].dropped);
	assert_int_equal(bed_state(bed).counts[1].written, COUNT - s.counts[1].dropped);
	assert_int_equal(bed_state(bed).counts[0].dropped, 0);
}

/* Several held targets together keep 1/4; raw points are never dropped. */
static void
test_bound_of_all(void **state)
{
	enum { LIMIT = 1 << 20, COUNT = 1500 };
	struct stage *stage = *state;
	struct output_bed *bed = &stage->bed;

	bed->env.memory_limit = LIMIT;
	stage->world.policy_missing = true;
	stage->world.database_missing = true;
	bed->targets[3].retention_policy = STR("gone");
	bed_open(bed);
	for (uint16_t target = 1; target <= 3; target++)
		push_lines(bed, target, false, 0, 1);
	bed_run_failed(bed, 3);
	for (uint16_t target = 1; target <= 3; target++)
		push_lines(bed, target, false, 1, COUNT);
	struct output_state s = bed_state(bed);
	assert_int_equal(s.counts[1].dropped + s.counts[1].queued, 3 * (COUNT + 1));
	assert_in_range(batch_bytes_alive() + s.queued_batches * sizeof(struct piece),
		LIMIT / 4 - LIMIT / 8 / 16 - 1000, LIMIT / 4);

	push_lines(bed, 1, true, 0, 2 * COUNT);
	s = bed_state(bed);
	assert_int_equal(s.counts[0].queued, 2 * COUNT);
	assert_int_equal(s.counts[0].dropped, 0);
	assert_true(batch_bytes_alive() > LIMIT / 4);
}

/* A batch beyond the bound is still tried when its time has come. */
static void
test_larger_than_bound(void **state)
{
	struct stage *stage = *state;
	struct output_bed *bed = &stage->bed;
	struct buf text = BUF_EMPTY;

	for (unsigned i = 0; i < 10000; i++)
		buf_printf(&text, "t1 n=%ui %u\n", i, i + 1);
	bed->env.memory_limit = 1 << 20;
	bed->settings.batch_points = 100000;
	stage->world.policy_missing = true;
	bed_open(bed);
	assert_true(text.len > bed->env.memory_limit / 8);
	bed_push(bed, 1, false, buf_str(&text));
	bed_run_failed(bed, 1);
	assert_int_equal(bed_state(bed).counts[1].dropped, 10000);
	assert_int_equal(bed_state(bed).counts[1].queued, 0);
	stage->world.policy_missing = false;
	output_hurry(bed->output);
	bed_run_for(bed, 300 * NS_PER_MS);
	bed_push(bed, 1, false, buf_str(&text));
	bed_run_idle(bed);
	assert_stored(stage, 1, 0, 10000);
	assert_true(bed_state(bed).healthy);
	buf_fini(&text);
}

/* Trouble of other kinds while a target is held. */
static void
test_other_trouble(void **state)
{
	struct stage *stage = *state;
	struct output_bed *bed = &stage->bed;

	stage->world.policy_missing = true;
	bed_open(bed);
	push_lines(bed, 1, false, 0, 20);
	bed_push(bed, 1, false, STR("t1 bad=1 1\n"));
	push_lines(bed, 1, false, 20, 20);
	bed_run_failed(bed, 1);
	assert_int_equal(bed_state(bed).counts[1].queued, 41);

	/* an outage: the output waits as a whole, nothing is lost */
	stage->world.status = 503;
	push_lines(bed, 0, true, 0, 10);
	bed_run_failed(bed, 2);
	assert_string_equal(bed_state(bed).problem, "unavailable");
	output_hurry(bed->output);
	bed_run_for(bed, 600 * NS_PER_MS);
	assert_int_equal(bed_state(bed).counts[0].queued, 10);
	assert_int_equal(bed_state(bed).counts[1].queued, 41);
	stage->world.status = 0;
	run_until_written(bed, 0, 10);
	bed_run_for(bed, 300 * NS_PER_MS);
	assert_held_alone(stage, "retention_policy_not_found", 10, 41);
	assert_int_equal(log_capture_count(&stage->log, "event=target_held "), 1);

	/* a bad line among what was held */
	stage->world.policy_missing = false;
	bed_run_idle(bed);
	struct output_state s = bed_state(bed);
	assert_int_equal(s.counts[1].rejected[REJECT_FIELD_TYPE], 1);
	assert_int_equal(s.counts[1].written, 40);
	assert_true(s.healthy);
}

/* The policy goes while lines answered 500 wait for their canary: no outage, that target waits. */
static void
test_canary(void **state)
{
	struct stage *stage = *state;
	struct output_bed *bed = &stage->bed;

	stage->world.policy_missing = true;
	stage->world.status = 500;
	bed_open(bed);
	push_lines(bed, 1, false, 0, 10);
	while (stage->world.canaries == 0)
		bed_run_for(bed, NS_PER_MS);
	stage->world.status = 0;
	push_lines(bed, 0, true, 0, 10);
	run_until_written(bed, 0, 10);
	assert_held_alone(stage, "retention_policy_not_found", 10, 10);
	assert_int_equal(stage->world.canaries, 1);
	stage->world.policy_missing = false;
	output_hurry(bed->output);
	bed_run_idle(bed);
	assert_stored(stage, 1, 0, 10);
}

/* The same for the output's own database: made, once its lines are asked about again. */
static void
test_canary_own(void **state)
{
	struct stage *stage = *state;

	stage->bed.settings.create_database = true;
	stage->world.own_missing = true;
	stage->world.status = 500;
	bed_open(&stage->bed);
	push_lines(&stage->bed, 0, true, 0, 10);
	while (stage->world.canaries == 0)
		bed_run_for(&stage->bed, NS_PER_MS);
	stage->world.status = 0;
	output_hurry(stage->bed.output);
	bed_run_idle(&stage->bed);
	assert_int_equal(stage->world.creates, 1);
	assert_stored(stage, 0, 0, 10);
}

/* After an outage: a refusal for one target shows that the server is back. */
static void
test_back_from_outage(void **state)
{
	struct stage *stage = *state;

	stage->world.policy_missing = true;
	stage->world.status = 503;
	bed_open(&stage->bed);
	push_lines(&stage->bed, 1, false, 0, 10);
	bed_run_failed(&stage->bed, 1);
	assert_string_equal(bed_state(&stage->bed).problem, "unavailable");
	stage->world.status = 0;
	run_until_refused(stage, 1);
	assert_held_alone(stage, "retention_policy_not_found", 0, 10);
}

int
main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(test_policy),
		STORY(test_two_connections),
		STORY(test_database),
		STORY(test_may_not_create),
		STORY(test_both_created),
		STORY(test_whole_output),
		STORY(test_bucket),
		STORY(test_bound),
		STORY(test_bound_of_all),
		STORY(test_larger_than_bound),
		STORY(test_other_trouble),
		STORY(test_canary),
		STORY(test_canary_own),
		STORY(test_back_from_outage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
