/* SPDX-License-Identifier: Apache-2.0 */
#include "output/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <pthread.h>

static void
test_charge(void **state)
{
	struct batch *batch = batch_new(3, true, 4096, 77);

	(void)state;
	assert_int_equal(batch->target, 3);
	assert_true(batch->raw);
	assert_int_equal(batch->created_ns, 77);
	assert_true(batch->lines.cap >= 4096);
	buf_add_text(&batch->lines, "m v=1i 1\n");
	batch->points = 1;
	assert_int_equal(batch_bytes_alive(), 0);
	batch_seal(batch);
	assert_int_equal(batch->lines.cap, 9);
	assert_int_equal(batch_bytes_alive(), sizeof(struct batch) + 9);

	struct batch *again = batch_ref(batch);
	assert_ptr_equal(again, batch);
	batch_unref(&batch);
	assert_null(batch);
	assert_int_equal(batch_bytes_alive(), sizeof(struct batch) + 9);
	assert_memory_equal(again->lines.ptr, "m v=1i 1\n", 9);
	batch_unref(&again);
	assert_int_equal(batch_bytes_alive(), 0);
	batch_unref(&again);
}

static void
test_empty_and_unsealed(void **state)
{
	struct batch *empty = batch_new(0, false, 100, 0), *unsealed = batch_new(0, false, 0, 0);

	(void)state;
	batch_seal(empty);
	assert_null(empty->lines.ptr);
	assert_int_equal(batch_bytes_alive(), sizeof(struct batch));
	batch_unref(&empty);
	buf_add_text(&unsealed->lines, "x");
	batch_unref(&unsealed);
	assert_int_equal(batch_bytes_alive(), 0);
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *
use_batch(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct batch *mine = batch_ref(arg);
		struct batch *other = batch_new(0, false, 10, 0);

		batch_seal(other);
		batch_unref(&other);
		batch_unref(&mine);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct batch *batch = batch_new(0, true, 10, 0);
	pthread_t threads[THREADS];

	(void)state;
	buf_add_text(&batch->lines, "m v=1i\n");
	batch_seal(batch);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_batch, batch), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&batch->refs), 1);
	assert_int_equal(batch_bytes_alive(), sizeof(struct batch) + 7);
	batch_unref(&batch);
	assert_int_equal(batch_bytes_alive(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_charge),
		cmocka_unit_test(test_empty_and_unsealed),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
