/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File locks.
 *
 * Model: an inode has a set of locks (locks_set.c). A lock has a kind, an owner and
 * a range: POSIX records belong to a descriptor table, records of an open file
 * description (OFD) and flock locks to a handle. POSIX and OFD records conflict with
 * each other, flock only with flock.
 *
 * Who waits sleeps on the inode's queue until something is released, and tries
 * again. It says so (->waiting) before it lets go of the locks under which it saw
 * what is in its way; who releases that has them later, and counts the release only
 * if somebody waits. Owners of POSIX records that wait are in a table with the owner
 * that they wait for: a cycle there is EDEADLK.
 *
 * Handles without an inode have locks too: the ends of a pipe share its list,
 * all other kinds of handles share one, as if they were one file (in Linux they
 * are).
 *
 * Locking: those of a scope of the set; wait_lock, with none of them, for the table
 * of waiting owners; all_lock (outermost) for the list of all inodes with locks.
 */
#include "fs/locks.h"
#include "fs/attr.h"
#include "fs/locks_impl.h"
#include "fs/mount.h"
#include "kernel/handle/pipe.h"
#include "kernel/log.h"
#include "kernel/port_fs.h"
#include "kernel/seq.h"
#include "kernel/task/task.h"
#include "lib/hash.h"
#include "mm/slab.h"

#define WAIT_BITS 6
/* Longest chain of waiting owners that is followed. */
#define CHAIN_MAX 1000

/* An owner of POSIX records that waits. */
struct waiting {
	struct hnode link;
	void *owner;
	void *for_owner;
};

static LOCK_CLASS(all_lock_class, RANK_FILE_LOCKS);
static LOCK_CLASS(wait_lock_class, RANK_LEAF);
static struct spinlock all_lock = SPINLOCK_INIT(all_lock_class);
static struct list all_locks = LIST_INIT(all_locks);
static struct spinlock wait_lock = SPINLOCK_INIT(wait_lock_class);
static struct hlist waiting_owners[1 << WAIT_BITS];
static struct slab_cache *lock_cache;
/* Of handles without inodes that are no pipes. */
static struct file_locks *anon_locks;

void
locks_init(void)
{
	lock_cache = slab_cache_create("file_lock", sizeof(struct lock), 0, SLAB_ZERO);
}

struct lock *
lock_alloc(void)
{
	return slab_alloc(lock_cache, GFP_KERNEL);
}

void
lock_free(struct lock *l)
{
	slab_free(lock_cache, l);
}

/* --- the set of an inode --- */

/* Where the locks of a handle's file hang. */
static struct file_locks **
anchor(struct file *f)
{
	struct pipe *p;

	if (f->inode)
		return &f->inode->locks;
	p = file_pipe(f);
	return p ? &p->locks : &anon_locks;
}

static struct file_locks *
context_get(struct file *f)
{
	struct file_locks **at = anchor(f);
	struct file_locks *fl = smp_load_acquire(at);
	struct file_locks *none = NULL;
	struct kstat st = {0};

	if (fl)
		return fl;
	fl = file_locks_alloc();
	if (!fl)
		return NULL;
	if (f->inode) {
		fl->dev = f->inode->sb->dev;
		fl->ino = f->inode->ino;
	} else if (!file_getattr(f, &st)) {
		fl->dev = st.dev;
		fl->ino = st.ino;
	}
	spin_lock(&all_lock);
	if (atomic_try_cmpxchg(at, &none, fl)) {
		list_add_tail(&fl->all_link, &all_locks);
		none = fl;
	}
	spin_unlock(&all_lock);
	if (none != fl)
		file_locks_free(fl);
	return none;
}

/* --- waiting --- */

static struct hlist *
waiting_chain(const void *owner)
{
	return &waiting_owners[hash_bits(hash_ptr(owner), WAIT_BITS)];
}

/* wait_lock held: whom does the owner wait for? */
static void *
waits_for(const void *owner)
{
	struct waiting *w;

	hlist_for_each_entry(w, waiting_chain(owner), link) {
		if (w->owner == owner)
			return w->for_owner;
	}
	return NULL;
}

/* Enters that w->owner waits for w->for_owner, or -EDEADLK. */
static int
waiting_enter(struct waiting *w)
{
	void *o = w->for_owner;
	int err = 0;

	spin_lock(&wait_lock);
	for (u32 n = 0; o && n < CHAIN_MAX && !err; n++) {
		o = waits_for(o);
		if (o == w->owner)
			err = -EDEADLK;
	}
	if (!err)
		hlist_add(&w->link, waiting_chain(w->owner));
	spin_unlock(&wait_lock);
	return err;
}

static void
waiting_leave(struct waiting *w)
{
	spin_lock(&wait_lock);
	hlist_del(&w->link);
	spin_unlock(&wait_lock);
}

/* --- setting --- */

