/* SPDX-License-Identifier: BSD-2-Clause */
/* Protection keys of a space: for mm/ (pkey.c tells the model). */
#ifndef MM_PKEY_IMPL_H
#define MM_PKEY_IMPL_H

#include "mm/space_impl.h"

/* mmap.c. As space_protect(); key -1: none is asked for. */
int space_protect_key(struct space *s, unsigned long addr, size_t len, u32 prot, int key);

#define PKEYS 16
void pkey_space_init(struct space *s);
void pkey_space_copy(struct space *s, struct space *parent);
/* May programs name it? */
bool pkey_is_valid(struct space *s, int key);
/* The key of what may only be executed, which current may not read by from now on; 0: none. */
u32 pkey_exec_only(struct space *s);

#endif
