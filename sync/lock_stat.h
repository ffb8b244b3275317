/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often and how long locks of each class are waited for and held. Debug
 * kernels only, and there while /proc/sys/kernel/lock_stat is 1. (sync/lock_stat.c)
 */
#ifndef SYNC_LOCK_STAT_H
#define SYNC_LOCK_STAT_H

#include "config/config.h"
#include "lib/types.h"
#include "sync/lockclass.h"
#include "sync/port.h"

/* Nanoseconds; min is 0 while nothing has been counted. */
struct lock_stat {
	u64 contentions;
	u64 wait_min, wait_max, wait_total;
	u64 acquisitions;
	u64 hold_min, hold_max, hold_total;
};

/* 1: locks are counted. */
extern u32 lock_stat_on;

/* When a wait or a hold begins; 0: nothing is to be counted. Any context. */
static inline u64
lock_stat_clock(void)
{
	return CONFIG_DEBUG && unlikely(READ_ONCE(lock_stat_on)) ? ktime_get() : 0;
}

/* It has ended; since: from lock_stat_clock(). class may be NULL then. Any context. */
#if CONFIG_DEBUG
void lock_stat_waited(const struct lock_class *class, u64 since);
void lock_stat_held(const struct lock_class *class, u64 since);
#else
#define lock_stat_waited(class, since) ((void)(since))
#define lock_stat_held(class, since) ((void)(since))
#endif

/* The i-th class, in the order of the image, summed over all CPUs; false: there are no more. */
bool lock_stat_read(u32 i, const struct lock_class **class, struct lock_stat *sum);
/* Starts over. Counts that are made meanwhile may be lost or stay. */
void lock_stat_clear(void);

#endif
