/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk thread: everything that may block on a disk (or on a pipe behind standard output)
 * happens here, so that the sender thread never waits. Jobs run in order.
 */
#pragma once

#include <stdbool.h>

#include "base/mailbox.h"

struct disk;

struct disk_job {
	struct mail mail;
	void (*run)(struct disk_job *job); /* on the disk thread */
	struct mailbox *reply; /* the job itself comes back here when run; NULL: run frees it */
};

struct disk *disk_start(void);
void disk_post(struct disk *disk, struct disk_job *job);
void disk_stop(struct disk **disk); /* runs what is posted, then ends the thread */
