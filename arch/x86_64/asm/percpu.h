/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GS-relative access to this CPU's area.
 *
 * Model: a per-CPU variable is defined in section .percpu, whose bytes are the
 * template that every area is copied from. CPU n's copy of variable v lies at
 * &v + percpu_offset[n]; that offset is also what CPU n's GS base holds, so
 * that %gs:v is the variable of whichever CPU executes the instruction. A
 * pointer marked __percpu is &v: it is never followed without an offset.
 *
 * One-instruction operations need no pinning: the CPU cannot change in the
 * middle of one. Everything else does.
 */
#ifndef ARCH_ASM_PERCPU_H
#define ARCH_ASM_PERCPU_H

#include "lib/types.h"

#define percpu_arg(v) "%%gs:%" #v

#define arch_percpu_read(v)                                                                        \
	({                                                                                         \
		__typeof__(v) _pr;                                                                 \
		__asm__ volatile("mov %%gs:%1, %0" : "=r"(_pr) : "m"(v));                          \
		_pr;                                                                               \
	})
/* May be cached by the compiler: for what never changes while a task runs (current). */
#define arch_percpu_read_stable(v)                                                                 \
	({                                                                                         \
		__typeof__(v) _pr;                                                                 \
		__asm__("mov %%gs:%P1, %0" : "=r"(_pr) : "p"(&(v)));                               \
		_pr;                                                                               \
	})
#define arch_percpu_write(v, x)                                                                    \
	do {                                                                                       \
		__typeof__(v) _pw = (x);                                                           \
		__asm__ volatile("mov %1, %%gs:%0" : "=m"(v) : "r"(_pw));                          \
	} while (0)

/* The instruction's width follows the variable's. */
#define arch_percpu_op(op, v, x)                                                                   \
	do {                                                                                       \
		switch (sizeof(v)) {                                                               \
		case 1:                                                                            \
			__asm__ volatile(op "b %1, %%gs:%0" : "+m"(v) : "qi"((u8)(x)) : "cc");     \
			break;                                                                     \
		case 2:                                                                            \
			__asm__ volatile(op "w %1, %%gs:%0" : "+m"(v) : "ri"((u16)(x)) : "cc");    \
			break;                                                                     \
		case 4:                                                                            \
			__asm__ volatile(op "l %1, %%gs:%0" : "+m"(v) : "ri"((u32)(x)) : "cc");    \
			break;                                                                     \
		default:                                                                           \
			__asm__ volatile(op "q %1, %%gs:%0" : "+m"(v) : "re"((s64)(x)) : "cc");    \
		}                                                                                  \
	} while (0)

#define arch_percpu_xchg(v, x)                                                                     \
	({                                                                                         \
		__typeof__(v) _px = (x);                                                           \
		__asm__ volatile("xchg %0, %%gs:%1" : "+r"(_px), "+m"(v)::"memory");               \
		_px;                                                                               \
	})

/* This CPU's value after adding x; atomic towards interrupts, not towards other CPUs. */
#define arch_percpu_add_return(v, x)                                                               \
	({                                                                                         \
		__typeof__(v) _pa = (x);                                                           \
		__asm__ volatile("xadd %0, %%gs:%1" : "+r"(_pa), "+m"(v)::"memory", "cc");         \
		_pa + (x);                                                                         \
	})

/* Subtracts 1; true if the result is zero. */
#define arch_percpu_dec_and_test(v)                                                                \
	({                                                                                         \
		bool _z;                                                                           \
		__asm__ volatile("decl %%gs:%1" : "=@ccz"(_z), "+m"(v)::"memory");                 \
		_z;                                                                                \
	})

#endif
