/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer means: retry_decide() gives the verdict, here it is carried out. Two things
 * change: where the job goes (settled, queue, side, parked) and how the output as a whole goes on
 * (alive, waiting, holding). Each change of the latter is logged once, not each attempt.
 */
#include "output/influx_internal.h"

#include <assert.h>

#include "base/clock.h"
#include "base/hash.h"

static const int64_t create_again_ns = 5 *
	NS_PER_SEC; /* a database that is still missing then is not our doing */
static const int64_t sample_interval_ns = NS_PER_SEC;
static const int64_t failover_interval_ns = 10 * NS_PER_SEC;

enum { LOG_TEXT_MAX = 256 }; /* bytes of a line or a reply in the log */

static struct str
cut_text(struct str s)
{
	s = str_trim(s);
	if (s.len > LOG_TEXT_MAX)
		s.len = LOG_TEXT_MAX;
	return s;
}

static const char *
hint_for(const char *reason)
{
	static const struct {
		const char *reason, *hint;
	} hints[] = {
		{ "unauthorized", "check username and password, or the token" },
		{ "forbidden", "the user or token may not write to this database" },
		{ "database_not_found", "create the database, or set create_database = yes" },
		{ "database_not_created",
			"create the database by hand, or let the user create it" },
		{ "database_required", "set database" },
		{ "bucket_not_found", "check org and bucket" },
		{ "retention_policy_not_found",
			"check retention_policy, or create it in the database" },
		{ "not_found", "check url and version" },
		{ "redirect", "check url: redirects are not followed" },
	};

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (str_is(str_from(hints[i].reason), reason))
			return hints[i].hint;
	return "check url: this is not how InfluxDB answers";
}

/* Same cause as before: said already. */
static bool
is_new_problem(struct influx_output *influx, const char *reason)
{
	struct output_state *state = &influx->output.state;

	if (state->problem != NULL && str_is(str_from(state->problem), reason))
		return false;
	state->healthy = false;
	state->problem = reason;
	influx->output.changed = true;
	return true;
}

static void
log_failed(struct influx_output *influx, const char *reason, const struct http_answer *answer,
	int64_t wait_ns)
{
	struct str text = answer->status == 0 ? str_from(answer->error) : answer->body;

	if (is_new_problem(influx, reason))
		diag_warn("delivery_failed", DIAG_TEXT("output", influx->output.settings->name),
			DIAG_INT("status", answer->status), DIAG_TEXT("reason", reason),
			DIAG_STR("error", cut_text(text)),
			DIAG_INT("retry_in_ms", wait_ns / NS_PER_MS));
}

static void
log_holds(struct influx_output *influx, const char *reason, const struct http_answer *answer,
	int64_t wait_ns)
{
	if (is_new_problem(influx, reason))
		diag_error("output_holds", DIAG_TEXT("output", influx->output.settings->name),
			DIAG_INT("status", answer->status), DIAG_TEXT("reason", reason),
			DIAG_TEXT("todo", hint_for(reason)),
			DIAG_STR("error", cut_text(answer->body)),
			DIAG_INT("retry_in_ms", wait_ns / NS_PER_MS));
}

/* The server answers as it should. What an exchange from before the failure says of the past does
 * not count. */
static void
set_alive(struct influx_output *influx, const struct exchange *exchange)
{
	struct output_state *state = &influx->output.state;

	if (exchange->started_ns < influx->failed_ns)
		return;
	if (state->problem != NULL) {
		diag_info("delivery_recovered", DIAG_TEXT("output", influx->output.settings->name),
			DIAG_TEXT("after", state->problem), DIAG_INT("failures", influx->failures));
		influx->output.changed = true;
	}
	state->problem = NULL;
	state->healthy = true;
	state->retry_at_ns = 0;
	influx->failures = 0;
	influx->url_failures = 0;
	if (influx->window < influx->output.settings->connections)
		influx->window++;
}

/* The whole output waits; then one request tries. False: the exchange belongs to a failure that is
 * known. */
static bool
set_waiting(struct influx_output *influx, const struct exchange *exchange, int64_t *wait_ns)
{
	int64_t now = clock_monotonic_ns();

	if (exchange->started_ns < influx->failed_ns)
		return false;
	if (influx->output.hurry && *wait_ns > HURRY_WAIT_MS * NS_PER_MS)
		*wait_ns = HURRY_WAIT_MS * NS_PER_MS;
	influx->failed_ns = now;
	influx->output.state.retry_at_ns = now + *wait_ns;
	influx->window = 1;
	return true;
}

