/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory barriers. x86 is TSO: only a store followed by a load of another
 * location may be reordered, so smp_mb() is the one that costs. It is a locked
 * add to our own stack, cheaper than mfence (Intel SDM vol. 3, 8.2.2).
 */
#ifndef ARCH_ASM_BARRIER_H
#define ARCH_ASM_BARRIER_H

#include "lib/types.h"

#define barrier() __asm__ volatile("" ::: "memory")
#define smp_mb() __asm__ volatile("lock; addl $0, -4(%%rsp)" ::: "memory", "cc")
#define smp_rmb() barrier()
#define smp_wmb() barrier()

#define smp_load_acquire(p)                                                                        \
	({                                                                                         \
		__typeof__(*(p)) _la = READ_ONCE(*(p));                                            \
		barrier();                                                                         \
		_la;                                                                               \
	})
#define smp_store_release(p, v)                                                                    \
	do {                                                                                       \
		barrier();                                                                         \
		WRITE_ONCE(*(p), (v));                                                             \
	} while (0)
/* A store that is ordered before every later load. */
#define smp_store_mb(p, v) ((void)__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))

#endif
