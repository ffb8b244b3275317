/* SPDX-License-Identifier: BSD-2-Clause */
/* The boxes themselves, for the tests. */
#ifndef PERCPU_MAILBOX_IMPL_H
#define PERCPU_MAILBOX_IMPL_H

#include "percpu/mailbox.h"
#include "percpu/percpu.h"

/* a  newest message first; others push, the owner takes all */
DECLARE_PERCPU(struct mail *, mailbox);

#endif
