/* SPDX-License-Identifier: Apache-2.0 */
/* Runs tests/corpus/ (see its README.md): every case through framer, parser, stamper and encoder.
 */
#include "support/cmocka_all.h"

#include <ctype.h>
#include <glob.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "output/log_point.h"
#include "output/time_slots.h"
#include "parser/framer.h"

enum { EVERY_SPLIT_UP_TO = 400 };

struct corpus_case {
	char name[200], file[200];
	int line;
	bool datagram;
	enum framing framing;
	enum log_format_option format;
	int64_t now_ns;
	size_t max;
	struct buf in;
	struct buf expected[2]; /* [strict, best effort]: lines ended by LF, LF inside strings as
				   \x01 */
	bool closed;
};

struct run {
	const struct corpus_case *c;
	bool best_effort;
	struct stamper stamper;
	struct ordinals ordinals;
	struct log_point_encoder encoder;
	struct buf out;
	bool closed;
};

static const struct logs_settings logs = { .enabled = true,
	.measurement = (char[]){ "syslog" },
	.tags = LOG_TAG_ALL,
	.sdparam_separator = (char[]){ "_" } };
static unsigned cases_run;
static struct time_slots
	*slots; /* shared by all runs: the same messages land on the same times again */

/* ---- the pieces, as the program puts them together ---- */

static void
take_frame(struct run *run, const struct frame *frame)
{
	struct log_record *record = xmalloc(sizeof(*record));
	const struct log_parse_options options = { run->c->format, run->best_effort,
		run->c->now_ns };
	/* An exact copy on the heap: a read past the frame is seen by the sanitizer. */
	char *bytes = xmalloc(frame->bytes.len + (frame->bytes.len == 0));

	memcpy(bytes, frame->bytes.ptr, frame->bytes.len);
	log_parse((struct str){ bytes, frame->bytes.len }, &options, record);
	struct stamp stamp = stamper_begin(
		&run->stamper, &run->ordinals, 0, record, run->c->now_ns);
	stamper_settle(&run->stamper, record, &stamp);
	struct log_point point = {
		.record = record, .source = STR("127.0.0.1"), .truncated = frame->truncated
	};
	log_point_add(&run->encoder, &point, &run->out);
	log_point_finish(&run->encoder, stamp.point_ns, &run->out);
	free(bytes);
	free(record);
}

static void
feed(struct run *run, size_t first, size_t step)
{
	struct framer framer;
	struct buf kept = BUF_EMPTY;
	struct frame frame;

	framer_init(&framer, run->c->framing, run->c->max);
	for (size_t at = 0, n = first; at < run->c->in.len && !run->closed; at += n, n = step) {
		enum frame_status status = FRAME_OK;

		if (n > run->c->in.len - at)
			n = run->c->in.len - at;
		buf_add(&kept, (struct str){ run->c->in.ptr + at, n });
		while (status == FRAME_OK) {
			size_t consumed = 0;

			status = framer_next(&framer, buf_str(&kept), &consumed, &frame);
			if (status == FRAME_OK)
				take_frame(run, &frame);
			assert_true(consumed <= kept.len);
			memmove(kept.ptr, kept.ptr + consumed, kept.len - consumed);
			kept.len -= consumed;
		}
		run->closed = status == FRAME_BAD;
	}
	if (!run->closed && framer_end(&framer, buf_str(&kept), &frame) == FRAME_OK)
		take_frame(run, &frame);
	buf_fini(&kept);
}

/* Lines are compared from the front; the time, which is last, may be missing from the expectation.
 */
static bool
same_line(struct str expected, struct str got)
{
	size_t i = 0;

	for (; i < expected.len && i < got.len; i++)
		if (expected.ptr[i] != got.ptr[i] &&
			!(expected.ptr[i] == '?' && isdigit((unsigned char)got.ptr[i])))
			return false;
	if (i < expected.len)
		return false;
	if (i == got.len)
		return true;
	if (got.ptr[i++] != ' ')
		return false;
	while (i < got.len && isdigit((unsigned char)got.ptr[i]))
		i++;
	return i == got.len;
}

