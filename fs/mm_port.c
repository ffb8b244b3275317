/* SPDX-License-Identifier: BSD-2-Clause */
/* What mm/ asks of fs/ (mm/port_space.h). */
#include "fs/memfd.h"
#include "fs/namei.h"
#include "fs/vfs.h"
#include "kernel/uapi/fcntl.h"
#include "mm/port_space.h"

struct file *
mm_port_shmem_file(u64 size)
{
	return memfd_file("dev/zero", size, F_SEAL_SEAL);
}

void
mm_port_exe_get(struct file *f)
{
	file_get(f);
	inode_deny_write_more(f->inode);
}

void
mm_port_exe_put(struct file *f)
{
	file_put_exec(f);
}
