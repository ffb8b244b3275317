/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percpu/ and sync/ on the host, by -include in front of everything: stands in
 * for the headers of arch/x86_64/asm whose instructions a program may not
 * execute, or that a sanitizer does not understand. The sources themselves are
 * the kernel's.
 *
 * Model: a host CPU is what one thread at a time holds (sync/runtime_host.c);
 * its area is ordinary memory, found by an offset that each thread knows.
 * Interrupts are delivered at polls: where interrupts are switched on, in
 * cpu_relax() and at every compiler barrier, which is where the code under test
 * has its delicate moments.
 *
 * Accesses that the kernel makes with plain moves are atomic here with the order
 * that x86 gives them, so that the thread sanitizer reports what is left.
 */
#ifndef PERCPU_HOST_SHIM_H
#define PERCPU_HOST_SHIM_H

#include <sys/cdefs.h>
#undef __always_inline

#include "lib/types.h"

#undef READ_ONCE
#undef WRITE_ONCE
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELEASE)

/* Takes the interrupts that wait for this thread's CPU, if they are enabled. */
void host_poll(void);

/* --- arch/x86_64/asm/barrier.h --- */
#define ARCH_ASM_BARRIER_H

extern __thread u32 host_fence;

#define barrier()                                                                                  \
	do {                                                                                       \
		__asm__ volatile("" ::: "memory");                                                 \
		host_poll();                                                                       \
	} while (0)
/* The sanitizer knows no fences; a locked instruction on our own line is one. */
#define smp_mb() ((void)__atomic_fetch_add(&host_fence, 1, __ATOMIC_SEQ_CST))
#define smp_rmb() __asm__ volatile("" ::: "memory")
#define smp_wmb() __asm__ volatile("" ::: "memory")
#define smp_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define smp_store_mb(p, v) ((void)__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))

/* --- arch/x86_64/asm/irqflags.h --- */
#define ARCH_ASM_IRQFLAGS_H
#define RFLAGS_IF 0x200UL

extern __thread bool host_irqs_off;

static inline bool
irqs_disabled(void)
{
	return host_irqs_off;
}

static inline void
irq_disable(void)
{
	host_irqs_off = true;
}

static inline void
irq_enable(void)
{
	host_irqs_off = false;
	host_poll();
}

static inline unsigned long
irq_save(void)
{
	unsigned long flags = host_irqs_off ? 0 : RFLAGS_IF;

	host_irqs_off = true;
	return flags;
}

static inline void
irq_restore(unsigned long flags)
{
	if (flags & RFLAGS_IF)
		irq_enable();
}

/* --- arch/x86_64/asm/insn.h --- */
#define ARCH_ASM_INSN_H

struct cpuid {
	u32 a, b, c, d;
};
#define cpuid(leaf, sub) ((struct cpuid){0})

void host_relax(void);
#define cpu_relax() host_relax()

/* --- arch/x86_64/asm/percpu.h --- */
#define ARCH_ASM_PERCPU_H
#define PERCPU_SECTION "percpu_data"
#define PERCPU_SECTION_ALIGNED "percpu_data"
#define __percpu_start __start_percpu_data
#define __percpu_end __stop_percpu_data

extern __thread unsigned long host_offset;

#define host_this(v) ((__typeof__(v) *)((unsigned long)&(v) + host_offset))

#define arch_percpu_read(v) __atomic_load_n(host_this(v), __ATOMIC_RELAXED)
#define arch_percpu_read_stable(v) arch_percpu_read(v)
#define arch_percpu_write(v, x) __atomic_store_n(host_this(v), (x), __ATOMIC_RELEASE)
#define host_percpu_rmw(v, op, x)                                                                  \
	({                                                                                         \
		__typeof__(v) *_p = host_this(v);                                                  \
		__typeof__(v) _n = __atomic_load_n(_p, __ATOMIC_RELAXED) op(__typeof__(v))(x);     \
		__atomic_store_n(_p, _n, __ATOMIC_RELEASE);                                        \
		_n;                                                                                \
	})
/* The operation's name comes as a string; the compiler drops what does not match. */
#define arch_percpu_op(op, v, x)                                                                   \
	do {                                                                                       \
		if ((op)[0] == 'a' && (op)[1] == 'd')                                              \
			host_percpu_rmw(v, +, x);                                                  \
		else if ((op)[0] == 's')                                                           \
			host_percpu_rmw(v, -, x);                                                  \
		else if ((op)[0] == 'a')                                                           \
			host_percpu_rmw(v, &, x);                                                  \
		else                                                                               \
			host_percpu_rmw(v, |, x);                                                  \
	} while (0)
#define arch_percpu_add_return(v, x) host_percpu_rmw(v, +, x)
#define arch_percpu_xchg(v, x) __atomic_exchange_n(host_this(v), (x), __ATOMIC_SEQ_CST)
#define arch_percpu_dec_and_test(v) (host_percpu_rmw(v, -, 1) == 0)

#endif
