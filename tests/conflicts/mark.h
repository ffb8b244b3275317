/* SPDX-License-Identifier: BSD-2-Clause */
/* The NOPs that tools/conflicts/plugin.c recognises; that file tells the model. */
#ifndef TESTS_CONFLICTS_MARK_H
#define TESTS_CONFLICTS_MARK_H

#define MARK(number)                                                                               \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x80; .long 0x7e55e200 + " #number ::: "memory")

/* This CPU's accesses belong to the window from here on, or no more. */
#define mark_begin() MARK(0)
#define mark_end() MARK(1)
/* With no CPU between the two above: starts an empty window; reports it. */
#define mark_clear() MARK(2)
#define mark_report() MARK(3)

#endif
