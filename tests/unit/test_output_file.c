/* SPDX-License-Identifier: Apache-2.0 */
/* File outputs on good and bad disks, the dead-letter file, and the disk thread. */
#include "output/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "output/dead_letter.h"
#include "support/output_bed.h"

static int
set_up(void **state)
{
	struct output_bed *bed = calloc(1, sizeof(*bed));

	bed_init(bed);
	bed->settings.kind = OUTPUT_FILE;
	bed->settings.path = calloc(1, 128);
	bed->settings.keep = 2;
	snprintf(bed->settings.path, 128, "%s/a/b/points.lp", bed->dir);
	*state = bed;
	return 0;
}

static int
tear_down(void **state)
{
	struct output_bed *bed = *state;

	bed_fini(bed);
	free(bed->settings.path);
	free(bed);
	return 0;
}

static void
assert_file(const struct output_bed *bed, const char *name, const char *expected)
{
	char *text = bed_read_file(bed->dir, name);

	if (expected == NULL)
		assert_null(text);
	else
		assert_string_equal(text != NULL ? text : "(missing)", expected);
	free(text);
}

static void
numbers(struct buf *out, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++)
		buf_printf(out, "m n=%ui %u\n", i, i + 1);
}

static void
test_order(void **state)
{
	struct output_bed *bed = *state;
	struct buf expected = BUF_EMPTY;

	bed_open(bed);
	assert_true(output_idle(bed->output));
	for (unsigned i = 0; i < 50; i++)
		bed_push_numbers(bed, i * 10, 10);
	bed_push(bed, 0, false, STR("m n=500i 501\n"));
	assert_int_equal(bed_state(bed).counts[0].queued, 500);
	assert_int_equal(bed_state(bed).queued_batches, 51);
	bed_run_idle(bed);
	numbers(&expected, 0, 501);
	assert_file(bed, "a/b/points.lp", buf_cstr(&expected));
	buf_fini(&expected);

	struct output_state s = bed_state(bed);
	assert_int_equal(s.counts[0].written, 500);
	assert_int_equal(s.counts[1].written, 1);
	assert_true(s.healthy);
	assert_int_equal(s.queued_bytes, 0);
	assert_true(bed->changes > 0);
}

/* What a crash has left without a line end does not spoil the next line. */
static void
test_torn_tail(void **state)
{
	struct output_bed *bed = *state;

	snprintf(bed->settings.path, 128, "%s/points.lp", bed->dir);
	FILE *file = fopen(bed->settings.path, "w");
	assert_non_null(file);
	fputs("m n=9", file);
	fclose(file);
	bed_open(bed);
	bed_push_numbers(bed, 0, 1);
	bed_run_idle(bed);
	assert_file(bed, "points.lp", "m n=9\nm n=0i 1\n");
	output_free(&bed->output);
	bed_open(bed);
	bed_push_numbers(bed, 1, 1);
	bed_run_idle(bed);
	assert_file(bed, "points.lp", "m n=9\nm n=0i 1\nm n=1i 2\n");
}

static void
test_rotate(void **state)
{
	struct output_bed *bed = *state;

	bed->settings.rotate_size = 20; /* two lines of nine */
	bed_open(bed);
	for (unsigned i = 0; i < 7; i++)
		bed_push_numbers(bed, i, 1);
	bed_run_idle(bed);
	assert_file(bed, "a/b/points.lp", "m n=6i 7\n");
	assert_file(bed, "a/b/points.lp.1", "m n=4i 5\nm n=5i 6\n");
	assert_file(bed, "a/b/points.lp.2", "m n=2i 3\nm n=3i 4\n");
	assert_file(bed, "a/b/points.lp.3", NULL);
	assert_int_equal(bed_state(bed).counts[0].written, 7);
	output_free(&bed->output);

	bed->settings.keep = 0;
	bed_open(bed);
	bed_push(bed, 0, true,
		STR("a v=1i 1\nb v=1i 2\nc v=1i 3\n")); /* larger than the limit: still whole */
	bed_run_idle(bed);
	assert_file(bed, "a/b/points.lp", "a v=1i 1\nb v=1i 2\nc v=1i 3\n");
	assert_file(bed, "a/b/points.lp.1", "m n=4i 5\nm n=5i 6\n");
}

