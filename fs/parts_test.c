/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts of inodes: threads on all CPUs write overlapping ranges, truncate, change
 * times, make and remove links; what must hold is looked at all the while. For each
 * of the four a variant that leaves out one thing must be found out.
 */
#include "fs/parts_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "fs/attr.h"
#include "fs/generic.h"
#include "fs/memfd.h"
#include "fs/namei.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "percpu/pin.h"
#include "sync/rcu.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

/* More than a debug kernel's table holds, so that parts are taken away. */
#define FILES 12
#define WORK 20000

struct parts_torture {
	struct torture t;
	struct file *files[FILES];
	/* a  what must not be was seen; writes that could go beside others */
	u64 wrong;
	u64 beside;
	/* a  threads that are inside and look */
	u64 inside;
	/* the sound variant */
	bool sound;
	/* a  of each file: the latest time that stat showed */
	s64 seen[FILES];
	/* a  links that exist, that may be removed */
	s64 real[FILES];
	u32 pool[FILES];
	/* a  times that count fell to 0 */
	u64 ends;
};

static struct parts_torture parts_torture;

static struct parts_torture *
torture_of(struct torture_thread *th)
{
	return container_of(th->torture, struct parts_torture, t);
}

static void
wrong(struct torture_thread *th)
{
	atomic_inc(&torture_of(th)->wrong);
	torture_stop(th);
}

/* False: no memory. */
static bool
files_make(struct parts_torture *s, unsigned int n, u64 size)
{
	for (unsigned int k = 0; k < FILES; k++)
		s->files[k] = NULL;
	for (unsigned int k = 0; k < n; k++) {
		s->files[k] = memfd_file("parts", size, 0);
		if (is_err(s->files[k])) {
			s->files[k] = NULL;
			return false;
		}
		s->seen[k] = 0;
	}
	s->wrong = s->beside = s->inside = s->ends = 0;
	return true;
}

static void
files_drop(struct parts_torture *s)
{
	for (unsigned int k = 0; k < FILES; k++)
		if (s->files[k])
			file_put(s->files[k]);
}

static void
parts_run(struct parts_torture *s, void (*fn)(struct torture_thread *th))
{
	torture_run(&s->t, &(struct torture_plan){
				   .fn = fn,
				   .threads = test_cpus(),
				   .share = 16,
				   .work = s->sound ? WORK : TORTURE_UNTIL_FOUND,
			   });
}

/* Runs it until it is found out, with files of its own. */
static void
parts_find(struct parts_torture *s, void (*fn)(struct torture_thread *th), unsigned int n, u64 size)
{
	s->sound = false;
	s->wrong = 0;
	for (int k = 0; k < TORTURE_TRIES && !s->wrong; k++) {
		ASSERT_TRUE(files_make(s, n, size));
		parts_run(s, fn);
		files_drop(s);
	}
	EXPECT_GT(s->wrong, 0);
}

/* --- writes that overlap --- */

/* Each write covers the ends of two pages: of the first two of three, or of the last two. */
#define EDGE 512

/* Is a page, as far as writes reach, of one write? Which one. */
static bool
page_stamp(struct file *f, u64 index, u8 *stamp)
{
	struct page *p = pagecache_find(f->inode->pages, index);
	u8 *at = p ? page_to_virt(p) : NULL;
	bool whole;

	if (!p)
		return false;
	*stamp = at[EDGE];
	whole = !memchr_inv(at + EDGE, *stamp, PAGE_SIZE - 2 * EDGE);
	page_put(p);
	return whole;
}

/* Writers are out: the page in the middle is of the last write to one side or the other. */
static bool
pages_agree(struct file *f)
{
	u8 stamp[3];

	for (unsigned int k = 0; k < 3; k++)
		if (!page_stamp(f, k, &stamp[k]))
			return false;
	return stamp[1] == stamp[0] || stamp[1] == stamp[2];
}

/* The unsound variant writes each page by itself. */
static void
overlap_write(struct torture_thread *th, const u8 *buf, u64 pos)
{
	struct parts_torture *s = torture_of(th);
	struct file *f = s->files[0];
	size_t n = 2 * PAGE_SIZE - 2 * EDGE, first = s->sound ? n : PAGE_SIZE - EDGE;

	if (READ_ONCE(f->inode->parts) & PARTS_WRITE)
		atomic_inc(&s->beside);
	if (file_write_kernel(f, buf, first, &pos) != (s64)first)
		wrong(th);
	if (first < n && file_write_kernel(f, buf, n - first, &pos) != (s64)(n - first))
		wrong(th);
}

