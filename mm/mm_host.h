/* SPDX-License-Identifier: BSD-2-Clause */
/* What the host-only tests of mm/ ask of their machine (mm/mm_host.c). */
#ifndef MM_MM_HOST_H
#define MM_MM_HOST_H

#include "lib/types.h"

/* Runs fn(arg); the text of the panic that ended it, or NULL. */
const char *host_catch_panic(void (*fn)(void *), void *arg);
/* Frees what simulated interrupts hold. */
void host_release_irq_memory(void);
/* Calls of the OOM killer so far. */
u64 host_oom_calls(void);

#endif
