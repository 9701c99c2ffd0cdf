/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units, as logs write them. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "match/quantity.h"

struct quantity_case {
	const char *unit, *text, *result; /* "bad", or the value: integers end in i */
};

static const struct quantity_case cases[] = {
	{ "", "12", "12" },
	{ "", "1.5", "1.5" },
	{ "", " -1e3 ", "-1000" },
	{ "", "", "bad" },
	{ "", "abc", "bad" },
	{ "", "12abc", "bad" },
	{ "", "nan", "bad" },
	{ "", "1e999", "bad" },
	{ "float", "0.1", "0.10000000000000001" },
	{ "int", "42", "42i" },
	{ "int", "-9223372036854775808", "-9223372036854775808i" },
	{ "int", "9223372036854775808", "bad" },
	{ "int", "4.0", "bad" },
	{ "int", "", "bad" },
	{ "bytes", "4096", "4096i" },
	{ "bytes", "10MiB", "10485760i" },
	{ "bytes", "1.5GiB", "1610612736i" },
	{ "bytes", "10 kB", "10000i" },
	{ "bytes", "10kb", "bad" },
	{ "bytes", "7B", "7i" },
	{ "bytes", "-2KiB", "-2048i" },
	{ "bytes", "9007199254740993", "9007199254740993i" },
	{ "bytes", "8388608TiB", "bad" },
	{ "bytes", "8388607TiB", "9223370937343148032i" },
	{ "bytes", "--1", "bad" },
	{ "bytes", "MiB", "bad" },
	{ "bytes", "1.2.3", "bad" },
	{ "KiB", "8", "8192i" },
	{ "KiB", "0", "0i" },
	{ "KiB", "0.5", "512i" },
	{ "KiB", "0.7", "717i" },
	{ "KiB", "-1", "-1024i" },
	{ "KiB", "--1", "bad" },
	{ "KiB", "8kB", "bad" },
	{ "KiB", "9007199254740992", "bad" },
	{ "KiB", "9007199254740991", "9223372036854774784i" },
	{ "KiB", "9007199254740992.0", "bad" },
	{ "MiB", "3", "3145728i" },
	{ "ms", "5.4", "0.0054000000000000003" },
	{ "ms", "250", "0.25" },
	{ "us", "250", "0.00025000000000000001" },
	{ "s", "1.25", "1.25" },
	{ "duration", "5.4ms", "0.0054000000000000003" },
	{ "duration", "1m30s", "90" },
	{ "duration", "1h 2m 3.5s", "3723.5" },
	{ "duration", "2 s", "2" },
	{ "duration", "-2s", "-2" },
	{ "duration", "7\xc2\xb5s", "6.9999999999999999e-06" },
	{ "duration", "7\xce\xbcs", "6.9999999999999999e-06" },
	{ "duration", "1d", "86400" },
	{ "duration", "0", "0" },
	{ "duration", "5", "bad" },
	{ "duration", "ms", "bad" },
	{ "duration", "5parsec", "bad" },
	{ "duration", "5ms-2s", "bad" },
	{ "duration", "", "bad" },
};

static void
test_quantities(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct quantity_case *c = &cases[i];
		enum unit unit = UNIT_NONE;
		union metric_value value;
		char text[64] = "bad";

		assert_true(c->unit[0] == '\0' || unit_from_name(str_from(c->unit), &unit));
		assert_string_equal(unit_name(unit), c->unit);
		if (quantity_read(unit, str_from(c->text), &value)) {
			if (unit_is_integer(unit))
				snprintf(text, sizeof(text), "%" PRId64 "i", value.integer);
			else
				snprintf(text, sizeof(text), "%.17g", value.number);
		}
		if (strcmp(text, c->result) != 0)
			fail_msg("\"%s\" as %s gave %s, not %s", c->text, c->unit, text, c->result);
	}
}

static void
test_unit_names(void **state)
{
	static const char *const wrong[] = { "", "kib", "K", "integer", "bytes " };
	struct str rest = STR(UNIT_NAMES), name;
	enum unit unit;
	int n = 0;

	(void)state;
	for (; str_word(&rest, &name); n++)
		assert_true(unit_from_name(name, &unit));
	assert_int_equal(n, UNIT_DURATION);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(unit_from_name(str_from(wrong[i]), &unit));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantities),
		cmocka_unit_test(test_unit_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