static void
overlap_thread(struct torture_thread *th)
{
	struct parts_torture *s = torture_of(th);
	struct inode *i = s->files[0]->inode;
	u8 *buf = kzalloc(2 * PAGE_SIZE, GFP_KERNEL);

	while (buf && !torture_over(th)) {
		u64 r = test_rand(&th->seed);

		torture_turn(th);
		if (r & 15) {
			memset(buf, (u8)(r >> 8), 2 * PAGE_SIZE);
			overlap_write(th, buf, EDGE + (r >> 16 & 1) * PAGE_SIZE);
			continue;
		}
		inode_lock(i);
		if (!pages_agree(s->files[0]))
			wrong(th);
		inode_unlock_open(i, true);
	}
	kfree(buf);
}

TEST(parts_writes_are_whole)
{
	struct parts_torture *s = &parts_torture;
	u8 *zero = kzalloc(3 * PAGE_SIZE, GFP_KERNEL);
	u64 pos = 0;

	s->sound = true;
	ASSERT_TRUE(zero && files_make(s, 1, 3 * PAGE_SIZE));
	EXPECT_EQ(file_write_kernel(s->files[0], zero, 3 * PAGE_SIZE, &pos), 3 * PAGE_SIZE);
	parts_run(s, overlap_thread);
	EXPECT_EQ(s->wrong, 0);
	EXPECT(s->beside > 0 || test_cpus() == 1);
	EXPECT(pages_agree(s->files[0]));
	files_drop(s);
	kfree(zero);
}

TEST(parts_writes_finds_halves)
{
	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	parts_find(&parts_torture, overlap_thread, 1, 3 * PAGE_SIZE);
}

/* --- writes and changes of the size --- */

#define SIZE (4 * PAGE_SIZE)

/* Nothing may be behind the end. The lock is held. */
static void
check_end(struct torture_thread *th, struct inode *i)
{
	rcu_read_lock();
	for (u64 k = div_round_up(i->size, PAGE_SIZE); k < SIZE / PAGE_SIZE; k++)
		if (pagecache_peek(i->pages, k))
			wrong(th);
	rcu_read_unlock();
}

/*
 * The unsound variant takes the mutex alone. If writers may be inside it gives one
 * the time to come; there must be none under the lock.
 */
static void
cut(struct torture_thread *th, struct inode *i)
{
	struct parts_torture *s = torture_of(th);

	if (s->sound)
		inode_lock(i);
	else
		mutex_lock(&i->mutex);
	for (int k = 0; k < 100 && (READ_ONCE(i->parts) & PARTS_WRITE); k++) {
		if (atomic_read(&s->inside))
			break;
		torture_window();
	}
	if (atomic_read(&s->inside))
		wrong(th);
	check_end(th, i);
	generic_set_size(i, 0);
	torture_window();
	check_end(th, i);
	generic_set_size(i, SIZE);
	inode_unlock_open(i, true);
}

/* As a write beside others: while it is inside the end stays where it is. */
static void
stay_inside(struct torture_thread *th, struct inode *i)
{
	struct parts_torture *s = torture_of(th);
	struct part *p = inode_enter(i);
	u64 size;

	if (!p)
		return;
	atomic_inc(&s->inside);
	atomic_inc(&s->beside);
	size = READ_ONCE(i->size);
	torture_window();
	if (READ_ONCE(i->size) != size)
		wrong(th);
	atomic_dec(&s->inside);
	inode_leave(i, p);
}

static void
cut_thread(struct torture_thread *th)
{
	struct file *f = torture_of(th)->files[0];
	struct inode *i = f->inode;

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed), pos = (r >> 8) % (SIZE - 8);

		torture_turn(th);
		if ((r & 15) == 0)
			cut(th, i);
		else if ((r & 31) == 1)
			inode_fold(i);
		else if (r & 16)
			stay_inside(th, i);
		else if (file_write_kernel(f, &r, 8, &pos) != 8)
			wrong(th);
	}
}

