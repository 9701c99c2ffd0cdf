/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nanoseconds a message: parsed, and parsed and encoded as line protocol. `bench_parser FILE.json`
 * takes the messages of an array of objects with "label" and "hex"; without a file it has its own,
 * of all the kinds a parser meets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "output/log_point.h"
#include "parser/log_parse.h"

enum { RUNS = 100, MESSAGES_A_RUN = 2000, MAX_INPUTS = 256, LABEL_COLUMN = 48 };

static const int64_t NOW = 1795217709000000000;

struct input {
	const char *label;
	struct str frame;
};

struct own_input {
	const char *label;
	size_t size; /* the text is filled up to this with words */
	struct str text;
};

#define TEXT(literal)                           \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}
#define X32        "zyxwvutsrqponmlkjihgfedcba-54321"
#define X128       X32 X32 X32 X32
#define X255       X128 X32 X32 X32 "zyxwvutsrqponmlkjihgfedcba-5432"
#define X48        X32 "zyxwvutsrqponmlk"
#define BOM        "\xef\xbb\xbf"
#define MAX_HEADER "<191>999 2019-12-31T23:59:59.999999+23:59 " X255 " " X48 " " X128 " " X32

static const struct own_input own_inputs[] = {
	{ "error: empty", 0, TEXT("") },
	{ "error: two messages in a frame", 33, TEXT("<5>1 - - - - - -\n<6>1 - - - - - -") },
	{ "error: impossible date", 32, TEXT("<165>9 2009-11-31T08:15:42.250Z ") },
	{ "error: malformed structured data", 16, TEXT("<7>1 - - - - - Q") },
	{ "error: duplicate SD-ID", 67,
		TEXT("<133>2 2009-10-31T08:15:42.250Z db5.example.net mysql - 12 [x7][x7]") },
	{ "minimal", 16, TEXT("<9>1 - - - - - -") },
	{ "average", 214,
		TEXT("<30>1 2024-06-17T11:02:33+00:00 node billing-api - - [trace "
		     "z-origin=\"billing-api\"]"
		     "[meta sequenceNo=\"90031847\"] GET /v2/invoice ") },
	{ "several parameters", 117,
		TEXT("<86>1 2024-06-17T00:04:01Z node7 login 20417 - [meta sequenceId=\"31\" "
		     "sequenceName=\"bar\"]"
		     "[our item=\"thing\"] ") },
	{ "very long message", 1119,
		TEXT("<188>1 2024-06-17T01:19:11+00:00 worker3z - - - [meta "
		     "sequenceId=\"31992807\" "
		     "x-batch=\"48162342\"][trace z-origin=\"indexing\"] ") },
	{ "longest header, structured data, message", 583,
		TEXT(MAX_HEADER " [on@id name=\"one1\" part=\"two2\"][other@id name=\"one1\"] ") },
	{ "longest header", 510, TEXT(MAX_HEADER " -") },
	{ "message with a newline", 20, TEXT("<2>1 - - - - - - u\nv") },
	{ "BOM before the message", 110,
		TEXT("<38>1 2009-10-31T08:15:42.250Z gateway.example.net sudo - ID12 - " BOM
		     "'sudo' by ") },
	{ "UTF-8 message", 128,
		TEXT("<0>1 - - - - - - gr\xc3\xbc\xc3\x9f\x65 \xe6\x97\xa5\xe6\x9c\xac ") },
	{ "UTF-8 message after a BOM", 131,
		TEXT("<0>1 - - - - - - " BOM "gr\xc3\xbc\xc3\x9f\x65 \xe6\x97\xa5\xe6\x9c\xac ") },
	{ "SD-ID without parameters", 44, TEXT("<30>70 2024-06-17T01:00:43Z ab C - - [our@i]") },
	{ "two elements", 67,
		TEXT("<30>70 2024-06-17T01:00:43Z ab C - - [our@i1 a=\"b\"][our@i2 d=\"abc\"]") },
	{ "escapes in a value", 67,
		TEXT("<30>70 2024-06-17T01:00:43Z ab C - - [meta ok=\"\\\\fine\"] ") },
	{ "UTF-8 in a value", 79,
		TEXT("<86>1 2024-06-17T00:04:01+00:00 node7 LOGIN 20417 - [some "
		     "y=\"\xe2\x82\xac\"] ") },
};

static struct input inputs[MAX_INPUTS];
static size_t n_inputs;

static void
die(const char *text)
{
	fprintf(stderr, "bench_parser: %s\n", text);
	exit(2);
}

static void *
allocate(size_t size)
{
	void *memory = malloc(size > 0 ? size : 1);

	if (memory == NULL)
		die("out of memory");
	return memory;
}

