/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User address spaces: life and facts. pt.c tells what one is made of.
 *
 * Ownership: `users` counts the tasks that run in a space and those who look
 * into its tables for a moment; the last one tears all mappings down. `refs`
 * keeps the struct for others and counts all users as one.
 *
 * Teardown: nobody else can reach the tables any more (everybody who walks them
 * has a user reference) and no CPU has them loaded, so one walk without locks
 * and without flushes puts pages, regions and tables.
 *
 * Figures: pages shown are counted in the tables, mappings in the arenas, and
 * handed on to the space in lots, so that faults and mappings on different CPUs
 * write no common line. space_stat() adds everything up.
 */
#include "mm/space_impl.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/pagecache.h"
#include "mm/pkey_impl.h"
#include "mm/port.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

#define KERNEL_SLOT (PTE_COUNT / 2)

static LOCK_CLASS(brk_class, RANK_BRK);
static LOCK_CLASS(shm_class, RANK_SHM_ATTACH);
static LOCK_CLASS(exe_class, RANK_LEAF);
static LOCK_CLASS(aio_class, RANK_LEAF);
static struct slab_cache *space_cache __read_mostly;
struct page *zero_page __read_mostly;

void
space_init(void)
{
	space_cache = slab_cache_create("mm_struct", sizeof(struct space), 64, SLAB_ZERO);
	pt_init();
	joint_init();
	view_init();
	region_init();
	arena_init();
	tlb_init();
	zero_page = page_alloc(0, GFP_KERNEL | GFP_ZERO);
	if (!space_cache || !zero_page)
		mm_port_panic("space: no memory");
}

/* The tables' root: the kernel's half is the same in every space, for ever. */
static int
root_create(struct space *s)
{
	s->root = pt_alloc(s, PT_ROOT, 0, GFP_KERNEL);
	if (!s->root)
		return -ENOMEM;
	s->root_pa = virt_to_phys(s->root->table);
	memcpy(s->root->table + KERNEL_SLOT, kernel_pml4 + KERNEL_SLOT,
	       (PTE_COUNT - KERNEL_SLOT) * sizeof(u64));
	return 0;
}

/* A space with nothing in it, in the parent's family or in one of its own. */
static struct space *
space_new(const struct space *parent)
{
	struct space *s = slab_alloc(space_cache, GFP_KERNEL);
	struct family *f;

	if (!s)
		return NULL;
	s->users = s->refs = 1;
	s->sweeps = 1;
	pkey_space_init(s);
	s->id = tlb_new_id();
	tally_init(&s->movers, 1);
	waitq_init(&s->fork_wait);
	mutex_init(&s->brk_lock, &brk_class);
	spin_init(&s->aio.lock, &aio_class);
	list_init(&s->aio.contexts);
	mutex_init(&s->shm.lock, &shm_class);
	list_init(&s->shm.attachments);
	spin_init(&s->exe_lock, &exe_class);
	f = parent ? parent->family : family_create();
	if (!f)
		goto out_free;
	if (parent)
		family_get(f);
	if (root_create(s))
		goto out_family;
	if (arena_setup(s, parent))
		goto out_root;
	s->family = f;
	return s;
out_root:
	pt_free_now(s->root);
out_family:
	family_put(f);
out_free:
	slab_free(space_cache, s);
	return NULL;
}

struct space *
space_create(void)
{
	struct space *s = space_new(NULL);

	if (s)
		family_join(s->family, s);
	return s;
}

struct space *
space_create_for_fork(struct space *parent)
{
	return space_new(parent);
}

void
space_get_user(struct space *s)
{
	atomic_inc(&s->users);
}

bool
space_single_user(const struct space *s)
{
	return atomic_read(&s->users) == 1;
}

bool
space_try_get_user(struct space *s)
{
	return atomic_inc_not_zero(&s->users);
}

void
space_get(struct space *s)
{
	atomic_inc(&s->refs);
}

static void
space_free(struct rcu_head *h)
{
	struct space *s = container_of(h, struct space, rcu);

	vfree(s->spare_runs);
	slab_free(space_cache, s);
}

void
space_put(struct space *s)
{
	if (atomic_dec_and_test(&s->refs))
		rcu_call(&s->rcu, space_free);
}

/* --- teardown --- */

static s64
runs_teardown(struct pt *t)
{
	s64 committed = 0;
	unsigned int i;

	for (i = 0; i < t->nr_runs; i++) {
		const struct run *r = &t->runs[i];

		if (r->meta & META_ACCOUNT)
			committed += (s64)run_pages(r);
		meta_hold(r->meta, -1);
	}
	return committed;
}

/* Everything of t and below; committed pages found. */
static s64
teardown(struct pt *t)
{
	s64 committed;
	unsigned int i, w;
	u64 bits, e;

	if (unlikely(t->fine != NULL))
		fine_end(t);
	committed = runs_teardown(t);
	for (w = 0; w < ARRAY_SIZE(t->present); w++) {
		for (bits = t->present[w]; bits; bits &= bits - 1) {
			i = w * 64 + (unsigned int)__builtin_ctzl(bits);
			e = t->table[i];
			if (e & PTE_OWNED)
				entry_put(t, i, e);
			else if (t->level > 0)
				committed += teardown(pt_child(e));
		}
	}
	if (t->file | t->shmem)
		mm_stat_sub(MM_MAPPED, (s64)t->file + t->shmem);
	pt_free_now(t);
	return committed;
}

