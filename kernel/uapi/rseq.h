/* SPDX-License-Identifier: BSD-2-Clause */
/* rseq(2) and membarrier(2): layouts and numbers of the ABI. */
#ifndef KERNEL_UAPI_RSEQ_H
#define KERNEL_UAPI_RSEQ_H

#include "lib/types.h"

#define RSEQ_CPU_ID_UNINITIALIZED 0xffffffffu
#define RSEQ_CPU_ID_REGISTRATION_FAILED 0xfffffffeu
#define RSEQ_FLAG_UNREGISTER 1

/*
 * struct rseq of a thread, 32 bytes, aligned to 32.
 *
 * OFFSET SIZE MEANING
 *      0    4 cpu_id_start: a CPU number at all times
 *      4    4 cpu_id, or RSEQ_CPU_ID_*
 *      8    8 pointer to the critical section that runs, or 0
 *     16    4 flags
 *     20   12 padding
 */
struct rseq {
	u32 cpu_id_start;
	u32 cpu_id;
	u64 rseq_cs;
	u32 flags;
	u32 pad[3];
};
static_assert(sizeof(struct rseq) == 32, "ABI");

struct rseq_cs {
	u32 version;
	u32 flags;
	u64 start_ip;
	u64 post_commit_offset;
	u64 abort_ip;
};

#define MEMBARRIER_CMD_QUERY 0
#define MEMBARRIER_CMD_GLOBAL (1 << 0)
#define MEMBARRIER_CMD_GLOBAL_EXPEDITED (1 << 1)
#define MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED (1 << 2)
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED (1 << 3)
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED (1 << 4)
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE (1 << 5)
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE (1 << 6)
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ (1 << 7)
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ (1 << 8)
#define MEMBARRIER_CMD_FLAG_CPU 1

#endif
