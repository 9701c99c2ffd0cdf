/* SPDX-License-Identifier: Apache-2.0 */
#include "metric/stamps.h"

#include <string.h>

#include "metric/window.h"

/* Index of the stretch that holds time; n when it is free. */
static uint32_t
find(const struct stamps *stamps, int64_t time_ns)
{
	uint32_t i = 0;

	while (i < stamps->n &&
		(time_ns < stamps->taken[i].start_ns || time_ns >= stamps->taken[i].end_ns))
		i++;
	return i;
}

int64_t
stamps_take(struct stamps *stamps, int64_t time_ns)
{
	int64_t start_ns = time_ns;
	uint32_t drop = stamps->n; /* the stretch that grows leaves its place for the front */

	/* Each round leaves a stretch behind for good, so there are at most n. */
	for (uint32_t i = find(stamps, time_ns); i < stamps->n; i = find(stamps, time_ns)) {
		time_ns = stamps->taken[i].end_ns;
		start_ns = stamps->taken[i].start_ns;
		drop = i;
	}
	if (drop == stamps->n) {
		if (stamps->n < STAMPS_MAX)
			stamps->n++;
		else
			drop = STAMPS_MAX - 1;
	}
	memmove(&stamps->taken[1], &stamps->taken[0], drop * sizeof(stamps->taken[0]));
	stamps->taken[0].start_ns = start_ns;
	stamps->taken[0].end_ns = time_add(time_ns, 1);
	return time_ns;
}
