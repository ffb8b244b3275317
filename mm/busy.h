/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections of this CPU that interrupts go around: a byte in a per-CPU struct is
 * set while a task, pinned, changes the struct; an interrupt on the same CPU that
 * finds it set leaves the struct alone. The two fast paths of mm/ are made of it,
 * hence forms of few instructions.
 *
 *      pin();
 *      if (busy_enter(m->busy)) {
 *              ...
 *              busy_leave(m->busy);
 *      }
 *      unpin_leaf();
 *
 * Ordering: an interrupt sees this CPU's stores in program order; both forms are
 * compiler barriers.
 */
#ifndef MM_BUSY_H
#define MM_BUSY_H

#include "percpu/percpu.h"
#include "percpu/pin.h"

/* flag: a per-CPU byte, as an lvalue of the template. False: somebody is inside. */
#define busy_enter(flag)                                                                           \
	({                                                                                         \
		bool _busy;                                                                        \
		__asm__ volatile("cmpb $0, %%gs:%1" : "=@ccne"(_busy) : "m"(flag) : "memory");     \
		if (likely(!_busy))                                                                \
			__asm__ volatile("movb $1, %%gs:%0" : "=m"(flag) : : "memory");            \
		!_busy;                                                                            \
	})
#define busy_leave(flag) __asm__ volatile("movb $0, %%gs:%0" : "=m"(flag) : : "memory")

/* Per-CPU a >= b, both u32. */
#define percpu_reached(a, b)                                                                       \
	({                                                                                         \
		bool _r;                                                                           \
		__asm__ volatile("cmpl %2, %%gs:%1" : "=@ccae"(_r) : "m"(a), "r"(b));              \
		_r;                                                                                \
	})

/*
 * unpin() that keeps all registers across the rare call of the scheduler, so that
 * a function with nothing else to call needs no stack frame.
 */
static __always_inline void
unpin_leaf(void)
{
	register unsigned long sp __asm__("rsp");

	barrier();
	if (unlikely(arch_percpu_dec_and_test(pin_count)))
		__asm__ volatile("call pin_resched_saving" : "+r"(sp) : : "memory", "cc");
}

#endif
