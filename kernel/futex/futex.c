/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys, buckets and the queueing of waiters; futex_impl.h tells the model. */
#include "kernel/futex/futex.h"

#include "kernel/futex/futex_impl.h"
#include "kernel/log.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "mm/uaccess.h"
#include "percpu/cpumask.h"

#define BUCKETS_PER_CPU (CONFIG_DEBUG ? 4 : 256)

static LOCK_CLASS(futex_bucket_class, RANK_FUTEX);
static LOCK_CLASS(pi_state_class, RANK_FUTEX2 + 1);
static struct futex_bucket *buckets __read_mostly;
static u32 nr_buckets __read_mostly;

void __init
futex_init(void)
{
	nr_buckets = nr_cpus * BUCKETS_PER_CPU;
	buckets = kvmalloc(nr_buckets * sizeof(*buckets), GFP_KERNEL);
	if (!buckets)
		panic("no memory for %u futex buckets", nr_buckets);
	for (u32 i = 0; i < nr_buckets; i++) {
		spin_init(&buckets[i].lock, &futex_bucket_class);
		buckets[i].waiters = 0;
		list_init(&buckets[i].chain);
		list_init(&buckets[i].pi);
	}
}

void
futex_task_init(struct task *t)
{
	list_init(&t->pi_states);
	spin_init(&t->pi_state_lock, &pi_state_class);
}

/* --- keys --- */

/* The page of a shared word; NULL: it is anonymous memory of this space alone. */
static int
shared_page(u32 __user *uaddr, unsigned int flags, struct page **out)
{
	unsigned long addr = (unsigned long __force)uaddr;
	struct page *p = space_get_page(current->space, addr, true);
	bool readonly = is_err_or_null(p);

	/* Waiting and waking need no right to write. */
	if (readonly && !(flags & FUTEX_KEY_WRITE))
		p = space_get_page(current->space, addr, false);
	if (is_err_or_null(p))
		return -EFAULT;
	*out = p;
	if (page_is_cache(p))
		return 0;
	*out = NULL;
	page_put(p);
	return readonly ? -EFAULT : 0;
}

int
futex_key_get(u32 __user *uaddr, unsigned int flags, struct futex_key *key)
{
	unsigned long addr = (unsigned long __force)uaddr;
	int err;

	key->page = NULL;
	if (addr & 3)
		return -EINVAL;
	if (!user_range_ok(uaddr, sizeof(u32)))
		return -EFAULT;
	if (flags & FUTEX_SHARED) {
		err = shared_page(uaddr, flags, &key->page);
		if (err)
			return err;
	}
	if (key->page) {
		key->object = (u64)key->page;
		key->place = (addr & (PAGE_SIZE - 1)) | FUTEX_KEY_SHARED;
	} else {
		key->object = (u64)current->space;
		key->place = flags & FUTEX_SHARED ? addr | FUTEX_KEY_ANON : addr;
	}
	return 0;
}

void
futex_key_put(struct futex_key *key)
{
	if (key->page)
		page_put(key->page);
	key->page = NULL;
}

int
futex_fault_in(u32 __user *uaddr)
{
	struct page *p = space_get_page(current->space, (unsigned long __force)uaddr, true);

	if (is_err_or_null(p))
		return -EFAULT;
	page_put(p);
	return 0;
}

/* --- buckets --- */

struct futex_bucket *
futex_bucket_of(const struct futex_key *key)
{
	u64 h = hash_2u64(key->object, key->place);

	/* A range of any size without a division. */
	return &buckets[(u32)(((h >> 32) * nr_buckets) >> 32)];
}

/* --- waiters --- */

void
futex_waiter_init(struct futex_waiter *w, u32 bitset)
{
	w->task = current;
	w->bitset = bitset;
	w->bucket = NULL;
	w->pi_target = NULL;
	w->pi = NULL;
	w->pi_granted = false;
}

void
futex_enqueue(struct futex_bucket *b, struct futex_waiter *w)
{
	list_add_tail(&w->link, &b->chain);
	WRITE_ONCE(w->bucket, b);
}

bool
futex_dequeue(struct futex_waiter *w)
{
	struct futex_bucket *b;

	/* Whoever wakes or moves us changes the pointer under the lock that it names. */
	while ((b = READ_ONCE(w->bucket)) != NULL) {
		spin_lock(&b->lock);
		if (b == w->bucket) {
			list_del(&w->link);
			atomic_dec(&b->waiters);
			WRITE_ONCE(w->bucket, NULL);
			spin_unlock(&b->lock);
			return true;
		}
		spin_unlock(&b->lock);
	}
	/* The waker's last look at us was its store: pairs with futex_wake_waiter(). */
	smp_rmb();
	return false;
}

void
futex_wake_waiter(struct futex_waiter *w)
{
	struct futex_bucket *b = w->bucket;
	struct task *t = w->task;

	list_del(&w->link);
	atomic_dec(&b->waiters);
	/* From here on w may be gone; t lives until we unpin. */
	smp_store_release(&w->bucket, NULL);
	unpark(t);
}