/* To the next address when this one fails; true while one is left that has not been tried in this
 * round. */
static bool
fail_over(struct influx_output *influx, const struct exchange *exchange,
	const struct http_answer *answer)
{
	const struct output_settings *s = influx->output.settings;

	if (s->n_urls < 2 || (answer->status != 0 && answer->status < 500))
		return false;
	influx->url = (exchange->url + 1) % s->n_urls;
	influx->url_failures++;
	if (diag_allowed(&influx->failover_limit, clock_monotonic_ns(), failover_interval_ns))
		diag_warn("delivery_failover", DIAG_TEXT("output", s->name),
			DIAG_INT("status", answer->status), DIAG_INT("url", influx->url + 1),
			DIAG_INT("urls", s->n_urls));
	return influx->url_failures % s->n_urls != 0;
}

static void
set_failed(struct influx_output *influx, const struct exchange *exchange,
	const struct retry_decision *decision, const struct http_answer *answer)
{
	int64_t wait_ns = decision->wait_ns;

	if (exchange->started_ns < influx->failed_ns)
		return;
	bool next_url = fail_over(influx, exchange, answer);
	if (next_url)
		wait_ns = 0;
	set_waiting(influx, exchange, &wait_ns);
	if (next_url)
		return;
	influx->failures++;
	log_failed(influx, decision->reason, answer, wait_ns);
}

static void
set_holding(struct influx_output *influx, const struct exchange *exchange, const char *reason,
	int64_t wait_ns, const struct http_answer *answer)
{
	bool fresh_secret = (answer->status == 401 || answer->status == 403) &&
		influx_api_reload_secret(&influx->api);

	if (fresh_secret)
		wait_ns = 0;
	if (!set_waiting(influx, exchange, &wait_ns) || fresh_secret)
		return;
	influx->failures++;
	log_holds(influx, reason, answer, wait_ns);
}

static enum reject_reason
reject_reason(const char *name)
{
	static const char *const names[] = {
#define X(id, text) [id] = (text),
		REJECT_REASONS(X)
#undef X
	};

	for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
		if (str_is(str_from(names[i]), name))
			return (enum reject_reason)i;
	return REJECT_OTHER;
}

/* Takes the job, a single line. */
static void
reject_line(struct influx_output *influx, struct job *job, const char *reason, int status,
	struct str reply)
{
	struct str line = job_line(job);
	uint64_t suppressed = influx->sample_limit.suppressed;

	if (diag_allowed(&influx->sample_limit, clock_monotonic_ns(), sample_interval_ns))
		diag_warn("line_rejected", DIAG_TEXT("output", influx->output.settings->name),
			DIAG_TEXT("reason", reason), DIAG_INT("status", status),
			DIAG_STR("reply", cut_text(reply)), DIAG_STR("line", cut_text(line)),
			DIAG_INT("suppressed", suppressed));
	dead_letters_add(influx->dead_letters, line, reason, status, reply);
	output_settle(&influx->output, job, 1, reject_reason(reason));
}

/* Same lines again. Takes the job. */
static void
send_again(struct influx_output *influx, struct job *job, bool side)
{
	influx->output.state.retries++;
	influx_enqueue(influx, job, side);
}

/* Something is missing: for the whole output, or only for a rule's target. */
static void
hold(struct influx_output *influx, const struct exchange *exchange, const char *reason,
	int64_t wait_ns, const struct http_answer *answer)
{
	if (!influx_is_targets_own(influx, exchange->target, reason)) {
		set_holding(influx, exchange, reason, wait_ns, answer);
		return;
	}
	set_alive(influx, exchange);
	influx_hold(influx, exchange, reason, wait_ns, answer);
}

/* Both halves go where the job came from, or to the side queue. Takes the job. */
static void
halve(struct influx_output *influx, struct job *job, bool side)
{
	struct job *rest = job_cut(job, job->points / 2);
	/* Halves of lines that were answered 500: the first one more is enough to go on, a single
	 * line starts anew. */
	uint32_t errors = job->server_errors > 0 ? 1 : 0;

	job->server_errors = job->points > 1 ? errors : 0;
	rest->server_errors = rest->points > 1 ? errors : 0;
	job->not_before_ns = 0;
	buf_fini(&job->reply);
	influx_enqueue(influx, job, side);
	influx_enqueue(influx, rest, side);
}

