/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles: birth and death, and what every kind shares.
 *
 * Ownership: a handle is freed after a grace period, because descriptor tables
 * are read under RCU (fdtable.c); everything that it holds is given back when
 * the last reference goes, in the context of who drops it.
 */
#include "kernel/file.h"

#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/port_fs.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "mm/slab.h"

static LOCK_CLASS(file_pos_class, RANK_FILE_POS);
static struct slab_cache *file_cache;
struct limit_counter file_count;

static int
file_init(void)
{
	/* One handle for each 10 KiB of memory, as Linux does. */
	s64 max_files = max((s64)(pages_total() * (PAGE_SIZE / 1024) / 10), 8192L);

	file_cache = slab_cache_create("filp", sizeof(struct file), 64, SLAB_ZERO);
	return limit_counter_init(&file_count, max_files);
}
INITCALL(INIT_CORE, file_init);

struct file *
file_alloc(const struct file_ops *ops, u32 mode, u32 flags, void *private)
{
	struct file *f;

	if (!limit_counter_try_add(&file_count, 1)) {
		if (!capable(CAP_SYS_ADMIN)) {
			log_ratelimited(LOG_INFO, "file: limit of open files reached");
			return err_ptr(-ENFILE);
		}
	}
	f = slab_alloc(file_cache, GFP_KERNEL);
	if (!f) {
		limit_counter_try_add(&file_count, -1);
		return err_ptr(-ENOMEM);
	}
	tally_init(&f->refs, 1);
	f->mode = mode | (ops->seek ? FMODE_SEEK : 0);
	f->flags = flags;
	f->ops = ops;
	f->private = private;
	mutex_init(&f->pos_lock, &file_pos_class);
	list_init(&f->epoll_links);
	f->cred = cred_get(current_cred());
	return f;
}

static void
file_free(struct rcu_head *h)
{
	slab_free(file_cache, container_of(h, struct file, rcu));
}

static void
file_release(struct file *f)
{
	if (!list_empty(&f->epoll_links))
		epoll_file_release(f);
	if (!f->path.mnt)
		fs_file_unlock(f);
	if (f->ops->release)
		f->ops->release(f);
	if (f->path.mnt)
		fs_file_release(f);
	file_owner_free(f);
	cred_put(f->cred);
	limit_counter_try_add(&file_count, -1);
	rcu_call(&f->rcu, file_free);
}

void
file_put(struct file *f)
{
	if (tally_put(&f->refs))
		file_release(f);
}

u32
file_poll(struct file *f, struct poll_table *pt)
{
	return f->ops->poll ? f->ops->poll(f, pt) : POLL_DEFAULT;
}

/*
 * A position that two callers may use at once is used under pos_lock (POSIX:
 * reads and writes on one open file description are atomic to each other).
 */
bool
file_pos_lock(struct file *f)
{
	if (!(f->mode & FMODE_ATOMIC_POS) || tally_is_sole(&f->refs))
		return false;
	/* Once it was shared only the sum tells; no other thread has our table. */
	if (atomic_read(&current->files->refs) == 1 && tally_sum(&f->refs) == 1)
		return false;
	mutex_lock(&f->pos_lock);
	return true;
}

void
file_pos_unlock(struct file *f, bool locked)
{
	if (locked)
		mutex_unlock(&f->pos_lock);
}
