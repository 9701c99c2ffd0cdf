/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread, one mailbox. The thread sleeps in poll() on the mailbox and runs the jobs in the
 * order posted. It ends at its own `stop` letter, which is posted last, so that everything posted
 * before is still run.
 */
#include "output/disk.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

struct disk {
	pthread_t thread;
	struct mailbox box;
	struct mail stop;
};

static void
run_job(struct disk_job *job)
{
	struct mailbox *reply = job->reply; /* before run: without a reply run frees the job */

	job->run(job);
	if (reply != NULL)
		mailbox_post(reply, &job->mail);
}

static void *
disk_main(void *arg)
{
	struct disk *disk = arg;

	for (;;) {
		struct pollfd ready = { .fd = disk->box.fd, .events = POLLIN };

		poll(&ready, 1, -1);
		struct mail *mail = mailbox_take(&disk->box);
		while (mail != NULL) {
			struct mail *next = mail->next;

			if (mail == &disk->stop)
				return NULL;
			run_job(mail_owner(mail, struct disk_job, mail));
			mail = next;
		}
	}
}

struct disk *
disk_start(void)
{
	struct disk *disk = xcalloc(1, sizeof(*disk));
	sigset_t all, before;

	mailbox_init(&disk->box);
	sigfillset(&all); /* signals are the control thread's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&disk->thread, NULL, disk_main, disk) != 0) {
		perror("pthread_create");
		abort();
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return disk;
}

void
disk_post(struct disk *disk, struct disk_job *job)
{
	mailbox_post(&disk->box, &job->mail);
}

void
disk_stop(struct disk **disk)
{
	struct disk *gone = *disk;

	*disk = NULL;
	if (gone == NULL)
		return;
	mailbox_post(&gone->box, &gone->stop);
	pthread_join(gone->thread, NULL);
	mailbox_fini(&gone->box);
	free(gone);
}
