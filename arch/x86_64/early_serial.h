/* SPDX-License-Identifier: BSD-2-Clause */
/* The first serial port as a console before its driver runs: polled output. */
#ifndef ARCH_EARLY_SERIAL_H
#define ARCH_EARLY_SERIAL_H

/* Registers a console if a 16550 answers at port 0x3f8. */
void early_serial_init(void);

#endif
