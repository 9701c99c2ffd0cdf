/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kinds of output have in common: output.c keeps the counts and hands everything else to
 * the kind's operations. Each kind embeds a struct output as its first member.
 */
#pragma once

#include "output/job.h"
#include "output/output.h"

struct output_ops {
	void (*push)(struct output *output, struct job *job); /* takes the job */
	/* Calls visit for every job held in any way. */
	void (*walk)(const struct output *output, void (*visit)(const struct job *job, void *ctx),
		void *ctx);
	void (*hurry)(struct output *output);
	void (*free)(struct output *output); /* with the jobs it holds */
};

struct output {
	const struct output_ops *ops;
	const struct output_settings *settings; /* borrowed */
	const struct output_env *env;           /* borrowed */
	struct output_state state; /* all but what is queued, which is counted by walking */
	const char *held_problem;  /* why a target is held, NULL = none is */
	uint64_t next_order;
	bool hurry;
	bool changed; /* env->changed is to be called */
};

/* Fills the common part. */
void output_init(struct output *output, const struct output_ops *ops,
	const struct output_settings *settings, const struct output_env *env);

/* The job is done: `rejected` of its points were refused for that reason, the others are written.
 * Takes the job. */
void
output_settle(struct output *output, struct job *job, uint32_t rejected, enum reject_reason reason);

/* The job is given up: its points are dropped. Takes the job. */
void output_drop(struct output *output, struct job *job);

/* Calls env->changed when something has: at the end of a callback, when all jobs are in their
 * places again. */
void output_notify(struct output *output);

enum { HURRY_WAIT_MS = 250 }; /* longest wait between attempts when the program is ending */

struct output *influx_output_new(
	const struct output_settings *settings, const struct output_env *env, struct err *err);
struct output *file_output_new(
	const struct output_settings *settings, const struct output_env *env, struct err *err);
