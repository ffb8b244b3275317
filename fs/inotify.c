/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inotify(7): watches and where events go. (inotify_queue.c has the handle that
 * they are read from.)
 *
 * Model: a group is what inotify_init() makes; a watch ties it to an inode with a
 * mask. An event at an inode goes to the group of every watch whose mask has it.
 *
 * Ownership: a watch belongs to its group and holds no inode, except on file
 * systems whose inodes come and go; when the inode ends, its watches do.
 *
 * Locking: inotify_mutex for making and removing watches; ->lock of an inode's
 * watches for its list, so that events can be sent while it is held.
 */
#include "fs/inotify_impl.h"
#include "fs/namei.h"
#include "kernel/cred.h"
#include "kernel/syscall/syscalls.h"
#include "lib/string.h"
#include "mm/slab.h"

#define WATCH_FLAGS (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK)
#define MASK_KNOWN                                                                                 \
	(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR | IN_DONT_FOLLOW |   \
	 IN_EXCL_UNLINK | IN_MASK_ADD | IN_MASK_CREATE | IN_ISDIR | IN_ONESHOT)

__maybe_unused static LOCK_CLASS(inotify_mutex_class, RANK_FILE_POS + 2);
static LOCK_CLASS(watches_class, RANK_INOTIFY);
struct mutex inotify_mutex = MUTEX_INIT(inotify_mutex, inotify_mutex_class);
/* (inotify_mutex) */
struct list inotify_groups = LIST_INIT(inotify_groups);

u32 notify_watches __cacheline_aligned;
u32 inotify_max_queued_events = CONFIG_DEBUG ? 256 : 16384;
u32 inotify_max_user_instances = 128;
u32 inotify_max_user_watches;
static u32 last_cookie;

void
notify_init(void)
{
	/* One for each 64 KiB of memory, within bounds. */
	inotify_max_user_watches = clamp(pages_total() / 16, 8192UL, 1048576UL);
}

u32
notify_cookie(void)
{
	u32 c;

	do {
		c = atomic_add_return(&last_cookie, 1);
	} while (!c);
	return c;
}

static struct watches *
watches_get(struct inode *i)
{
	struct watches *w = smp_load_acquire(&i->watches);
	struct watches *none = NULL;

	if (w)
		return w;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return NULL;
	spin_init(&w->lock, &watches_class);
	list_init(&w->list);
	if (!atomic_try_cmpxchg(&i->watches, &none, w)) {
		kfree(w);
		w = none;
	}
	return w;
}

bool
notify_watched(const struct inode *i)
{
	struct watches *w = smp_load_acquire(&i->watches);

	return w && !list_empty(&w->list);
}

/* --- sending --- */

/* What happened, once for all who watch. */
struct happening {
	u32 mask;
	u32 cookie;
	const char *name;
	/* The name was removed: not for IN_EXCL_UNLINK. */
	bool unlinked;
};

/* Removes watches that were for one event. */
static void
reap_oneshots(struct inode *i)
{
	struct watches *ws = i->watches;
	struct watch *w;

	mutex_lock(&inotify_mutex);
	for (;;) {
		struct watch *found = NULL;

		spin_lock(&ws->lock);
		list_for_each_entry(w, &ws->list, inode_link) {
			if (w->fired) {
				found = w;
				break;
			}
		}
		spin_unlock(&ws->lock);
		if (!found)
			break;
		watch_remove(found);
	}
	mutex_unlock(&inotify_mutex);
}

static void
send(struct inode *i, const struct happening *h)
{
	struct watches *ws = smp_load_acquire(&i->watches);
	bool oneshot = false;
	struct watch *w;

	if (!ws || list_empty(&ws->list))
		return;
	spin_lock(&ws->lock);
	list_for_each_entry(w, &ws->list, inode_link) {
		if (!(w->mask & h->mask & IN_ALL_EVENTS) || w->fired)
			continue;
		if (h->unlinked && (w->mask & IN_EXCL_UNLINK))
			continue;
		inotify_queue(w->group, w->wd, h->mask, h->cookie, h->name);
		if (w->mask & IN_ONESHOT) {
			w->fired = true;
			oneshot = true;
		}
	}
	spin_unlock(&ws->lock);
	if (oneshot)
		reap_oneshots(i);
}

void
notify_inode_slow(struct inode *i, u32 mask)
{
	struct happening h = {.mask = mask};

	send(i, &h);
}

void
notify_child_slow(struct inode *dir, u32 mask, const char *name, u32 cookie)
{
	struct happening h = {.mask = mask, .cookie = cookie, .name = name};

	send(dir, &h);
}

void
notify_dentry_slow(struct dentry *d, u32 mask)
{
	struct happening h = {
		.mask = mask | (dentry_is_dir(d) ? IN_ISDIR : 0),
		.unlinked = dentry_deleted(d),
	};
	char name[NAME_MAX + 1];
	struct dentry *parent;
	int n = 0;

	if (!mask)
		return;
	rcu_read_lock();
	parent = READ_ONCE(d->parent);
	if (parent && notify_watched(parent->inode)) {
		dentry_get(parent);
		n = dentry_copy_name(d, name, NAME_MAX);
	} else {
		parent = NULL;
	}
	rcu_read_unlock();
	if (parent && n > 0) {
		name[n] = '\0';
		h.name = name;
		send(parent->inode, &h);
		h.name = NULL;
	}
	dentry_put(parent);
	send(d->inode, &h);
}

