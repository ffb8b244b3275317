/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic operations on plain integers and pointers. A field that they touch
 * carries the letter `a`. All read-modify-write forms are full barriers, as
 * locked instructions are on x86; atomic_read and atomic_set order nothing.
 */
#ifndef ARCH_ASM_ATOMIC_H
#define ARCH_ASM_ATOMIC_H

#include "arch/x86_64/asm/barrier.h"
#include "lib/types.h"

#define atomic_read(p) READ_ONCE(*(p))
#define atomic_set(p, v) WRITE_ONCE(*(p), (v))

#define atomic_add(p, v) ((void)__atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST))
#define atomic_sub(p, v) ((void)__atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST))
#define atomic_inc(p) atomic_add((p), 1)
#define atomic_dec(p) atomic_sub((p), 1)
#define atomic_or(p, v) ((void)__atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST))
#define atomic_and(p, v) ((void)__atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST))

/* The value before, or after, the operation. */
#define atomic_fetch_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define atomic_add_return(p, v) __atomic_add_fetch((p), (v), __ATOMIC_SEQ_CST)
#define atomic_sub_return(p, v) __atomic_sub_fetch((p), (v), __ATOMIC_SEQ_CST)
#define atomic_dec_and_test(p) (__atomic_sub_fetch((p), 1, __ATOMIC_SEQ_CST) == 0)

#define atomic_xchg(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
/* Stores v if *p equals *old and returns true; else loads *p into *old. */
#define atomic_try_cmpxchg(p, old, v)                                                              \
	__atomic_compare_exchange_n((p), (old), (v), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
/* The value found; equal to old when the exchange happened. */
#define atomic_cmpxchg(p, old, v)                                                                  \
	({                                                                                         \
		__typeof__(*(p)) _cx = (old);                                                      \
		atomic_try_cmpxchg((p), &_cx, (v));                                                \
		_cx;                                                                               \
	})

/* Adds v unless *p is u; true if it added. */
#define atomic_add_unless(p, v, u)                                                                 \
	({                                                                                         \
		__typeof__(*(p)) _au = atomic_read(p);                                             \
		while (_au != (u) && !atomic_try_cmpxchg((p), &_au, _au + (v)))                    \
			;                                                                          \
		_au != (u);                                                                        \
	})
#define atomic_inc_not_zero(p) atomic_add_unless((p), 1, 0)

/* Atomic bit operations on an array of unsigned long. */
static inline bool
atomic_test_and_set_bit(unsigned int nr, unsigned long *map)
{
	return atomic_fetch_or(&map[nr / 64], BIT(nr % 64)) & BIT(nr % 64);
}

static inline bool
atomic_test_and_clear_bit(unsigned int nr, unsigned long *map)
{
	return atomic_fetch_and(&map[nr / 64], ~BIT(nr % 64)) & BIT(nr % 64);
}

static inline void
atomic_set_bit(unsigned int nr, unsigned long *map)
{
	atomic_or(&map[nr / 64], BIT(nr % 64));
}

static inline void
atomic_clear_bit(unsigned int nr, unsigned long *map)
{
	atomic_and(&map[nr / 64], ~BIT(nr % 64));
}

#endif