/* A lock that is being set. */
struct setting {
	struct lock *r;
	/* For a second piece of a lock that is cut. */
	struct lock *spare;
	/* r is a list member now. */
	bool used;
	/* Who is in the way, and when that was seen. */
	struct waiting w;
	u64 seen;
};

/* Something was released. Somebody who waits for it had its locks, and said so, before us. */
static void
released(struct file_locks *fl)
{
	if (atomic_read(&fl->waiting)) {
		atomic_inc(&fl->released);
		waitq_wake_all(&fl->wait);
	}
}

/* One attempt: 0 or -EAGAIN; `wait`: wait_for_release() comes then. */
static int
try_set(struct file_locks *fl, struct setting *s, bool wait)
{
	bool less = s->r->type != F_WRLCK;
	struct lock *c = NULL;
	struct lock_scope at;

	scope_lock(&at, fl, s->r);
	if (s->r->type != F_UNLCK)
		c = scope_conflict(&at, s->r);
	if (!c) {
		s->used = scope_apply(&at, s->r, &s->spare);
	} else {
		s->w = (struct waiting){
			.owner = s->r->owner,
			.for_owner = c->kind == LOCK_POSIX ? c->owner : NULL,
		};
		s->seen = atomic_read(&fl->released);
		if (wait)
			atomic_inc(&fl->waiting);
	}
	scope_unlock(&at);
	if (at.split)
		file_locks_split(fl);
	if (!c && less)
		released(fl);
	return c ? -EAGAIN : 0;
}

static int
wait_for_release(struct file_locks *fl, struct setting *s)
{
	bool posix = s->r->kind == LOCK_POSIX;
	int err = posix ? waiting_enter(&s->w) : 0;

	if (!err) {
		err = wait_event_interruptible(&fl->wait, atomic_read(&fl->released) != s->seen);
		if (posix)
			waiting_leave(&s->w);
	}
	atomic_dec(&fl->waiting);
	return err;
}

/* Sets a lock as `want` says; `wait`: sleeps for it. */
static int
set_lock(struct file_locks *fl, const struct lock *want, bool wait)
{
	struct setting s = {
		.r = lock_alloc(),
		.spare = lock_alloc(),
	};
	int err = s.r && s.spare ? 0 : -ENOLCK;

	if (!err) {
		*s.r = *want;
		err = try_set(fl, &s, wait);
	}
	while (err == -EAGAIN && wait) {
		err = wait_for_release(fl, &s);
		if (!err)
			err = try_set(fl, &s, wait);
	}
	if (!s.used)
		lock_free(s.r);
	lock_free(s.spare);
	return err;
}

static bool
lists_empty(const struct file_locks *fl, const struct lock_band *bands)
{
	bool empty = list_empty(&fl->flocks) && list_empty(&fl->records);

	for (u32 i = 0; bands && empty && i < BANDS; i++)
		empty = list_empty(&bands[i].records);
	return empty;
}

/*
 * Has it none at all? What the caller's owner has set is seen: with bands nobody
 * moves it, without them fl->lock keeps the split out.
 */
static bool
locks_empty(struct file_locks *fl)
{
	const struct lock_band *bands = smp_load_acquire(&fl->bands);
	bool empty;

	if (bands)
		return lists_empty(fl, bands);
	spin_lock(&fl->lock);
	empty = lists_empty(fl, fl->bands);
	spin_unlock(&fl->lock);
	return empty;
}

/* Removes all of an owner. */
static void
remove_all(struct file *f, enum lock_kind kind, void *owner)
{
	struct file_locks *fl = smp_load_acquire(anchor(f));
	struct lock_scope at;
	bool any;

	if (!fl || locks_empty(fl))
		return;
	scope_lock_all(&at, fl);
	any = scope_drop(&at, kind, owner);
	scope_unlock(&at);
	if (any)
		released(fl);
}

/* --- fcntl --- */

