/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of prctl(2) that is about credentials (kernel/cred_cap.c). */
#ifndef KERNEL_CRED_PRCTL_H
#define KERNEL_CRED_PRCTL_H

/* -ENOSYS: not one of ours. */
long cred_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5);

#endif
