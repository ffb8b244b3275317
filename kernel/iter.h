/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where data goes to or comes from: user iovecs, kernel memory. read and write
 * operations of handles move bytes through it and never see user pointers.
 */
#ifndef KERNEL_ITER_H
#define KERNEL_ITER_H

#include "lib/types.h"

/* struct iovec of the ABI. */
struct iovec {
	void __user *base;
	size_t len;
};

#define IOV_MAX 1024
/* No read or write moves more, as in Linux. */
#define IO_MAX 0x7ffff000UL

struct iter {
	/* I  true: base is kernel memory */
	bool kernel;
	/* The caller does not wait: -EAGAIN instead (RWF_NOWAIT). */
	bool nowait;
	/* Bytes left. */
	size_t left;
	/* Offset in the current iovec. */
	size_t offset;
	const struct iovec *iov;
	u32 nr;
	/* The one iovec of a plain read or write. */
	struct iovec one;
};

/* User buffer; -EFAULT if the range is not in user space. */
int iter_init_user(struct iter *it, void __user *buf, size_t n);
/*
 * A user array of iovecs, copied to `fast` (IOV_FAST entries) or memory that
 * iter_free_iov frees: -EINVAL, -EFAULT, -ENOMEM. Total is cut at IO_MAX.
 */
#define IOV_FAST 8
int iter_init_user_iov(struct iter *it, const struct iovec __user *uiov, unsigned long n,
		       struct iovec *fast, struct iovec **to_free);
void iter_init_kernel(struct iter *it, void *buf, size_t n);

/* Bytes moved (short at a fault: then the caller returns -EFAULT if nothing was). */
size_t iter_copy_to(struct iter *to, const void *src, size_t n);
size_t iter_copy_from(void *dst, struct iter *from, size_t n);
size_t iter_zero(struct iter *to, size_t n);
/* Go back n bytes that were just moved. */
void iter_revert(struct iter *it, size_t n);
/* Touches the next n bytes for reading so that a later copy while pinned does not fault. */
int iter_fault_in(struct iter *it, size_t n);

static inline size_t
iter_left(const struct iter *it)
{
	return it->left;
}

#endif
