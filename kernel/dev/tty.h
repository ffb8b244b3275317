/* SPDX-License-Identifier: BSD-2-Clause */
/* Terminals, for other folders. The model is told in tty.c. */
#ifndef KERNEL_DEV_TTY_H
#define KERNEL_DEV_TTY_H

#include "lib/types.h"

struct process;
struct tty;

/*
 * The controlling terminal of p for /proc/PID/stat: device number, and number of
 * the foreground group (-1: none). False: p has no terminal. Any task.
 */
bool tty_of_process(struct process *p, u32 *major, u32 *minor, s32 *pgrp);

/* vhangup(2) without its permission check: hangs current's terminal up. May sleep. */
void tty_vhangup_current(void);

/* What /dev/console is now: "ttyS0"; "" if there is no terminal at all. */
const char *tty_console_name(void);

#endif
