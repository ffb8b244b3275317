/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Super blocks and the types of file systems.
 *
 * Ownership: ->active counts mounts (and types that keep their one instance). The
 * last one takes the tree of names down. ->ref is held by that and by each inode;
 * its release frees the super, some milliseconds later, with nobody waiting.
 */
#include "fs/dcache.h"
#include "fs/ids.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "kernel/seq.h"
#include "lib/string.h"
#include "mm/slab.h"

#define DEV_FIRST 1
#define DEV_COUNT ((1u << DEV_MINOR_BITS) - 1)

static LOCK_CLASS(super_lock_class, RANK_MOUNT_TABLE + 1);
static struct spinlock super_lock = SPINLOCK_INIT(super_lock_class);
static struct list supers = LIST_INIT(supers);
/* Minors of the anonymous major 0. */
static struct ids minors = IDS_INIT(minors, DEV_FIRST, DEV_COUNT);

static void
super_release(struct ref *r)
{
	struct super *sb = container_of(r, struct super, ref);

	if (sb->ops->kill)
		sb->ops->kill(sb);
	ids_free(&minors, DEV_MINOR(sb->dev));
	kfree(sb);
}

struct super *
super_create(const struct fs_type *t, const struct super_ops *ops, u32 flags)
{
	struct super *sb = kzalloc(sizeof(*sb), GFP_KERNEL);
	s32 id;

	if (!sb)
		return err_ptr(-ENOMEM);
	id = ids_alloc(&minors);
	if (id < 0) {
		kfree(sb);
		return err_ptr(id == -ENOSPC ? -EMFILE : id);
	}
	sb->type = t;
	sb->ops = ops;
	sb->dev = DEV_MAKE(0, id);
	sb->flags = flags;
	sb->active = 1;
	sb->max_size = S64_MAX;
	ref_init(&sb->ref, super_release);
	spin_lock(&super_lock);
	list_add_tail(&sb->link, &supers);
	spin_unlock(&super_lock);
	return sb;
}

struct super *
super_get(struct super *sb)
{
	atomic_inc(&sb->active);
	return sb;
}

bool
super_try_get(struct super *sb)
{
	return atomic_inc_not_zero(&sb->active);
}

void
super_put(struct super *sb)
{
	struct dentry *root;

	if (!atomic_dec_and_test(&sb->active))
		return;
	spin_lock(&super_lock);
	list_del(&sb->link);
	spin_unlock(&super_lock);
	if (sb->ops->shutdown)
		sb->ops->shutdown(sb);
	if (sb->ops->sync)
		sb->ops->sync(sb);
	notify_super_gone(sb);
	root = sb->root;
	if (root) {
		dcache_shrink_tree(root);
		dentry_put(root);
	}
	ref_put(&sb->ref);
}

/* The first active super behind `prev` (whose use it drops), with a use; NULL at the end. */
static struct super *
super_next(struct super *prev)
{
	struct super *sb, *found = NULL;
	bool past = prev == NULL;

	spin_lock(&super_lock);
	list_for_each_entry(sb, &supers, link) {
		if (past && super_try_get(sb)) {
			found = sb;
			break;
		}
		if (sb == prev)
			past = true;
	}
	spin_unlock(&super_lock);
	if (prev)
		super_put(prev);
	return found;
}

void
super_sync_all(void)
{
	for (struct super *sb = super_next(NULL); sb; sb = super_next(sb)) {
		if (sb->ops->sync)
			sb->ops->sync(sb);
	}
}

const struct fs_type *
fs_type_find(const char *name)
{
	const struct fs_type *t;

	for_each_registered(filesystems, t) {
		if (str_equal(t->name, name))
			return t;
	}
	return NULL;
}

void
fs_types_show(struct seq *s)
{
	const struct fs_type *t;

	for_each_registered(filesystems, t)
		seq_printf(s, "%s\t%s\n", t->needs_device ? "" : "nodev", t->name);
}
