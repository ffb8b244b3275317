/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of numbers that the vDSO reads, mapped read-only below its code.
 *
 * OFFSET SIZE MEANING
 *      0    4 sequence count: odd while the kernel writes
 *      4    4 1: clock reads may use the TSC; 0: make a system call
 *      8    8 TSC at boot
 *     16    8 ns = (tsc - base) * mult >> 32
 *     24    8 real time minus monotonic time, ns
 *     32    4 1: RDTSCP gives the CPU number
 */
#ifndef ARCH_VDSO_DATA_H
#define ARCH_VDSO_DATA_H

#include <stdint.h>

struct vdso_data {
	uint32_t seq;
	uint32_t tsc;
	uint64_t base;
	uint64_t mult;
	int64_t real_offset;
	uint32_t rdtscp;
};

#endif
