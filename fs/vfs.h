/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The objects of the file layer: super blocks, inodes, names (dentries).
 *
 * Model: an inode is a file; a dentry is a name of it in a directory; a super
 * block is one file system with its tree of dentries; a mount (fs/mount.h) puts
 * a tree at a place; a struct path is a dentry seen through a mount.
 *
 * A positive dentry stays positive: removing a name takes the dentry out of the
 * name table but leaves ->inode alone, so whoever holds a dentry has its inode.
 *
 * Ownership: dentries, inodes and supers are counted with drained references
 * (percpu/ref.h). The first reference of a dentry belongs to the name table
 * while it is hashed; it is put by an RCU callback after the name was taken out.
 * A dentry holds its inode and its parent. So in an RCU section everything that
 * can be reached may be read, and ref_get() on it is always right.
 *
 * Locking: fs/dcache.h for names. ->mutex of a regular file covers its size and
 * blocks (inode_lock(): against writers without it too); of a directory on a file
 * system that is not SB_PARALLEL its contents. ->lock covers mode, owners, link
 * count and times against other writers, but for what CPUs keep in parts
 * (fs/parts.h); readers load single words and take what they find.
 */
#ifndef FS_VFS_H
#define FS_VFS_H

#include "kernel/cred.h"
#include "kernel/file.h"
#include "kernel/uapi/stat.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "lib/section.h"
#include "lib/types.h"
#include "mm/pagecache.h"
#include "percpu/counter.h"
#include "percpu/ref.h"
#include "percpu/tally.h"
#include "sync/mutex.h"
#include "sync/rcu.h"
#include "sync/seq.h"
#include "sync/spinlock.h"

struct dentry;
struct inode;
struct kstat;
struct mount;
struct seq;
struct super;
struct watches;
struct file_locks;

/* The root of every super; inode_new_number() never gives it. */
#define ROOT_INO 1
#define NAME_MAX 255
#define PATH_MAX 4096

/* Device numbers inside the kernel: 12 bits of major, 20 of minor. */
#define DEV_MINOR_BITS 20
#define DEV_MAJOR(d) ((u32)(d) >> DEV_MINOR_BITS)
#define DEV_MINOR(d) ((u32)(d) & ((1u << DEV_MINOR_BITS) - 1))
#define DEV_MAKE(ma, mi) (((u32)(ma) << DEV_MINOR_BITS) | (u32)(mi))

/* The form of stat and mknod. */
static inline u64
dev_encode(u32 d)
{
	u32 mi = DEV_MINOR(d);

	return (mi & 0xff) | DEV_MAJOR(d) << 8 | (u64)(mi & ~0xffu) << 12;
}

static inline u32
dev_decode(u32 d)
{
	return DEV_MAKE((d >> 8) & 0xfff, (d & 0xff) | ((d >> 12) & 0xfff00));
}

/* --- super blocks --- */

/* Directories are changed without their mutex (fs/dcache.h: publish, claim). */
#define SB_PARALLEL 0x02u
#define SB_RDONLY 0x04u
/*
 * Dentries made by ->lookup are not entered in the name table; so there is no
 * negative one either, and making a name there is -ENOENT (procfs).
 */
#define SB_UNCACHED 0x08u
/* Never shown, never found by users: anonymous files, memfd. */
#define SB_KERNEL 0x10u
/* Device nodes and programs on it mean nothing (procfs). */
#define SB_NODEV 0x20u
#define SB_NOEXEC 0x40u

struct mount_args {
	const char *source;
	/* MS_* */
	u64 flags;
	/* Options, writable text; NULL: none. */
	char *data;
};

struct super_ops {
	/* The last reference of an inode is gone: frees it (after inode_fini()). May sleep. */
	void (*release_inode)(struct inode *i);
	/* NULL: zeros and the magic number. */
	int (*statfs)(struct super *sb, struct statfs *st);
	/* mount -o remount: new MS_* and options; NULL: options are ignored. */
	int (*remount)(struct super *sb, const struct mount_args *a);
	/* ",size=..." for /proc/mounts. */
	void (*show_options)(struct super *sb, struct seq *s);
	int (*sync)(struct super *sb);
	/* The last mount is gone: the tree is about to be taken down. May sleep. */
	void (*shutdown)(struct super *sb);
	/* All inodes are gone too: frees ->private. May sleep. */
	void (*kill)(struct super *sb);
};

struct fs_type {
	const char *name;
	/* Needs a block device as source; 0: shown as "nodev" in /proc/filesystems. */
	bool needs_device;
	/* A super with one use for the caller; err_ptr(-Exxx). */
	struct super *(*mount)(const struct fs_type *t, const struct mount_args *a);
	/*
	 * One option of fsconfig(2), value NULL: it has none. 0, -ENOENT: unknown, -EINVAL: a
	 * bad value. NULL: only ->mount knows.
	 */
	int (*check_option)(const char *key, const char *value);
};

