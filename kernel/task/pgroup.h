/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process groups and sessions (setpgid(2), setsid(2)); task/pgroup.c tells the
 * model. Outside kernel/task they are named by their struct pid.
 */
#ifndef KERNEL_TASK_PGROUP_H
#define KERNEL_TASK_PGROUP_H

#include "lib/types.h"

struct pid;
struct process;
struct tty;

/*
 * Calls fn for each member of the group with interrupts off and all of the
 * group's locks held: no fork into the group passes unseen. fn may take
 * process->lock, nothing outside it. Stops when fn returns non-zero; returns
 * that, or -ESRCH if there is no member.
 */
int pgroup_for_each(struct pid *pgrp, int (*fn)(struct process *p, void *arg), void *arg);
/* The same over all groups of a session; a process that changes groups meanwhile is seen once. */
int session_for_each(struct pid *session, int (*fn)(struct process *p, void *arg), void *arg);

/*
 * Is the group orphaned: no member has a parent in another group of the same
 * session? `ignored` (may be NULL) does not count.
 */
bool pgroup_orphaned(struct pid *pgrp, const struct process *ignored);
/* The same for current's group, for job control of reads from a terminal. */
bool current_pgroup_orphaned(void);

/* Makes tty the controlling terminal of current's session leader (current must be it). */
void session_set_tty(struct tty *tty);
/* No process of the session has tty as its controlling terminal any more. */
void session_clear_tty(struct pid *session);
/* current gives its controlling terminal up (TIOCNOTTY by somebody who is not the leader). */
void process_clear_tty(void);

#endif
