/* SPDX-License-Identifier: BSD-2-Clause */
/* PKRU: what the current task may do by which protection key. Where the CPU has it. */
#ifndef ARCH_PKEY_H
#define ARCH_PKEY_H

#include "lib/types.h"

/* At program start and in signal handlers: nothing but by key 0. */
#define PKRU_INIT 0x55555554u
/* Its component of the extended state. */
#define XFEATURE_PKRU 9
#define XFEATURE_PKRU_BIT 0x200UL

static inline u32
pkru_read(void)
{
	u32 v, d;

	__asm__ volatile("rdpkru" : "=a"(v), "=d"(d) : "c"(0));
	return v;
}

static inline void
pkru_write(u32 v)
{
	__asm__ volatile("wrpkru" ::"a"(v), "c"(0), "d"(0) : "memory");
}

#endif
