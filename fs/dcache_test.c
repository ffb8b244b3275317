/* SPDX-License-Identifier: BSD-2-Clause */
/* The name table by itself, on a tmpfs that nobody has mounted. */
#include "fs/dcache.h"
#include "fs/dcache_impl.h"
#include "fs/tmpfs.h"
#include "kernel/uapi/fcntl.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/test.h"
#include "sync/test_port.h"

static struct super *
fresh_super(void)
{
	struct mount_args a = {0};

	return tmpfs_create(&tmpfs_type, &a, SB_KERNEL);
}

/* A node below parent, published, with a reference; err_ptr. */
static struct dentry *
make(struct dentry *parent, const char *name, u32 mode)
{
	struct node_args a = {.mode = mode};
	struct dentry *d = dentry_alloc(parent->sb, parent, name, strlen(name));
	int err = parent->inode->ops->create(parent->inode, d, &a);

	if (!err)
		err = dentry_publish(d);
	if (!err)
		return d;
	dentry_put(d);
	return err_ptr(err);
}

static struct dentry *
find(struct dentry *parent, const char *name)
{
	return dentry_find(parent, name, strlen(name));
}

static int
move(struct dentry *old, struct dentry *to, const char *name, struct dentry *target, bool exchange)
{
	char was[NAME_MAX + 1];
	struct dentry_move m = {
		.old = old,
		.old_parent = old->parent,
		.old_name = was,
		.old_len = dentry_copy_name(old, was, NAME_MAX),
		.new_parent = to,
		.name = name,
		.len = strlen(name),
		.target = target,
		.exchange = exchange,
	};
	bool dirs = old->parent != to;
	int err;

	if (dirs)
		mutex_lock(&dir_move_mutex);
	err = dentry_move(&m);
	if (dirs)
		mutex_unlock(&dir_move_mutex);
	return err;
}

TEST(dcache_publish_and_claim)
{
	struct super *sb = fresh_super();
	struct dentry *a, *b;

	a = make(sb->root, "a", S_IFREG | 0600);
	ASSERT_TRUE(!is_err(a));
	EXPECT_EQ(ptr_err(make(sb->root, "a", S_IFREG | 0600)), -EEXIST);
	b = find(sb->root, "a");
	EXPECT(a == b);
	dentry_put(b);
	EXPECT(!find(sb->root, "b"));
	EXPECT(!dir_empty(sb->root));
	EXPECT_EQ(dentry_claim(a, false), 0);
	EXPECT_EQ(dentry_claim(a, false), -ENOENT);
	EXPECT(dentry_deleted(a));
	EXPECT(!find(sb->root, "a"));
	EXPECT(dir_empty(sb->root));
	dentry_put(a);
	super_put(sb);
}

TEST(dcache_dead_directory)
{
	struct super *sb = fresh_super();
	struct dentry *d = make(sb->root, "d", S_IFDIR | 0700);
	struct dentry *x = make(d, "x", S_IFREG | 0600);

	EXPECT_EQ(dentry_claim(d, true), -ENOTEMPTY);
	EXPECT_EQ(dentry_claim(x, false), 0);
	EXPECT_EQ(dentry_claim(d, true), 0);
	EXPECT_EQ(ptr_err(make(d, "y", S_IFREG | 0600)), -ENOENT);
	dentry_put(x);
	dentry_put(d);
	super_put(sb);
}

TEST(dcache_moves)
{
	struct super *sb = fresh_super();
	const char *longer = "a name that does not fit into the dentry itself, by far";
	struct dentry *d = make(sb->root, "d", S_IFDIR | 0700);
	struct dentry *e = make(sb->root, "e", S_IFDIR | 0700);
	struct dentry *a = make(d, "a", S_IFREG | 0600);
	struct dentry *b = make(e, "b", S_IFREG | 0600);
	struct dentry *x;

	EXPECT_EQ(move(a, e, longer, NULL, false), 0);
	EXPECT(!find(d, "a"));
	x = find(e, longer);
	EXPECT(x == a);
	dentry_put(x);
	EXPECT(a->parent == e);
	EXPECT_EQ(move(a, e, "b", NULL, false), -EAGAIN);
	EXPECT_EQ(move(a, e, "b", b, true), 0);
	x = find(e, "b");
	EXPECT(x == a);
	dentry_put(x);
	x = find(e, longer);
	EXPECT(x == b);
	dentry_put(x);
	EXPECT_EQ(move(a, e, longer, b, false), 0);
	EXPECT(dentry_deleted(b));
	EXPECT(!find(e, "b"));
	EXPECT_EQ(move(d, e, "d", NULL, false), 0);
	EXPECT(dentry_is_below(d, e));
	EXPECT_EQ(move(a, sb->root, "e", e, false), -ENOTEMPTY);
	dentry_put(a);
	dentry_put(b);
	dentry_put(d);
	dentry_put(e);
	super_put(sb);
}

