/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that put other code into the kernel or in its place. Linux lets an
 * administrator close them until the next boot (kernel.modules_disabled,
 * kernel.kexec_load_disabled); here they are closed from the start.
 */
#include "kernel/syscall/syscalls.h"
#include "kernel/sysctl.h"
#include "lib/errno.h"

static u32 closed = 1;
SYSCTL_U32(modules_disabled, "kernel/modules_disabled", &closed, 1, 1);
SYSCTL_U32(kexec_disabled, "kernel/kexec_load_disabled", &closed, 1, 1);

long
sys_init_module(void __user *image, unsigned long n, const char __user *args)
{
	return -EPERM;
}

long
sys_finit_module(int fd, const char __user *args, int flags)
{
	return -EPERM;
}

long
sys_delete_module(const char __user *name, unsigned int flags)
{
	return -EPERM;
}

long
sys_kexec_load(unsigned long entry, unsigned long n, const void __user *segments,
	       unsigned long flags)
{
	return -EPERM;
}

long
sys_kexec_file_load(int kernel, int initrd, unsigned long n, const char __user *cmdline,
		    unsigned long flags)
{
	return -EPERM;
}
