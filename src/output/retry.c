/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts are InfluxDB's own (1.x `{"error":"..."}`, 2.x `{"code":"...","message":"..."}`),
 * measured with 1.6.7. They are compared at the start of the message only: InfluxDB quotes the
 * offending line in its answer, and what a log line says must not decide what becomes of it.
 */
#include "output/retry.h"

#include <time.h>

#include "base/clock.h"

static const int64_t backoff_min_ns = NS_PER_SEC / 2;
static const int64_t backoff_max_ns = 60 * NS_PER_SEC;
static const int64_t retry_after_max_ns = 300 * NS_PER_SEC;
static const int64_t hold_min_ns = 5 * NS_PER_SEC;
static const int64_t hold_max_ns = 30 * NS_PER_SEC;
static const int64_t once_more_ns = NS_PER_SEC / 2;

enum {
	SERVER_ERRORS_BISECT = 2, /* once, and once more */
	SERVER_ERRORS_REJECT = 3, /* a single line */
};

/* Takes prefix off the front of *s; false when it is not there. */
static bool
skip(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	s->ptr += prefix.len;
	s->len -= prefix.len;
	return true;
}

/* The server's own words: without JSON around them and the phrases InfluxDB puts in front. */
static struct str
error_message(struct str body)
{
	struct str s = str_trim(body);

	if (!skip(&s, STR("{\"error\":\"")) && skip(&s, STR("{\"code\":\""))) {
		const struct str message = STR("\"message\":\"");

		while (s.len > 0 && !skip(&s, message)) {
			s.ptr++;
			s.len--;
		}
	}
	skip(&s, STR("failure writing points to database: "));
	skip(&s, STR("partial write: "));
	return s;
}

/* The number N of "dropped=N" at the start of s; false when there is none. */
static bool
read_dropped(struct str s, uint32_t *dropped)
{
	struct str digits;
	int64_t value;

	if (!skip(&s, STR("dropped=")))
		return false;
	digits = (struct str){ s.ptr, 0 };
	while (digits.len < s.len && s.ptr[digits.len] >= '0' && s.ptr[digits.len] <= '9')
		digits.len++;
	if (!str_to_int64(digits, &value) || value > UINT32_MAX)
		return false;
	*dropped = (uint32_t)value;
	return true;
}

static int64_t
doubled(int64_t start_ns, uint32_t times, int64_t max_ns)
{
	int64_t ns = start_ns;

	while (times-- > 0 && ns < max_ns)
		ns *= 2;
	return ns < max_ns ? ns : max_ns;
}

/* Anything between half a second and a bound that doubles: many senders must not come back in step.
 */
static int64_t
backoff_wait(uint32_t failures, uint64_t random)
{
	int64_t top = doubled(backoff_min_ns * 2, failures, backoff_max_ns);

	return backoff_min_ns + (int64_t)(random % (uint64_t)(top - backoff_min_ns + 1));
}

static struct retry_decision
later(const struct retry_attempt *attempt, const struct retry_answer *answer, const char *reason)
{
	struct retry_decision d = { .action = RETRY_LATER, .reason = reason };

	if (answer->retry_after_ns < 0)
		d.wait_ns = backoff_wait(attempt->failures, answer->random);
	else if (answer->retry_after_ns < backoff_min_ns)
		d.wait_ns = backoff_min_ns;
	else if (answer->retry_after_ns > retry_after_max_ns)
		d.wait_ns = retry_after_max_ns;
	else
		d.wait_ns = answer->retry_after_ns;
	return d;
}

static struct retry_decision
hold(const struct retry_attempt *attempt, enum retry_action action, const char *reason)
{
	return (struct retry_decision){
		.action = action,
		.wait_ns = doubled(hold_min_ns, attempt->holds, hold_max_ns),
		.reason = reason,
	};
}

/* Several lines: find the one; a single line: it is the one. */
static struct retry_decision
bad_points(const struct retry_attempt *attempt, enum retry_action several, const char *reason)
{
	return (struct retry_decision){
		.action = attempt->points > 1 ? several : RETRY_REJECT,
		.reason = reason,
	};
}