TEST(dcache_order_of_children)
{
	struct super *sb = fresh_super();
	struct dentry *c;
	u64 before = U64_MAX;
	u32 n = 0;

	for (u32 i = 0; i < 100; i++) {
		char name[8];

		snprintf(name, sizeof(name), "%u", i);
		dentry_put(make(sb->root, name, S_IFREG | 0600));
	}
	while ((c = dir_next_child(sb->root, before)) != NULL) {
		EXPECT_LT(c->cookie, before);
		before = c->cookie;
		dentry_put(c);
		n++;
	}
	EXPECT_EQ(n, 100u);
	super_put(sb);
}

/* --- several CPUs in one directory --- */

#define ROUNDS 300
#define THREADS_MAX 16

struct crowd {
	struct super *sb;
	struct dentry *shared;
	/* a  creations of the one contested name that succeeded, and removals */
	u32 made;
	u32 removed;
	/* a  a name of one's own was not where it should be */
	u32 wrong;
	u32 next;
};

static void
crowd_own_name(struct crowd *c, u32 me, u32 round)
{
	char name[32];
	struct dentry *d, *f;

	snprintf(name, sizeof(name), "own-%u-%u", me, round);
	d = make(c->sb->root, name, S_IFREG | 0600);
	f = is_err(d) ? NULL : find(c->sb->root, name);
	if (!f || f != d) {
		atomic_inc(&c->wrong);
		return;
	}
	dentry_put(f);
	if (move(d, c->shared, name, NULL, false) || find(c->sb->root, name))
		atomic_inc(&c->wrong);
	if (dentry_claim(d, false))
		atomic_inc(&c->wrong);
	dentry_put(d);
}

static void
crowd_contested_name(struct crowd *c)
{
	struct dentry *d = make(c->sb->root, "contested", S_IFREG | 0600);

	if (!is_err(d)) {
		atomic_inc(&c->made);
	} else {
		d = find(c->sb->root, "contested");
		if (!d)
			return;
	}
	if (!dentry_claim(d, false))
		atomic_inc(&c->removed);
	dentry_put(d);
}

/* Directories that come and go under somebody who makes names in them. */
static void
crowd_dying_directory(struct crowd *c)
{
	struct dentry *d = make(c->sb->root, "dying", S_IFDIR | 0700);
	struct dentry *x;

	if (is_err(d))
		d = find(c->sb->root, "dying");
	if (!d)
		return;
	x = make(d, "x", S_IFREG | 0600);
	if (!is_err(x)) {
		if (dentry_claim(x, false) == -ENOTEMPTY)
			atomic_inc(&c->wrong);
		dentry_put(x);
	}
	if (dentry_claim(d, true) == -EBUSY)
		atomic_inc(&c->wrong);
	dentry_put(d);
}

static void
crowd_thread(void *arg)
{
	struct crowd *c = arg;
	u32 me = atomic_fetch_add(&c->next, 1);

	for (u32 i = 0; i < ROUNDS; i++) {
		crowd_own_name(c, me, i);
		crowd_contested_name(c);
		crowd_dying_directory(c);
	}
}

TEST(dcache_crowd)
{
	struct crowd c = {.sb = fresh_super()};
	struct test_thread *t[THREADS_MAX];
	u32 n = min(2 * test_cpus(), (unsigned int)THREADS_MAX);
	struct dentry *d;

	c.shared = make(c.sb->root, "shared", S_IFDIR | 0700);
	for (u32 i = 0; i < n; i++)
		t[i] = test_spawn(i, crowd_thread, &c);
	for (u32 i = 0; i < n; i++)
		test_join(t[i]);
	EXPECT_EQ(c.wrong, 0u);
	EXPECT_EQ(c.made, c.removed);
	EXPECT(dir_empty(c.shared));
	d = find(c.sb->root, "dying");
	if (d)
		EXPECT_EQ(dentry_claim(d, true), 0);
	dentry_put(d);
	EXPECT_EQ(dentry_claim(c.shared, true), 0);
	EXPECT(dir_empty(c.sb->root));
	dentry_put(c.shared);
	super_put(c.sb);
}

