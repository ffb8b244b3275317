/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens when the kernel itself is wrong. panic() is in kernel/log.h. */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include "lib/types.h"

/*
 * Brackets a report of a fault in the kernel: reports of several CPUs do not
 * mix; interrupts are off from oops_begin() on. oops_end() ends the current task
 * with SIGSEGV if `interrupts` were on before and it holds nothing that others wait
 * for, else panics; it returns never.
 */
void oops_begin(void);
void oops_end(const char *what, bool interrupts) __noreturn;

/* A panic is under way: consoles write without waiting for locks. */
extern bool panicking;

#endif
