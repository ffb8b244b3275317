/* SPDX-License-Identifier: BSD-2-Clause */
/* The ABI of seccomp(2), of its listeners' ioctl(2)s, and of filters. */
#ifndef KERNEL_UAPI_SECCOMP_H
#define KERNEL_UAPI_SECCOMP_H

#include "lib/types.h"

/* One instruction of a filter: lib/cbpf.h. */
struct cbpf_insn;

/* prctl(2); a task that is on its way out for a call shows the last one. */
#define SECCOMP_MODE_DISABLED 0
#define SECCOMP_MODE_STRICT 1
#define SECCOMP_MODE_FILTER 2
#define SECCOMP_MODE_DEAD 3

#define SECCOMP_SET_MODE_STRICT 0
#define SECCOMP_SET_MODE_FILTER 1
#define SECCOMP_GET_ACTION_AVAIL 2
#define SECCOMP_GET_NOTIF_SIZES 3

#define SECCOMP_FILTER_FLAG_TSYNC 0x01u
#define SECCOMP_FILTER_FLAG_LOG 0x02u
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW 0x04u
#define SECCOMP_FILTER_FLAG_NEW_LISTENER 0x08u
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH 0x10u
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 0x20u
#define SECCOMP_FILTER_FLAG_MASK 0x3fu

/* What a filter returns: an action and 16 bits of data; of several the least, as signed numbers. */
#define SECCOMP_RET_KILL_PROCESS 0x80000000u
#define SECCOMP_RET_KILL_THREAD 0x00000000u
#define SECCOMP_RET_TRAP 0x00030000u
#define SECCOMP_RET_ERRNO 0x00050000u
#define SECCOMP_RET_USER_NOTIF 0x7fc00000u
#define SECCOMP_RET_TRACE 0x7ff00000u
#define SECCOMP_RET_LOG 0x7ffc0000u
#define SECCOMP_RET_ALLOW 0x7fff0000u
#define SECCOMP_RET_ACTION_FULL 0xffff0000u
#define SECCOMP_RET_DATA 0x0000ffffu

/* What a filter looks at. */
struct seccomp_data {
	s32 nr;
	u32 arch;
	u64 instruction_pointer;
	u64 args[6];
};
static_assert(sizeof(struct seccomp_data) == 64, "ABI");

struct sock_fprog {
	u16 len;
	u8 pad[6];
	const struct cbpf_insn __user *filter;
};
static_assert(sizeof(struct sock_fprog) == 16, "ABI");

/* PTRACE_SECCOMP_GET_METADATA */
struct seccomp_metadata {
	u64 filter_off;
	u64 flags;
};

/* --- listeners --- */

struct seccomp_notif_sizes {
	u16 notif;
	u16 resp;
	u16 data;
};

struct seccomp_notif {
	u64 id;
	u32 pid;
	u32 flags;
	struct seccomp_data data;
};
static_assert(sizeof(struct seccomp_notif) == 80, "ABI");

#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1u
struct seccomp_notif_resp {
	u64 id;
	s64 val;
	s32 error;
	u32 flags;
};
static_assert(sizeof(struct seccomp_notif_resp) == 24, "ABI");

#define SECCOMP_ADDFD_FLAG_SETFD 1u
#define SECCOMP_ADDFD_FLAG_SEND 2u
struct seccomp_notif_addfd {
	u64 id;
	u32 flags;
	u32 srcfd;
	u32 newfd;
	u32 newfd_flags;
};
static_assert(sizeof(struct seccomp_notif_addfd) == 24, "ABI");

#define SECCOMP_IOCTL_NOTIF_RECV 0xc0502100u
#define SECCOMP_IOCTL_NOTIF_SEND 0xc0182101u
#define SECCOMP_IOCTL_NOTIF_ID_VALID 0x40082102u
/* As it was defined first, with the direction the wrong way. */
#define SECCOMP_IOCTL_NOTIF_ID_VALID_OLD 0x80082102u
/* Takes structs of other sizes: the command without direction and size. */
#define SECCOMP_IOCTL_NOTIF_ADDFD 0x2103u
#define SECCOMP_IOCTL_SIZE(cmd) (((cmd) >> 16) & 0x3fffu)
#define SECCOMP_IOCTL_BARE(cmd) ((cmd)&0xffffu)

#endif
