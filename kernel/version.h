/* SPDX-License-Identifier: BSD-2-Clause */
/* What uname(2) and /proc/version say. The strings come from the Makefile. */
#ifndef KERNEL_VERSION_H
#define KERNEL_VERSION_H

extern const char kernel_release[];
extern const char kernel_version[];

#endif