/* REGISTER(filesystems) static const struct fs_type x = {...}; */
DECLARE_REGISTRY(filesystems, const struct fs_type);
/* NULL: no such type. */
const struct fs_type *fs_type_find(const char *name);
/* With a use for the caller; NULL: none has this number. */
struct super *super_find(u32 dev);
/* ->check_option of types that have none. */
int fs_no_options(const char *key, const char *value);
/* The lines of /proc/filesystems. */
void fs_types_show(struct seq *s);

struct super {
	/* I  below */
	const struct fs_type *type;
	const struct super_ops *ops;
	struct dentry *root;
	u64 magic;
	u64 max_size;
	/* device number that stat shows */
	u32 dev;
	/* a  SB_* */
	u32 flags;
	void *private;
	/* a  mounts and others that keep it active; 0: its tree is taken down */
	u32 active;
	/* inodes and the tree hold it; the last frees it */
	struct ref ref;
	/* I  which part of the list of all (fs/super.c); (its lock) */
	u32 shard;
	struct list link;
};

/* Once, before any is made. */
void super_init(void);
/* A new super with one use and a device number of its own; err_ptr(-ENOMEM, -EMFILE). */
struct super *super_create(const struct fs_type *t, const struct super_ops *ops, u32 flags);
struct super *super_get(struct super *sb);
/* The last one takes the tree down; the memory goes after the last inode. May sleep. */
void super_put(struct super *sb);
/* A use if it is still active (for types with one instance). */
bool super_try_get(struct super *sb);
/* Calls ->sync of all that have one. */
void super_sync_all(void);

/* --- inodes --- */

/* What changes often; btime does not. */
enum inode_time {
	TIME_ACCESS,
	TIME_MODIFY,
	TIME_CHANGE,
	INODE_TIMES,
};

/* What makes a new node. */
struct node_args {
	/* Type and permission bits, umask applied. */
	u32 mode;
	/* Special files. */
	u32 rdev;
	/* Symbolic links. */
	const char *target;
	/* From open_request, for the file system's own calls; NULL. */
	const void *extra;
};

struct dir_context {
	/* Takes one entry; false: full, stop. off: position of the next entry. */
	bool (*emit)(struct dir_context *ctx, const char *name, size_t len, u64 ino, u8 type);
	/* Position: where to go on. Set to the next one before each emit() returns true. */
	u64 pos;
};

struct iattr;

/*
 * How a symbolic link is followed. Text: set *text (lives as long as the inode,
 * or until free_text(kfree) when `allocated`). Jump (magic links): fill `jump`
 * with references and return. rcu: the caller is in an RCU section; return
 * -EAGAIN to be called again from where it may sleep.
 */
struct link_result {
	/* in: only its text is wanted (readlink) */
	bool reading;
	const char *text;
	bool allocated;
	bool jumped;
	struct path jump;
};

struct rename_args {
	struct inode *old_dir;
	struct dentry *old;
	struct inode *new_dir;
	/* Existing target, or NULL. */
	struct dentry *target;
	/* RENAME_* */
	u32 flags;
};

struct inode_ops {
	/*
	 * Finds d's name and attaches the inode (dentry_attach), or leaves d
	 * negative. 0 or -Exxx. May sleep. NULL: all names of the directory are in
	 * the name table, so that a miss there is -ENOENT.
	 */
	int (*lookup)(struct inode *dir, struct dentry *d);
	/*
	 * Makes a node and attaches it to d (not yet visible). SB_PARALLEL: no lock
	 * is held, the name may still turn out to be taken: then the inode is put.
	 */
	int (*create)(struct inode *dir, struct dentry *d, const struct node_args *a);
	/* i has one more name, or its first one: may it, in dir? 0 or -Exxx (quota). */
	int (*link)(struct inode *dir, struct inode *i, bool first);
	/*
	 * A name goes. SB_PARALLEL: it is gone already, cannot fail. Else called
	 * first, under the directory's mutex; -Exxx keeps the name.
	 */
	int (*unlink)(struct inode *dir, struct dentry *d);
	int (*rmdir)(struct inode *dir, struct dentry *d);
	/* As unlink; NULL with SB_PARALLEL: nothing to do. */
	int (*rename)(const struct rename_args *a);
	/* A file without a name. */
	int (*tmpfile)(struct inode *dir, struct dentry *d, u32 mode);
	int (*get_link)(struct inode *i, struct dentry *d, bool rcu, struct link_result *r);
	/* NULL: mode bits. mask: MAY_*; no sleep. */
	int (*permission)(struct inode *i, const struct cred *c, int mask);
	/* NULL: what the inode says. */
	int (*getattr)(const struct path *p, struct kstat *st);
	/* NULL: setattr_apply(). May sleep; permissions have been checked. */
	int (*setattr)(struct dentry *d, struct iattr *a);
	/* Extended attributes; size 0: only the length. NULL: -EOPNOTSUPP. */
	s64 (*get_xattr)(struct inode *i, const char *name, void *buf, size_t n);
	int (*set_xattr)(struct inode *i, const char *name, const void *v, size_t n, int flags);
	s64 (*list_xattr)(struct inode *i, char *buf, size_t n, bool trusted);
	/* After the handle was made: 0 or -Exxx. May change f->ops and f->private. */
	int (*open)(struct inode *i, struct file *f);
};