/* Takes the next line off *lines; LF inside quotes does not end it. */
static bool
next_line(struct str *lines, struct str *line)
{
	bool quoted = false;
	size_t n = 0;

	if (lines->len == 0)
		return false;
	for (; n < lines->len && (quoted || lines->ptr[n] != '\n'); n++) {
		if (lines->ptr[n] == '"')
			quoted = !quoted;
		else if (quoted && lines->ptr[n] == '\\')
			n++;
	}
	*line = (struct str){ lines->ptr, n };
	lines->ptr += n + 1;
	lines->len -= n + 1;
	return true;
}

static void
compare(const struct run *run, size_t first, size_t step)
{
	struct str want_lines = buf_str(&run->c->expected[run->best_effort]),
		   got_lines = buf_str(&run->out), want, got;
	bool more_want, more_got, ok = run->closed == run->c->closed;

	while (ok) {
		more_want = next_line(&want_lines, &want);
		more_got = next_line(&got_lines, &got);
		if (!more_want && !more_got)
			return;
		ok = more_want && more_got && same_line(want, got);
		if (!ok)
			fail_msg("%s:%d: %s (%s, first %zu, then %zu bytes)\nwant %.*s\ngot  %.*s",
				run->c->file, run->c->line, run->c->name,
				run->best_effort ? "best effort" : "strict", first, step,
				more_want ? (int)want.len : 0, want.ptr,
				more_got ? (int)got.len : 0, got.ptr);
	}
	fail_msg("%s:%d: %s: connection closed: %d, expected %d", run->c->file, run->c->line,
		run->c->name, run->closed, run->c->closed);
}

static void
run_once(const struct corpus_case *c, bool best_effort, size_t first, size_t step)
{
	struct sd_names *names = sd_names_new();
	struct run run = { .c = c, .best_effort = best_effort };

	run.stamper = (struct stamper){ .slots = slots,
		.n_workers = 1,
		.max_age_ns = INT64_MAX / 4,
		.max_future_ns = INT64_MAX / 4 };
	log_point_encoder_init(&run.encoder, &logs, STR_ABSENT, names);
	if (c->datagram)
		take_frame(&run, &(struct frame){ .bytes = buf_str(&c->in) });
	else
		feed(&run, first, step);
	compare(&run, first, step);
	log_point_encoder_fini(&run.encoder);
	buf_fini(&run.out);
	sd_names_free(&names);
}

static void
run_case(const struct corpus_case *c)
{
	for (int best_effort = 0; best_effort < 2; best_effort++) {
		run_once(c, best_effort, c->in.len, 1);
		if (c->datagram)
			continue;
		run_once(c, best_effort, 1, 1);
		run_once(c, best_effort, 65536, 65536);
		for (size_t split = 1; split < c->in.len && c->in.len <= EVERY_SPLIT_UP_TO; split++)
			run_once(c, best_effort, split, c->in.len);
	}
	cases_run++;
}

/* ---- reading the files ---- */

static void
add_unescaped(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		static const char letters[] = "ntr0", values[] = "\n\t\r\0";
		const char *at = i + 1 < text.len ? memchr(letters, text.ptr[i + 1], 4) : NULL;

		if (text.ptr[i] == '\\' && at != NULL) {
			buf_add_char(out, values[at - letters]);
			i++;
		} else if (text.ptr[i] == '\\' && i + 3 < text.len && text.ptr[i + 1] == 'x') {
			char hex[3] = { text.ptr[i + 2], text.ptr[i + 3], '\0' };

			buf_add_char(out, (char)strtoul(hex, NULL, 16));
			i += 3;
		} else {
			buf_add_char(out, text.ptr[i]);
		}
	}
}

static enum framing
framing_of(struct str word)
{
	if (str_is(word, "octet-counting"))
		return FRAMING_OCTET_COUNTING;
	if (str_is(word, "lf"))
		return FRAMING_LF;
	return str_is(word, "nul") ? FRAMING_NUL : FRAMING_AUTO;
}

