/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls that are not there: counted by number and program, so that what
 * a program lacks is found in a minute (/proc/tessera/syscalls).
 *
 * A fixed table, filled in order; when it is full the rest share one counter.
 */
#include "kernel/log.h"
#include "kernel/seq.h"
#include "kernel/syscall/table.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "sync/spinlock.h"

#define MISSING_MAX 256

static LOCK_CLASS(missing_class, RANK_LEAF);
static struct spinlock missing_lock = SPINLOCK_INIT(missing_class);

struct missing {
	u64 nr;
	u64 count;
	char comm[TASK_COMM_LEN];
};
/* l */
static struct missing missing[MISSING_MAX];
static unsigned int nr_missing;
static u64 missing_overflow;

/* True if this pair is new. */
static bool
count(u64 nr, const char *comm)
{
	unsigned int i;

	for (i = 0; i < nr_missing; i++)
		if (missing[i].nr == nr && strncmp(missing[i].comm, comm, TASK_COMM_LEN) == 0) {
			missing[i].count++;
			return false;
		}
	if (nr_missing == MISSING_MAX) {
		missing_overflow++;
		return false;
	}
	missing[nr_missing].nr = nr;
	missing[nr_missing].count = 1;
	strscpy(missing[nr_missing++].comm, comm, TASK_COMM_LEN);
	return true;
}

long
syscall_missing(u64 nr)
{
	unsigned long f = spin_lock_irq(&missing_lock);
	bool new = count(nr, current->comm);

	spin_unlock_irq(&missing_lock, f);
	if (new)
		log_debug("syscall: %s[%d] asks for %lu, which is not there", current->comm,
			  current->tid, nr);
	return -ENOSYS;
}

void
syscall_show_missing(struct seq *s)
{
	struct missing m;
	unsigned long f;
	unsigned int i;

	seq_puts(s, "# number name count program\n");
	for (i = 0; i < READ_ONCE(nr_missing); i++) {
		f = spin_lock_irq(&missing_lock);
		m = missing[i];
		spin_unlock_irq(&missing_lock, f);
		seq_printf(s, "%lu %s %lu %s\n", m.nr,
			   m.nr < syscall_count && syscall_names[m.nr] ? syscall_names[m.nr] : "-",
			   m.count, m.comm);
	}
	if (missing_overflow)
		seq_printf(s, "- - %lu -\n", missing_overflow);
}