#define INODE_IMMUTABLE 0x1u
#define INODE_APPEND 0x2u
/* seals (memfd) */
#define INODE_SEALABLE 0x4u
/* O_TMPFILE without O_EXCL: may get a name although it has none */
#define INODE_LINKABLE 0x8u
/* atime never changes (pseudo files) */
#define INODE_NOATIME 0x10u
/* ->get_link jumps: a magic link */
#define INODE_MAGIC 0x20u
/* CPUs may have a later atime (fs/atime.c) */
#define INODE_ATIME_SLOTS 0x40u

struct inode {
	/* (lock)  what walks and stat read */
	u32 mode;
	u32 uid;
	u32 gid;
	/* without what is in parts; 0: none there either */
	u32 nlink;
	/* a  INODE_* */
	u32 flags;
	/* I */
	u32 rdev;
	u64 ino;
	struct super *sb;
	const struct inode_ops *ops;
	/* What open puts into the handle; devices and fifos: NULL. */
	const struct file_ops *fops;
	/* I  text of a symbolic link that lives with the inode, or NULL */
	const char *link;
	/* I  regular files */
	struct pagecache *pages;

	void *private;
	/* r  fs/locks.c, fs/inotify.c; made when first needed */
	struct file_locks *locks;
	struct watches *watches;
	/* (mutex; readers any time) */
	u64 size;
	/* (mutex)  F_SEAL_* */
	u32 seals;
	/* a  there may be writers, deniers: false is certain, but for who is just coming */
	bool writers_seen, deniers_seen;
	/* a  which CPUs keep a part of it, PARTS_* (fs/parts.c) */
	u64 parts;

	/* What each write and each open for writing changes: lines apart from the above. */
	/* (lock; ns since 1970, may be negative)  inode_fold() brings them up to date */
	s64 time[INODE_TIMES] __cacheline_aligned;
	s64 btime;
	/* (lock)  how often the clock was set before those times, from 1 */
	u32 step[INODE_TIMES];
	/* (lock)  one more than the CPU that changes it; 0: the next one */
	u32 toucher;
	/* (lock)  bits of times that somebody gave: any change replaces them */
	u32 given;
	/* one more than handles that may write */
	struct tally writers __cacheline_aligned;
	/* one more than those who forbid it, programs (ETXTBSY) */
	struct tally deniers;
	struct ref ref;

	struct spinlock lock __cacheline_aligned;
	struct mutex mutex;
	/* (lock)  named pipe while it is open */
	struct pipe *fifo;
	u32 fifo_users;
	struct rcu_head rcu;
};

/* Prepares a zeroed inode: number, times of now, one reference, one link (two: directories). */
void inode_init(struct inode *i, struct super *sb, u32 mode);
/* Owner and group from the caller's credentials and a set-group-id directory. */
void inode_init_owner(struct inode *i, const struct inode *dir, u32 mode);
/* Frees what hangs on it (locks, watches), not the memory. */
void inode_fini(struct inode *i);
/* For release_inode: a plain kzalloc()ed inode without anything private. */
void inode_free_plain(struct inode *i);
struct inode *inode_new_plain(struct super *sb, u32 mode);
/* A number that no other inode made by this function has; per-CPU ranges. */
u64 inode_new_number(void);

static inline struct inode *
inode_get(struct inode *i)
{
	ref_get(&i->ref);
	return i;
}

static inline void
inode_put(struct inode *i)
{
	if (i)
		ref_put(&i->ref);
}

/* Now, as file times have it: the coarse clock. */
s64 inode_now(void);
/* atime after a read, by the rules of the mount (relatime, noatime) and O_NOATIME. */
void file_accessed(struct file *f);
void path_accessed(const struct path *p);
/* After a reference was put: if somebody waits for the end of the inode, so do we. May sleep. */
void inode_settle(bool watched);
/* Waits until all inodes are freed that nobody had a reference to at the call. May sleep. */
void inode_settle_all(void);
/* The same, but not again at once: for figures that somebody may ask for all the time. */
void inode_settle_sometimes(void);

/* ETXTBSY: the two exclude one another. 0 or -ETXTBSY. */
int inode_get_write(struct inode *i);
void inode_put_write(struct inode *i);
int inode_deny_write(struct inode *i);
/* Once more, by who has one. */
void inode_deny_write_more(struct inode *i);
void inode_allow_write(struct inode *i);

/* --- permissions --- */

#define MAY_EXEC 1
#define MAY_WRITE 2
#define MAY_READ 4
#define MAY_APPEND 8

/* Mode bits and capabilities: 0, -EACCES. No sleep. */
int inode_permission_generic(struct inode *i, const struct cred *c, int mask);
/* The inode's own rules too (->permission, immutable, read-only super). */
int inode_permission(struct inode *i, const struct cred *c, int mask);
/* Is the caller (its fsuid) the owner, or has it CAP_FOWNER? */
bool inode_owner_or_capable(const struct inode *i, const struct cred *c);

/* --- the standard trees --- */

/* Boot: caches, the root mount (tmpfs "rootfs") with /dev, /dev/console, /root. */
void fs_init(void);

#endif
