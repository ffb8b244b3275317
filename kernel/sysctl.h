/* SPDX-License-Identifier: BSD-2-Clause */
/* Files below /proc/sys: settings that are read and written as text. */
#ifndef KERNEL_SYSCTL_H
#define KERNEL_SYSCTL_H

#include "kernel/seq.h"
#include "lib/section.h"
#include "lib/types.h"

/*
 * REGISTER(sysctls) static const struct sysctl x = {...}; either `value` with
 * its bounds, or functions.
 */
struct sysctl {
	/* "kernel/random/boot_id" */
	const char *path;
	u32 mode;
	/* Writes the text with its newline. 0 or -Exxx. May sleep. */
	int (*show)(struct seq *s);
	/* Takes a whole text, white space at its end removed. 0 or -Exxx. NULL: read-only. */
	int (*store)(char *text);
	/* A number, in decimal; a store outside the bounds is -EINVAL. */
	u32 *value;
	u32 min, max;
};
DECLARE_REGISTRY(sysctls, const struct sysctl);

#define SYSCTL_SHOW(id, spath, fn)                                                                 \
	REGISTER(sysctls)                                                                          \
	static const struct sysctl sysctl_##id = {.path = (spath), .mode = 0444, .show = (fn)}
#define SYSCTL_RW(id, spath, showfn, storefn)                                                      \
	REGISTER(sysctls)                                                                          \
	static const struct sysctl sysctl_##id = {                                                 \
		.path = (spath), .mode = 0644, .show = (showfn), .store = (storefn)}
#define SYSCTL_U32(id, spath, var, lo, hi)                                                         \
	REGISTER(sysctls)                                                                          \
	static const struct sysctl sysctl_##id = {                                                 \
		.path = (spath), .mode = 0644, .value = (var), .min = (lo), .max = (hi)}

#endif
