/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of mm/: interrupts are signals, held back by a flag of the thread. */
#ifndef MM_HOST_IRQFLAGS_H
#define MM_HOST_IRQFLAGS_H

#include "lib/types.h"

extern _Thread_local volatile bool host_irq_off;
extern _Thread_local volatile bool host_irq_pending;
/* Runs what was held back. */
void host_irq_run(void);

static inline bool
irqs_disabled(void)
{
	return host_irq_off;
}

static inline unsigned long
irq_save(void)
{
	bool was = host_irq_off;

	host_irq_off = true;
	return !was;
}

static inline void
irq_restore(unsigned long flags)
{
	if (!flags)
		return;
	host_irq_off = false;
	if (host_irq_pending)
		host_irq_run();
}

#endif
