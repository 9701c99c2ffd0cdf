/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

struct text {
	char bytes[CORPUS_MAX_HEAD];
	size_t len;
	size_t stamp;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(text->bytes + text->len, sizeof(text->bytes) - text->len, format, args);
	va_end(args);
	assert(n >= 0 && (size_t)n < sizeof(text->bytes) - text->len);
	text->len += (size_t)n;
}

static void
add_expanded(struct text *text, const char *template, struct dice *dice)
{
	text->len += message_expand(
		template, dice, text->bytes + text->len, sizeof(text->bytes) - text->len);
}

static const struct message_text *
draw(struct dice *dice)
{
	uint64_t left = dice_roll(dice, 1000);

	for (size_t i = 0; i < n_message_texts; i++) {
		if (left < message_texts[i].weight)
			return &message_texts[i];
		left -= message_texts[i].weight;
	}
	assert(false && "the weights do not add up to 1000");
	return NULL;
}

static void
add_stamp(struct text *text, const struct stamp *stamp)
{
	text->stamp = text->len;
	add(text, "%s", stamp->text);
}

/* One message up to the end of its own words, without framing. */
static void
render(struct text *text, const struct message_text *from, enum message_format format,
	unsigned index, const struct stamp *stamp, struct dice *dice)
{
	unsigned host = 1 + (unsigned)dice_roll(dice, CORPUS_HOSTS);
	unsigned pid = 300 + (unsigned)dice_roll(dice, 32000);
	bool kernel = strcmp(from->app, "kernel") == 0; /* has no process number */

	*text = (struct text){ .len = 0 };
	add(text, "<%u>%s", from->facility * 8 + from->severity, format == FORMAT_5424 ? "1 " : "");
	add_stamp(text, stamp);
	add(text, " node-%02u.eu-west.example.net %s", host, from->app);
	if (format == FORMAT_5424) {
		if (kernel)
			add(text, " - - [meta sequenceId=\"%u\"]", index + 1);
		else
			add(text, " %u - [meta sequenceId=\"%u\"]", pid, index + 1);
		add_expanded(text, from->sd, dice);
		add(text, " ");
	} else if (kernel) {
		add(text, ": ");
	} else {
		add(text, "[%u]: ", pid);
	}
	add_expanded(text, from->text, dice);
}

static void
store(struct corpus *corpus, struct body *body, char **memory, const struct text *text, size_t size)
{
	char prefix[16] = "";
	size_t len = text->len + CORPUS_TAIL;

	body->filler = len < size ? (uint32_t)(size - len) : 0;
	len += body->filler;
	if (corpus->framing == FRAMING_OCTET)
		snprintf(prefix, sizeof(prefix), "%zu ", len);
	size_t prefix_len = strlen(prefix);
	memcpy(*memory, prefix, prefix_len);
	memcpy(*memory + prefix_len, text->bytes, text->len);
	body->head = *memory;
	body->len = (uint32_t)(prefix_len + text->len);
	body->stamp = (uint32_t)(prefix_len + text->stamp);
	*memory += body->len;
	len += prefix_len + (corpus->framing == FRAMING_LF);
	if (len > corpus->max_len)
		corpus->max_len = len;
}

void
corpus_init(struct corpus *corpus, enum message_format format, enum message_framing framing,
	size_t size, const struct stamp *stamp)
{
	struct dice dice = { .state = 1 };
	struct text text;

	memset(corpus, 0, sizeof(*corpus));
	corpus->framing = framing;
	corpus->memory = must_calloc(CORPUS_BODIES, CORPUS_MAX_HEAD + sizeof("1048576 "));
	char *memory = corpus->memory;
	for (unsigned i = 0; i < CORPUS_BODIES; i++) {
		const struct message_text *from = draw(&dice);

		render(&text, from, format, i, stamp, &dice);
		corpus->bodies[i].kind = from->kind;
		store(corpus, &corpus->bodies[i], &memory, &text, size);
	}
}

void
corpus_fini(struct corpus *corpus)
{
	free(corpus->memory);
	corpus->memory = NULL;
}

static void
write_digits(char *end, uint64_t number, unsigned digits)
{
	for (; digits > 0; digits--, number /= 10)
		*--end = (char)('0' + number % 10);
}

size_t
corpus_write(const struct corpus *corpus, uint64_t number, uint32_t connection,
	const struct stamp *stamp, char *out)
{
	const struct body *body = corpus_body(corpus, number);
	char *p = out;

	memcpy(p, body->head, body->len);
	if (stamp->live)
		memcpy(p + body->stamp, stamp->text, stamp->len);
	p += body->len;
	if (body->filler > 0) {
		memset(p, 'x', body->filler);
		*p = ' ';
		p += body->filler;
	}
	memcpy(p, " conn=0000 seq=00000000", CORPUS_TAIL);
	write_digits(p + sizeof(" conn=0000") - 1, connection, 4);
	p += CORPUS_TAIL;
	write_digits(p, number, 8);
	if (corpus->framing == FRAMING_LF)
		*p++ = '\n';
	return (size_t)(p - out);
}
