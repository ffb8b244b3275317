/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joint references: pages that fork shares, counted by leaf tables.
 *
 * Model: an anonymous page counts the entries that show it. What two processes
 * inherited from one parent would so be counted up and down in one place by all
 * their children. Instead a leaf that is copied a second time hands its references
 * of pages that it has not written to since into its *joint*, and the joint counts,
 * by slot, the leaves that have that one reference. PTE_JOINT says which entries are
 * of that kind. The leaf's own children, and nobody else, write to the joint.
 *
 *      page->refs        leaves with an entry without PTE_JOINT, joints with a count
 *      joint->count[k]   leaves with an entry with PTE_JOINT in slot k
 *
 * All entries with PTE_JOINT in slot k of the leaves of one joint show the same page.
 * A page is a leaf's alone if both counts are 1. A slot whose count is not 0 may
 * hold another page in the owner, which wrote to its own: that one is counted in
 * the page.
 *
 * A leaf that is a copy and is copied itself gets a joint of its own first: its
 * references become references of pages. If it is the last one that has its
 * parent's joint, it takes that over. So joints do not nest, and a joint goes with
 * the last leaf that has it.
 *
 * The first fork after a write counts in the page, for what one writes between two
 * forks (stack, variables) the child mostly writes too, and a page that one has
 * alone is on no other process' lines.
 *
 * Ownership: the leaf that made it adds to counts, with its lock held; all that
 * have it take away. The memory is freed with the last leaf; by then all counts are 0.
 *
 * Ordering: a count falls after its leaf's last access through that entry (the
 * entry is cleared and flushed, or the space is gone). Atomic operations are full
 * barriers, so who sees 1 writes later than all others have read.
 *
 * Rejected: one count for all pages of a leaf: a child writes to some page at once,
 * and would have to count all others. Drained references (percpu/ref.c) in pages:
 * their true number is known too late for copy-on-write.
 */
#include "mm/slab.h"
#include "mm/space_impl.h"

static struct slab_cache *joint_cache __read_mostly;

void
joint_init(void)
{
	joint_cache = slab_cache_create("joint", sizeof(struct joint), 64, SLAB_ZERO);
}

void
joint_leave(struct pt *t)
{
	struct joint *j = t->joint;

	t->joint = NULL;
	/* Only we compare it with ourselves. */
	if (READ_ONCE(j->owner) == t)
		WRITE_ONCE(j->owner, NULL);
	if (atomic_dec_and_test(&j->users))
		slab_free(joint_cache, j);
}

u64
joint_make_own(struct pt *t, unsigned int k, u64 e)
{
	struct page *p = phys_to_page(e & PTE_ADDR);

	if (likely(!(e & PTE_JOINT)))
		return e;
	if (atomic_read(&t->joint->count[k]) == 1) {
		/* The joint's reference becomes ours. */
		WRITE_ONCE(t->joint->count[k], 0);
	} else {
		page_get(p);
		if (atomic_dec_and_test(&t->joint->count[k]))
			page_put(p);
	}
	return e & ~PTE_JOINT;
}

/* t's entries have their own references from here on. */
static void
make_all_own(struct pt *t)
{
	unsigned int k;

	for_each_present(k, t, 0, PTE_COUNT) {
		if (!(t->table[k] & PTE_JOINT))
			continue;
		joint_make_own(t, k, t->table[k]);
		/* A CPU may set the accessed and dirty bits meanwhile. */
		atomic_and(&t->table[k], ~PTE_JOINT);
	}
	joint_leave(t);
}

struct joint *
joint_begin(struct pt *t, struct pt *c)
{
	struct joint *j = t->joint;

	if (j && READ_ONCE(j->owner) != t) {
		if (atomic_read(&j->users) == 1)
			WRITE_ONCE(j->owner, t);
		else
			make_all_own(t);
		j = t->joint;
	}
	if (!j) {
		j = slab_alloc(joint_cache, GFP_ATOMIC | GFP_NOWARN);
		if (!j)
			return NULL;
		j->users = 1;
		j->owner = t;
		t->joint = j;
	}
	atomic_inc(&j->users);
	c->joint = j;
	return j;
}
