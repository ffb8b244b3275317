/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages of a file: a radix tree of 64-way nodes, read under RCU.
 *
 * Model: the tree's height grows with the largest index; a node of height h
 * covers 64^h pages. Slots hold nodes or, at the bottom, pages with one
 * reference of the cache. A page is complete (read, or zero) before it enters
 * the tree. Readers walk without locks and take a reference only if the count
 * is not zero, then look whether the slot still holds the page. A short copy takes
 * none: if no removal began before its end, the page was there all the time.
 *
 * Removal: the page leaves the tree, then all tables that show it (rmap.c),
 * then its reference goes.
 *
 * Locking: pc->lock (RANK_PAGE) for changes of the tree; nodes go after a grace
 * period. PAGE_LOCKED of a page is a sleeping lock for users of the cache, by
 * rising index.
 *
 * Ordering:
 *      insert                          lookup
 *      page's fields, node's slots     root, slot are read (dependent)
 *      slot = it (release)             its fields are read
 *
 *      pagecache_unlock                pagecache_lock
 *      PAGE_LOCKED is taken out        waiter is queued, full barrier
 *      full barrier, queue is read     PAGE_LOCKED is tried
 */
#include "mm/pagecache.h"

#include "arch/x86_64/asm/insn.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/space_impl.h"
#include "percpu/ref.h"

#define NODE_BITS 6
#define NODE_SLOTS 64u
#define TRIES 16
/* Looks at the lock of a page before one sleeps. */
#define SPIN_TURNS 100

struct node {
	/* r  nodes, or pages where height is 1 */
	void __rcu *slot[NODE_SLOTS];
	/* I */
	u32 height;
	/* l */
	u32 used;
	struct rcu_head rcu;
};

static LOCK_CLASS(pagecache_class, RANK_PAGE);
static __maybe_unused LOCK_CLASS(page_lock_class, RANK_INODE_NESTED + 1);

void
pagecache_init(struct pagecache *pc, const struct pagecache_ops *ops, u64 *size,
	       struct inode *inode)
{
	pc->root = NULL;
	spin_init(&pc->lock, &pagecache_class);
	pc->removals.seq = 0;
	pc->nr_pages = 0;
	pc->reserved = false;
	pc->ops = ops;
	pc->mappers = NULL;
	tally_init(&pc->writable_maps, 1);
	waitq_init(&pc->wait);
	pc->size = size;
	pc->inode = inode;
}

/* --- looking --- */

/* The last index that a tree of n's height holds. */
static u64
node_last(const struct node *n)
{
	return n->height * NODE_BITS >= 64 ? U64_MAX : (1UL << (n->height * NODE_BITS)) - 1;
}

static unsigned int
node_slot(const struct node *n, u64 index)
{
	return (unsigned int)(index >> ((n->height - 1) * NODE_BITS)) & (NODE_SLOTS - 1);
}

/* The lowest node for index, or NULL. Caller in an RCU section or with the lock. */
static struct node *
find_node(struct pagecache *pc, u64 index)
{
	struct node *n = rcu_load(pc->root);

	if (!n || index > node_last(n))
		return NULL;
	while (n && n->height > 1)
		n = rcu_load(n->slot[node_slot(n, index)]);
	return n;
}

struct page *
pagecache_peek(struct pagecache *pc, u64 index)
{
	struct node *n = find_node(pc, index);

	return n ? rcu_load(n->slot[index % NODE_SLOTS]) : NULL;
}

bool
pagecache_peek_many(struct pagecache *pc, u64 first, unsigned int n, struct page **pages)
{
	struct node *node = find_node(pc, first);
	unsigned int i, at = first % NODE_SLOTS;

	if (!node)
		return false;
	for (i = 0; i < n; i++)
		pages[i] = at + i < NODE_SLOTS ? rcu_load(node->slot[at + i]) : NULL;
	return true;
}

