/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Posters push onto a stack with one compare-and-swap; the owner takes the whole stack with one
 * exchange and turns it round. Only the poster that finds the stack empty rings the eventfd, so a
 * burst costs one system call.
 */
#include "base/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void
mailbox_init(struct mailbox *box)
{
	atomic_init(&box->newest, NULL);
	box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (box->fd < 0) {
		perror("eventfd");
		abort();
	}
}

void
mailbox_fini(struct mailbox *box)
{
	assert(atomic_load(&box->newest) == NULL);
	close(box->fd);
	box->fd = -1;
}

void
mailbox_post(struct mailbox *box, struct mail *mail)
{
	struct mail *newest = atomic_load_explicit(&box->newest, memory_order_relaxed);

	do
		mail->next = newest;
	while (!atomic_compare_exchange_weak_explicit(
		&box->newest, &newest, mail, memory_order_acq_rel, memory_order_relaxed));
	if (newest == NULL) {
		uint64_t one = 1;
		ssize_t n;

		do
			n = write(box->fd, &one, sizeof(one));
		while (n < 0 && errno == EINTR);
	}
}

struct mail *
mailbox_take(struct mailbox *box)
{
	uint64_t count;
	ssize_t n = read(
		box->fd, &count, sizeof(count)); /* before the exchange: a later post rings again */
	struct mail *mail, *oldest = NULL;

	(void)n;
	mail = atomic_exchange_explicit(&box->newest, NULL, memory_order_acq_rel);
	while (mail != NULL) {
		struct mail *next = mail->next;

		mail->next = oldest;
		oldest = mail;
		mail = next;
	}
	return oldest;
}