/* The absolute range of a struct flock: 0, -EINVAL, -EOVERFLOW. */
static int
parse_range(struct file *f, const struct flock *fl, struct lock *r)
{
	s64 base, start;

	switch (fl->whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = f->pos;
		break;
	case SEEK_END:
		base = f->inode ? READ_ONCE(f->inode->size) : 0;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, fl->start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	r->start = start;
	r->end = OFFSET_MAX;
	if (fl->len > 0) {
		if (fl->len - 1 > OFFSET_MAX - start)
			return -EOVERFLOW;
		r->end = start + fl->len - 1;
	} else if (fl->len < 0) {
		if (start + fl->len < 0)
			return -EINVAL;
		r->end = start - 1;
		r->start = start + fl->len;
	}
	return 0;
}

static bool
is_ofd(unsigned int cmd)
{
	return cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

static int
parse_request(struct file *f, unsigned int cmd, const struct flock *fl, struct lock *r)
{
	if (is_ofd(cmd) && fl->pid)
		return -EINVAL;
	if (fl->type != F_RDLCK && fl->type != F_WRLCK && fl->type != F_UNLCK)
		return -EINVAL;
	*r = (struct lock){
		.kind = is_ofd(cmd) ? LOCK_OFD : LOCK_POSIX,
		.type = fl->type,
		.owner = is_ofd(cmd) ? (void *)f : (void *)current->files,
		.pid = is_ofd(cmd) ? -1 : current->process->tgid,
	};
	return parse_range(f, fl, r);
}

static int
get_lock(struct file_locks *locks, const struct lock *r, struct flock *fl)
{
	struct lock_scope at;
	struct lock *c;

	if (r->type == F_UNLCK)
		return -EINVAL;
	scope_lock(&at, locks, r);
	c = scope_conflict(&at, r);
	if (c) {
		fl->type = c->type;
		fl->whence = SEEK_SET;
		fl->start = c->start;
		fl->len = c->end == OFFSET_MAX ? 0 : c->end - c->start + 1;
		fl->pid = c->pid;
	} else {
		fl->type = F_UNLCK;
	}
	scope_unlock(&at);
	return 0;
}

long
locks_fcntl(struct file *f, unsigned int cmd, struct flock *fl)
{
	struct file_locks *locks;
	struct lock r;
	int err;

	err = parse_request(f, cmd, fl, &r);
	if (err)
		return err;
	locks = context_get(f);
	if (!locks)
		return -ENOLCK;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK)
		return get_lock(locks, &r, fl);
	if (r.type == F_RDLCK && !(f->mode & FMODE_READ))
		return -EBADF;
	if (r.type == F_WRLCK && !(f->mode & FMODE_WRITE))
		return -EBADF;
	return set_lock(locks, &r, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}

/* Has r's owner a lock of another type? */
static bool
holds_other(struct file_locks *locks, const struct lock *r)
{
	struct lock_place place = {0};
	struct lock_scope at;
	bool other = false;
	struct lock *l;

	scope_lock(&at, locks, r);
	while ((l = scope_next(&at, &place)) != NULL)
		other |= lock_same_owner(l, r) && l->type != r->type;
	scope_unlock(&at);
	return other;
}

long
locks_flock(struct file *f, unsigned int op)
{
	struct lock r = {
		.kind = LOCK_FLOCK,
		.owner = f,
		.pid = current->process->tgid,
		.end = OFFSET_MAX,
	};
	struct file_locks *locks;

	switch (op & ~LOCK_NB) {
	case LOCK_SH:
		r.type = F_RDLCK;
		break;
	case LOCK_EX:
		r.type = F_WRLCK;
		break;
	case LOCK_UN:
		r.type = F_UNLCK;
		break;
	default:
		return -EINVAL;
	}
	locks = context_get(f);
	if (!locks)
		return -ENOLCK;
	/* Another type than what is held: that is given up before the wait, as flock(2) says. */
	if (r.type != F_UNLCK && holds_other(locks, &r)) {
		struct lock u = r;

		u.type = F_UNLCK;
		set_lock(locks, &u, false);
	}
	return set_lock(locks, &r, !(op & LOCK_NB));
}

/* --- ends --- */

void
locks_close(struct file *f, void *owner)
{
	remove_all(f, LOCK_POSIX, owner);
}

void
locks_release(struct file *f)
{
	remove_all(f, LOCK_OFD, f);
	remove_all(f, LOCK_FLOCK, f);
}

void
fs_locks_free(struct file_locks *fl)
{
	if (!fl)
		return;
	spin_lock(&all_lock);
	list_del(&fl->all_link);
	spin_unlock(&all_lock);
	file_locks_free(fl);
}

/* --- /proc/locks --- */

static void
show_one(struct seq *s, u32 n, const struct lock *l, const struct file_locks *fl)
{
	static const char *const kinds[] = {"POSIX ", "OFDLCK", "FLOCK "};

	seq_printf(s, "%u: %s ADVISORY  %s %d %02x:%02x:%lu %ld ", n, kinds[l->kind],
		   l->type == F_WRLCK ? "WRITE" : "READ", l->pid, DEV_MAJOR(fl->dev),
		   DEV_MINOR(fl->dev), fl->ino, l->start);
	if (l->end == OFFSET_MAX)
		seq_puts(s, "EOF\n");
	else
		seq_printf(s, "%ld\n", l->end);
}

void
locks_show(struct seq *s)
{
	struct file_locks *fl;
	struct lock *l;
	u32 n = 1;

	spin_lock(&all_lock);
	list_for_each_entry(fl, &all_locks, all_link) {
		struct lock_place place = {0};
		struct lock_scope at;

		scope_lock_all(&at, fl);
		while ((l = scope_next(&at, &place)) != NULL)
			show_one(s, n++, l, fl);
		scope_unlock(&at);
	}
	spin_unlock(&all_lock);
}
