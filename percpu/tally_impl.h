/* SPDX-License-Identifier: BSD-2-Clause */
/* Tallies, for their test. */
#ifndef PERCPU_TALLY_IMPL_H
#define PERCPU_TALLY_IMPL_H

#include "lib/types.h"

/* Turns that a fold of debug kernels waits after each CPU, so that others come in between. */
extern u32 tally_linger;

#endif
