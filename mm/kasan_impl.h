/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of KASAN: where the shadow is (mm/kasan.c tells the model). */
#ifndef MM_KASAN_IMPL_H
#define MM_KASAN_IMPL_H

#include "lib/types.h"

/* config/kasan.mk tells the compiler the same. */
#define KASAN_OFFSET 0xdffffc0000000000UL
#define KASAN_GRANULE 8
#define KASAN_KERNEL_START 0xffff800000000000UL

/* False: nothing is checked and no shadow is written but by the compiler. */
extern bool kasan_on;

static inline u8 *
kasan_shadow(unsigned long addr)
{
	return (u8 *)(KASAN_OFFSET + addr / KASAN_GRANULE);
}

#endif
