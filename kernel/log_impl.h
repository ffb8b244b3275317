/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring behind the log, for /dev/kmsg and syslog(2). */
#ifndef KERNEL_LOG_IMPL_H
#define KERNEL_LOG_IMPL_H

#include "lib/types.h"
#include "sync/waitq.h"

#define LOG_LINE_MAX 992

struct log_record {
	u64 seq;
	/* ns since boot */
	u64 time;
	/* syslog priority: facility << 3 | level */
	u16 prio;
	u16 len;
	char text[LOG_LINE_MAX];
};

/*
 * Copies the record `seq` or, if it was overwritten, the oldest one after it.
 * False: there is none yet.
 */
bool log_read(u64 seq, struct log_record *r);
u64 log_first_seq(void);
u64 log_next_seq(void);
/* Stores a record made by user space (/dev/kmsg). */
void log_store_user(u16 prio, const char *text, size_t n);
/* Woken (from a work item) when records arrive. */
extern struct waitq log_wait;
/* Bytes the ring holds at most, and that records now take. */
size_t log_ring_size(void);
size_t log_ring_used(void);

#endif
