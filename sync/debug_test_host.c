/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock rules of debug kernels, broken on purpose: each must be reported
 * once. On the host only, as the reports go to the log.
 */
#include "lib/test.h"
#include "percpu/mailbox.h"
#include "sync/mutex.h"
#include "sync/rcu.h"
#include "sync/runtime_host.h"
#include "sync/spinlock.h"
#include "sync/test_port.h"

static LOCK_CLASS(outer_class, RANK_WAITQ);
static LOCK_CLASS(inner_class, RANK_RUNQ);
static LOCK_CLASS(irq_class, RANK_DEVICE);
static LOCK_CLASS(fine_class, RANK_DEVICE);
static LOCK_CLASS(sleep_outer_class, RANK_INODE);
static LOCK_CLASS(sleep_inner_class, RANK_EPOLL);

static struct spinlock outer = SPINLOCK_INIT(outer_class);
static struct spinlock inner = SPINLOCK_INIT(inner_class);

TEST(debug_rank_order)
{
	u32 before = host_reports;

	if (!CONFIG_DEBUG)
		TEST_SKIP("not a debug kernel");
	spin_lock(&outer);
	spin_lock(&inner);
	EXPECT_EQ(locks_held(), 2);
	spin_unlock(&outer);
	spin_unlock(&inner);
	EXPECT_EQ(host_reports, before);
	for (int i = 0; i < 2; i++) {
		spin_lock(&inner);
		spin_lock(&outer);
		spin_unlock(&outer);
		spin_unlock(&inner);
	}
	/* Once a pair. */
	EXPECT_EQ(host_reports, before + 1);
	EXPECT_EQ(locks_held(), 0);
}

TEST(debug_same_rank_nested)
{
	static struct spinlock second = SPINLOCK_INIT(outer_class);
	u32 before = host_reports;

	if (!CONFIG_DEBUG)
		TEST_SKIP("not a debug kernel");
	spin_lock(&outer);
	spin_lock_nested(&second);
	spin_unlock(&second);
	EXPECT_EQ(host_reports, before);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&outer);
	EXPECT_EQ(host_reports, before + 1);
}

static void
lock_and_unlock(void *arg)
{
	spin_lock(arg);
	spin_unlock(arg);
}

static void
take_in_interrupt(struct mail *m)
{
	static struct spinlock l = SPINLOCK_INIT(irq_class);

	spin_lock(&l);
	spin_unlock(&l);
}

TEST(debug_irq_safety)
{
	static struct spinlock l = SPINLOCK_INIT(irq_class);
	static struct spinlock fine = SPINLOCK_INIT(fine_class);
	static struct mail m = {.fn = take_in_interrupt};
	u32 before = host_reports;

	if (!CONFIG_DEBUG)
		TEST_SKIP("not a debug kernel");
	/* With interrupts off only. */
	lock_and_unlock(&fine);
	pin();
	mailbox_post(0, &m);
	unpin();
	irq_enable();
	EXPECT_EQ(host_reports, before);
	/* The class was taken in an interrupt; here it could be interrupted. */
	spin_lock(&l);
	spin_unlock(&l);
	EXPECT_EQ(host_reports, before + 1);
	spin_lock(&l);
	spin_unlock(&l);
	EXPECT_EQ(host_reports, before + 1);
}

TEST(debug_sleeping_locks)
{
	static struct mutex a = MUTEX_INIT(a, sleep_outer_class);
	static struct mutex b = MUTEX_INIT(b, sleep_inner_class);
	u32 before = host_reports;

	if (!CONFIG_DEBUG)
		TEST_SKIP("not a debug kernel");
	mutex_lock(&a);
	mutex_lock(&b);
	EXPECT(lock_debug_held(&a));
	EXPECT_EQ(locks_held(), 2);
	mutex_unlock(&a);
	mutex_unlock(&b);
	EXPECT_EQ(host_reports, before);
	mutex_lock(&b);
	mutex_lock(&a);
	mutex_unlock(&a);
	mutex_unlock(&b);
	EXPECT_EQ(host_reports, before + 1);
	/* Sleeping where one may not. */
	spin_lock(&outer);
	mutex_lock(&a);
	mutex_unlock(&a);
	spin_unlock(&outer);
	EXPECT_EQ(host_reports, before + 2);
	assert_no_locks_held("test");
	EXPECT_EQ(host_reports, before + 2);
	mutex_lock(&a);
	assert_no_locks_held("test");
	EXPECT_EQ(host_reports, before + 3);
	mutex_unlock(&a);
}

static void
sit_in_section(void *arg)
{
	u64 end = ktime_get() + 300000000;

	rcu_read_lock();
	smp_store_release((u32 *)arg, 1);
	while (ktime_get() < end)
		cpu_relax();
	rcu_read_unlock();
}

TEST(rcu_stall_is_reported)
{
	u64 normal = rcu_stall_ns;
	u32 before = host_reports, inside = 0;
	struct test_thread *t;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	rcu_stall_ns = 50000000;
	t = test_spawn(1, sit_in_section, &inside);
	while (!smp_load_acquire(&inside))
		test_yield();
	rcu_synchronize();
	rcu_stall_ns = normal;
	test_join(t);
	EXPECT_GT(host_reports, before);
}