static void
remember_too_large(struct influx_output *influx, size_t bytes)
{
	size_t limit = bytes / 2 > influx->body_ok ? bytes / 2 : influx->body_ok;

	if (limit >= influx->body_limit)
		return;
	influx->body_limit = limit;
	diag_warn("body_too_large", DIAG_TEXT("output", influx->output.settings->name),
		DIAG_INT("bytes", bytes), DIAG_INT("limit", limit));
}

/* Missing database: made, when that is allowed and was not just done; else its points wait. Takes
 * the job. */
static void
database_missing(struct influx_output *influx, struct exchange *exchange, struct job *job,
	const struct retry_decision *decision, const struct http_answer *answer)
{
	const struct output_settings *s = influx->output.settings;
	int64_t created_ns = influx_target_state(influx, exchange->target)->created_ns;
	bool may_create = s->version == 1 && s->create_database;

	if (may_create && (influx->n_asking > 0 || exchange->started_ns < created_ns)) {
		send_again(
			influx, job, exchange->side); /* it is being made, or has been made since */
		return;
	}
	if (may_create &&
		(created_ns == 0 || clock_monotonic_ns() - created_ns > create_again_ns)) {
		influx_start_create(influx, job, exchange->side);
		return;
	}
	hold(influx, exchange, decision->reason, decision->wait_ns, answer);
	send_again(influx, job, exchange->side);
}

/* Carries out what was decided on a write. Takes the job. */
static void
carry_out(struct influx_output *influx, struct exchange *exchange, struct job *job,
	const struct retry_decision *decision, const struct http_answer *answer)
{
	enum retry_action action = decision->action;

	if (action == RETRY_DONE || action == RETRY_SPLIT || action == RETRY_BISECT ||
		action == RETRY_REJECT)
		set_alive(influx, exchange);
	influx_probed(influx, exchange, action == RETRY_DONE);
	switch (action) {
	case RETRY_DONE:
		if (job->bytes > influx->body_ok)
			influx->body_ok = job->bytes;
		output_settle(&influx->output, job, decision->rejected_points, REJECT_RETENTION);
		break;
	case RETRY_SPLIT:
		remember_too_large(influx, job->bytes);
		halve(influx, job, exchange->side);
		break;
	case RETRY_BISECT: halve(influx, job, true); break;
	case RETRY_REJECT:
		reject_line(influx, job, decision->reason, answer->status, answer->body);
		break;
	case RETRY_CANARY:
		buf_clear(&job->reply);
		buf_add(&job->reply, cut_text(answer->body));
		job_list_add(&influx->parked, job);
		break;
	case RETRY_CREATE_DATABASE:
		database_missing(influx, exchange, job, decision, answer);
		break;
	case RETRY_LATER:
		set_failed(influx, exchange, decision, answer);
		send_again(influx, job, exchange->side);
		break;
	case RETRY_HOLD:
		hold(influx, exchange, decision->reason, decision->wait_ns, answer);
		send_again(influx, job, exchange->side);
		break;
	}
}

static struct retry_answer
for_retry(struct influx_output *influx, const struct http_answer *answer)
{
	struct retry_answer a = {
		.status = answer->status, .body = answer->body, .retry_after_ns = -1
	};

	influx->random = hash_mix(influx->random + UINT64_C(0x9e3779b97f4a7c15));
	a.random = influx->random;
	if (str_present(answer->retry_after))
		a.retry_after_ns = retry_after_ns(answer->retry_after, clock_realtime_ns());
	return a;
}

/* Earlier answers in a row that said something was missing. */
static uint32_t
count_holds(const struct influx_output *influx, uint16_t target)
{
	const struct target_state *state = influx_held(influx, target);

	return state != NULL ? state->failures : influx->failures;
}

static void
take_write(
	struct influx_output *influx, struct exchange *exchange, const struct http_answer *answer)
{
	struct job *job = exchange->job;
	struct retry_attempt attempt = {
		.points = job->points,
		.failures = influx->failures,
		.holds = count_holds(influx, exchange->target),
		.server_errors = job->server_errors,
	};
	struct retry_answer a = for_retry(influx, answer);
	struct retry_decision decision = retry_decide(&attempt, &a);

	exchange->job = NULL;
	carry_out(influx, exchange, job, &decision, answer);
}

