/* SPDX-License-Identifier: BSD-2-Clause */
/* What host tests ask of sync/runtime_host.c beside the ports. */
#ifndef SYNC_RUNTIME_HOST_H
#define SYNC_RUNTIME_HOST_H

#include "lib/types.h"

struct task;

/* a  error records in the log so far */
extern u32 host_reports;
/* From now on t's interruptible waits end with a signal, or no longer. */
void host_signal(struct task *t, bool on);

#endif