static const char *
reason_of_refusal(struct str message)
{
	static const struct {
		const char *text, *reason;
	} table[] = {
		{ "unable to parse", "parse" },
		{ "parsing failed", "parse" }, /* InfluxDB 3 */
		{ "partial write of line protocol", "parse" },
		{ "field type conflict", "field_type" },
		{ "max-series-per-database limit exceeded", "limit" },
		{ "max-values-per-tag limit exceeded", "limit" },
		{ "max key length exceeded", "limit" },
		{ "points beyond retention policy", "retention" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (str_starts(message, str_from(table[i].text)))
			return table[i].reason;
	return "other";
}

static struct retry_decision
decide_refused(const struct retry_attempt *attempt, struct str message)
{
	struct str rest = message;
	uint32_t dropped;

	if (str_starts(message, STR("database is required")))
		return hold(attempt, RETRY_HOLD, "database_required");
	/*
	 * InfluxDB says this only when every shard has stored its part, so the others are in. All
	 * but a line it could not parse: of that it then says nothing (measured). The encoder
	 * writes none.
	 */
	if (skip(&rest, STR("points beyond retention policy ")) && read_dropped(rest, &dropped) &&
		dropped <= attempt->points) {
		return (struct retry_decision){
			.action = RETRY_DONE,
			.rejected_points = dropped,
			.reason = "retention",
		};
	}
	return bad_points(attempt, RETRY_BISECT, reason_of_refusal(message));
}

/* The server is short of something: no line is to blame, however small the canary that still
 * passes. */
static bool
is_exhausted(struct str message)
{
	static const char *const signs[] = { "engine: cache-max-memory-size exceeded",
		"engine: error writing WAL entry", "timeout", "write failed" };

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (str_starts(message, str_from(signs[i])))
			return true;
	return false;
}

static struct retry_decision
decide_server_error(
	const struct retry_attempt *attempt, const struct retry_answer *answer, struct str message)
{
	struct retry_decision d = { .reason = "server_error" };

	if (str_starts(message, STR("retention policy not found")))
		return hold(attempt, RETRY_HOLD, "retention_policy_not_found");
	if (attempt->is_canary) /* no canary for the canary: this is an outage */
		return later(attempt, answer, "server_error");
	if (!attempt->canary_good) {
		d.action = RETRY_CANARY;
	} else if (attempt->points > 1 && attempt->server_errors >= SERVER_ERRORS_BISECT) {
		d.action = RETRY_BISECT;
	} else if (attempt->points <= 1 && is_exhausted(message)) {
		d.action = RETRY_LATER;
		d.wait_ns = backoff_wait(attempt->server_errors, answer->random);
	} else if (attempt->points <= 1 && attempt->server_errors >= SERVER_ERRORS_REJECT) {
		d.action = RETRY_REJECT;
	} else {
		d.action = RETRY_LATER;
		d.wait_ns = once_more_ns;
	}
	return d;
}

static struct retry_decision
decide_not_found(const struct retry_attempt *attempt, struct str message)
{
	if (str_starts(message, STR("database not found")))
		return hold(attempt, RETRY_CREATE_DATABASE, "database_not_found");
	if (str_starts(message, STR("bucket ")))
		return hold(attempt, RETRY_HOLD, "bucket_not_found");
	return hold(attempt, RETRY_HOLD, "not_found");
}

struct retry_decision
retry_decide(const struct retry_attempt *attempt, const struct retry_answer *answer)
{
	struct str message = error_message(answer->body);

	switch (answer->status) {
	case 0: return later(attempt, answer, "no_answer");
	case 200:
	case 204: return (struct retry_decision){ .action = RETRY_DONE, .reason = "stored" };
	case 400:
	case 422: return decide_refused(attempt, message);
	case 401: return hold(attempt, RETRY_HOLD, "unauthorized");
	case 403: return hold(attempt, RETRY_HOLD, "forbidden");
	case 404: return decide_not_found(attempt, message);
	case 408: return later(attempt, answer, "request_timeout");
	case 413: return bad_points(attempt, RETRY_SPLIT, "too_large");
	case 429: return later(attempt, answer, "throttled");
	case 500: return decide_server_error(attempt, answer, message);
	default: break;
	}
	if (answer->status > 500)
		return later(attempt, answer, "unavailable");
	if (answer->status >= 300 && answer->status < 400)
		return hold(attempt, RETRY_HOLD, "redirect");
	return hold(attempt, RETRY_HOLD, "unexpected_answer");
}

int64_t
retry_after_ns(struct str header, int64_t now_ns)
{
	/* RFC 9110 5.6.7: the format to send, and the two obsolete ones a recipient accepts as
	 * well. */
	static const char *const formats[] = { "%a, %d %b %Y %H:%M:%S GMT",
		"%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y" };
	struct str s = str_trim(header);
	int64_t seconds;
	char text[64];

	if (s.len == 0 || s.len >= sizeof(text))
		return -1;
	if (str_to_int64(s, &seconds)) {
		if (seconds < 0 || s.ptr[0] == '+')
			return -1;
		return seconds < INT64_MAX / NS_PER_SEC ? seconds * NS_PER_SEC : INT64_MAX;
	}
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, formats[i], &tm);

		if (end == NULL || *end != '\0')
			continue;
		int64_t at = timegm(&tm);
		if (at > INT64_MAX / NS_PER_SEC || at < 0)
			return -1;
		return at * NS_PER_SEC > now_ns ? at * NS_PER_SEC - now_ns : 0;
	}
	return -1;
}
