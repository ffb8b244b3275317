/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character devices: which handle operations a device number means.
 *
 * Model: a driver registers numbers with operations and a name. Opening a node
 * with that number, on whatever file system it lies, gives a handle with them.
 * fs/devtmpfs.c makes the nodes.
 *
 * Locking: a list a bucket of majors, read under RCU; device_lock for changes.
 */
#include "fs/device_impl.h"
#include "fs/file_impl.h"
#include "kernel/log.h"
#include "mm/slab.h"

#define MAJOR_BUCKETS 64

static LOCK_CLASS(device_lock_class, RANK_DEVICE);
static struct spinlock device_lock = SPINLOCK_INIT(device_lock_class);
/* r  (device_lock) */
static struct hlist devices[MAJOR_BUCKETS];

static struct hlist *
bucket(u32 major)
{
	return &devices[major % MAJOR_BUCKETS];
}

static bool
covers(const struct dev_desc *d, u32 major, u32 minor)
{
	u32 count = d->count ? d->count : 1;

	return d->major == major && minor >= d->minor && minor - d->minor < count;
}

/* RCU section or device_lock. */
static struct device *
find(u32 major, u32 minor)
{
	struct device *d;

	hlist_for_each_entry_rcu(d, bucket(major), link) {
		if (covers(&d->desc, major, minor))
			return d;
	}
	return NULL;
}

static bool
overlaps(const struct dev_desc *a)
{
	struct device *d;

	hlist_for_each_entry(d, bucket(a->major), link) {
		if (covers(&d->desc, a->major, a->minor) || covers(a, d->desc.major, d->desc.minor))
			return true;
	}
	return false;
}

int
dev_register_desc(const struct dev_desc *desc)
{
	struct device *d = kzalloc(sizeof(*d), GFP_KERNEL);
	int err = 0;

	if (!d)
		return -ENOMEM;
	d->desc = *desc;
	spin_lock(&device_lock);
	if (overlaps(desc))
		err = -EEXIST;
	else
		hlist_add_rcu(&d->link, bucket(desc->major));
	spin_unlock(&device_lock);
	if (err) {
		kfree(d);
		return err;
	}
	err = devtmpfs_add(desc);
	if (err)
		log_warn("devtmpfs: no node for %s (%d)", desc->name, err);
	return err;
}

int
dev_register(const char *name, u32 mode, u32 major, u32 minor, const struct file_ops *ops)
{
	struct dev_desc d = {
		.name = name,
		.mode = mode,
		.major = major,
		.minor = minor,
		.ops = ops,
	};

	return dev_register_desc(&d);
}

void
dev_unregister(u32 major, u32 minor)
{
	struct device *d;

	spin_lock(&device_lock);
	d = find(major, minor);
	if (d)
		hlist_del_rcu(&d->link);
	spin_unlock(&device_lock);
	if (!d)
		return;
	devtmpfs_del(&d->desc);
	kfree_rcu(d, rcu);
}

void
device_for_each(void (*fn)(const struct dev_desc *d))
{
	struct device *d;

	/* At boot, before anybody unregisters. */
	for (u32 i = 0; i < MAJOR_BUCKETS; i++) {
		hlist_for_each_entry(d, &devices[i], link)
			fn(&d->desc);
	}
}

int
device_open(struct inode *i, struct file *f)
{
	u32 major = DEV_MAJOR(i->rdev);
	u32 minor = DEV_MINOR(i->rdev);
	struct dev_desc desc;
	struct device *d = NULL;

	rcu_read_lock();
	if (S_ISCHR(i->mode))
		d = find(major, minor);
	if (d)
		desc = d->desc;
	rcu_read_unlock();
	if (!d)
		return -ENXIO;
	f->ops = desc.ops;
	f->private = desc.arg;
	if (f->ops->seek)
		f->mode |= FMODE_SEEK | FMODE_PREAD | FMODE_PWRITE;
	return desc.open ? desc.open(f, major, minor, desc.arg) : 0;
}

bool
file_rdev(const struct file *f, u32 *major, u32 *minor)
{
	if (!f->inode || !S_ISCHR(f->inode->mode))
		return false;
	*major = DEV_MAJOR(f->inode->rdev);
	*minor = DEV_MINOR(f->inode->rdev);
	return true;
}