static void
start_case(struct corpus_case *c, const char *file, int line, struct str name)
{
	buf_fini(&c->in);
	buf_fini(&c->expected[0]);
	buf_fini(&c->expected[1]);
	*c = (struct corpus_case){ .line = line,
		.now_ns = INT64_C(1795168800000000000),
		.max = 65536,
		.framing = FRAMING_AUTO };
	snprintf(c->name, sizeof(c->name), "%.*s", (int)name.len, name.ptr);
	snprintf(c->file, sizeof(c->file), "%s", strrchr(file, '/') + 1);
}

/* One line of a case; modes: bit 0 strict, bit 1 best effort, for the `>` lines that follow. */
static void
take_line(struct corpus_case *c, struct str key, struct str value, int *modes)
{
	struct str rest = value;

	if (str_is(key, "framing")) {
		c->datagram = str_is(value, "datagram");
		c->framing = framing_of(value);
	} else if (str_is(key, "format")) {
		c->format = str_is(value, "rfc5424") ? LOG_PARSE_RFC5424
			: str_is(value, "rfc3164")   ? LOG_PARSE_RFC3164
						     : LOG_PARSE_AUTO;
	} else if (str_is(key, "now")) {
		assert_true(str_to_int64(value, &c->now_ns));
	} else if (str_is(key, "max")) {
		int64_t max = 0;
		assert_true(str_to_int64(value, &max));
		c->max = (size_t)max;
	} else if (str_is(key, "in")) {
		add_unescaped(&c->in, rest);
	} else if (str_is(key, "both") || str_is(key, "strict") || str_is(key, "best")) {
		*modes = str_is(key, "both") ? 3 : str_is(key, "strict") ? 1 : 2;
	} else if (str_is(key, ">")) {
		for (int m = 0; m < 2; m++)
			if (*modes >> m & 1) {
				add_unescaped(&c->expected[m], rest);
				buf_add_char(&c->expected[m], '\n');
			}
	} else if (str_is(key, "closed")) {
		c->closed = true;
	} else {
		fail_msg("%s:%d: what is \"%.*s\"?", c->file, c->line, (int)key.len, key.ptr);
	}
}

static void
run_file(const char *path)
{
	struct corpus_case c = { .line = 0 };
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;
	int modes = 3, number = 0;
	bool open = false;

	assert_non_null(file);
	for (ssize_t n; (n = getline(&text, &size, file)) > 0;) {
		number++;
		if (text[n - 1] == '\n')
			n--;
		const char *space = memchr(text, ' ', (size_t)n);
		size_t key_len = space != NULL ? (size_t)(space - text) : (size_t)n;
		struct str key = { text, key_len };
		struct str value = { text + key_len, (size_t)n - key_len };
		if (!str_is(key, "in") && !str_is(key, ">")) {
			value = str_trim(value);
		} else {
			while (str_is(key, "in") && value.len > 0 && value.ptr[0] == ' ')
				value = (struct str){ value.ptr + 1, value.len - 1 };
			if (str_is(key, ">"))
				value = (struct str){ value.ptr + 1, value.len - 1 };
		}
		if (key.len == 0 || key.ptr[0] == '#')
			continue;
		if (str_is(key, "case")) {
			if (open)
				run_case(&c);
			start_case(&c, path, number, value);
			open = true;
			modes = 3;
		} else {
			take_line(&c, key, value, &modes);
		}
	}
	if (open)
		run_case(&c);
	start_case(&c, path, 0, STR(""));
	free(text);
	fclose(file);
}

static void
every_file(void **state)
{
	glob_t found;

	(void)state;
	slots = time_slots_new(0);
	assert_int_equal(glob(TESTS_DIR "/corpus/*.txt", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		run_file(found.gl_pathv[i]);
	globfree(&found);
	time_slots_free(&slots);
	printf("%u corpus cases\n", cases_run);
	assert_true(cases_run >= 45);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_file) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