/* A name that is replaced again and again is there at every moment. */
struct replacer {
	struct super *sb;
	bool stop;
	u32 missed;
	u32 looked;
};

static void
look_thread(void *arg)
{
	struct replacer *r = arg;

	while (!READ_ONCE(r->stop)) {
		struct dentry *d = find(r->sb->root, "name");

		if (!d)
			atomic_inc(&r->missed);
		dentry_put(d);
		atomic_inc(&r->looked);
	}
}

TEST(dcache_replace_is_atomic)
{
	struct replacer r = {.sb = fresh_super()};
	struct dentry *name = make(r.sb->root, "name", S_IFREG | 0600);
	struct test_thread *t = test_spawn(1, look_thread, &r);

	while (!READ_ONCE(r.looked) && test_cpus() > 1)
		;
	for (u32 i = 0; i < 2000; i++) {
		struct dentry *d = make(r.sb->root, "other", S_IFREG | 0600);

		EXPECT_EQ(move(d, r.sb->root, "name", name, false), 0);
		dentry_put(name);
		name = d;
	}
	WRITE_ONCE(r.stop, true);
	test_join(t);
	EXPECT_EQ(r.missed, 0u);
	dentry_put(name);
	super_put(r.sb);
}

/* --- reading entries while others change --- */

#define STABLE 24
#define READINGS 300

struct reading {
	struct dir_context ctx;
	struct super *sb;
	/* a  1: the names are there */
	u32 ready;
	bool stop;
	/* names of this reading that nobody touches; readings that had another number of them */
	u32 seen;
	u32 wrong;
};

/* Makes and removes names between the ones that stay, in the same shard. */
static void
change_thread(void *arg)
{
	struct reading *r = arg;
	char name[8];

	for (u32 i = 0; i < STABLE; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		dentry_put(make(r->sb->root, name, S_IFREG | 0600));
	}
	WRITE_ONCE(r->ready, 1);
	for (u32 i = 0; !READ_ONCE(r->stop); i++) {
		struct dentry *d[6];

		for (u32 k = 0; k < 6; k++) {
			snprintf(name, sizeof(name), "c%u", k);
			d[k] = make(r->sb->root, name, S_IFREG | 0600);
		}
		for (u32 k = 0; k < 6; k++) {
			EXPECT_EQ(dentry_claim(d[k], false), 0);
			dentry_put(d[k]);
		}
		if (i % 64 == 0)
			test_yield();
	}
}

static bool
count_stable(struct dir_context *ctx, const char *name, size_t len, u64 ino, u8 type)
{
	struct reading *r = container_of(ctx, struct reading, ctx);

	r->seen += name[0] == 's';
	return true;
}

static void
read_thread(void *arg)
{
	struct reading *r = arg;
	struct file f = {.path = {.dentry = r->sb->root}};

	while (!READ_ONCE(r->ready))
		test_yield();
	for (u32 i = 0; i < READINGS; i++) {
		r->ctx.pos = 0;
		r->seen = 0;
		EXPECT(dcache_emit(&f, &r->ctx));
		r->wrong += r->seen != STABLE;
	}
	WRITE_ONCE(r->stop, true);
}

static u32
read_while_changing(void)
{
	struct reading r = {.ctx = {.emit = count_stable}, .sb = fresh_super()};
	struct test_thread *t[2];

	dir_read_linger = 8;
	t[0] = test_spawn(0, change_thread, &r);
	t[1] = test_spawn(1, read_thread, &r);
	test_join(t[0]);
	test_join(t[1]);
	dir_read_linger = 0;
	super_put(r.sb);
	return r.wrong;
}

TEST(dcache_read_while_changing)
{
	EXPECT_EQ(read_while_changing(), 0u);
}

TEST(dcache_read_finds_trust)
{
	u32 wrong = 0;

	if (!CONFIG_DEBUG || test_cpus() < 2)
		TEST_SKIP("needs a debug kernel and two CPUs");
	dir_read_trusting = true;
	for (int i = 0; i < 20 && !wrong; i++)
		wrong = read_while_changing();
	dir_read_trusting = false;
	EXPECT_GT(wrong, 0u);
}
