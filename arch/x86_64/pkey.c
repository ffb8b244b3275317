/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protection keys (Intel SDM vol. 3, 4.6.2): two bits a key in PKRU, which belongs
 * to the extended state of a task. They hold for what the kernel does at a task's
 * addresses, too.
 */
#include "arch/x86_64/pkey.h"

#include "arch/x86_64/cpu.h"
#include "mm/port_space.h"

bool
mm_port_has_pkeys(void)
{
	return cpu_features.pku;
}

void
mm_port_set_pkey_access(u32 key, u32 denied)
{
	unsigned int shift = 2 * key;

	pkru_write((pkru_read() & ~(3u << shift)) | denied << shift);
}

bool
mm_port_pkey_allows(u32 key, bool write)
{
	return !(pkru_read() >> 2 * key & (write ? 3 : 1));
}
