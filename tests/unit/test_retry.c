/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of docs/delivery.md's table, with the texts that InfluxDB 1.6.7 (measured), 2.x and 3
 * really answer. */
#include "output/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/clock.h"

struct retry_case {
	int status;
	const char *body;
	struct retry_attempt attempt;
	enum retry_action action;
	const char *reason;
	uint32_t rejected;
};

#define MANY                  \
	{                     \
		.points = 100 \
	}
#define ONE                 \
	{                   \
		.points = 1 \
	}

static const struct retry_case cases[] = {
	{ 204, "", MANY, RETRY_DONE, "stored", 0 },
	{ 200, "", MANY, RETRY_DONE, "stored", 0 },
	{ 202, "", MANY, RETRY_HOLD, "unexpected_answer", 0 },
	{ 0, "", MANY, RETRY_LATER, "no_answer", 0 },
	{ 0, "", ONE, RETRY_LATER, "no_answer", 0 },

	/* 400: about points */
	{ 400,
		"{\"error\":\"partial write: unable to parse 'this is bad': invalid field format "
		"dropped=0\"}\n",
		MANY, RETRY_BISECT, "parse", 0 },
	{ 400,
		"{\"error\":\"unable to parse 'x': missing fields\\nunable to parse 'y': bad "
		"timestamp\"}\n",
		MANY, RETRY_BISECT, "parse", 0 },
	{ 400, "{\"error\":\"unable to parse 'm v=1u': invalid number\"}\n", ONE, RETRY_REJECT,
		"parse", 0 },
	{ 400,
		"{\"error\":\"partial write: field type conflict: input field \\\"timestamp\\\" on "
		"measurement \\\"syslog\\\" is "
		"type string, already exists as type integer dropped=1\"}\n",
		MANY, RETRY_BISECT, "field_type", 0 },
	{ 400, "{\"error\":\"field type conflict\"}\n", MANY, RETRY_BISECT, "field_type", 0 },
	{ 400, "{\"error\":\"field type conflict\"}\n", ONE, RETRY_REJECT, "field_type", 0 },
	{ 400,
		"{\"error\":\"partial write: max-series-per-database limit exceeded: (10) "
		"dropped=3\"}\n",
		MANY, RETRY_BISECT, "limit", 0 },
	{ 400,
		"{\"error\":\"partial write: max-values-per-tag limit exceeded (100000/100000): "
		"measurement=\\\"m\\\" "
		"tag=\\\"t\\\" value=\\\"v\\\" dropped=1\"}\n",
		ONE, RETRY_REJECT, "limit", 0 },
	{ 400, "{\"error\":\"partial write: max key length exceeded: 65540 > 65535 dropped=1\"}\n",
		ONE, RETRY_REJECT, "limit", 0 },
	{ 400, "{\"error\":\"unexpected EOF\"}\n", MANY, RETRY_BISECT, "other", 0 },
	{ 400, "<html>Bad Request</html>", ONE, RETRY_REJECT, "other", 0 },
	{ 400, "", ONE, RETRY_REJECT, "other", 0 },
	{ 422,
		"{\"code\":\"unprocessable entity\",\"message\":\"failure writing points to "
		"database: partial write: field "
		"type conflict: x dropped=1\"}",
		MANY, RETRY_BISECT, "field_type", 0 },
	{ 400, "{\"code\":\"invalid\",\"message\":\"unable to parse 'x': missing fields\"}", ONE,
		RETRY_REJECT, "parse", 0 },

	/* 400: beyond the retention policy; the rest is stored */
	{ 400, "{\"error\":\"partial write: points beyond retention policy dropped=7\"}\n", MANY,
		RETRY_DONE, "retention", 7 },
	{ 400, "{\"error\":\"partial write: points beyond retention policy dropped=1\"}\n", ONE,
		RETRY_DONE, "retention", 1 },
	{ 422,
		"{\"code\":\"unprocessable entity\",\"message\":\"failure writing points to "
		"database: partial write: points "
		"beyond retention policy dropped=3\"}",
		MANY, RETRY_DONE, "retention", 3 },
	/* more than were sent, none said: no proof */
	{ 400, "{\"error\":\"partial write: points beyond retention policy dropped=101\"}\n", MANY,
		RETRY_BISECT, "retention", 0 },
	{ 400, "{\"error\":\"points beyond retention policy\"}\n", ONE, RETRY_REJECT, "retention",
		0 },
	/* a log line that quotes InfluxDB decides nothing */
	{ 400,
		"{\"error\":\"unable to parse 'm v=partial write: points beyond retention policy "
		"dropped=9': invalid\"}\n",
		MANY, RETRY_BISECT, "parse", 0 },
	{ 400, "{\"error\":\"unable to parse 'database is required': missing fields\"}\n", ONE,
		RETRY_REJECT, "parse", 0 },

	/* configuration */
	{ 400, "{\"error\":\"database is required\"}\n", MANY, RETRY_HOLD, "database_required", 0 },
	{ 401, "{\"error\":\"authorization failed\"}\n", MANY, RETRY_HOLD, "unauthorized", 0 },
	{ 401, "{\"error\":\"unable to parse authentication credentials\"}\n", ONE, RETRY_HOLD,
		"unauthorized", 0 },
	{ 403, "{\"error\":\"\\\"u\\\" user is not authorized to write to database \\\"t\\\"\"}\n",
		MANY, RETRY_HOLD, "forbidden", 0 },
	{ 404, "{\"error\":\"database not found: \\\"tg\\\"\"}\n", MANY, RETRY_CREATE_DATABASE,
		"database_not_found", 0 },
	{ 404, "{\"code\":\"not found\",\"message\":\"bucket \\\"x\\\" not found\"}", MANY,
		RETRY_HOLD, "bucket_not_found", 0 },
	{ 404, "404 page not found\n", MANY, RETRY_HOLD, "not_found", 0 },
	{ 405, "", MANY, RETRY_HOLD, "unexpected_answer", 0 },
	{ 301, "", MANY, RETRY_HOLD, "redirect", 0 },
	{ 307, "", ONE, RETRY_HOLD, "redirect", 0 },
	{ 415, "", MANY, RETRY_HOLD, "unexpected_answer", 0 },
	{ 500, "{\"error\":\"retention policy not found: nope\"}\n", MANY, RETRY_HOLD,
		"retention_policy_not_found", 0 },

	{ 500, "{\"error\":\"retention policy not found: nope\"}\n",
		{ .points = 1, .is_canary = true }, RETRY_HOLD, "retention_policy_not_found", 0 },

	/* size */
	{ 413, "{\"error\":\"Request Entity Too Large\"}\n", MANY, RETRY_SPLIT, "too_large", 0 },
	{ 413, "", ONE, RETRY_REJECT, "too_large", 0 },

	/* busy */
	{ 408, "", MANY, RETRY_LATER, "request_timeout", 0 },
	{ 429, "", MANY, RETRY_LATER, "throttled", 0 },
	{ 502, "", MANY, RETRY_LATER, "unavailable", 0 },
	{ 503, "request throttled, queue full\n", MANY, RETRY_LATER, "unavailable", 0 },
	{ 504, "", ONE, RETRY_LATER, "unavailable", 0 },
	{ 507, "", ONE, RETRY_LATER, "unavailable", 0 },

	/* 500: the canary tells */
	{ 500, "Internal Server Error", MANY, RETRY_CANARY, "server_error", 0 },
	{ 500, "Internal Server Error", ONE, RETRY_CANARY, "server_error", 0 },
	{ 500, "{\"error\":\"timeout\"}\n", MANY, RETRY_CANARY, "server_error", 0 },
	{ 500, "", { .points = 1, .is_canary = true }, RETRY_LATER, "server_error", 0 },
	{ 500, "{\"error\":\"engine: cache-max-memory-size exceeded: (1/2)\"}\n",
		{ .points = 1, .is_canary = true }, RETRY_LATER, "server_error", 0 },
	{ 500, "", { .points = 9, .server_errors = 1, .canary_good = true }, RETRY_LATER,
		"server_error", 0 },
	{ 500, "", { .points = 9, .server_errors = 2, .canary_good = true }, RETRY_BISECT,
		"server_error", 0 },
	{ 500, "", { .points = 1, .server_errors = 1, .canary_good = true }, RETRY_LATER,
		"server_error", 0 },
	{ 500, "", { .points = 1, .server_errors = 2, .canary_good = true }, RETRY_LATER,
		"server_error", 0 },
	{ 500, "", { .points = 1, .server_errors = 3, .canary_good = true }, RETRY_REJECT,
		"server_error", 0 },
	{ 500, "", { .points = 1, .server_errors = 3 }, RETRY_CANARY, "server_error", 0 },
	/* short of memory or disk: no line is to blame */
	{ 500, "{\"error\":\"engine: cache-max-memory-size exceeded: (1/2)\"}\n",
		{ .points = 1, .server_errors = 9, .canary_good = true }, RETRY_LATER,
		"server_error", 0 },
	{ 500,
		"{\"error\":\"engine: error writing WAL entry: write x: no space left on "
		"device\"}\n",
		{ .points = 1, .server_errors = 9, .canary_good = true }, RETRY_LATER,
		"server_error", 0 },
	{ 500, "{\"error\":\"timeout\"}\n",
		{ .points = 1, .server_errors = 9, .canary_good = true }, RETRY_LATER,
		"server_error", 0 },
	{ 500, "{\"error\":\"engine: cache-max-memory-size exceeded: (1/2)\"}\n",
		{ .points = 2, .server_errors = 2, .canary_good = true }, RETRY_BISECT,
		"server_error", 0 },
};

