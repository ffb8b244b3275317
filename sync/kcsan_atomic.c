/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KCSAN: the atomic operations, which the compiler calls in place of the
 * instructions: a marked access, then the operation. Whatever order is asked
 * for, read-modify-write operations are full barriers, as on x86 they are.
 */
#include "sync/kcsan_impl.h"

#define caller_pc() ((unsigned long)__builtin_return_address(0))
#define RMW (KCSAN_WRITE | KCSAN_MARKED)

#define DEFINE_RMW(bits, op)                                                                       \
	u##bits __tsan_atomic##bits##_##op(volatile u##bits *p, u##bits v, int order);             \
	u##bits __tsan_atomic##bits##_##op(volatile u##bits *p, u##bits v, int order)              \
	{                                                                                          \
		kcsan_check(p, sizeof(*p), RMW, caller_pc());                                      \
		return __atomic_##op(p, v, __ATOMIC_SEQ_CST);                                      \
	}

/* gcc's names; exchange is __atomic_exchange_n. */
#define __atomic_exchange __atomic_exchange_n

#define DEFINE_CMPXCHG(bits, strength)                                                             \
	bool __tsan_atomic##bits##_compare_exchange_##strength(volatile u##bits *p, u##bits *old,  \
							       u##bits v, int order, int fail);    \
	bool __tsan_atomic##bits##_compare_exchange_##strength(volatile u##bits *p, u##bits *old,  \
							       u##bits v, int order, int fail)     \
	{                                                                                          \
		kcsan_check(p, sizeof(*p), RMW, caller_pc());                                      \
		return __atomic_compare_exchange_n(p, old, v, false, __ATOMIC_SEQ_CST,             \
						   __ATOMIC_SEQ_CST);                              \
	}

#define DEFINE_ATOMICS(bits)                                                                       \
	u##bits __tsan_atomic##bits##_load(const volatile u##bits *p, int order);                  \
	u##bits __tsan_atomic##bits##_load(const volatile u##bits *p, int order)                   \
	{                                                                                          \
		kcsan_check(p, sizeof(*p), KCSAN_MARKED, caller_pc());                             \
		return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                       \
	}                                                                                          \
	void __tsan_atomic##bits##_store(volatile u##bits *p, u##bits v, int order);               \
	void __tsan_atomic##bits##_store(volatile u##bits *p, u##bits v, int order)                \
	{                                                                                          \
		kcsan_check(p, sizeof(*p), RMW, caller_pc());                                      \
		/* Stronger than what was asked for would hide what is missing. */                 \
		if (order == __ATOMIC_SEQ_CST)                                                     \
			__atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                  \
		else                                                                               \
			__atomic_store_n(p, v, __ATOMIC_RELEASE);                                  \
	}                                                                                          \
	DEFINE_RMW(bits, exchange)                                                                 \
	DEFINE_RMW(bits, fetch_add)                                                                \
	DEFINE_RMW(bits, fetch_sub)                                                                \
	DEFINE_RMW(bits, fetch_and)                                                                \
	DEFINE_RMW(bits, fetch_or)                                                                 \
	DEFINE_RMW(bits, fetch_xor)                                                                \
	DEFINE_CMPXCHG(bits, strong)                                                               \
	DEFINE_CMPXCHG(bits, weak)

DEFINE_ATOMICS(8)
DEFINE_ATOMICS(16)
DEFINE_ATOMICS(32)
DEFINE_ATOMICS(64)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);

void
__tsan_atomic_thread_fence(int order)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void
__tsan_atomic_signal_fence(int order)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}
