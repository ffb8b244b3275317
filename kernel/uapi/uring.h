/* SPDX-License-Identifier: BSD-2-Clause */
/* io_uring: numbers and structures of the ABI (io_uring_setup(2), linux/io_uring.h of 6.1). */
#ifndef KERNEL_UAPI_URING_H
#define KERNEL_UAPI_URING_H

#include "lib/types.h"

struct uring_sqe {
	u8 opcode;
	/* IOSQE_* */
	u8 flags;
	u16 ioprio;
	s32 fd;
	/* offset, second address */
	u64 off;
	u64 addr;
	u32 len;
	/* flags of the operation */
	u32 op_flags;
	u64 user_data;
	/* or group of buffers */
	u16 buf;
	u16 personality;
	/* or descriptor to splice from, or length of an address */
	u32 file_index;
	u64 addr3;
	u64 pad2;
};
static_assert(sizeof(struct uring_sqe) == 64, "ABI");

#define IOSQE_FIXED_FILE 0x01u
#define IOSQE_IO_DRAIN 0x02u
#define IOSQE_IO_LINK 0x04u
#define IOSQE_IO_HARDLINK 0x08u
#define IOSQE_ASYNC 0x10u
#define IOSQE_BUFFER_SELECT 0x20u
#define IOSQE_CQE_SKIP_SUCCESS 0x40u
#define IOSQE_ALL 0x7fu

struct uring_cqe {
	u64 user_data;
	s32 res;
	/* IORING_CQE_F_* */
	u32 flags;
};

#define IORING_CQE_F_BUFFER 0x1u
#define IORING_CQE_F_MORE 0x2u
#define IORING_CQE_F_SOCK_NONEMPTY 0x4u
#define IORING_CQE_BUFFER_SHIFT 16

#define IORING_SETUP_IOPOLL 0x0001u
#define IORING_SETUP_SQPOLL 0x0002u
#define IORING_SETUP_SQ_AFF 0x0004u
#define IORING_SETUP_CQSIZE 0x0008u
#define IORING_SETUP_CLAMP 0x0010u
#define IORING_SETUP_ATTACH_WQ 0x0020u
#define IORING_SETUP_R_DISABLED 0x0040u
#define IORING_SETUP_SUBMIT_ALL 0x0080u
#define IORING_SETUP_COOP_TASKRUN 0x0100u
#define IORING_SETUP_TASKRUN_FLAG 0x0200u
#define IORING_SETUP_SQE128 0x0400u
#define IORING_SETUP_CQE32 0x0800u
#define IORING_SETUP_SINGLE_ISSUER 0x1000u
#define IORING_SETUP_DEFER_TASKRUN 0x2000u

#define IORING_FEAT_ALL 0x1fffu

enum uring_op {
	IORING_OP_NOP,
	IORING_OP_READV,
	IORING_OP_WRITEV,
	IORING_OP_FSYNC,
	IORING_OP_READ_FIXED,
	IORING_OP_WRITE_FIXED,
	IORING_OP_POLL_ADD,
	IORING_OP_POLL_REMOVE,
	IORING_OP_SYNC_FILE_RANGE,
	IORING_OP_SENDMSG,
	IORING_OP_RECVMSG,
	IORING_OP_TIMEOUT,
	IORING_OP_TIMEOUT_REMOVE,
	IORING_OP_ACCEPT,
	IORING_OP_ASYNC_CANCEL,
	IORING_OP_LINK_TIMEOUT,
	IORING_OP_CONNECT,
	IORING_OP_FALLOCATE,
	IORING_OP_OPENAT,
	IORING_OP_CLOSE,
	IORING_OP_FILES_UPDATE,
	IORING_OP_STATX,
	IORING_OP_READ,
	IORING_OP_WRITE,
	IORING_OP_FADVISE,
	IORING_OP_MADVISE,
	IORING_OP_SEND,
	IORING_OP_RECV,
	IORING_OP_OPENAT2,
	IORING_OP_EPOLL_CTL,
	IORING_OP_SPLICE,
	IORING_OP_PROVIDE_BUFFERS,
	IORING_OP_REMOVE_BUFFERS,
	IORING_OP_TEE,
	IORING_OP_SHUTDOWN,
	IORING_OP_RENAMEAT,
	IORING_OP_UNLINKAT,
	IORING_OP_MKDIRAT,
	IORING_OP_SYMLINKAT,
	IORING_OP_LINKAT,
	IORING_OP_MSG_RING,
	IORING_OP_FSETXATTR,
	IORING_OP_SETXATTR,
	IORING_OP_FGETXATTR,
	IORING_OP_GETXATTR,
	IORING_OP_SOCKET,
	IORING_OP_URING_CMD,
	IORING_OP_SEND_ZC,
	IORING_OP_SENDMSG_ZC,
	IORING_OP_LAST,
};

#define IORING_FILE_INDEX_ALLOC U32_MAX

#define IORING_FSYNC_DATASYNC 0x1u

#define IORING_TIMEOUT_ABS 0x01u
#define IORING_TIMEOUT_UPDATE 0x02u
#define IORING_TIMEOUT_BOOTTIME 0x04u
#define IORING_TIMEOUT_REALTIME 0x08u
#define IORING_LINK_TIMEOUT_UPDATE 0x10u
#define IORING_TIMEOUT_ETIME_SUCCESS 0x20u

#define SPLICE_F_FD_IN_FIXED 0x80000000u

#define IORING_POLL_ADD_MULTI 0x1u
#define IORING_POLL_UPDATE_EVENTS 0x2u
#define IORING_POLL_UPDATE_USER_DATA 0x4u
#define IORING_POLL_ADD_LEVEL 0x8u

