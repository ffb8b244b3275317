/* SPDX-License-Identifier: BSD-2-Clause */
/* Completions: wait for something to have happened, any number of times. */
#ifndef SYNC_COMPLETION_H
#define SYNC_COMPLETION_H

#include "sync/waitq.h"

struct completion {
	struct waitq wait;
	/* (wait.lock)  completions not waited for; U32_MAX: all from now on */
	u32 done;
};

void completion_init(struct completion *c);
/* Releases one waiter, or all present and future ones. Any context but NMI. */
void complete(struct completion *c);
void complete_all(struct completion *c);
void completion_wait(struct completion *c);
/* 0, -ERESTARTSYS (fatal signal) */
int __must_check completion_wait_killable(struct completion *c);
int __must_check completion_wait_interruptible(struct completion *c);
/* 0, -ETIMEDOUT; deadline absolute. */
int __must_check completion_wait_until(struct completion *c, u64 deadline);

#endif
