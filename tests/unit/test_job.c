/* SPDX-License-Identifier: Apache-2.0 */
#include "output/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

static struct job *
make_job(const char *text, uint32_t points, uint64_t order)
{
	struct batch *batch = batch_new(0, true, 0, 0);
	struct job *job;

	buf_add_text(&batch->lines, text);
	batch->points = points;
	batch_seal(batch);
	job = job_new(batch, order);
	batch_unref(&batch);
	return job;
}

static void
assert_job(const struct job *job, uint32_t points, const char *text)
{
	struct buf all = BUF_EMPTY;
	uint32_t sum = 0;

	for (size_t i = 0; i < job->n_pieces; i++) {
		const struct piece *p = &job->pieces[i];

		buf_add(&all, (struct str){ p->batch->lines.ptr + p->offset, p->bytes });
		sum += p->points;
	}
	assert_string_equal(buf_cstr(&all), text);
	assert_int_equal(job->points, points);
	assert_int_equal(sum, points);
	assert_int_equal(job->bytes, all.len);
	buf_fini(&all);
}

static void
test_line_length(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} table[] = {
		{ "m v=1i 1\nm v=2i 2\n", 9 },
		{ "m s=\"a\nb\" 1\nnext", 12 },
		{ "m s=\"a\\\"\nb\" 1\nx", 14 },
		{ "m s=\"a\\\\\" 1\nm s=\"\nb\" 2\n", 12 },
		{ "m s=\"a,b=c\nd\",t=\"\n\" 1\nx", 22 },
		{ "m s=\"a\",t=\"b\nc\" 1\nx", 18 },
		/* a quote in a tag is a letter like any other */
		{ "m,t=a\"b v=1i 1\nm,t=c\"d v=1i 1\n", 15 },
		{ "m,t=a\\ \"b v=1i 1\nx\"\n", 17 },
		{ "m\"x v=1i\n\"\n", 9 },
		{ "", 0 },
		{ "m v=1i 1", 0 },
		{ "m s=\"open\n", 0 },
		{ "\n", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (line_length(str_from(table[i].text)) != table[i].length)
			fail_msg("%s: %zu", table[i].text, line_length(str_from(table[i].text)));
}

/* Three batches of 2, 1 and 3 lines joined, cut everywhere. */
static void
test_cut(void **state)
{
	static const char *const lines[] = { "a s=\"\n\" 1\n", "b v=1i 2\n", "c v=1i 3\n",
		"d v=1i 4\n", "e s=\"x\n\ny\" 5\n", "f v=1i 6\n" };

	(void)state;
	for (uint32_t at = 1; at < 6; at++) {
		struct job *job = make_job("a s=\"\n\" 1\nb v=1i 2\n", 2, 10);
		struct buf front = BUF_EMPTY, back = BUF_EMPTY;

		job_join(job, make_job("c v=1i 3\n", 1, 11));
		job_join(job, make_job("d v=1i 4\ne s=\"x\n\ny\" 5\nf v=1i 6\n", 3, 12));
		for (uint32_t i = 0; i < 6; i++)
			buf_add_text(i < at ? &front : &back, lines[i]);
		struct job *rest = job_cut(job, at);

		assert_job(job, at, buf_cstr(&front));
		assert_job(rest, 6 - at, buf_cstr(&back));
		if (at == 1)
			assert_true(str_is(job_line(job), lines[0]));
		job_free(&job);
		assert_job(rest, 6 - at, buf_cstr(&back));
		job_free(&rest);
		buf_fini(&front);
		buf_fini(&back);
		assert_int_equal(batch_bytes_alive(), 0);
	}
}

static void
test_points_within(void **state)
{
	struct job *job = make_job("a v=1i 1\nb v=1i 2\n", 2, 1);
	static const uint32_t expected[] = { [0] = 1,
		[8] = 1,
		[9] = 1,
		[17] = 1,
		[18] = 2,
		[26] = 2,
		[27] = 3,
		[35] = 3,
		[36] = 4,
		[99] = 4 };

	(void)state;
	job_join(job, make_job("c v=1i 3\nd v=1i 4\n", 2, 2));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (expected[i] != 0)
			assert_int_equal(job_points_within(job, i), expected[i]);
	job_free(&job);
}

static void
test_list_order(void **state)
{
	struct job_list list = { NULL, NULL };
	struct job *one = make_job("a v=1i 1\nb v=1i 2\n", 2, 1),
		   *two = make_job("c v=1i 3\n", 1, 2);
	struct job *three = make_job("d v=1i 4\n", 1, 3), *half = job_cut(one, 1);

	(void)state;
	job_list_add(&list, three);
	job_list_add(&list, half);
	job_list_add(&list, two);
	job_list_add(&list, one);
	assert_ptr_equal(list.head, one);
	assert_ptr_equal(one->next, half);
	assert_ptr_equal(half->next, two);
	assert_ptr_equal(list.tail, three);
	job_list_remove(&list, half);
	assert_ptr_equal(one->next, two);
	assert_ptr_equal(two->prev, one);
	job_list_add(&list, half);
	assert_ptr_equal(two->prev, half);
	job_list_remove(&list, three);
	assert_ptr_equal(list.tail, two);
	job_free(&three);
	job_list_clear(&list);
	assert_null(list.head);
	assert_null(list.tail);
	assert_int_equal(batch_bytes_alive(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_points_within),
		cmocka_unit_test(test_list_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