struct page *
pagecache_find(struct pagecache *pc, u64 index)
{
	struct page *p;

	rcu_read_lock();
	while ((p = pagecache_peek(pc, index)) != NULL) {
		/* Free: it is about to leave the slot. */
		if (!page_try_get(p))
			continue;
		if (likely(pagecache_peek(pc, index) == p))
			break;
		page_put(p);
	}
	rcu_read_unlock();
	return p;
}

/* What is read may be anybody's by now: the compiler's checks have nothing to say. */
static void
copy_unchecked(void *to, const void *from, size_t n)
{
	unsigned long words = n / 8, rest = n % 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
}

bool
pagecache_copy(struct pagecache *pc, void *to, u64 pos, size_t n)
{
	bool good = false;
	struct page *p;
	u32 seq;

	rcu_read_lock();
	seq = smp_load_acquire(&pc->removals.seq);
	p = seq & 1 ? NULL : pagecache_peek(pc, pos >> PAGE_SHIFT);
	if (p) {
		copy_unchecked(to, (char *)page_to_virt(p) + (pos & (PAGE_SIZE - 1)), n);
		good = !seq_read_retry(&pc->removals, seq);
	}
	rcu_read_unlock();
	return good;
}

/* --- adding --- */

static struct node *
node_alloc(u32 height)
{
	struct node *n = kzalloc(sizeof(*n), GFP_ATOMIC | GFP_NOWARN);

	if (n)
		n->height = height;
	return n;
}

/* Makes the tree high enough for index. -ENOMEM. Lock held. */
static int
grow(struct pagecache *pc, u64 index)
{
	struct node *n = rcu_locked(pc->root), *up;

	while (!n || index > node_last(n)) {
		up = node_alloc(n ? n->height + 1 : 1);
		if (!up)
			return -ENOMEM;
		if (n) {
			rcu_init_field(up->slot[0], n);
			up->used = 1;
		}
		rcu_publish(pc->root, up);
		n = up;
	}
	return 0;
}

/* Puts p at index. 0, -EEXIST, -ENOMEM. Lock held. */
static int
insert(struct pagecache *pc, u64 index, struct page *p)
{
	struct node *n, *down;
	void **slot;

	if (grow(pc, index))
		return -ENOMEM;
	n = rcu_locked(pc->root);
	while (n->height > 1) {
		slot = (void **)&n->slot[node_slot(n, index)];
		if (!*slot) {
			down = node_alloc(n->height - 1);
			if (!down)
				return -ENOMEM;
			rcu_publish(*slot, down);
			n->used++;
		}
		n = *slot;
	}
	slot = (void **)&n->slot[index % NODE_SLOTS];
	if (*slot)
		return -EEXIST;
	rcu_publish(*slot, p);
	n->used++;
	pc->nr_pages++;
	return 0;
}

/* p gets a second reference, the cache's. */
static int
page_add(struct pagecache *pc, u64 index, struct page *p)
{
	int err, tries;

	page_set_type(p, p->flags & PAGE_SWAPBACKED ? PAGE_SHMEM : PAGE_CACHE);
	p->cache = pc;
	p->index = index;
	page_get(p);
	for (tries = 0; tries < TRIES; tries++) {
		spin_lock(&pc->lock);
		err = insert(pc, index, p);
		spin_unlock(&pc->lock);
		if (err != -ENOMEM || range_wait_memory(NULL))
			break;
	}
	if (err)
		page_put(p);
	return err;
}

/* A page with its contents, not yet in the tree; err_ptr. */
static struct page *
page_make(struct pagecache *pc, u64 index)
{
	bool read = pc->ops && pc->ops->read_page;
	struct page *p = page_alloc(0, GFP_USER | (read ? (gfp_t)0 : GFP_ZERO));
	int err = 0;

	if (!p)
		return err_ptr(-ENOMEM);
	p->cache = pc;
	p->index = index;
	if (read)
		err = pc->ops->read_page(pc, p);
	else
		p->flags = PAGE_SWAPBACKED;
	if (err) {
		page_put(p);
		return err_ptr(err);
	}
	return p;
}

