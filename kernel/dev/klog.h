/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the kernel's log from user space: what /dev/kmsg, syslog(2) and /proc/kmsg share. */
#ifndef KERNEL_DEV_KLOG_H
#define KERNEL_DEV_KLOG_H

#include "lib/types.h"

struct file;
struct iter;
struct poll_table;

/* syslog(2) */
enum klog_action {
	KLOG_CLOSE,
	KLOG_OPEN,
	KLOG_READ,
	KLOG_READ_ALL,
	KLOG_READ_CLEAR,
	KLOG_CLEAR,
	KLOG_CONSOLE_OFF,
	KLOG_CONSOLE_ON,
	KLOG_CONSOLE_LEVEL,
	KLOG_SIZE_UNREAD,
	KLOG_SIZE_BUFFER,
};

/* /proc/sys/kernel/dmesg_restrict */
extern u32 klog_restricted;

/* May current do this? 0 or -EPERM. */
int klog_permission(enum klog_action a);
/*
 * The reading that syslog(2) and /proc/kmsg have in common: each byte is given
 * out once. Waits for a record unless nonblock: -EAGAIN, -ERESTARTSYS, -EFAULT.
 */
s64 klog_read(struct iter *to, bool nonblock);
/* POLLIN when klog_read() would not wait. */
u32 klog_poll(struct file *f, struct poll_table *pt);
/* The first record since the last KLOG_CLEAR. */
u64 klog_clear_seq(void);

#endif
