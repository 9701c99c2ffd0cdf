/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How threads meet: a queue of letters with an eventfd that becomes readable when there is
 * something to take. Many threads post, one thread (the owner) takes. Lock-free; order is kept per
 * poster.
 *
 *      poster: mailbox_post(box, &thing->mail)        owner: fd readable -> for (m =
 * mailbox_take(box); m; m = next)
 *
 * A letter is embedded in what it carries and belongs to the receiver once posted.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

struct mail {
	struct mail *next;
	int kind; /* the owner's enum tells what it is embedded in */
};

struct mailbox {
	_Atomic(struct mail *) newest;
	int fd; /* eventfd, non-blocking */
};

void mailbox_init(struct mailbox *box);
void mailbox_fini(struct mailbox *box); /* must be empty */

void mailbox_post(struct mailbox *box, struct mail *mail);

/* Everything posted so far, oldest first, as a list by `next`; NULL when there is nothing. Clears
 * the eventfd. */
struct mail *mailbox_take(struct mailbox *box);

/* The struct that a letter is embedded in. */
#define mail_owner(mail_ptr, type, member) \
	((type *)(void *)((char *)(mail_ptr)-offsetof(type, member)))
