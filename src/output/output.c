/* SPDX-License-Identifier: Apache-2.0 */
#include "output/output.h"

#include <assert.h>

#include "output/output_internal.h"

struct output *
output_new(const struct output_settings *settings, const struct output_env *env, struct err *err)
{
	switch (settings->kind) {
	case OUTPUT_INFLUXDB: return influx_output_new(settings, env, err);
	case OUTPUT_FILE: return file_output_new(settings, env, err);
	}
	assert(false);
	return NULL;
}

void
output_free(struct output **output)
{
	struct output *gone = *output;

	*output = NULL;
	if (gone != NULL)
		gone->ops->free(gone);
}

void
output_init(struct output *output, const struct output_ops *ops,
	const struct output_settings *settings, const struct output_env *env)
{
	*output = (struct output){ .ops = ops, .settings = settings, .env = env };
	output->state.healthy = true;
}

void
output_push(struct output *output, struct batch *batch)
{
	if (batch->points == 0)
		return;
	output->state.counts[batch->raw ? 0 : 1].accepted += batch->points;
	output->ops->push(output, job_new(batch, output->next_order++));
}

void
output_settle(struct output *output, struct job *job, uint32_t rejected, enum reject_reason reason)
{
	struct output_counts *counts = &output->state.counts[job->raw ? 0 : 1];

	assert(rejected <= job->points);
	counts->written += job->points - rejected;
	counts->rejected[reason] += rejected;
	job_free(&job);
	output->changed = true;
}

void
output_drop(struct output *output, struct job *job)
{
	output->state.counts[job->raw ? 0 : 1].dropped += job->points;
	job_free(&job);
	output->changed = true;
}

void
output_notify(struct output *output)
{
	if (!output->changed)
		return;
	output->changed = false;
	if (output->env->changed != NULL)
		output->env->changed(output->env->ctx);
}

static void
count_held(const struct job *job, void *ctx)
{
	struct output_state *state = ctx;

	state->counts[job->raw ? 0 : 1].queued += job->points;
	state->queued_bytes += job->bytes;
	state->queued_batches += job->n_pieces;
}

void
output_state(const struct output *output, struct output_state *state)
{
	*state = output->state;
	if (output->held_problem != NULL) {
		state->healthy = false;
		if (state->problem == NULL)
			state->problem = output->held_problem;
	}
	output->ops->walk(output, count_held, state);
}

bool
output_idle(const struct output *output)
{
	struct output_state state;

	output_state(output, &state);
	return state.queued_batches == 0;
}

void
output_hurry(struct output *output)
{
	output->hurry = true;
	output->ops->hurry(output);
}