TEST(parts_truncate_keeps_writers_out)
{
	struct parts_torture *s = &parts_torture;

	s->sound = true;
	ASSERT_TRUE(files_make(s, 1, SIZE));
	parts_run(s, cut_thread);
	EXPECT_EQ(s->wrong, 0);
	EXPECT(s->beside > 0 || test_cpus() == 1);
	files_drop(s);
}

TEST(parts_truncate_finds_mutex_alone)
{
	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	parts_find(&parts_torture, cut_thread, 1, SIZE);
}

/* --- times --- */

#define FUTURE (S64_MAX / 2)

static void
give_time(struct inode *i)
{
	struct iattr a = {
		.valid = ATTR_MTIME | ATTR_MTIME_SET,
		.mtime = FUTURE,
		.ctime = inode_now(),
	};

	setattr_apply(i, &a);
}

/* The unsound variant shows what the inode has by itself. */
static void
show(struct parts_torture *s, struct inode *i, struct kstat *st)
{
	if (s->sound)
		inode_fold(i);
	kstat_fill(i, st);
}

static void
times_thread(struct torture_thread *th)
{
	struct parts_torture *s = torture_of(th);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);
		unsigned int k = (r >> 8) % FILES;
		struct inode *i = s->files[k]->inode;
		s64 seen = atomic_read(&s->seen[k]), begin = inode_now();
		struct kstat st;

		torture_turn(th);
		if ((r & 63) == 0)
			give_time(i);
		inode_touch_mtime(i);
		inode_touch_access(i, true);
		if (r & 3)
			continue;
		show(s, i, &st);
		if (st.mtime < begin || st.ctime < begin || st.atime < begin || st.mtime < seen)
			wrong(th);
		while (st.mtime != FUTURE && st.mtime > seen &&
		       !atomic_try_cmpxchg(&s->seen[k], &seen, st.mtime))
			;
	}
}

TEST(parts_times_are_not_older)
{
	struct parts_torture *s = &parts_torture;

	s->sound = true;
	ASSERT_TRUE(files_make(s, FILES, 0));
	parts_run(s, times_thread);
	EXPECT_EQ(s->wrong, 0);
	for (unsigned int k = 0; k < FILES; k++) {
		struct inode *i = s->files[k]->inode;

		inode_fold(i);
		EXPECT_EQ(i->parts, 0);
	}
	files_drop(s);
}

/* This CPU keeps a part of i from now on, as if others changed it too. False: no room. */
static bool
take_part(struct inode *i)
{
	struct part *p = NULL;

	/* Now and then one is taken from another inode. */
	for (int k = 0; k < 100 && !p; k++) {
		pin();
		p = part_get(i);
		if (p)
			part_unlock(p, i);
		unpin();
	}
	return p != NULL;
}

/* What a part has of before is older than a time that is given, what comes is not. */
TEST(parts_given_times_stand)
{
	static const s64 given[] = {1, FUTURE, -5};
	struct parts_torture *s = &parts_torture;
	struct kstat st;
	struct inode *i;

	ASSERT_TRUE(files_make(s, 1, 0));
	i = s->files[0]->inode;
	for (unsigned int k = 0; k < ARRAY_SIZE(given); k++) {
		struct iattr a = {
			.valid = ATTR_ATIME | ATTR_ATIME_SET | ATTR_MTIME | ATTR_MTIME_SET,
			.atime = given[k],
			.mtime = given[k],
			.ctime = inode_now(),
		};
		s64 begin = inode_now();

		EXPECT(take_part(i));
		inode_touch_all(i);
		setattr_apply(i, &a);
		inode_fold(i);
		kstat_fill(i, &st);
		EXPECT_EQ(st.atime, given[k]);
		EXPECT_EQ(st.mtime, given[k]);
		EXPECT(st.ctime >= begin && st.ctime <= inode_now());
		EXPECT(take_part(i));
		inode_touch_all(i);
		inode_fold(i);
		kstat_fill(i, &st);
		EXPECT(st.atime >= begin && st.atime <= inode_now());
		EXPECT(st.mtime >= begin && st.mtime <= inode_now());
	}
	files_drop(s);
}

