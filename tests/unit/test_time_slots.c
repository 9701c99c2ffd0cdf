/* SPDX-License-Identifier: Apache-2.0 */
/* Point times: no two different messages share a nanosecond, the same message lands where it was,
 * floods stay bounded. */
#include "support/cmocka_all.h"

#include <pthread.h>

#include "base/clock.h"
#include "output/time_slots.h"

#define NOW INT64_C(1795168800000000000) /* 2026-11-20T10:00:00Z */

static struct stamp
stamper_stamp(struct stamper *stamper, struct ordinals *ordinals, uint64_t peer,
	const struct log_record *record, int64_t received_ns)
{
	struct stamp stamp = stamper_begin(stamper, ordinals, peer, record, received_ns);

	stamper_settle(stamper, record, &stamp);
	return stamp;
}

static struct stamper
stamper_on(struct time_slots *slots, uint32_t worker, uint32_t n_workers)
{
	return (struct stamper){ .slots = slots,
		.worker = worker,
		.n_workers = n_workers,
		.max_age_ns = 7 * 86400 * NS_PER_SEC,
		.max_future_ns = 10 * NS_PER_SEC };
}

static struct log_record
message(const char *text, int64_t time_ns, uint8_t digits)
{
	return (struct log_record){
		.frame = str_from(text), .has_time = true, .time_ns = time_ns, .time_digits = digits
	};
}

static int
by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
assert_distinct(int64_t *times, size_t n)
{
	qsort(times, n, sizeof(*times), by_value);
	for (size_t i = 1; i < n; i++)
		assert_true(times[i] != times[i - 1]);
}

static void
microseconds_keep_their_microsecond(void **state)
{
	struct time_slots *slots = time_slots_new(NOW);
	struct stamper stamper = stamper_on(slots, 0, 1);
	struct ordinals first = { 0 }, second = { 0 };
	struct log_record a = message("message a", NOW + 123456000, 6),
			  b = message("message b", NOW + 123456000, 6);

	(void)state;
	int64_t at = stamper_stamp(&stamper, &first, 0, &a, NOW + NS_PER_SEC).point_ns;
	assert_true(at / 1000 == (NOW + 123456000) / 1000);
	assert_true(stamper_stamp(&stamper, &first, 0, &b, NOW + NS_PER_SEC).point_ns != at);
	/* sent again over another connection: the same point; twice over one: two points */
	assert_true(stamper_stamp(&stamper, &second, 0, &a, NOW + 2 * NS_PER_SEC).point_ns == at);
	int64_t again = stamper_stamp(&stamper, &first, 0, &a, NOW + NS_PER_SEC).point_ns;
	assert_true(again != at);
	/* and both of these land on their own places when the connection's whole past is sent again
	 */
	assert_true(
		stamper_stamp(&stamper, &second, 0, &a, NOW + 3 * NS_PER_SEC).point_ns == again);
	/* UDP: one set of ordinals for all senders, told apart by their addresses */
	assert_true(stamper_stamp(&stamper, &first, 77, &a, NOW + NS_PER_SEC).point_ns == at);
	time_slots_free(&slots);
}

static void
the_same_after_a_restart(void **state)
{
	struct log_record a = message("<13>1 - - a", NOW, 6);
	int64_t times[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct time_slots *slots = time_slots_new(NOW + i * NS_PER_SEC);
		struct stamper stamper = stamper_on(slots, 0, 1);
		struct ordinals ordinals = { 0 };

		times[i] = stamper_stamp(&stamper, &ordinals, 0, &a, NOW).point_ns;
		time_slots_free(&slots);
	}
	assert_true(times[0] == times[1]);
}

/* 1,000 fit into a microsecond, the next go on into the next one; a flood stays distinct and quick.
 */
