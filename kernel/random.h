/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers; kernel/random.c tells the model. */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include "lib/types.h"

/* Unpredictable bytes. Any context but NMI. */
void random_bytes(void *buf, size_t n);
u64 random_u64(void);
/* 0 to n - 1, each as likely; n > 0. */
u64 random_below(u64 n);
/* The same for user memory: bytes written, or -EFAULT. A signal ends it after a page. */
s64 random_fill_user(void __user *buf, size_t n);

/* Mixes bytes in that others may or may not know (writes to /dev/random, device serials). */
void random_add(const void *data, size_t n);
/* From interrupts: when it came and what it was. Hard interrupt, cheap. */
void random_interrupt_oncpu(u64 what);

#endif
