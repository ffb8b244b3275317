/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of mm/: who spins lets the host run the thread that it waits for. */
#ifndef MM_HOST_INSN_H
#define MM_HOST_INSN_H

#include <sched.h>

#define cpu_relax insn_cpu_relax
#include_next "arch/x86_64/asm/insn.h"
#undef cpu_relax

static inline void
cpu_relax(void)
{
	sched_yield();
}

#endif
