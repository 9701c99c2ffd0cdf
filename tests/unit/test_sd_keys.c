/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of structured data: what is kept from earlier messages never stands for another key; the
 * number of names is capped. */
#include "support/cmocka_all.h"

#include "output/sd_keys.h"

static struct log_sd
sd(const char *id, const char *name)
{
	return (struct log_sd){ .id = str_from(id), .name = str_from(name) };
}

static void
exact_keys(void **state)
{
	static const struct {
		const char *id, *name, *key;
	} cases[] = { { "origin", NULL, "origin" }, { "meta", "seq", "meta_seq" },
		{ "time", NULL, "sd_time" }, { "facility", "code", "sd_facility_code" },
		{ "a,b", "c d", "a\\,b_c\\ d" }, { "\\", NULL, "sd_" },
		{ "hostname_real", NULL, "sd_hostname_real" } };
	struct sd_names *names = sd_names_new();
	struct sd_keys *keys = malloc(sizeof(*keys));

	(void)state;
	sd_keys_init(keys, STR("_"), names);
	for (int twice = 0; twice < 2; twice++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct log_sd param = sd(cases[i].id, cases[i].name);
			struct sd_key key = sd_keys_find(keys, &param);

			assert_true(key.admitted);
			assert_true(str_is(key.text, cases[i].key));
		}
	sd_keys_fini(keys);
	free(keys);
	sd_names_free(&names);
}

/* IDs and names of few letters: many share a place and many share their bytes, cut at another
 * point. */
static void
kept_keys_are_right(void **state)
{
	uint64_t seed = test_seed();
	struct sd_names *names = sd_names_new();
	struct sd_keys *keys = malloc(sizeof(*keys)), *fresh = malloc(sizeof(*fresh));
	char id[8], name[8];

	(void)state;
	sd_keys_init(keys, STR("_"), names);
	for (int round = 0; round < 200000; round++) {
		size_t id_len = 1 + test_random(&seed) % 3, name_len = test_random(&seed) % 4;

		for (size_t i = 0; i < id_len; i++)
			id[i] = (char)('a' + test_random(&seed) % 2);
		for (size_t i = 0; i < name_len; i++)
			name[i] = (char)('a' + test_random(&seed) % 2);
		id[id_len] = name[name_len] = '\0';
		struct log_sd param = sd(id, name_len > 0 ? name : NULL);
		sd_keys_init(fresh, STR("_"), names);
		struct sd_key wanted = sd_keys_find(fresh, &param),
			      got = sd_keys_find(keys, &param);
		assert_true(got.admitted);
		assert_true(str_equal(wanted.text, got.text));
		assert_true(wanted.hash == got.hash);
		sd_keys_fini(fresh);
	}
	sd_keys_fini(keys);
	free(keys);
	free(fresh);
	sd_names_free(&names);
}

static void
names_are_capped(void **state)
{
	struct sd_names *names = sd_names_new();
	struct sd_keys *keys = malloc(sizeof(*keys));
	char text[300];
	size_t admitted = 0;

	(void)state;
	sd_keys_init(keys, STR("_"), names);
	for (int i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "id%d", i);
		struct log_sd param = sd(text, NULL);
		admitted += sd_keys_find(keys, &param).admitted;
	}
	assert_int_equal(admitted, SD_NAMES_MAX);
	struct log_sd first = sd("id0", NULL), last = sd("id99999", NULL); /* who was first stays */
	assert_true(sd_keys_find(keys, &first).admitted);
	assert_false(sd_keys_find(keys, &last).admitted);
	memset(text, 'x', SD_KEY_MAX);
	text[SD_KEY_MAX] = '\0';
	struct log_sd longest = sd(text, NULL);
	assert_false(sd_keys_find(keys, &longest).admitted);
	sd_keys_fini(keys);
	free(keys);
	sd_names_free(&names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_keys),
		cmocka_unit_test(kept_keys_are_right),
		cmocka_unit_test(names_are_capped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