/* The page, or a new one with these flags beside its own. */
static struct page *
find_or_make(struct pagecache *pc, u64 index, u32 flags)
{
	bool charge = pc->ops && pc->ops->charge;
	struct page *p;
	int err;

	for (;;) {
		p = pagecache_find(pc, index);
		if (p)
			return p;
		err = charge ? pc->ops->charge(pc, 1) : 0;
		if (err)
			return err_ptr(err);
		p = page_make(pc, index);
		if (!is_err(p))
			p->flags |= flags;
		err = is_err(p) ? (int)ptr_err(p) : page_add(pc, index, p);
		if (!err)
			return p;
		if (!is_err(p))
			page_put(p);
		if (charge)
			(void)!pc->ops->charge(pc, -1);
		/* Another task was faster. */
		if (err != -EEXIST)
			return err_ptr(err);
	}
}

struct page *
pagecache_get(struct pagecache *pc, u64 index)
{
	struct page *p = find_or_make(pc, index, PAGE_UPTODATE);

	if (!is_err(p))
		pagecache_used(pc, p);
	return p;
}

int
pagecache_reserve(struct pagecache *pc, u64 index)
{
	struct page *p;

	WRITE_ONCE(pc->reserved, true);
	p = find_or_make(pc, index, 0);
	if (is_err(p))
		return (int)ptr_err(p);
	page_put(p);
	return 0;
}

int
pagecache_insert(struct pagecache *pc, u64 index, struct page *p)
{
	bool charge = pc->ops && pc->ops->charge;
	int err = charge ? pc->ops->charge(pc, 1) : 0;

	if (err)
		return err;
	p->flags = PAGE_UPTODATE | (pc->ops && pc->ops->read_page ? 0 : PAGE_SWAPBACKED);
	err = page_add(pc, index, p);
	if (!err) {
		page_put(p);
		return 0;
	}
	if (charge)
		(void)!pc->ops->charge(pc, -1);
	return err;
}

/* --- locks --- */

static bool
page_try_lock(struct page *p)
{
	return !(READ_ONCE(p->flags) & PAGE_LOCKED) &&
	       !(atomic_fetch_or(&p->flags, PAGE_LOCKED) & PAGE_LOCKED);
}

void
pagecache_lock(struct page *p, bool nested)
{
	if (CONFIG_DEBUG)
		lock_debug_before(p, &page_lock_class, nested,
				  (unsigned long)__builtin_return_address(0));
	for (int i = 0; i < SPIN_TURNS && (READ_ONCE(p->flags) & PAGE_LOCKED); i++)
		cpu_relax();
	wait_event(&p->cache->wait, page_try_lock(p));
	if (CONFIG_DEBUG)
		lock_debug_acquired(p, &page_lock_class, false,
				    (unsigned long)__builtin_return_address(0));
}

void
pagecache_unlock(struct page *p)
{
	if (CONFIG_DEBUG)
		lock_debug_released(p);
	atomic_and(&p->flags, ~PAGE_LOCKED);
	waitq_wake_all(&p->cache->wait);
}

/* --- removing --- */

static void
node_free(struct rcu_head *h)
{
	kfree(container_of(h, struct node, rcu));
}

/* Pages that leave the tree, chained by ->private[0]: ->link is part of the cache's fields. */
struct gone {
	u64 from, to;
	struct page *first;
	s64 n;
};

/* Takes those of the range out of n, which starts at `base`. True: n is empty now. Lock held. */
static bool
remove_range(struct pagecache *pc, struct node *n, u64 base, struct gone *gone)
{
	unsigned int shift = (n->height - 1) * NODE_BITS, i;
	u64 from = gone->from > base ? min((gone->from - base) >> shift, (u64)NODE_SLOTS) : 0;
	u64 to = min((gone->to - base) >> shift, (u64)NODE_SLOTS - 1);

	for (i = (unsigned int)from; i <= to; i++) {
		void *v = rcu_locked(n->slot[i]);
		struct page *p = v;

		if (!v)
			continue;
		if (n->height > 1) {
			struct node *c = v;

			if (!remove_range(pc, c, base + ((u64)i << shift), gone))
				continue;
			rcu_publish(n->slot[i], NULL);
			rcu_call(&c->rcu, node_free);
		} else {
			rcu_publish(n->slot[i], NULL);
			p->private[0] = (u64)gone->first;
			gone->first = p;
			gone->n++;
		}
		n->used--;
	}
	return n->used == 0;
}