/* --- ends --- */

void
watch_remove(struct watch *w)
{
	struct inode *i = w->inode;
	struct watches *ws = i->watches;

	spin_lock(&ws->lock);
	list_del(&w->inode_link);
	spin_unlock(&ws->lock);
	list_del(&w->group_link);
	inotify_queue(w->group, w->wd, IN_IGNORED, 0, NULL);
	atomic_dec(&notify_watches);
	user_count_add(w->group->user, USER_INOTIFY_WATCHES, -1);
	if (w->holds)
		inode_put(i);
	kfree(w);
}

static void
send_last(struct watch *w, u32 mask)
{
	if ((w->mask & mask) || mask == IN_UNMOUNT)
		inotify_queue(w->group, w->wd, mask, 0, NULL);
}

void
notify_inode_gone(struct inode *i)
{
	struct watches *ws = i->watches;

	if (likely(!ws))
		return;
	mutex_lock(&inotify_mutex);
	while (!list_empty(&ws->list)) {
		struct watch *w = list_first(&ws->list, struct watch, inode_link);

		if (i->nlink == 0)
			send_last(w, IN_DELETE_SELF);
		watch_remove(w);
	}
	mutex_unlock(&inotify_mutex);
	i->watches = NULL;
	kfree(ws);
}

void
notify_super_gone(struct super *sb)
{
	struct inotify *g;
	struct watch *w, *tmp;

	if (!READ_ONCE(notify_watches))
		return;
	mutex_lock(&inotify_mutex);
	list_for_each_entry(g, &inotify_groups, link) {
		list_for_each_entry_safe(w, tmp, &g->watches, group_link) {
			if (w->inode->sb != sb)
				continue;
			send_last(w, IN_UNMOUNT);
			watch_remove(w);
		}
	}
	mutex_unlock(&inotify_mutex);
}

/* --- the calls --- */

/* inotify_mutex held. */
static struct watch *
find_watch(struct inotify *g, const struct inode *i)
{
	struct watch *w;

	list_for_each_entry(w, &g->watches, group_link) {
		if (w->inode == i)
			return w;
	}
	return NULL;
}

static int
change_watch(struct watch *w, u32 mask)
{
	struct watches *ws = w->inode->watches;

	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	spin_lock(&ws->lock);
	if (mask & IN_MASK_ADD)
		w->mask |= mask & WATCH_FLAGS;
	else
		w->mask = mask & WATCH_FLAGS;
	spin_unlock(&ws->lock);
	return w->wd;
}

static int
new_watch(struct inotify *g, struct inode *i, u32 mask)
{
	struct watches *ws = watches_get(i);
	struct watch *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!ws || !w) {
		kfree(w);
		return -ENOMEM;
	}
	if (!user_count_try_add(g->user, USER_INOTIFY_WATCHES, 1,
				READ_ONCE(inotify_max_user_watches))) {
		kfree(w);
		return -ENOSPC;
	}
	w->group = g;
	w->inode = i;
	w->mask = mask & WATCH_FLAGS;
	w->wd = ++g->last_wd;
	if (i->sb->flags & SB_UNCACHED) {
		inode_get(i);
		w->holds = true;
	}
	list_add_tail(&w->group_link, &g->watches);
	atomic_inc(&notify_watches);
	spin_lock(&ws->lock);
	list_add_tail(&w->inode_link, &ws->list);
	spin_unlock(&ws->lock);
	return w->wd;
}

static int
add_watch(struct inotify *g, struct inode *i, u32 mask)
{
	struct watch *w;
	int wd;

	mutex_lock(&inotify_mutex);
	w = find_watch(g, i);
	wd = w ? change_watch(w, mask) : new_watch(g, i, mask);
	mutex_unlock(&inotify_mutex);
	return wd;
}

static int
watch_path(struct inotify *g, const char __user *upath, u32 mask)
{
	u32 walk = mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW;
	struct path p;
	int r;

	if (mask & IN_ONLYDIR)
		walk |= WALK_DIRECTORY;
	r = path_lookup_user(AT_FDCWD, upath, walk, &p);
	if (r)
		return r;
	r = inode_permission(p.dentry->inode, current_cred(), MAY_READ);
	if (!r)
		r = add_watch(g, p.dentry->inode, mask);
	path_put(&p);
	return r;
}

long
sys_inotify_add_watch(int fd, const char __user *path, u32 mask)
{
	struct fdref r;
	long wd;

	if (!(mask & MASK_KNOWN))
		return -EINVAL;
	r = fd_get(fd);
	if (!r.file)
		return -EBADF;
	if ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE))
		wd = -EINVAL;
	else if (!inotify_of(r.file))
		wd = -EINVAL;
	else
		wd = watch_path(inotify_of(r.file), path, mask);
	fd_put(r);
	return wd;
}

long
sys_inotify_rm_watch(int fd, int wd)
{
	struct fdref r = fd_get(fd);
	struct inotify *g;
	struct watch *w;
	long err = -EINVAL;

	if (!r.file)
		return -EBADF;
	g = inotify_of(r.file);
	if (g) {
		mutex_lock(&inotify_mutex);
		list_for_each_entry(w, &g->watches, group_link) {
			if (w->wd == wd) {
				watch_remove(w);
				err = 0;
				break;
			}
		}
		mutex_unlock(&inotify_mutex);
	}
	fd_put(r);
	return err;
}
