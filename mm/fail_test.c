/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations that fail by place (mm/fail_sites.c). */
#include "mm/fail.h"

#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

static void *__noinline
alloc_there(void)
{
	/* Another size: of two functions that are the same the compiler makes one. */
	void *p = kmalloc(200, GFP_KERNEL);

	__asm__ volatile("" : "+r"(p));
	return p;
}

static bool
lies_in(unsigned long pc, const char *fn)
{
	char name[64];

	snprintf(name, sizeof(name), "%pS", (void *)(pc - 1));
	return strncmp(name, fn, strlen(fn)) == 0 && strchr("+.", name[strlen(fn)]);
}

/* The place in fn, which calls the allocator most directly; -1: it is not noted. */
static s64
site_in(const char *fn, struct fail_site *s)
{
	struct fail_site here;
	u32 best = FAIL_SITE_DEPTH;
	s64 found = -1;

	for (u32 i = 0; i < fail_sites_max(); i++) {
		if (!fail_site_get(i, &here))
			continue;
		for (u32 k = 0; k < best; k++) {
			if (lies_in(here.pcs[k], fn)) {
				best = k;
				found = i;
				*s = here;
			}
		}
	}
	return found;
}

static void *__noinline
alloc_here(void)
{
	void *p = kmalloc(100, GFP_KERNEL);

	__asm__ volatile("" : "+r"(p));
	return p;
}

TEST(fail_once)
{
	struct fail_site s;
	void *p[4];
	s64 n = -1;

	if (!CONFIG_FAIL_ALLOC)
		TEST_SKIP("allocations do not fail in this kernel");
	fail_sites_set(FAIL_SITES_COUNT);
	for (int i = 0; i < 4; i++) {
		if (i == 1) {
			n = site_in("alloc_here", &s);
			EXPECT_GE(n, 0);
			if (n >= 0)
				EXPECT_EQ(fail_site_arm((u32)n), 0);
		}
		/* Another place is not meant. */
		p[i] = alloc_there();
		EXPECT(p[i] != NULL);
		kfree(p[i]);
		p[i] = alloc_here();
	}
	EXPECT_EQ(fail_site_arm(fail_sites_max()), -EINVAL);
	fail_sites_set(FAIL_SITES_OFF);
	EXPECT(p[0] != NULL);
	EXPECT(p[1] == NULL);
	EXPECT(p[2] != NULL);
	EXPECT(p[3] != NULL);
	if (n >= 0 && fail_site_get((u32)n, &s)) {
		EXPECT_EQ(s.hits, 4);
		EXPECT_EQ(s.failed, 1);
	}
	for (int i = 0; i < 4; i++)
		kfree(p[i]);
}

static void *__noinline
a_page(void)
{
	struct page *p = page_alloc(0, GFP_KERNEL);

	if (p)
		page_put(p);
	return p;
}

static void *__noinline
an_area(void)
{
	void *p = vmalloc(3 * PAGE_SIZE, GFP_KERNEL);

	vfree(p);
	return p;
}

static void *__noinline
a_percpu(void)
{
	void __percpu *p = percpu_alloc(16, 8);

	percpu_free(p);
	return (void __force *)p;
}

TEST(fail_each_kind)
{
	static const struct {
		const char *name;
		void *(*fn)(void);
	} kinds[] = {{"a_page", a_page}, {"an_area", an_area}, {"a_percpu", a_percpu}};
	struct fail_site s;

	if (!CONFIG_FAIL_ALLOC)
		TEST_SKIP("allocations do not fail in this kernel");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		/* What is made once is there then. */
		EXPECT(kinds[i].fn() != NULL);
		fail_sites_set(FAIL_SITES_COUNT);
		for (int turn = 0; turn < 3; turn++) {
			void *p = kinds[i].fn();
			s64 n = site_in(kinds[i].name, &s);

			EXPECT_EQ(p != NULL, turn != 1);
			EXPECT_GE(n, 0);
			if (turn == 0 && n >= 0)
				EXPECT_EQ(fail_site_arm((u32)n), 0);
		}
		fail_sites_set(FAIL_SITES_OFF);
	}
}
