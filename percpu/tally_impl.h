/* SPDX-License-Identifier: BSD-2-Clause */
/* Tallies, for their test. */
#ifndef PERCPU_TALLY_IMPL_H
#define PERCPU_TALLY_IMPL_H

#include "lib/types.h"

/* Not 0: debug kernels let others in between where it matters. */
extern u32 tally_windows;

#endif
