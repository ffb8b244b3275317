/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of numbers that the vDSO reads, mapped read-only below its code.
 *
 * OFFSET SIZE MEANING
 *      0    4 sequence count: odd while the kernel writes, and always where
 *             the TSC is no clock: make a system call instead
 *      4    4 1: RDTSCP gives the CPU number
 *      8    8 multiplier: ns = (tsc * mult >> 32) + offset[clock]
 *     16  8*n offset of each clock id, VDSO_NO_CLOCK: make a system call
 *
 * A clock's ns never has bit 63 set; with VDSO_NO_CLOCK added it always has.
 */
#ifndef ARCH_VDSO_DATA_H
#define ARCH_VDSO_DATA_H

#include <stdint.h>

/* Clock ids from 0 to CLOCK_TAI. */
#define VDSO_CLOCKS 12
#define VDSO_NO_CLOCK (1UL << 63)

struct vdso_data {
	uint32_t seq;
	uint32_t rdtscp;
	uint64_t mult;
	uint64_t offset[VDSO_CLOCKS];
};

#endif
