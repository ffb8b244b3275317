/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registered files: a table of handles that requests name by slot (IOSQE_FIXED_FILE).
 * A request takes a reference of the handle, so a slot may be changed at any time. A tag
 * is posted as a completion when what it was given with is replaced.
 *
 * Locking: ring->mutex.
 */
#include "kernel/task/task.h"
#include "mm/uaccess.h"
#include "uring/uring_impl.h"

struct slot {
	struct file *file;
	u64 tag;
};

struct uring_file_table {
	u32 nr;
	/* where IORING_FILE_INDEX_ALLOC looks: [from, to), and where it goes on */
	u32 from, to, hint;
	struct slot slot[];
};

struct file *
ring_file(struct ring *ring, u32 i)
{
	const struct uring_file_table *t = ring->files;

	if (!t || i >= t->nr || !t->slot[i].file)
		return NULL;
	return file_get(t->slot[i].file);
}

/* What is in the slot leaves it. */
static void
slot_clear(struct ring *ring, struct slot *s)
{
	struct slot was = *s;

	*s = (struct slot){NULL, 0};
	if (!was.file)
		return;
	file_put(was.file);
	if (was.tag)
		(void)ring_post(ring, was.tag, 0, 0);
}

static long
slot_alloc(struct uring_file_table *t)
{
	u32 n = t->to - t->from;

	for (u32 k = 0; k < n; k++) {
		u32 i = t->from + (t->hint - t->from + k) % n;

		if (!t->slot[i].file) {
			t->hint = i + 1 < t->to ? i + 1 : t->from;
			return i;
		}
	}
	return -ENFILE;
}

static long
install_locked(struct ring *ring, struct file *f, u32 slot)
{
	struct uring_file_table *t = ring->files;
	long i = (long)slot - 1;

	if (file_ring(f))
		return -EBADF;
	if (!t)
		return slot == IORING_FILE_INDEX_ALLOC ? -ENFILE : -ENXIO;
	if (slot == IORING_FILE_INDEX_ALLOC) {
		i = slot_alloc(t);
		if (i < 0)
			return i;
	} else if (i < 0 || i >= (long)t->nr) {
		return -EINVAL;
	}
	slot_clear(ring, &t->slot[i]);
	t->slot[i].file = f;
	return slot == IORING_FILE_INDEX_ALLOC ? i : 0;
}

long
ring_file_install(struct request *r, struct file *f, u32 slot, u32 how)
{
	long ret;

	ring_lock(r->ring, how);
	ret = install_locked(r->ring, f, slot);
	ring_unlock(r->ring, how);
	if (ret < 0)
		file_put(f);
	return ret;
}

int
ring_file_close(struct ring *ring, u32 i, u32 how)
{
	int err = 0;

	ring_lock(ring, how);
	if (!ring->files)
		err = -ENXIO;
	else if (i >= ring->files->nr)
		err = -EINVAL;
	else if (!ring->files->slot[i].file)
		err = -EBADF;
	else
		slot_clear(ring, &ring->files->slot[i]);
	ring_unlock(ring, how);
	return err;
}

/* No tag is told of then. */
static void
table_free(struct uring_file_table *t)
{
	for (u32 i = 0; i < t->nr; i++)
		if (t->slot[i].file)
			file_put(t->slot[i].file);
	kvfree(t);
}

void
ring_files_free(struct ring *ring)
{
	struct uring_file_table *t = ring->files;

	ring->files = NULL;
	if (t)
		table_free(t);
}

long
files_unregister(struct ring *ring)
{
	struct uring_file_table *t = ring->files;

	if (!t)
		return -ENXIO;
	ring->files = NULL;
	table_free(t);
	return 0;
}

/* One descriptor of the user's array into a slot; -1 leaves it empty. */
static int
slot_fill(struct slot *s, const s32 __user *fds, const u64 __user *tags, u32 i)
{
	u64 tag = 0;
	s32 fd = -1;

	if (tags && get_user(tag, &tags[i]))
		return -EFAULT;
	if (fds && get_user(fd, &fds[i]))
		return -EFAULT;
	if (fd == -1)
		return tag ? -EINVAL : 0;
	s->file = fd_get_file((unsigned int)fd);
	if (!s->file)
		return -EBADF;
	/* A ring that holds itself would never end. */
	if (file_ring(s->file)) {
		file_put(s->file);
		s->file = NULL;
		return -EBADF;
	}
	s->tag = tag;
	return 0;
}

long
files_register(struct ring *ring, void __user *arg, u32 nr, u64 __user *tags)
{
	struct uring_file_table *t;
	int err = 0;

	if (ring->files)
		return -EBUSY;
	if (!nr)
		return -EINVAL;
	if (nr > URING_MAX_FILES)
		return -EMFILE;
	if (nr > rlimit(RLIMIT_NOFILE))
		return -EMFILE;
	t = kvmalloc(sizeof(*t) + nr * sizeof(t->slot[0]), GFP_KERNEL | GFP_ZERO);
	if (!t)
		return -ENOMEM;
	t->nr = t->to = nr;
	for (u32 i = 0; i < nr && !err; i++)
		err = slot_fill(&t->slot[i], arg, tags, i);
	if (err) {
		table_free(t);
		return err;
	}
	ring->files = t;
	return 0;
}

long
files_register2(struct ring *ring, void __user *arg, u32 size)
{
	struct uring_rsrc_register rr;

	if (size != sizeof(rr))
		return -EINVAL;
	if (copy_from_user(&rr, arg, sizeof(rr)))
		return -EFAULT;
	if (!rr.nr || rr.resv2 || rr.flags & ~IORING_RSRC_REGISTER_SPARSE)
		return -EINVAL;
	if (rr.flags & IORING_RSRC_REGISTER_SPARSE && rr.data)
		return -EINVAL;
	return files_register(ring, (void __user *)rr.data, rr.nr, (u64 __user *)rr.tags);
}

static int
slot_update(struct ring *ring, struct slot *s, const struct rsrc_update *u, u32 i)
{
	const s32 __user *fds = (const s32 __user *)u->data;
	const u64 __user *tags = (const u64 __user *)u->tags;
	struct slot new = {NULL, 0};
	s32 fd;
	u64 tag = 0;
	int err;

	if ((tags && get_user(tag, &tags[i])) || get_user(fd, &fds[i]))
		return -EFAULT;
	if ((fd == IORING_REGISTER_FILES_SKIP || fd == -1) && tag)
		return -EINVAL;
	if (fd == IORING_REGISTER_FILES_SKIP)
		return 0;
	err = slot_fill(&new, fds, tags, i);
	if (err)
		return err;
	slot_clear(ring, s);
	*s = new;
	return 0;
}

long
files_update(struct ring *ring, const struct rsrc_update *u)
{
	struct uring_file_table *t = ring->files;
	u32 i;
	int err = 0;

	if (!t)
		return -ENXIO;
	if (u->nr > t->nr || u->offset > t->nr - u->nr)
		return -EINVAL;
	for (i = 0; i < u->nr; i++) {
		err = slot_update(ring, &t->slot[u->offset + i], u, i);
		if (err)
			break;
	}
	return i ? (long)i : err;
}

long
files_alloc_range(struct ring *ring, const struct uring_file_range __user *arg)
{
	struct uring_file_table *t = ring->files;
	struct uring_file_range range;
	u32 end;

	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	if (__builtin_add_overflow(range.off, range.len, &end))
		return -EOVERFLOW;
	if (range.resv || end > (t ? t->nr : 0))
		return -EINVAL;
	if (!t)
		return 0;
	t->from = t->hint = range.off;
	t->to = end;
	return 0;
}
