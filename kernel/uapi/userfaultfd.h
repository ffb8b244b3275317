/* SPDX-License-Identifier: BSD-2-Clause */
/* userfaultfd(2), ioctl_userfaultfd(2), as of Linux 6.1. */
#ifndef KERNEL_UAPI_USERFAULTFD_H
#define KERNEL_UAPI_USERFAULTFD_H

#include "lib/types.h"

#define UFFD_API 0xaaUL
#define UFFD_USER_MODE_ONLY 1u

/* Features of UFFDIO_API. */
#define UFFD_FEATURE_PAGEFAULT_FLAG_WP 0x0001u
#define UFFD_FEATURE_EVENT_FORK 0x0002u
#define UFFD_FEATURE_EVENT_REMAP 0x0004u
#define UFFD_FEATURE_EVENT_REMOVE 0x0008u
#define UFFD_FEATURE_MISSING_HUGETLBFS 0x0010u
#define UFFD_FEATURE_MISSING_SHMEM 0x0020u
#define UFFD_FEATURE_EVENT_UNMAP 0x0040u
#define UFFD_FEATURE_SIGBUS 0x0080u
#define UFFD_FEATURE_THREAD_ID 0x0100u
#define UFFD_FEATURE_MINOR_HUGETLBFS 0x0200u
#define UFFD_FEATURE_MINOR_SHMEM 0x0400u
#define UFFD_FEATURE_EXACT_ADDRESS 0x0800u
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM 0x1000u
/* All: of huge page file systems there is no memory that could be asked for. */
#define UFFD_FEATURES 0x1fffu

#define UFFDIO_REGISTER_MODE_MISSING 1u
#define UFFDIO_REGISTER_MODE_WP 2u
#define UFFDIO_REGISTER_MODE_MINOR 4u
#define UFFDIO_REGISTER_MODES 7u

#define UFFDIO_COPY_MODE_DONTWAKE 1u
#define UFFDIO_COPY_MODE_WP 2u
#define UFFDIO_ZEROPAGE_MODE_DONTWAKE 1u
#define UFFDIO_CONTINUE_MODE_DONTWAKE 1u
#define UFFDIO_WRITEPROTECT_MODE_WP 1u
#define UFFDIO_WRITEPROTECT_MODE_DONTWAKE 2u

/* Bits of the ioctls that a handle, and a range, knows. */
#define UFFD_API_IOCTLS 0x8000000000000003UL
#define UFFD_IOCTL_WAKE (1UL << 2)
#define UFFD_IOCTL_COPY (1UL << 3)
#define UFFD_IOCTL_ZEROPAGE (1UL << 4)
#define UFFD_IOCTL_WRITEPROTECT (1UL << 6)
#define UFFD_IOCTL_CONTINUE (1UL << 7)

#define UFFDIO_REGISTER 0xc020aa00u
#define UFFDIO_UNREGISTER 0x8010aa01u
#define UFFDIO_WAKE 0x8010aa02u
#define UFFDIO_COPY 0xc028aa03u
#define UFFDIO_ZEROPAGE 0xc020aa04u
#define UFFDIO_WRITEPROTECT 0xc018aa06u
#define UFFDIO_CONTINUE 0xc020aa07u
#define UFFDIO_API 0xc018aa3fu
/* Of /dev/userfaultfd. */
#define USERFAULTFD_IOC_NEW 0xaa00u

struct uffdio_api {
	u64 api;
	u64 features;
	u64 ioctls;
};

struct uffdio_range {
	u64 start;
	u64 len;
};

struct uffdio_register {
	struct uffdio_range range;
	u64 mode;
	u64 ioctls;
};

struct uffdio_copy {
	u64 dst;
	u64 src;
	u64 len;
	u64 mode;
	s64 copy;
};

/* ZEROPAGE, CONTINUE; WRITEPROTECT, which has no result. */
struct uffdio_fill {
	struct uffdio_range range;
	u64 mode;
	s64 done;
};

#define UFFD_EVENT_PAGEFAULT 0x12u
#define UFFD_EVENT_FORK 0x13u
#define UFFD_EVENT_REMAP 0x14u
#define UFFD_EVENT_REMOVE 0x15u
#define UFFD_EVENT_UNMAP 0x16u

#define UFFD_PAGEFAULT_FLAG_WRITE 1u
#define UFFD_PAGEFAULT_FLAG_WP 2u
#define UFFD_PAGEFAULT_FLAG_MINOR 4u

/*
 * What read(2) gives.
 *
 * OFFSET  SIZE  MEANING
 * 0       1     event; the rest of the first word is zero
 * 8       8     page fault: flags; fork: descriptor; remap: from; remove, unmap: start
 * 16      8     page fault: address; remap: to; remove, unmap: end
 * 24      8     page fault: thread (THREAD_ID); remap: length
 */
struct uffd_msg {
	u64 event;
	u64 arg[3];
};

#endif