#define IORING_ASYNC_CANCEL_ALL 0x1u
#define IORING_ASYNC_CANCEL_FD 0x2u
#define IORING_ASYNC_CANCEL_ANY 0x4u
#define IORING_ASYNC_CANCEL_FD_FIXED 0x8u
#define IORING_ASYNC_CANCEL_USERDATA 0x10u
#define IORING_ASYNC_CANCEL_OP 0x20u

#define IORING_RECVSEND_POLL_FIRST 0x1u
#define IORING_RECV_MULTISHOT 0x2u
#define IORING_ACCEPT_MULTISHOT 0x1u

#define IORING_MSG_DATA 0
#define IORING_MSG_SEND_FD 1
#define IORING_MSG_RING_CQE_SKIP 0x1u

#define IORING_OFF_SQ_RING 0UL
#define IORING_OFF_CQ_RING 0x8000000UL
#define IORING_OFF_SQES 0x10000000UL

struct uring_sq_offsets {
	u32 head, tail, ring_mask, ring_entries, flags, dropped, array, resv1;
	u64 resv2;
};

struct uring_cq_offsets {
	u32 head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv1;
	u64 resv2;
};

struct uring_params {
	u32 sq_entries;
	u32 cq_entries;
	u32 flags;
	u32 sq_thread_cpu;
	u32 sq_thread_idle;
	u32 features;
	u32 wq_fd;
	u32 resv[3];
	struct uring_sq_offsets sq_off;
	struct uring_cq_offsets cq_off;
};
static_assert(sizeof(struct uring_params) == 120, "ABI");

/* In the submission ring's flags, and in the completion ring's. */
#define IORING_SQ_NEED_WAKEUP 0x1u
#define IORING_SQ_CQ_OVERFLOW 0x2u
#define IORING_SQ_TASKRUN 0x4u
#define IORING_CQ_EVENTFD_DISABLED 0x1u

#define IORING_ENTER_GETEVENTS 0x01u
#define IORING_ENTER_SQ_WAKEUP 0x02u
#define IORING_ENTER_SQ_WAIT 0x04u
#define IORING_ENTER_EXT_ARG 0x08u
#define IORING_ENTER_REGISTERED_RING 0x10u
#define IORING_ENTER_ALL 0x1fu

struct uring_getevents_arg {
	u64 sigmask;
	u32 sigmask_sz;
	u32 pad;
	u64 ts;
};

enum uring_register_op {
	IORING_REGISTER_BUFFERS,
	IORING_UNREGISTER_BUFFERS,
	IORING_REGISTER_FILES,
	IORING_UNREGISTER_FILES,
	IORING_REGISTER_EVENTFD,
	IORING_UNREGISTER_EVENTFD,
	IORING_REGISTER_FILES_UPDATE,
	IORING_REGISTER_EVENTFD_ASYNC,
	IORING_REGISTER_PROBE,
	IORING_REGISTER_PERSONALITY,
	IORING_UNREGISTER_PERSONALITY,
	IORING_REGISTER_RESTRICTIONS,
	IORING_REGISTER_ENABLE_RINGS,
	IORING_REGISTER_FILES2,
	IORING_REGISTER_FILES_UPDATE2,
	IORING_REGISTER_BUFFERS2,
	IORING_REGISTER_BUFFERS_UPDATE,
	IORING_REGISTER_IOWQ_AFF,
	IORING_UNREGISTER_IOWQ_AFF,
	IORING_REGISTER_IOWQ_MAX_WORKERS,
	IORING_REGISTER_RING_FDS,
	IORING_UNREGISTER_RING_FDS,
	IORING_REGISTER_PBUF_RING,
	IORING_UNREGISTER_PBUF_RING,
	IORING_REGISTER_SYNC_CANCEL,
	IORING_REGISTER_FILE_ALLOC_RANGE,
	IORING_REGISTER_LAST,
};

#define IORING_REGISTER_FILES_SKIP (-2)
#define IORING_RSRC_REGISTER_SPARSE 0x1u

struct uring_files_update {
	u32 offset;
	u32 resv;
	u64 data;
};

struct uring_rsrc_register {
	u32 nr;
	u32 flags;
	u64 resv2;
	u64 data;
	u64 tags;
};

struct uring_rsrc_update2 {
	u32 offset;
	u32 resv;
	u64 data;
	u64 tags;
	u32 nr;
	u32 resv2;
};

struct uring_file_range {
	u32 off;
	u32 len;
	u64 resv;
};

#define IO_URING_OP_SUPPORTED 0x1u

struct uring_probe_op {
	u8 op;
	u8 resv;
	u16 flags;
	u32 resv2;
};

struct uring_probe {
	u8 last_op;
	u8 ops_len;
	u16 resv;
	u32 resv2[3];
};

enum uring_restriction_op {
	IORING_RESTRICTION_REGISTER_OP,
	IORING_RESTRICTION_SQE_OP,
	IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
	IORING_RESTRICTION_SQE_FLAGS_REQUIRED,
};

struct uring_restriction {
	u16 opcode;
	u8 value;
	u8 resv;
	u32 resv2[3];
};

struct uring_buf {
	u64 addr;
	u32 len;
	u16 bid;
	u16 resv;
};

struct uring_buf_reg {
	u64 ring_addr;
	u32 ring_entries;
	u16 bgid;
	u16 pad;
	u64 resv[3];
};

struct uring_sync_cancel {
	u64 addr;
	s32 fd;
	u32 flags;
	s64 sec, nsec;
	u64 pad[4];
};

#endif
