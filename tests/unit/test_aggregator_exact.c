/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts are exact in whatever order things come. What is written goes into a model of the
 * database, and that is compared with what plain counting over all matches gives. TEST_SEED repeats
 * a run.
 */
#include "unit/aggregator_fixture.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "metric/series_table.h"

enum { N_MATCHES = 300, N_SERIES = 5, N_WINDOWS = 12 };

static const char *const names[N_SERIES] = { "m,a=0", "m,a=1", "m,a=2", "m,a=3", "m,a=4" };

struct sample {
	int series;
	int64_t value, time_ns;
};

static uint64_t
random_below(uint64_t *seed, uint64_t limit)
{
	*seed += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(*seed) % limit;
}

static uint64_t
new_seed(void)
{
	const char *given = getenv("TEST_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)clock_realtime_ns();

	print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/* Distinct times (what first and last are among equal times depends on the order), some before
 * 1970. */
static void
random_samples(uint64_t *seed, struct sample *samples)
{
	for (int n = 0; n < N_MATCHES; n++)
		samples[n] = (struct sample){
			.series = (int)random_below(seed, N_SERIES),
			.value = (int64_t)random_below(seed, 2000) - 1000,
			.time_ns = (int64_t)random_below(seed, N_WINDOWS * 10) * S - 20 * S + n,
		};
	for (size_t n = N_MATCHES - 1; n > 0; n--) {
		size_t other = random_below(seed, n + 1);
		struct sample kept = samples[n];

		samples[n] = samples[other];
		samples[other] = kept;
	}
}

/* What a database holds after the lines: of two with the same series and time the later one. */
struct stored {
	struct table_entry entry;
	char fields[200];
};

static void
store_lines(struct series_table *store, struct fixture *f)
{
	char *save = NULL;
	char *text = xstrndup(buf_cstr(&f->lines), f->lines.len);

	for (char *line = strtok_r(text, "\n", &save); line != NULL;
		line = strtok_r(NULL, "\n", &save)) {
		char series[32], fields[200], key[100];
		long long time_ns;

		assert_int_equal(sscanf(line, "%31s %199s %lld", series, fields, &time_ns), 3);
		snprintf(key, sizeof(key), "%s %lld", series, time_ns);
		struct stored *stored = (void *)series_table_find(store, str_from(key));

		if (stored == NULL)
			stored = series_table_add(store, str_from(key), sizeof(*stored));
		snprintf(stored->fields, sizeof(stored->fields), "%s", fields);
	}
	free(text);
	buf_clear(&f->lines);
}

/* The same by counting over all samples; empty when the window has none. */
static void
expected_fields(const struct sample *samples, int series, int64_t start_ns, bool totals, char *out,
	size_t size)
{
	int64_t count = 0, total = 0, sum = 0;
	const struct sample *min = NULL, *max = NULL, *first = NULL, *last = NULL;

	for (const struct sample *s = samples; s < samples + N_MATCHES; s++) {
		if (s->series != series || s->time_ns >= start_ns + 10 * S)
			continue;
		total++;
		if (s->time_ns < start_ns)
			continue;
		count++;
		sum += s->value;
		min = min == NULL || s->value < min->value ? s : min;
		max = max == NULL || s->value > max->value ? s : max;
		first = first == NULL || s->time_ns < first->time_ns ? s : first;
		last = last == NULL || s->time_ns > last->time_ns ? s : last;
	}
	*out = '\0';
	if (count == 0)
		return;
	int n = snprintf(out, size,
		"count=%lldi,sum=%lldi,min=%lldi,max=%lldi,first=%lldi,last=%lldi",
		(long long)count, (long long)sum, (long long)min->value, (long long)max->value,
		(long long)first->value, (long long)last->value);

	if (totals)
		snprintf(out + n, size - (size_t)n, ",total=%lldi", (long long)total);
}

static void
expect_stored(const struct series_table *store, const struct sample *samples, bool totals,
	int64_t offset_ns)
{
	for (int series = 0; series < N_SERIES; series++)
		for (int64_t start_ns = -20 * S; start_ns < (N_WINDOWS - 2) * 10 * S;
			start_ns += 10 * S) {
			char key[100], fields[200];

			snprintf(key, sizeof(key), "%s %lld", names[series],
				(long long)(start_ns + offset_ns));
			const struct stored *stored = (void *)series_table_find(
				store, str_from(key));

			expected_fields(samples, series, start_ns, totals, fields, sizeof(fields));
			/* Live, a quiet window may have its zero. */
			if (stored != NULL && strncmp(stored->fields, "count=0i", 8) != 0)
				assert_string_equal(stored->fields, fields);
			else
				assert_string_equal("", fields);
		}
}

/* Splits the samples over 1 to 4 deltas at a time and merges these in the order of their filling or
 * the other one. */
static void
merge_split(struct fixture *f, const struct sample *samples, uint64_t *seed, int64_t now_ns,
	struct series_table *store)
{
	int n = 0;

	while (n < N_MATCHES) {
		uint64_t n_deltas = 1 + random_below(seed, 4);
		struct delta *deltas[4];

		for (uint64_t i = 0; i < n_deltas; i++)
			deltas[i] = delta_new();
		for (uint64_t left = random_below(seed, N_MATCHES); left > 0 && n < N_MATCHES;
			left--, n++)
			delta_add(deltas[random_below(seed, n_deltas)], f->defs[0],
				str_from(names[samples[n].series]),
				(union metric_value){ .integer = samples[n].value },
				samples[n].time_ns);
		bool backwards = random_below(seed, 2) != 0;

		for (uint64_t i = 0; i < n_deltas; i++)
			aggregator_merge(
				f->aggregator, deltas[backwards ? n_deltas - 1 - i : i], now_ns);
		for (uint64_t i = 0; i < n_deltas; i++)
			delta_free(&deltas[i]);
		now_ns += (int64_t)random_below(seed, 3000) * NS_PER_MS;
		aggregator_tick(f->aggregator, now_ns);
		store_lines(store, f);
	}
	aggregator_close(f->aggregator, now_ns);
	store_lines(store, f);
}

static void
any_split_and_order(void **state)
{
	struct metric_field fields[] = { field(STAT_COUNT, "count"), field(STAT_SUM, "sum"),
		field(STAT_MIN, "min"), field(STAT_MAX, "max"), field(STAT_FIRST, "first"),
		field(STAT_LAST, "last"), field(STAT_TOTAL, "total") };
	struct metric_def def = rule_def();
	struct sample samples[N_MATCHES];
	uint64_t seed = new_seed();

	(void)state;
	def.has_value = true;
	def.expire_ns = 100 * S;
	def.lateness_ns = 1000000 * S;
	def.fields = fields;
	for (int round = 0; round < 100; round++) {
		bool virtual_clock = round % 2 != 0;
		struct series_table store;
		struct fixture f;

		/* Live zeros take their total from what was merged before, so without it. */
		def.n_fields = virtual_clock ? 7 : 6;
		series_table_init(&store);
		start(&f, &def, 1, virtual_clock, 100);
		random_samples(&seed, samples);
		merge_split(&f, samples, &seed, 70 * S, &store);
		expect_stored(&store, samples, virtual_clock, virtual_clock ? 0 : OFFSET);
		assert_int_equal(rule_state(&f, 0).matches, N_MATCHES);
		stop(&f);
		series_table_fini(&store);
	}
}

/* Old stamps, series that expire and a clock that jumps: the counts of all points of a window still
 * add up. */
static void
counts_add_up_whatever_the_clock_does(void **state)
{
	struct metric_def def = rule_def();
	uint64_t seed = new_seed();

	(void)state;
	for (int round = 0; round < 30; round++) {
		int64_t expected[N_SERIES][N_WINDOWS] = { 0 }, counted[N_SERIES][N_WINDOWS] = { 0 };
		struct series_table store;
		struct fixture f;

		def.lateness_ns = (int64_t)random_below(&seed, 30) * S;
		def.expire_ns = (int64_t)random_below(&seed, 30) * S;
		series_table_init(&store);
		start(&f, &def, 1, false, 100);
		for (int n = 0; n < 2000; n++) {
			int64_t now_ns = (int64_t)random_below(&seed, 150 * 1000) * NS_PER_MS;
			int64_t time_ns = (int64_t)random_below(&seed, N_WINDOWS * 10000) *
				NS_PER_MS;
			uint64_t series = random_below(&seed, N_SERIES);

			match(&f, names[series], time_ns, now_ns);
			expected[series][time_ns / (10 * S)]++;
			if (random_below(&seed, 3) == 0)
				aggregator_tick(f.aggregator,
					now_ns + (int64_t)random_below(&seed, 1000) * NS_PER_MS);
			store_lines(&store, &f);
		}
		aggregator_close(f.aggregator, 0);
		store_lines(&store, &f);
		for (struct table_entry *entry = store.first; entry != NULL; entry = entry->next) {
			int series;
			long long time_ns, count;
			char key[100];

			/* A key in the table has no end mark. */
			snprintf(key, sizeof(key), "%.*s", (int)entry->key.len, entry->key.ptr);
			assert_int_equal(sscanf(key, "m,a=%d %lld", &series, &time_ns), 2);
			assert_int_equal(sscanf(((struct stored *)(void *)entry)->fields,
						 "count=%lldi", &count),
				1);
			if (time_ns / (10 * S) < N_WINDOWS)
				counted[series][time_ns / (10 * S)] += count;
			else
				assert_int_equal(count, 0);
		}
		assert_memory_equal(counted, expected, sizeof(expected));
		stop(&f);
		series_table_fini(&store);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_split_and_order),
		cmocka_unit_test(counts_add_up_whatever_the_clock_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
