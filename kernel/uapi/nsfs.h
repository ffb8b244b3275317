/* SPDX-License-Identifier: BSD-2-Clause */
/* ioctl_ns(2). */
#ifndef KERNEL_UAPI_NSFS_H
#define KERNEL_UAPI_NSFS_H

/* A descriptor of the user namespace that owns this one; of the parent of this one. */
#define NS_GET_USERNS 0xb701u
#define NS_GET_PARENT 0xb702u
/* CLONE_NEW* of its type. */
#define NS_GET_NSTYPE 0xb703u
/* unsigned int *: who made this user namespace. */
#define NS_GET_OWNER_UID 0xb704u

#endif