static void
a_full_microsecond_runs_over(void **state)
{
	enum { N = 100000 };
	struct time_slots *slots = time_slots_new(NOW);
	struct stamper stamper = stamper_on(slots, 0, 1);
	struct ordinals ordinals = { 0 };
	int64_t *times = malloc(N * sizeof(*times));
	char text[32];

	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(text, sizeof(text), "message %d", i);
		struct log_record record = message(text, NOW, 6);
		times[i] = stamper_stamp(&stamper, &ordinals, 0, &record, NOW).point_ns;
	}
	for (int i = 0; i < 1000; i++)
		assert_true(times[i] >= NOW && times[i] < NOW + 1000);
	assert_true(times[1000] >= NOW + 1000 && times[1000] < NOW + 2000);
	for (int i = 0; i < N; i++)
		assert_true(times[i] >= NOW && times[i] < NOW + 101 * 1000);
	assert_distinct(times, N);
	free(times);
	time_slots_free(&slots);
}

/* A thousand full microseconds, as a hostile sender makes them: whatever stamp in there comes next,
 * it is not searched for among a million slots each time. */
static void
full_microseconds_are_searched_once(void **state)
{
	enum { FULL = 1000, N = FULL * 1000, MORE = 3000 };
	struct time_slots *slots = time_slots_new(NOW);
	struct stamper stamper = stamper_on(slots, 0, 1);
	struct ordinals ordinals = { 0 };
	int64_t begun = 0;
	char text[32];

	(void)state;
	for (int i = 0; i < N + MORE; i++) {
		int64_t us = i < N ? i / 1000 : (i - N) * 7 % FULL;

		if (i == N)
			begun = clock_monotonic_ns();
		snprintf(text, sizeof(text), "message %d", i);
		struct log_record record = message(text, NOW + us * 1000, 6);
		stamper_stamp(&stamper, &ordinals, 0, &record, NOW);
	}
	/* Searched each time: 10 s and more. */
	assert_true(clock_monotonic_ns() - begun < 3 * NS_PER_SEC);
	time_slots_free(&slots);
}

static void
coarse_stamps_take_the_order_of_arrival(void **state)
{
	enum { N = 200000 };
	static const struct {
		uint8_t digits;
		int64_t unit;
	} cases[] = { { 0, NS_PER_SEC }, { 3, NS_PER_MS }, { 1, NS_PER_SEC / 10 } };
	int64_t *times = malloc(N * sizeof(*times));

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct time_slots *slots = time_slots_new(NOW);
		struct stamper stamper = stamper_on(slots, 0, 1);
		struct ordinals ordinals = { 0 };
		struct log_record same = message("the very same", NOW, cases[c].digits);

		for (int i = 0; i < N; i++) {
			times[i] = stamper_stamp(&stamper, &ordinals, 0, &same, NOW + NS_PER_SEC)
					   .point_ns;
			assert_true(times[i] >= NOW && times[i] < NOW + cases[c].unit);
			if (i > 0 && cases[c].digits == 0)
				assert_true(times[i] > times[i - 1]);
		}
		assert_distinct(times, N);
		time_slots_free(&slots);
	}
	free(times);
}