/* The server takes a small write, so the 500 was about these lines. Takes the job. */
static void
blame_lines(struct influx_output *influx, struct job *job)
{
	struct retry_attempt attempt = {
		.points = job->points,
		.failures = influx->failures,
		.server_errors = ++job->server_errors,
		.canary_good = true,
	};
	const struct http_answer answer = {
		.status = 500, .body = buf_str(&job->reply), .error = ""
	};
	struct retry_answer a = for_retry(influx, &answer);
	struct retry_decision decision = retry_decide(&attempt, &a);
	int64_t wait_ns = decision.wait_ns;

	switch (decision.action) {
	case RETRY_BISECT: halve(influx, job, true); break;
	case RETRY_REJECT: reject_line(influx, job, decision.reason, 500, answer.body); break;
	default:
		assert(decision.action == RETRY_LATER);
		if (influx->output.hurry && wait_ns > HURRY_WAIT_MS * NS_PER_MS)
			wait_ns = HURRY_WAIT_MS * NS_PER_MS;
		job->not_before_ns = clock_monotonic_ns() + wait_ns;
		send_again(influx, job, true);
		break;
	}
}

static struct retry_decision
decide_asked(struct influx_output *influx, const struct exchange *exchange,
	const struct http_answer *answer)
{
	struct retry_attempt attempt = {
		.points = 1,
		.failures = influx->failures,
		.holds = count_holds(influx, exchange->target),
		.is_canary = true,
	};
	struct retry_answer a = for_retry(influx, answer);

	return retry_decide(&attempt, &a);
}

static void
take_canary(
	struct influx_output *influx, struct exchange *exchange, const struct http_answer *answer)
{
	struct retry_decision decision = decide_asked(influx, exchange, answer);

	influx_probed(influx, exchange, decision.action == RETRY_DONE);
	switch (decision.action) {
	case RETRY_LATER: set_failed(influx, exchange, &decision, answer); return;
	case RETRY_HOLD:
	case RETRY_CREATE_DATABASE:
		hold(influx, exchange, decision.reason, decision.wait_ns, answer);
		influx_unpark(influx, exchange->target);
		return;
	default: break;
	}
	set_alive(influx,
		exchange); /* stored, or refused in good order: either way the server works */
	for (struct job *job = influx->parked.head, *next; job != NULL; job = next) {
		next = job->next;
		if (job->target != exchange->target)
			continue;
		job_list_remove(&influx->parked, job);
		blame_lines(influx, job);
	}
}

static void
take_create(
	struct influx_output *influx, struct exchange *exchange, const struct http_answer *answer)
{
	const struct target *target = &influx->output.env->targets[exchange->target];
	struct retry_decision decision = decide_asked(influx, exchange, answer);
	struct job *job = exchange->job;
	static const char *const not_created = "database_not_created";
	/* a user who may write, but not make a rule's database: no matter of the whole output */
	bool may_not_create = answer->status == 403 &&
		influx_is_targets_own(influx, exchange->target, not_created);

	exchange->job = NULL;
	if (answer->status == 200 &&
		memmem(answer->body.ptr, answer->body.len, "\"error\"", 7) == NULL) {
		influx_target_state(influx, exchange->target)->created_ns = clock_monotonic_ns();
		diag_info("database_created", DIAG_TEXT("output", influx->output.settings->name),
			DIAG_STR("database", influx_api_database(&influx->api, target)));
	} else if (decision.action == RETRY_LATER) {
		set_failed(influx, exchange, &decision, answer);
	} else if (decision.action == RETRY_HOLD && !may_not_create) {
		hold(influx, exchange, decision.reason, decision.wait_ns, answer);
	} else {
		hold(influx, exchange, not_created,
			decision.wait_ns > 0 ? decision.wait_ns : create_again_ns, answer);
	}
	send_again(influx, job, exchange->side);
}

void
influx_take_answer(struct exchange *exchange, const struct http_answer *answer)
{
	struct influx_output *influx = exchange->influx;
	struct output_state *state = &influx->output.state;

	state->last_status = answer->status;
	if (answer->status == 200 || answer->status == 204)
		state->requests_ok++;
	else
		state->requests_failed++;
	switch (exchange->ask) {
	case ASK_WRITE: take_write(influx, exchange, answer); break;
	case ASK_CANARY: take_canary(influx, exchange, answer); break;
	case ASK_CREATE: take_create(influx, exchange, answer); break;
	}
}
