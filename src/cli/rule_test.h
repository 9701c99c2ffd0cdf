/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the examples that rules carry: each rule's `example` lines in order through one fresh engine
 * on a virtual clock, then all windows close; the points must be exactly the `expect` lines. A
 * `reject` line must not match.
 */
#pragma once

#include "config/settings.h"

struct rule_test_result {
	unsigned rules;    /* rules that have examples */
	unsigned untested; /* rules without any */
	unsigned examples; /* examples and rejects run */
	unsigned failed;
	struct buf report; /* what failed: file, line, expected, got; owned by the caller */
};

/* Compiles the rules and runs all examples. False when the rules do not compile (errors in err). */
bool
rule_test_run(const struct settings *settings, struct rule_test_result *result, struct err *err);
