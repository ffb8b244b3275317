/* SPDX-License-Identifier: BSD-2-Clause */
/* KASAN finds planted bugs of each kind, and nothing where there is none. */
#include "mm/kasan.h"

#include "lib/string.h"
#include "lib/test.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "percpu/pin.h"

/* Hides where a pointer comes from, or the compiler would refuse these programs. */
static __always_inline void *
hide(void *p)
{
	__asm__("" : "+r"(p));
	return p;
}

static void __noinline
touch(volatile u8 *p, bool write)
{
	if (write)
		*p = 1;
	else
		(void)*p;
}

/* One access to p; what was said about it. */
static u8
why_of(volatile u8 *p, bool write)
{
	struct kasan_report r;
	u32 n;

	pin();
	kasan_catch_begin();
	touch(p, write);
	n = kasan_catch_end(&r);
	unpin();
	if (n == 0)
		return 0;
	EXPECT_EQ(n, 1);
	EXPECT_EQ(r.addr, (unsigned long)p);
	EXPECT_EQ(r.size, 1);
	EXPECT_EQ(r.write, write);
	return r.why;
}

TEST(kasan_slab_overflow)
{
	u8 *p = hide(kmalloc(13, GFP_KERNEL));

	ASSERT_TRUE(p != NULL);
	EXPECT_EQ(why_of(p, true), 0);
	EXPECT_EQ(why_of(p + 12, true), 0);
	EXPECT_EQ(why_of(p + 13, false), KASAN_SLAB_REDZONE);
	EXPECT_EQ(why_of(p + 16, false), KASAN_SLAB_REDZONE);
	EXPECT_EQ(why_of(p - 1, false), KASAN_SLAB_REDZONE);
	kfree(p);
}

TEST(kasan_slab_use_after_free)
{
	u8 *p = hide(kmalloc(64, GFP_KERNEL)), *q;

	ASSERT_TRUE(p != NULL);
	kfree(p);
	/* Another object does not take its place at once. */
	q = kmalloc(64, GFP_KERNEL);
	EXPECT(q != p);
	EXPECT_EQ(why_of(p + 5, false), KASAN_SLAB_FREE);
	kfree(q);
}

TEST(kasan_memset_overflow)
{
	struct kasan_report r;
	u8 *p = hide(kmalloc(24, GFP_KERNEL));
	size_t n = (size_t)hide((void *)25);

	ASSERT_TRUE(p != NULL);
	pin();
	kasan_catch_begin();
	/* Reading: a write would spoil the red zone, which is checked at the free. */
	(void)!memcmp(p, p, n - 1);
	EXPECT_EQ(kasan_catch_end(&r), 0);
	kasan_catch_begin();
	(void)!memchr_inv(p, p[0], n);
	(void)!memcmp(p, hide(p), n);
	EXPECT_GT(kasan_catch_end(&r), 0);
	unpin();
	EXPECT_EQ(r.why, KASAN_SLAB_REDZONE);
	kfree(p);
}

TEST(kasan_page_use_after_free)
{
	struct page *page = page_alloc(0, GFP_KERNEL);
	u8 *p;

	ASSERT_TRUE(page != NULL);
	p = hide(page_to_virt(page));
	EXPECT_EQ(why_of(p + 100, true), 0);
	/* Nobody else gets it from this CPU meanwhile. */
	pin();
	page_put(page);
	EXPECT_EQ(why_of(p + 100, false), KASAN_PAGE_FREE);
	unpin();
}

TEST(kasan_stack_overflow)
{
	volatile u8 array[11];
	volatile u8 *p = hide((void *)array);

	array[0] = 1;
	EXPECT_EQ(why_of(p + 10, true), 0);
	EXPECT_EQ(why_of(p + 11, false), KASAN_STACK_RIGHT);
	EXPECT_EQ(why_of(p - 1, false), KASAN_STACK_LEFT);
}

static u8 global_array[21];

TEST(kasan_global_overflow)
{
	u8 *p = hide(global_array);

	EXPECT_EQ(why_of(p + 20, true), 0);
	EXPECT_EQ(why_of(p + 21, false), KASAN_GLOBAL);
	EXPECT_EQ(why_of(p + 24, false), KASAN_GLOBAL);
}

TEST(kasan_vmalloc_is_usable)
{
	u8 *p = hide(vmalloc(3 * PAGE_SIZE, GFP_KERNEL));

	ASSERT_TRUE(p != NULL);
	EXPECT_EQ(why_of(p, true), 0);
	EXPECT_EQ(why_of(p + 3 * PAGE_SIZE - 1, true), 0);
	vfree(p);
}