static void
no_stamp_or_an_absurd_one(void **state)
{
	struct time_slots *slots = time_slots_new(NOW);
	struct stamper stamper = stamper_on(slots, 1, 2);
	struct ordinals ordinals = { 0 };
	struct log_record nil = { .frame = STR_INIT("x") };
	struct log_record old = message("x", NOW - 8 * 86400 * NS_PER_SEC, 6),
			  ahead = message("x", NOW + 11 * NS_PER_SEC, 6);
	struct log_record edge = message("x", NOW + 10 * NS_PER_SEC, 6);
	int64_t last = 0;

	(void)state;
	struct stamp stamp = stamper_stamp(&stamper, &ordinals, 0, &nil, NOW);
	assert_false(stamp.skewed);
	assert_true(stamp.event_ns == NOW && stamp.point_ns >= NOW && stamp.point_ns < NOW + 4);
	stamp = stamper_stamp(&stamper, &ordinals, 0, &old, NOW);
	assert_true(stamp.skewed && stamp.event_ns == NOW && stamp.point_ns < NOW + 10);
	assert_true(stamper_stamp(&stamper, &ordinals, 0, &ahead, NOW).skewed);
	stamp = stamper_stamp(&stamper, &ordinals, 0, &edge, NOW);
	assert_true(!stamp.skewed && stamp.event_ns == NOW + 10 * NS_PER_SEC);
	/* the receive time rises strictly though the clock stands still or steps back, and stays on
	 * the worker's own places */
	for (int i = 0; i < 1000; i++) {
		stamp = stamper_stamp(&stamper, &ordinals, 0, &nil, NOW - i * NS_PER_MS);
		assert_true(stamp.point_ns > last && stamp.point_ns % 2 == 1);
		last = stamp.point_ns;
	}
	stamper.received_only = true;
	stamp = stamper_stamp(&stamper, &ordinals, 0, &edge, NOW + NS_PER_SEC);
	assert_true(stamp.point_ns / 1000 == (NOW + NS_PER_SEC) / 1000);
	assert_true(stamp.event_ns == NOW + 10 * NS_PER_SEC);
	time_slots_free(&slots);
}

/* ---- workers at once on the same few microseconds ---- */

enum { THREADS = 4, EACH = 50000 };

struct racer {
	struct time_slots *slots;
	uint32_t id;
	int64_t times[EACH];
};

static void *
race(void *ctx)
{
	struct racer *racer = ctx;
	struct stamper stamper = stamper_on(racer->slots, racer->id, THREADS);
	struct ordinals ordinals = { 0 };
	char text[40];

	for (int i = 0; i < EACH; i++) {
		snprintf(text, sizeof(text), "worker %u message %d", racer->id, i);
		struct log_record record = message(
			text, NOW + i / 500 * 1000, 6); /* 4 * 500 messages a microsecond */
		racer->times[i] = stamper_stamp(&stamper, &ordinals, 0, &record, NOW).point_ns;
	}
	return NULL;
}

static void
workers_never_meet(void **state)
{
	struct time_slots *slots = time_slots_new(NOW);
	struct racer *racers = calloc(THREADS, sizeof(*racers));
	int64_t *all = malloc(THREADS * EACH * sizeof(*all));
	pthread_t threads[THREADS];

	(void)state;
	for (uint32_t i = 0; i < THREADS; i++) {
		racers[i].slots = slots;
		racers[i].id = i;
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		memcpy(all + i * EACH, racers[i].times, sizeof(racers[i].times));
	}
	assert_distinct(all, THREADS * EACH);
	free(all);
	free(racers);
	time_slots_free(&slots);
}

static void
virtual_clock_follows_messages(void **state)
{
	struct time_slots *slots = time_slots_new(NOW);
	struct stamper stamper = stamper_on(slots, 0, 1);
	struct ordinals ordinals = { 0 };
	struct log_record old = message("x", NOW - 3650 * 86400 * NS_PER_SEC, 6),
			  nil = { .frame = STR_INIT("y") };

	(void)state;
	stamper.virtual_clock = true;
	struct stamp stamp = stamper_stamp(&stamper, &ordinals, 0, &old, NOW);
	assert_true(
		!stamp.skewed && stamp.event_ns == old.time_ns && stamp.received_ns == old.time_ns);
	stamp = stamper_stamp(&stamper, &ordinals, 0, &nil, NOW);
	assert_true(stamp.event_ns == old.time_ns);
	time_slots_free(&slots);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(microseconds_keep_their_microsecond),
		cmocka_unit_test(the_same_after_a_restart),
		cmocka_unit_test(a_full_microsecond_runs_over),
		cmocka_unit_test(full_microseconds_are_searched_once),
		cmocka_unit_test(coarse_stamps_take_the_order_of_arrival),
		cmocka_unit_test(no_stamp_or_an_absurd_one),
		cmocka_unit_test(workers_never_meet),
		cmocka_unit_test(virtual_clock_follows_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