static void
test_disk_full(void **state)
{
	struct output_bed *bed = *state;

	strcpy(bed->settings.path, "/dev/full");
	bed_open(bed);
	bed_push_numbers(bed, 0, 10);
	bed_run_for(bed, 1200 * NS_PER_MS);
	struct output_state s = bed_state(bed);
	assert_false(s.healthy);
	assert_string_equal(s.problem, "write_failed");
	assert_int_equal(s.counts[0].queued, 10);
	assert_int_equal(s.requests_failed, 2); /* again after a second */
	output_hurry(bed->output);
	bed_run_for(bed, 900 * NS_PER_MS);
	assert_in_range(bed_state(bed).requests_failed, 5, 7);
}

static void
limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk takes 1,000 bytes, in the middle of a line; when there is room again, the rest follows
 * exactly. */
static void
test_partial_write(void **state)
{
	struct output_bed *bed = *state;
	struct buf expected = BUF_EMPTY;

	bed_open(bed);
	limit_file_size(1000);
	bed_push_numbers(bed, 0, 50);
	bed_push_numbers(bed, 50, 200);
	bed_push_numbers(bed, 250, 50);
	bed_run_for(bed, 200 * NS_PER_MS);
	struct output_state s = bed_state(bed);
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(s.counts[0].written, 50);
	assert_int_equal(s.counts[0].queued, 250);
	assert_false(s.healthy);
	char *text = bed_read_file(bed->dir, "a/b/points.lp");
	assert_int_equal(strlen(text), 1000);
	free(text);
	bed_run_idle(bed);
	numbers(&expected, 0, 300);
	assert_file(bed, "a/b/points.lp", buf_cstr(&expected));
	buf_fini(&expected);
	assert_true(bed_state(bed).healthy);
	assert_int_equal(bed_state(bed).counts[0].written, 300);
}

/* Ending with a half-written batch: the file holds exactly what is counted as written. */
static void
test_partial_end(void **state)
{
	struct output_bed *bed = *state;
	struct buf expected = BUF_EMPTY;

	bed_open(bed);
	limit_file_size(1000);
	bed_push_numbers(bed, 0, 50);
	bed_push_numbers(bed, 50, 200);
	bed_run_for(bed, 100 * NS_PER_MS);
	assert_int_equal(bed_state(bed).counts[0].written, 50);
	output_free(&bed->output);
	limit_file_size(RLIM_INFINITY);
	numbers(&expected, 0, 50);
	assert_file(bed, "a/b/points.lp", buf_cstr(&expected));
	buf_fini(&expected);
}

/* Nobody reads our standard output: it waits, without holding the disk thread, and goes on where it
 * was. */
static void
test_stdout(void **state)
{
	struct output_bed *bed = *state;
	struct buf expected = BUF_EMPTY, got = BUF_EMPTY;
	int fds[2], saved = dup(STDOUT_FILENO);

	strcpy(bed->settings.path, "-");
	fflush(stdout);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	dup2(fds[1], STDOUT_FILENO);
	close(fds[1]);
	bed_open(bed);
	bed_push_numbers(bed, 0, 100);
	bed_push_numbers(bed, 100, 8900); /* more than the 64 KiB that the pipe holds */
	bed_run_for(bed, 1300 * NS_PER_MS);
	struct output_state s = bed_state(bed);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	while (!output_idle(bed->output)) {
		ssize_t n = read(fds[0], buf_reserve(&got, 4096), 4096);

		got.len += n > 0 ? (size_t)n : 0;
		event_base_loop(bed->base, EVLOOP_NONBLOCK);
	}
	for (ssize_t n; (n = read(fds[0], buf_reserve(&got, 65536), 65536)) > 0;)
		got.len += (size_t)n;
	output_free(&bed->output);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fds[0]);
	assert_false(s.healthy);
	assert_int_equal(s.counts[0].written, 100);
	numbers(&expected, 0, 9000);
	assert_int_equal(got.len, expected.len);
	assert_memory_equal(got.ptr, expected.ptr, expected.len);
	buf_fini(&expected);
	buf_fini(&got);
}