static void
test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct retry_case *c = &cases[i];
		struct retry_answer answer = {
			.status = c->status, .body = str_from(c->body), .retry_after_ns = -1
		};
		struct retry_decision d = retry_decide(&c->attempt, &answer);

		if (d.action != c->action || d.rejected_points != c->rejected)
			fail_msg("case %zu: status %d, %s: action %d, rejected %u", i, c->status,
				c->body, (int)d.action, d.rejected_points);
		assert_string_equal(d.reason, c->reason);
	}
}

static int64_t
wait_of(int status, uint32_t failures, int64_t after_ns, uint64_t random)
{
	struct retry_attempt attempt = { .points = 10, .failures = failures, .holds = failures };
	struct retry_answer answer = {
		.status = status, .retry_after_ns = after_ns, .random = random
	};

	return retry_decide(&attempt, &answer).wait_ns;
}

static void
test_backoff(void **state)
{
	const int64_t half = NS_PER_SEC / 2;

	(void)state;
	for (uint32_t failures = 0; failures < 100; failures++) {
		int64_t top = failures < 6 ? NS_PER_SEC << failures : 60 * NS_PER_SEC;

		assert_int_equal(wait_of(503, failures, -1, 0), half);
		assert_int_equal(wait_of(503, failures, -1, (uint64_t)(top - half)), top);
		assert_int_equal(wait_of(503, failures, -1, (uint64_t)(top - half) + 1), half);
		assert_int_equal(wait_of(503, UINT32_MAX, -1, 12345), half + 12345);
	}
	assert_int_equal(wait_of(429, 9, 7 * NS_PER_SEC, 99), 7 * NS_PER_SEC);
	assert_int_equal(wait_of(503, 9, 0, 99), half);
	assert_int_equal(wait_of(503, 0, 301 * NS_PER_SEC, 99), 300 * NS_PER_SEC);
	assert_int_equal(wait_of(401, 0, -1, 0), 5 * NS_PER_SEC);
	assert_int_equal(wait_of(401, 1, -1, 0), 10 * NS_PER_SEC);
	assert_int_equal(wait_of(401, 50, -1, 0), 30 * NS_PER_SEC);
}

static void
test_retry_after(void **state)
{
	const int64_t now = INT64_C(784111777) * NS_PER_SEC; /* Sun, 06 Nov 1994 08:49:37 GMT */
	static const struct {
		const char *header;
		int64_t ns;
	} table[] = {
		{ "120", 120 * NS_PER_SEC },
		{ " 0 ", 0 },
		{ "Sun, 06 Nov 1994 08:49:47 GMT", 10 * NS_PER_SEC },
		{ "Sunday, 06-Nov-94 08:49:47 GMT", 10 * NS_PER_SEC },
		{ "Sun Nov  6 08:49:47 1994", 10 * NS_PER_SEC },
		{ "Sun, 06 Nov 1994 08:49:36 GMT", 0 },
		{ "", -1 },
		{ "-1", -1 },
		{ "+1", -1 },
		{ "1.5", -1 },
		{ "soon", -1 },
		{ "Sun, 06 Nov 1994 08:49:47 GMT tomorrow", -1 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (retry_after_ns(str_from(table[i].header), now) != table[i].ns)
			fail_msg("%s", table[i].header);
	assert_int_equal(retry_after_ns(STR_ABSENT, now), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
