/* SPDX-License-Identifier: BSD-2-Clause */
/* What a debug kernel finds: each mistake ends in a panic that names it. */
#include <string.h>

#include "config/config.h"
#include "lib/test.h"
#include "mm/mm_host.h"
#include "mm/slab_impl.h"

#define SIZE 40

static struct slab_cache *cache;
static struct slab_cache *other;

static void
free_twice(void *p)
{
	slab_free(cache, p);
	slab_free(cache, p);
}

static void
free_wrong_cache(void *p)
{
	slab_free(other, p);
}

static void
free_middle(void *p)
{
	slab_free(cache, (char *)p + 8);
}

static void
write_behind(void *p)
{
	((char *)p)[SIZE] = 1;
	slab_free(cache, p);
}

/* Writes to p after it was freed; then takes objects until p comes again. */
static void
write_after_free(void *p)
{
	slab_free(cache, p);
	((char *)p)[SIZE / 2] = 1;
	for (int i = 0; i < 1000; i++)
		slab_alloc(cache, GFP_KERNEL);
}

static void
write_before(void *p)
{
	/* The word before is the guard of the neighbour below. */
	((u64 *)p)[-1] = 0;
	for (int i = 0; i < 1000; i++)
		slab_alloc(cache, GFP_KERNEL);
}

static void
write_behind_kmalloc(void *arg)
{
	char *p = kmalloc(20, GFP_KERNEL);

	/* Inside the size class, but not asked for. */
	p[20] = 1;
	kfree(p);
}

static void
check_found(void (*fn)(void *), const char *what)
{
	const char *text;

	cache = slab_cache_create("mistakes", SIZE, 0, 0);
	/* Not the first object of a slab. */
	for (int i = 0; i < 3; i++)
		slab_alloc(cache, GFP_KERNEL);
	text = host_catch_panic(fn, slab_alloc(cache, GFP_KERNEL));
	if (text == NULL || strstr(text, what) == NULL) {
		test_note_failure();
		test_printf("# wanted: %s; got: %s\n", what, text == NULL ? "nothing" : text);
	}
}

TEST(slab_mistakes_are_found)
{
	if (!CONFIG_DEBUG)
		TEST_SKIP("not a debug build");
	other = slab_cache_create("other", SIZE, 0, 0);
	check_found(free_twice, "freed twice");
	check_found(free_wrong_cache, "belongs to mistakes");
	check_found(free_middle, "inside an object");
	check_found(write_behind, "written behind its end");
	check_found(write_after_free, "written after it was freed");
	check_found(write_before, "written before the next object");
	check_found(write_behind_kmalloc, "written behind its end");
}

static int
count_lines(void *ctx, const void *data, size_t n)
{
	if (memmem(data, n, "leaky", 5) != NULL)
		++*(int *)ctx;
	return 0;
}

TEST(slab_leaks_are_reported)
{
	struct slab_cache *c = slab_cache_create("leaky", SIZE, 0, 0);
	int lines = 0;
	const struct sink out = {.emit = count_lines, .ctx = &lines};

	if (!CONFIG_DEBUG)
		TEST_SKIP("not a debug build");
	for (int i = 0; i < 5; i++)
		slab_alloc(c, GFP_KERNEL);
	EXPECT_EQ(slab_report_users(c, &out), 0);
	EXPECT_EQ(lines, 1);
	EXPECT_EQ(slab_debug_leaks(c, 2), 5);
}

static void
write_free_page(void *arg)
{
	struct page *p = page_alloc(0, GFP_KERNEL);

	page_put(p);
	((char *)page_to_virt(p))[100] = 1;
	for (int i = 0; i < 200; i++)
		page_alloc(0, GFP_KERNEL);
}

TEST(page_writes_after_free_are_found)
{
	const char *text;

	if (!CONFIG_DEBUG)
		TEST_SKIP("not a debug build");
	text = host_catch_panic(write_free_page, NULL);
	EXPECT(text != NULL && strstr(text, "offset 64") != NULL);
}