void
space_put_user(struct space *s)
{
	struct file *exe;

	if (!atomic_dec_and_test(&s->users))
		return;
	family_leave(s);
	tlb_forget_space(s);
	views_free(s);
	commit_add(-teardown(s->root));
	if (unlikely(!list_empty(&s->shm.attachments)))
		mm_port_shm_end(s);
	if (unlikely(!list_empty(&s->aio.contexts)))
		mm_port_aio_end(s);
	mm_stat_sub(MM_MLOCKED, arena_locked(s));
	s->root = NULL;
	arena_free(s);
	family_put(s->family);
	spin_lock(&s->exe_lock);
	exe = s->exe;
	s->exe = NULL;
	spin_unlock(&s->exe_lock);
	if (exe)
		mm_port_exe_put(exe);
	space_put(s);
}

/* --- facts --- */

struct space_shm *
space_shm(struct space *s)
{
	return &s->shm;
}

struct space_aio *
space_aio(struct space *s)
{
	return &s->aio;
}

struct space_layout *
space_layout(struct space *s)
{
	return &s->layout;
}

void
space_set_brk(struct space *s, unsigned long start)
{
	s->layout.start_brk = s->layout.brk = start;
}

void
space_set_exe(struct space *s, struct file *f)
{
	struct file *old;

	if (f)
		mm_port_exe_get(f);
	spin_lock(&s->exe_lock);
	old = s->exe;
	s->exe = f;
	spin_unlock(&s->exe_lock);
	if (old)
		mm_port_exe_put(old);
}

void
space_copy_exe(struct space *s, struct space *from)
{
	struct file *f;

	spin_lock(&from->exe_lock);
	f = from->exe;
	if (f)
		mm_port_exe_get(f);
	spin_unlock(&from->exe_lock);
	spin_lock(&s->exe_lock);
	s->exe = f;
	spin_unlock(&s->exe_lock);
}

struct file *
space_get_exe(struct space *s)
{
	struct file *f;

	spin_lock(&s->exe_lock);
	f = s->exe;
	if (f)
		mm_port_file_get(f);
	spin_unlock(&s->exe_lock);
	return f;
}

/* Pages shown by t and below. Caller in an RCU section, with a user reference. */
static void
count_shown(const struct pt *t, struct space_stat *st)
{
	unsigned int i;
	u64 e;

	st->resident += READ_ONCE(t->fine) ? fine_owned(t) : READ_ONCE(t->anon);
	st->shared_file += READ_ONCE(t->file);
	st->shared_anon += READ_ONCE(t->shmem);
	if (t->level == 0)
		return;
	for_each_present(i, t, 0, PTE_COUNT) {
		e = READ_ONCE(t->table[i]);
		if (entry_is_table(e))
			count_shown(pt_child(e), st);
	}
}

static void
count_mapped(struct space *s, struct space_stat *st)
{
	unsigned long va = 0;
	struct run r;

	for (; space_next_run(s, va, USER_END, &r, false); va = r.end) {
		u64 n = run_pages(&r);

		if (r.meta & META_GROWSDOWN)
			st->stack += n;
		else if (meta_prot(r.meta) & PROT_EXEC)
			st->exec += n;
		else if (meta_prot(r.meta) & PROT_WRITE && !(r.meta & META_SHARED))
			st->data += n;
	}
}

u64
space_peak_resident(struct space *s)
{
	return (u64)max((s64)READ_ONCE(s->peak_rss), atomic_read(&s->rss));
}

void
space_stat(struct space *s, struct space_stat *st)
{
	const struct space_layout *l = &s->layout;

	*st = (struct space_stat){.peak_total = READ_ONCE(s->peak_total),
				  .peak_resident = space_peak_resident(s)};
	if (!space_try_get_user(s))
		return;
	rcu_read_lock();
	count_shown(s->root, st);
	rcu_read_unlock();
	count_mapped(s, st);
	st->resident += st->shared_file + st->shared_anon;
	st->total = (u64)max(arena_total(s), 0L);
	st->text = (align_up(l->end_code, PAGE_SIZE) - align_down(l->start_code, PAGE_SIZE)) >>
		   PAGE_SHIFT;
	st->locked = (u64)arena_locked(s);
	st->tables = (u64)max(atomic_read(&s->tables), 0L) + views_pages(s);
	/* What was counted in lots may be behind what is there now. */
	st->peak_resident = max(st->peak_resident, st->resident);
	st->peak_total = max(st->peak_total, st->total);
	if (st->resident > READ_ONCE(s->peak_rss))
		WRITE_ONCE(s->peak_rss, st->resident);
	space_put_user(s);
}