TEST(parts_times_finds_no_fold)
{
	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	parts_find(&parts_torture, times_thread, FILES, 0);
}

/* --- links --- */

static void
links_begin(struct parts_torture *s, unsigned int k)
{
	struct inode *i = s->files[k]->inode;

	WRITE_ONCE(s->real[k], 1);
	spin_lock(&i->lock);
	WRITE_ONCE(i->nlink, 1);
	spin_unlock(&i->lock);
	atomic_inc(&s->pool[k]);
}

/* The unsound variant counts in the inode, without a look at parts. */
static bool
drop_one(struct parts_torture *s, struct inode *i)
{
	bool last;

	if (s->sound)
		return inode_drop_links(i, 1);
	spin_lock(&i->lock);
	WRITE_ONCE(i->nlink, i->nlink - 1);
	last = i->nlink == 0;
	spin_unlock(&i->lock);
	return last;
}

static bool
take_from_pool(u32 *pool)
{
	u32 n = READ_ONCE(*pool);

	while (n)
		if (atomic_try_cmpxchg(pool, &n, n - 1))
			return true;
	return false;
}

static void
links_thread(struct torture_thread *th)
{
	struct parts_torture *s = torture_of(th);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);
		unsigned int k = (r >> 8) % FILES;
		struct inode *i = s->files[k]->inode;
		bool first;

		torture_turn(th);
		if (r & 1) {
			inode_touch_ctime(i);
			if (inode_add_link(i, &first))
				continue;
			if (first)
				wrong(th);
			atomic_inc(&s->real[k]);
			atomic_inc(&s->pool[k]);
		} else if (take_from_pool(&s->pool[k])) {
			atomic_dec(&s->real[k]);
			if (!drop_one(s, i))
				continue;
			/* The last: there are no others, and nobody makes one. */
			torture_window();
			if (READ_ONCE(i->nlink) || atomic_read(&s->real[k])) {
				wrong(th);
				return;
			}
			atomic_inc(&s->ends);
			links_begin(s, k);
		}
	}
}

static void
links_run(struct parts_torture *s)
{
	for (unsigned int k = 0; k < FILES; k++) {
		s->pool[k] = 0;
		links_begin(s, k);
	}
	parts_run(s, links_thread);
}

TEST(parts_links_are_exact)
{
	struct parts_torture *s = &parts_torture;

	s->sound = true;
	ASSERT_TRUE(files_make(s, FILES, 0));
	links_run(s);
	EXPECT_EQ(s->wrong, 0);
	EXPECT_GT(s->ends, 0);
	for (unsigned int k = 0; k < FILES; k++) {
		struct inode *i = s->files[k]->inode;

		inode_fold(i);
		EXPECT_EQ(i->nlink, s->pool[k]);
		for (u32 n = s->pool[k]; n > 0; n--)
			EXPECT_EQ(inode_drop_links(i, 1), n == 1);
		EXPECT_EQ(i->nlink, 0);
	}
	files_drop(s);
}

TEST(parts_links_finds_no_fold)
{
	struct parts_torture *s = &parts_torture;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	s->sound = false;
	s->wrong = 0;
	for (int t = 0; t < TORTURE_TRIES && !s->wrong; t++) {
		ASSERT_TRUE(files_make(s, FILES, 0));
		links_run(s);
		for (unsigned int k = 0; k < FILES; k++) {
			/* As memfd made it. */
			inode_fold(s->files[k]->inode);
			s->files[k]->inode->nlink = 0;
		}
		files_drop(s);
	}
	EXPECT_GT(s->wrong, 0);
}

/* --- the end of inodes --- */

/* Inodes end, with parts, while other inodes take those. */
static void
ends_thread(struct torture_thread *th)
{
	while (!torture_over(th)) {
		struct file *f = memfd_file("end", 0, 0);

		torture_turn(th);
		if (is_err(f))
			continue;
		(void)take_part(f->inode);
		inode_touch_all(f->inode);
		file_put(f);
	}
}

TEST(parts_end_with_their_inodes)
{
	struct parts_torture *s = &parts_torture;
	unsigned int before;

	inode_settle_all();
	before = parts_used();
	s->sound = true;
	parts_run(s, ends_thread);
	inode_settle_all();
	EXPECT_EQ(parts_used(), before);
}
