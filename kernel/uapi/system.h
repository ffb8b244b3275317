/* SPDX-License-Identifier: BSD-2-Clause */
/* uname(2), sysinfo(2), reboot(2), personality(2), getrandom(2): layouts and numbers of the ABI. */
#ifndef KERNEL_UAPI_SYSTEM_H
#define KERNEL_UAPI_SYSTEM_H

#include "lib/types.h"

#define UTS_LEN 64

struct utsname {
	char sysname[UTS_LEN + 1];
	char nodename[UTS_LEN + 1];
	char release[UTS_LEN + 1];
	char version[UTS_LEN + 1];
	char machine[UTS_LEN + 1];
	char domainname[UTS_LEN + 1];
};

struct sysinfo {
	s64 uptime;
	u64 loads[3];
	u64 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs;
	u16 pad;
	u32 pad2;
	u64 totalhigh, freehigh;
	u32 mem_unit;
	u32 pad3;
};
static_assert(sizeof(struct sysinfo) == 112, "ABI");

#define REBOOT_MAGIC1 0xfee1deadu
#define REBOOT_MAGIC2 0x28121969u
#define REBOOT_MAGIC2A 0x05121996u
#define REBOOT_MAGIC2B 0x16041998u
#define REBOOT_MAGIC2C 0x20112000u
#define REBOOT_CMD_RESTART 0x01234567u
#define REBOOT_CMD_HALT 0xcdef0123u
#define REBOOT_CMD_CAD_ON 0x89abcdefu
#define REBOOT_CMD_CAD_OFF 0x00000000u
#define REBOOT_CMD_POWER_OFF 0x4321fedcu
#define REBOOT_CMD_RESTART2 0xa1b2c3d4u
#define REBOOT_CMD_SW_SUSPEND 0xd000fce2u
#define REBOOT_CMD_KEXEC 0x45584543u

#define PER_LINUX 0x0000u
#define PER_LINUX32 0x0008u
#define PER_MASK 0x00ffu
#define UNAME26 0x0020000u
#define ADDR_NO_RANDOMIZE 0x0040000u
#define MMAP_PAGE_ZERO 0x0100000u
#define READ_IMPLIES_EXEC 0x0400000u
#define PER_CLEAR_ON_SETID (READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | MMAP_PAGE_ZERO | 0x0200000u)

#define GRND_NONBLOCK 1u
#define GRND_RANDOM 2u
#define GRND_INSECURE 4u

#endif
