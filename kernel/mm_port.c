/* SPDX-License-Identifier: BSD-2-Clause */
/* What mm/ asks of tasks and handles (mm/port_space.h). */
#include "mm/port_space.h"

#include "kernel/cred.h"
#include "kernel/file.h"
#include "kernel/random.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/uapi/mman.h"
#include "lib/errno.h"

#define ADDR_NO_RANDOMIZE 0x0040000u
#define READ_IMPLIES_EXEC 0x0400000u

void
mm_port_file_get(struct file *f)
{
	file_get(f);
}

void
mm_port_file_put(struct file *f)
{
	file_put(f);
}

struct file *
mm_port_fd(unsigned long fd)
{
	return fd_get_file((unsigned int)fd);
}

/* Does the handle's mode permit a mapping of this kind (mmap(2), EACCES)? */
static int
mode_check(struct file *f, struct map_ask *ask)
{
	bool shared = (ask->flags & MAP_TYPE) != MAP_PRIVATE;

	if (!(f->mode & FMODE_READ))
		return -EACCES;
	if (shared && ask->prot & PROT_WRITE && !(f->mode & FMODE_WRITE))
		return -EACCES;
	ask->max_prot = PROT_READ | PROT_EXEC | (!shared || f->mode & FMODE_WRITE ? PROT_WRITE : 0);
	return 0;
}

int
mm_port_file_map(struct file *f, struct map_ask *ask)
{
	struct map_request req = {
		.prot = ask->prot,
		.flags = ask->flags,
		.len = ask->len,
		.offset = ask->offset,
		.cache = f->cache,
	};
	int err = mode_check(f, ask);

	if (err)
		return err;
	if (!f->ops->mmap)
		return -ENODEV;
	req.max_prot = ask->max_prot;
	err = f->ops->mmap(f, &req);
	ask->max_prot = req.max_prot;
	ask->cache = req.cache;
	ask->pages = req.pages;
	return err;
}

struct space *
mm_port_current_space(void)
{
	return current->space;
}

u64
mm_port_rlimit(unsigned int which)
{
	return current_task_or_null() ? rlimit(which) : U64_MAX;
}

bool
mm_port_capable(unsigned int cap)
{
	return capable(cap);
}

bool
mm_port_no_random(void)
{
	return current->personality & ADDR_NO_RANDOMIZE;
}

u64
mm_port_random(void)
{
	return random_u64();
}

bool
mm_port_read_implies_exec(void)
{
	return current->personality & READ_IMPLIES_EXEC;
}

bool
mm_port_fatal_pending(void)
{
	return fatal_signal_pending();
}

u32
mm_port_tid(void)
{
	return (u32)current->tid;
}

bool
mm_port_exiting(void)
{
	return current->flags & TASK_EXITING;
}

void
mm_port_fault_done(void)
{
	current->minflt++;
}