/* Takes the pages out of the tree. */
static struct gone
remove_from_tree(struct pagecache *pc, u64 first, u64 last)
{
	struct gone gone = {.from = first, .to = last};
	struct node *root;

	spin_lock(&pc->lock);
	root = rcu_locked(pc->root);
	seq_write_begin(&pc->removals);
	if (root && first <= node_last(root) && first <= last && remove_range(pc, root, 0, &gone)) {
		rcu_publish(pc->root, NULL);
		rcu_call(&root->rcu, node_free);
	}
	seq_write_end(&pc->removals);
	pc->nr_pages -= (u64)gone.n;
	spin_unlock(&pc->lock);
	return gone;
}

static void
put_gone(struct pagecache *pc, struct gone gone)
{
	struct page *p;

	while ((p = gone.first) != NULL) {
		gone.first = (struct page *)p->private[0];
		page_put(p);
	}
	if (gone.n && pc->ops && pc->ops->charge)
		(void)!pc->ops->charge(pc, -gone.n);
}

void
pagecache_remove(struct pagecache *pc, u64 first, u64 last)
{
	struct gone gone = remove_from_tree(pc, first, last);

	if (!gone.n)
		return;
	pagecache_unmap(pc, first, last);
	put_gone(pc, gone);
}

void
pagecache_truncate(struct pagecache *pc, u64 first)
{
	struct gone gone = remove_from_tree(pc, first, U64_MAX >> PAGE_SHIFT);

	pagecache_unmap_copies(pc, first, U64_MAX >> PAGE_SHIFT);
	put_gone(pc, gone);
}

void
pagecache_fini(struct pagecache *pc)
{
	bool none = tally_put(&pc->writable_maps);

	DEBUG_ASSERT(none);
	pagecache_remove(pc, 0, U64_MAX);
	mappers_free(pc);
}

bool
pagecache_mapped_writable(struct pagecache *pc)
{
	if (!pagecache_has_writers(pc))
		return false;
	ref_drain();
	return pagecache_has_writers(pc);
}

void
pagecache_put_writer(struct pagecache *pc)
{
	bool last = tally_put(&pc->writable_maps);

	DEBUG_ASSERT(!last);
}

/* --- data and holes --- */

/* The first index >= from in n, which starts at `base`, that has a page; U64_MAX: none. RCU. */
static u64
next_page(const struct node *n, u64 base, u64 from)
{
	unsigned int shift = (n->height - 1) * NODE_BITS;
	unsigned int i = from > base ? (unsigned int)((from - base) >> shift) : 0;
	u64 found;

	for (; i < NODE_SLOTS; i++) {
		void *v = rcu_load(n->slot[i]);

		if (!v)
			continue;
		if (n->height == 1)
			return base + i;
		found = next_page(v, base + ((u64)i << shift), from);
		if (found != U64_MAX)
			return found;
	}
	return U64_MAX;
}

s64
pagecache_next_data(struct pagecache *pc, u64 from)
{
	u64 end = div_round_up(READ_ONCE(*pc->size), PAGE_SIZE), found = U64_MAX;
	struct node *root;

	rcu_read_lock();
	root = rcu_load(pc->root);
	if (root && from <= node_last(root))
		found = next_page(root, 0, from);
	rcu_read_unlock();
	return found < end ? (s64)found : -ENXIO;
}

s64
pagecache_next_hole(struct pagecache *pc, u64 from)
{
	struct node *n;
	u64 i = from;

	/* A node at a time, so that nobody waits for a large file. */
	for (;;) {
		rcu_read_lock();
		n = find_node(pc, i);
		while (n && rcu_load(n->slot[i % NODE_SLOTS]) && ++i % NODE_SLOTS)
			;
		rcu_read_unlock();
		if (!n || i % NODE_SLOTS || i == from)
			return (s64)i;
		from = i;
	}
}
