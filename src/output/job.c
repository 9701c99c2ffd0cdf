/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are looked at only when a job is cut: the normal way, whole batches in, whole batches out,
 * never scans a byte. */
#include "output/job.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

static void
add_piece(struct job *job, struct piece piece)
{
	if (job->n_pieces == job->room) {
		job->room = job->room == 0 ? 1 : job->room * 2;
		job->pieces = xrealloc(job->pieces, job->room * sizeof(*job->pieces));
	}
	job->pieces[job->n_pieces++] = piece;
	job->points += piece.points;
	job->bytes += piece.bytes;
	job->memory += batch_share(piece.batch, piece.bytes) + sizeof(piece);
}

static struct job *
empty_job(uint16_t target, bool raw)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->target = target;
	job->raw = raw;
	return job;
}

struct job *
job_new(struct batch *batch, uint64_t order)
{
	struct job *job = empty_job(batch->target, batch->raw);

	assert(batch->points > 0 && batch->lines.len > 0);
	add_piece(job,
		(struct piece){
			.batch = batch_ref(batch),
			.order = order,
			.bytes = batch->lines.len,
			.points = batch->points,
		});
	return job;
}

void
job_free(struct job **job)
{
	struct job *gone = *job;

	*job = NULL;
	if (gone == NULL)
		return;
	for (size_t i = 0; i < gone->n_pieces; i++)
		batch_unref(&gone->pieces[i].batch);
	buf_fini(&gone->reply);
	free(gone->pieces);
	free(gone);
}

void
job_join(struct job *job, struct job *more)
{
	assert(job->target == more->target && job->raw == more->raw);
	for (size_t i = 0; i < more->n_pieces; i++)
		add_piece(job, more->pieces[i]);
	more->n_pieces = 0; /* the references have moved */
	job_free(&more);
}

size_t
line_length(struct str text)
{
	bool quoted = false, fields = false;
	size_t equals = 0, commas = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\\' && i + 2 < text.len)
			i++;
		else if (c == '\n' && !quoted)
			return i + 1;
		else if (c == ' ')
			fields = true;
		else if (fields && c == '=' && !quoted)
			equals++;
		else if (fields && c == ',' && !quoted)
			commas++;
		else if (fields && c == '"' && equals > commas)
			quoted = !quoted;
	}
	return 0;
}

static struct str
piece_text(const struct piece *piece)
{
	return (struct str){ piece->batch->lines.ptr + piece->offset, piece->bytes };
}

/* Bytes of the piece's first `points` lines. */
static size_t
measure_lines(const struct piece *piece, uint32_t points)
{
	struct str text = piece_text(piece);
	size_t bytes = 0;

	while (points-- > 0) {
		size_t n = line_length((struct str){ text.ptr + bytes, text.len - bytes });

		assert(n > 0); /* batch->points is the number of its lines */
		bytes += n;
	}
	return bytes;
}

struct job *
job_cut(struct job *job, uint32_t points)
{
	struct job *rest = empty_job(job->target, job->raw);
	size_t old_pieces = job->n_pieces;

	assert(points > 0 && points < job->points);
	job->n_pieces = 0;
	job->points = 0;
	job->bytes = 0;
	job->memory = 0;
	for (size_t i = 0; i < old_pieces; i++) {
		struct piece piece = job->pieces[i]; /* written back at or before its place */
		uint32_t wanted = points - job->points;

		if (wanted == 0) {
			add_piece(rest, piece);
		} else if (piece.points <= wanted) {
			add_piece(job, piece);
		} else {
			struct piece front = piece;

			front.points = wanted;
			front.bytes = measure_lines(&piece, wanted);
			piece.batch = batch_ref(piece.batch);
			piece.offset += front.bytes;
			piece.bytes -= front.bytes;
			piece.points -= front.points;
			add_piece(job, front);
			add_piece(rest, piece);
		}
	}
	rest->tried = job->tried;
	return rest;
}

uint32_t
job_points_within(const struct job *job, size_t max_bytes)
{
	uint32_t points = 0;

	for (size_t i = 0; i < job->n_pieces; i++) {
		const struct piece *piece = &job->pieces[i];
		struct str text = piece_text(piece);

		if (piece->bytes <= max_bytes) {
			points += piece->points;
			max_bytes -= piece->bytes;
			continue;
		}
		for (size_t n; (n = line_length(text)) > 0 && n <= max_bytes; points++) {
			text.ptr += n;
			text.len -= n;
			max_bytes -= n;
		}
		break;
	}
	return points > 0 ? points : 1;
}

struct str
job_line(const struct job *job)
{
	assert(job->points == 1 && job->n_pieces == 1);
	return piece_text(&job->pieces[0]);
}

static bool
piece_is_before(const struct piece *x, const struct piece *y)
{
	return x->order != y->order ? x->order < y->order : x->offset < y->offset;
}

static bool
is_before(const struct job *a, const struct job *b)
{
	return piece_is_before(&a->pieces[0], &b->pieces[0]);
}

bool
job_precedes(const struct job *job, const struct job *more)
{
	return piece_is_before(&job->pieces[job->n_pieces - 1], &more->pieces[0]);
}

void
job_list_add(struct job_list *list, struct job *job)
{
	struct job *after = list->tail; /* new batches go to the end, failed ones to the front */

	if (list->head != NULL && is_before(job, list->head))
		after = NULL;
	while (after != NULL && is_before(job, after))
		after = after->prev;
	job->prev = after;
	job->next = after != NULL ? after->next : list->head;
	*(job->prev != NULL ? &job->prev->next : &list->head) = job;
	*(job->next != NULL ? &job->next->prev : &list->tail) = job;
}

void
job_list_remove(struct job_list *list, struct job *job)
{
	*(job->prev != NULL ? &job->prev->next : &list->head) = job->next;
	*(job->next != NULL ? &job->next->prev : &list->tail) = job->prev;
	job->prev = NULL;
	job->next = NULL;
}

void
job_list_clear(struct job_list *list)
{
	for (struct job *job = list->head, *next; job != NULL; job = next) {
		next = job->next;
		job_free(&job);
	}
	*list = (struct job_list){ NULL, NULL };
}
