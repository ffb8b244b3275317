/* SPDX-License-Identifier: BSD-2-Clause */
/* What percpu/port.h asks of sync/: a sleeping lock, and waiting for a word. */
#include "percpu/port.h"

#include "percpu/pin.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

static LOCK_CLASS(percpu_alloc_class, RANK_PERCPU_ALLOC);
static struct mutex percpu_alloc_lock = MUTEX_INIT(percpu_alloc_lock, percpu_alloc_class);

/* All who wait for some word; there are few. */
static struct waitq word_wait = WAITQ_INIT(word_wait);

void
percpu_port_lock(void)
{
	mutex_lock(&percpu_alloc_lock);
}

void
percpu_port_unlock(void)
{
	mutex_unlock(&percpu_alloc_lock);
}

void
percpu_port_wait(u32 *word)
{
	wait_event(&word_wait, smp_load_acquire(word) != 0);
}

void
percpu_port_wake(u32 *word)
{
	smp_store_release(word, 1);
	waitq_wake_all(&word_wait);
}
