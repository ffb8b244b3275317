/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits and name spaces of extended attributes. */
#ifndef KERNEL_UAPI_XATTR_H
#define KERNEL_UAPI_XATTR_H

#define XATTR_CREATE 1
#define XATTR_REPLACE 2
#define XATTR_NAME_MAX 255
#define XATTR_SIZE_MAX 65536
#define XATTR_LIST_MAX 65536

#define XATTR_SECURITY_PREFIX "security."
#define XATTR_SYSTEM_PREFIX "system."
#define XATTR_TRUSTED_PREFIX "trusted."
#define XATTR_USER_PREFIX "user."

#endif