static void
add_input(const char *label, const char *frame, size_t size)
{
	if (n_inputs == MAX_INPUTS)
		die("too many messages");
	inputs[n_inputs++] = (struct input){ label, { frame, size } };
}

static void
add_own_inputs(void)
{
	static const char words[] = "took 5417 us for 10.1.2.3:4567 \"ok\" and more; ";

	for (size_t i = 0; i < sizeof(own_inputs) / sizeof(own_inputs[0]); i++) {
		const struct own_input *own = &own_inputs[i];
		size_t size = own->size;
		if (own->text.len > size)
			die("a message of the default set is too long");
		char *frame = allocate(size);
		memcpy(frame, own->text.ptr, own->text.len);
		for (size_t n = own->text.len, w = 0; n < size; n++, w++)
			frame[n] = words[w % (sizeof(words) - 1)];
		add_input(own->label, frame, size);
	}
}

/* The string value of the next "key" from *p on, without escapes; moves *p behind it. NULL: no
 * more. */
static char *
next_string(const char **p, const char *key)
{
	const char *start = strstr(*p, key);

	if (start == NULL)
		return NULL;
	start = strchr(start + strlen(key), '"');
	const char *end = start != NULL ? strchr(start + 1, '"') : NULL;
	if (end == NULL)
		die("not a file of labels and hex");
	size_t len = (size_t)(end - start) - 1;
	char *value = allocate(len + 1);
	memcpy(value, start + 1, len);
	value[len] = '\0';
	*p = end + 1;
	return value;
}

static char *
read_file(const char *path)
{
	enum { MAX_FILE = 1 << 24 };
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		die("cannot open the file");
	char *text = allocate(MAX_FILE);
	size_t n = fread(text, 1, MAX_FILE - 1, file);
	fclose(file);
	text[n] = '\0';
	return text;
}

static void
add_file_inputs(const char *path)
{
	char *text = read_file(path), *label;
	const char *p = text;

	while ((label = next_string(&p, "\"label\"")) != NULL) {
		char *hex = next_string(&p, "\"hex\"");
		if (hex == NULL)
			die("a label without hex");
		size_t size = strlen(hex) / 2;
		char *frame = allocate(size);
		for (size_t i = 0; i < size; i++) {
			unsigned byte;
			if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
				die("bad hex");
			frame[i] = (char)byte;
		}
		add_input(label, frame, size);
		free(hex);
	}
	free(text);
}

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds a message, the best of RUNS; with an encoder its line is written, too. */
static double
measure(struct str frame, struct log_point_encoder *encoder, struct buf *out)
{
	static struct log_record record;
	const struct log_parse_options options = { LOG_PARSE_AUTO, true, NOW };
	const struct log_point point = { .record = &record, .source = STR("192.0.2.1") };
	double best = 1e18;

	for (int run = 0; run < RUNS; run++) {
		double start = now_ns();
		for (int i = 0; i < MESSAGES_A_RUN; i++) {
			log_parse(frame, &options, &record);
			__asm__ volatile("" : : "r"(&record) : "memory"); /* the record is wanted */
			if (encoder == NULL)
				continue;
			buf_clear(out);
			log_point_add(encoder, &point, out);
			log_point_finish(encoder, NOW, out);
		}
		double one = (now_ns() - start) / MESSAGES_A_RUN;
		best = one < best ? one : best;
	}
	return best;
}

int
main(int argc, char **argv)
{
	char measurement[] = "syslog", separator[] = "_";
	const struct logs_settings settings = { .enabled = true,
		.measurement = measurement,
		.tags = LOG_TAG_ALL,
		.sdparam_separator = separator };
	struct log_point_encoder encoder;
	struct buf out = BUF_EMPTY;

	if (argc > 2)
		die("usage: bench_parser [FILE.json]");
	if (argc == 2)
		add_file_inputs(argv[1]);
	else
		add_own_inputs();
	struct sd_names *names = sd_names_new();
	log_point_encoder_init(&encoder, &settings, STR("bench"), names);
	printf("%-*s %6s %9s %14s\n", LABEL_COLUMN, "ns per message", "bytes", "parse",
		"parse+encode");
	for (size_t i = 0; i < n_inputs; i++)
		printf("%-*.*s %6zu %9.1f %14.1f\n", LABEL_COLUMN, LABEL_COLUMN, inputs[i].label,
			inputs[i].frame.len, measure(inputs[i].frame, NULL, NULL),
			measure(inputs[i].frame, &encoder, &out));
	log_point_encoder_fini(&encoder);
	sd_names_free(&names);
	buf_fini(&out);
	return 0;
}
