/* SPDX-License-Identifier: Apache-2.0 */
/* base/: strings, numbers, buffers, clock text, mailboxes between threads. */
#include "support/cmocka_all.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/folder.h"
#include "base/mailbox.h"
#include "base/str.h"

static void
words_and_trim(void **state)
{
	struct str rest = str_from("  one two\tthree \n"), word;

	(void)state;
	assert_true(str_word(&rest, &word) && str_is(word, "one"));
	assert_true(str_word(&rest, &word) && str_is(word, "two"));
	assert_true(str_word(&rest, &word) && str_is(word, "three"));
	assert_false(str_word(&rest, &word));
	assert_true(str_is(str_trim(str_from(" \t x y \r\n")), "x y"));
	assert_int_equal(str_trim(str_from("   ")).len, 0);
}

static void
globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} cases[] = {
		{ "abc", "abc", true },
		{ "abc", "abcd", false },
		{ "a*", "a", true },
		{ "a*", "abc", true },
		{ "*c", "abc", true },
		{ "*", "", true },
		{ "", "", true },
		{ "", "a", false },
		{ "a*c*e", "abcde", true },
		{ "a*c*e", "abcd", false },
		{ "*ab*ab", "xabyabzab", true },
		{ "kube*", "kubelet", true },
		{ "kube*", "Kubelet", false },
		{ "**", "x", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(str_glob(str_from(cases[i].pattern), str_from(cases[i].text)),
			cases[i].match);
}

static void
integers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} cases[] = {
		{ "0", true, 0 },
		{ "42", true, 42 },
		{ "-42", true, -42 },
		{ "+7", true, 7 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ " 1", false, 0 },
		{ "10abc", false, 0 },
		{ "1.0", false, 0 },
	};
	char text[24];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t value = 0;

		assert_int_equal(str_to_int64(str_from(cases[i].text), &value), cases[i].ok);
		if (cases[i].ok)
			assert_true(value == cases[i].value);
	}
	assert_int_equal(format_int(text, INT64_MIN), 20);
	assert_memory_equal(text, "-9223372036854775808", 20);
	assert_int_equal(format_uint(text, UINT64_MAX), 20);
	assert_memory_equal(text, "18446744073709551615", 20);
	for (uint64_t value = 1, digits = 1; digits <= 19;
		value *= 10, digits++) { /* around every power of ten */
		char wanted[24];

		for (uint64_t v = value - 1; v <= value + 1; v++) {
			int n = snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long)v);

			assert_int_equal(format_uint(text, v), n);
			assert_memory_equal(text, wanted, (size_t)n);
		}
	}
	format_nine_digits(text, 1002003);
	assert_memory_equal(text, "001002003", 9);
	format_nine_digits(text, 999999999);
	assert_memory_equal(text, "999999999", 9);
}

static void
doubles(void **state)
{
	double value = 0;

	(void)state;
	assert_true(str_to_double(str_from("2.5"), &value) && value == 2.5);
	assert_true(str_to_double(str_from("-1e3"), &value) && value == -1000);
	assert_true(str_to_double(str_from(".5"), &value) && value == 0.5);
	assert_false(str_to_double(str_from("nan"), &value));
	assert_false(str_to_double(str_from("inf"), &value));
	assert_false(str_to_double(str_from("0x10"), &value));
	assert_false(str_to_double(str_from("1e999"), &value));
	assert_false(str_to_double(str_from("1 "), &value));
	assert_false(str_to_double(str_from(""), &value));
}

static void
clock_text(void **state)
{
	struct buf out = BUF_EMPTY;

	(void)state;
	clock_format(&out, INT64_C(1795168800123456789), 9);
	assert_string_equal(buf_cstr(&out), "2026-11-20T10:00:00.123456789Z");
	buf_clear(&out);
	clock_format(&out, INT64_C(1795168800123456789), 3);
	assert_string_equal(buf_cstr(&out), "2026-11-20T10:00:00.123Z");
	buf_clear(&out);
	clock_format(&out, -1, 0);
	assert_string_equal(buf_cstr(&out), "1969-12-31T23:59:59Z");
	buf_fini(&out);
}

static void
folders(void **state)
{
	char base[] = "/tmp/logmill-test-XXXXXX", path[64];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/a/b", base);
	assert_true(folder_make(path));
	assert_true(stat(path, &st) == 0 && S_ISDIR(st.st_mode));
	assert_true(folder_make(path)); /* there already */
	rmdir(path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_false(folder_make(path)); /* a file is there */
	assert_int_equal(errno, ENOTDIR);
	assert_false(folder_make("/proc/nope"));
	unlink(path);
	snprintf(path, sizeof(path), "%s/a", base);
	rmdir(path);
	rmdir(base);
}

enum { POSTERS = 4, LETTERS = 20000 };

struct numbered {
	struct mail mail;
	int number;
};

struct poster {
	struct mailbox *box;
	int id;
};

static void *
post_letters(void *ctx)
{
	struct poster *poster = ctx;

	for (int i = 0; i < LETTERS; i++) {
		struct numbered *letter = xmalloc(sizeof(*letter));

		letter->mail.kind = poster->id;
		letter->number = i;
		mailbox_post(poster->box, &letter->mail);
	}
	return NULL;
}

/* Every letter arrives once, in its poster's order, and the eventfd never sleeps on one. */
static void
mailbox_keeps_order(void **state)
{
	struct mailbox box;
	pthread_t threads[POSTERS];
	struct poster posters[POSTERS];
	int next[POSTERS] = { 0 }, got = 0;

	(void)state;
	mailbox_init(&box);
	for (int i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){ &box, i };
		assert_int_equal(pthread_create(&threads[i], NULL, post_letters, &posters[i]), 0);
	}
	while (got < POSTERS * LETTERS) {
		for (struct mail *mail = mailbox_take(&box), *following; mail != NULL;
			mail = following) {
			struct numbered *letter = mail_owner(mail, struct numbered, mail);

			following = mail->next;
			assert_int_equal(letter->number, next[mail->kind]++);
			got++;
			free(letter);
		}
	}
	for (int i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	assert_null(mailbox_take(&box));
	mailbox_fini(&box);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_trim),
		cmocka_unit_test(globs),
		cmocka_unit_test(integers),
		cmocka_unit_test(doubles),
		cmocka_unit_test(clock_text),
		cmocka_unit_test(folders),
		cmocka_unit_test(mailbox_keeps_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
