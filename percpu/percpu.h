/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU data: definition and access.
 *
 * this_cpu(v)           the variable of this CPU as an lvalue; caller is pinned
 * cpu_of(v, cpu)        the variable of CPU `cpu` as an lvalue; owner's rules apply
 * this_cpu_ptr(p)       the same two for a __percpu pointer (percpu_alloc())
 * cpu_ptr(p, cpu)
 * this_cpu_read/write/add/inc/dec/...  one instruction, no pinning needed
 */
#ifndef PERCPU_PERCPU_H
#define PERCPU_PERCPU_H

#include "arch/x86_64/asm/percpu.h"
#include "config/config.h"
#include "lib/types.h"

#ifndef PERCPU_SECTION
#define PERCPU_SECTION ".percpu"
#define PERCPU_SECTION_ALIGNED ".percpu..aligned"
#endif

#define DEFINE_PERCPU(type, name) __percpu __section(PERCPU_SECTION) __typeof__(type) name
#define DECLARE_PERCPU(type, name) extern __percpu __typeof__(type) name
/* For what other CPUs write too (mailboxes): starts a cache line of its own. */
#define DEFINE_PERCPU_ALIGNED(type, name)                                                          \
	__percpu __section(PERCPU_SECTION_ALIGNED)                                                 \
	__cacheline_aligned __typeof__(type) name

/* I  what to add to a __percpu pointer for CPU n; indexed by CPU number. */
extern unsigned long percpu_offset[CONFIG_MAX_CPUS];
/* I  offset of this CPU, and its number. */
DECLARE_PERCPU(unsigned long, percpu_this_offset);
DECLARE_PERCPU(unsigned int, percpu_cpu);

/* For sparse: the address space that ordinary pointers point to. */
#ifdef __CHECKER__
#define __here __attribute__((address_space(0)))
#else
#define __here
#endif

#define percpu_shift(p, off)                                                                       \
	((__typeof__(*(p)) __here __force *)((unsigned long __force)(p) + (off)))

#define cpu_ptr(p, cpu) percpu_shift((p), percpu_offset[cpu])
#define this_cpu_ptr(p) percpu_shift((p), arch_percpu_read(percpu_this_offset))
#define cpu_of(v, cpu) (*cpu_ptr(&(v), (cpu)))
#define this_cpu(v) (*this_cpu_ptr(&(v)))

#define this_cpu_read(v) arch_percpu_read(v)
#define this_cpu_write(v, x) arch_percpu_write(v, x)
#define this_cpu_add(v, x) arch_percpu_op("add", v, x)
#define this_cpu_sub(v, x) arch_percpu_op("sub", v, x)
#define this_cpu_and(v, x) arch_percpu_op("and", v, x)
#define this_cpu_or(v, x) arch_percpu_op("or", v, x)
#define this_cpu_inc(v) this_cpu_add(v, 1)
#define this_cpu_dec(v) this_cpu_sub(v, 1)
#define this_cpu_add_return(v, x) arch_percpu_add_return(v, x)
#define this_cpu_xchg(v, x) arch_percpu_xchg(v, x)

/* Number of the CPU that executes this: only a hint unless pinned. */
static inline unsigned int
cpu_id(void)
{
	return this_cpu_read(percpu_cpu);
}

/*
 * A per-CPU object made at run time; zeroed on all CPUs that are possible.
 * size: 1 to PERCPU_ALLOC_MAX bytes; align: a power of two up to CACHE_LINE.
 * NULL when memory or the area is exhausted. May sleep.
 */
#define PERCPU_ALLOC_MAX 4096
void __percpu *percpu_alloc(size_t size, size_t align);
/* p may be NULL. May sleep. */
void percpu_free(void __percpu *p);
/* Bytes of the dynamic part in use, on one CPU: for statistics and leak tests. */
size_t percpu_alloc_used(void);

#endif
