/* SPDX-License-Identifier: BSD-2-Clause */
/* Where test output goes: straight to the first serial port, apart from the log. */
#ifndef KERNEL_TAP_H
#define KERNEL_TAP_H

/* Whole lines; any context; lines of several CPUs do not mix. */
void tap_write(const char *s);

#endif
