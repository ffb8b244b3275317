/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes of a core file (core(5)): the layouts that debuggers read on x86_64. */
#ifndef KERNEL_UAPI_CORE_H
#define KERNEL_UAPI_CORE_H

#include "lib/types.h"

/* NT_PRSTATUS: one a thread, the one that failed first. */
struct core_prstatus {
	s32 signo, code, err;
	s16 cursig;
	s16 pad0;
	u64 sigpend, sighold;
	s32 pid, ppid, pgrp, sid;
	/* user, system, children's: seconds and microseconds */
	s64 times[4][2];
	/* struct regs, then fs_base, gs_base, ds, es, fs, gs */
	u64 regs[27];
	s32 fpvalid;
	s32 pad1;
};
static_assert(sizeof(struct core_prstatus) == 336, "ABI");

/* NT_PRPSINFO */
struct core_prpsinfo {
	char state, sname, zombie, nice;
	u32 pad0;
	u64 flags;
	u32 uid, gid;
	s32 pid, ppid, pgrp, sid;
	char fname[16];
	char psargs[80];
};
static_assert(sizeof(struct core_prpsinfo) == 136, "ABI");

#endif