static void
test_dead_letters(void **state)
{
	struct output_bed *bed = *state;
	struct dead_letters *letters = dead_letters_new(bed->disk, bed->state_dir, "main");
	char path[128];

	dead_letters_add(
		letters, STR("m s=\"a\nb\" 1\n"), "parse", 400, STR("say \"no\"\n\x01 \\"));
	dead_letters_free(&letters);
	assert_null(letters);
	letters = dead_letters_new(bed->disk, bed->state_dir, "other");
	dead_letters_add(letters, STR("n v=1i 2\n"), "limit", 422, STR(""));
	disk_stop(&bed->disk);
	char *text = bed_read_file(bed->state_dir, "dead-letter.lp");
	char *second = strstr(text, "\n# ");
	const char *expected = " output=main reason=parse status=400 reply=\"say "
			       "\\\"no\\\"\\x0a\\x01 \\\\\"\nm s=\"a\nb\" 1";

	assert_int_equal(strncmp(text, "# 2", 3), 0);
	assert_non_null(second);
	*second = '\0';
	assert_string_equal(text + 2 + 24, expected);
	assert_string_equal(
		second + 3 + 24, " output=other reason=limit status=422 reply=\"\"\nn v=1i 2\n");
	free(text);

	/* full: turned over once */
	snprintf(path, sizeof(path), "%s/dead-letter.lp", bed->state_dir);
	assert_int_equal(truncate(path, DEAD_LETTER_FILE_MAX), 0);
	bed->disk = disk_start();
	dead_letters_free(&letters);
	letters = dead_letters_new(bed->disk, bed->state_dir, "main");
	dead_letters_add(letters, STR("o v=1i 3\n"), "other", 400, STR(""));
	dead_letters_free(&letters);
	disk_stop(&bed->disk);
	struct stat st;
	char old_path[140];
	snprintf(old_path, sizeof(old_path), "%s.1", path);
	assert_int_equal(stat(old_path, &st), 0);
	assert_int_equal(st.st_size, DEAD_LETTER_FILE_MAX);
	text = bed_read_file(bed->state_dir, "dead-letter.lp");
	assert_string_equal(
		text + 2 + 24, " output=main reason=other status=400 reply=\"\"\no v=1i 3\n");
	free(text);
}

struct numbered_job {
	struct disk_job job;
	int number, *ran;
	struct numbered_job *last;
};

static void
run_numbered(struct disk_job *job)
{
	struct numbered_job *mine = (struct numbered_job *)(void *)job;

	mine->ran[mine->number]++;
	if (mine->number > 0)
		assert(mine->ran[mine->number - 1] == 1);
	if (job->reply == NULL)
		free(mine);
}

/* Jobs run in order, come back to their mailbox, and disk_stop() waits for all of them. */
static void
test_disk(void **state)
{
	enum { JOBS = 1000 };
	int ran[JOBS] = { 0 };
	struct mailbox replies;
	struct disk *disk = disk_start();
	unsigned back = 0;

	(void)state;
	mailbox_init(&replies);
	for (int i = 0; i < JOBS; i++) {
		struct numbered_job *job = calloc(1, sizeof(*job));

		job->job.run = run_numbered;
		job->job.reply = i % 2 == 0 ? &replies : NULL;
		job->number = i;
		job->ran = ran;
		disk_post(disk, &job->job);
	}
	disk_stop(&disk);
	assert_null(disk);
	for (struct mail *m = mailbox_take(&replies), *next; m != NULL; m = next) {
		next = m->next;
		free(mail_owner(m, struct numbered_job, job.mail));
		back++;
	}
	assert_int_equal(back, JOBS / 2);
	assert_int_equal(ran[JOBS - 1], 1);
	mailbox_fini(&replies);
	disk_stop(&disk);
}

int
main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(test_order),
		STORY(test_torn_tail),
		STORY(test_rotate),
		STORY(test_disk_full),
		STORY(test_partial_write),
		STORY(test_partial_end),
		STORY(test_stdout),
		STORY(test_dead_letters),
		cmocka_unit_test(test_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
