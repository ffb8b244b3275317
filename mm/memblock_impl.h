/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory map of boot: for mm/ and its host tests. */
#ifndef MM_MEMBLOCK_IMPL_H
#define MM_MEMBLOCK_IMPL_H

#include "mm/memblock.h"

/* No allocation from now on: the buddy allocator owns what is free. */
void memblock_close(void);
/* Host tests: forgets everything. */
void memblock_reset(void);

#endif
