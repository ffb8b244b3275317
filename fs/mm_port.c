/* SPDX-License-Identifier: BSD-2-Clause */
/* What mm/ asks of fs/ (mm/port_space.h). */
#include "fs/memfd.h"
#include "kernel/uapi/fcntl.h"
#include "mm/port_space.h"

struct file *
mm_port_shmem_file(u64 size)
{
	return memfd_file("dev/zero", size, F_SEAL_SEAL);
}
