/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of user copies: on two pages mapped by hand in the tables that are loaded. */
#include "arch/x86_64/asm/insn.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "percpu/pin.h"

/* Where the pages appear; the page behind them is not there. */
#define AT 0x0000123456400000UL
#define SIZE (2 * PAGE_SIZE)
#define NOT_CANONICAL ((void __user *)0x0000900000000000UL)
#define KERNEL ((void __user *)0xffffffff80100000UL)

static u64 *top_entry;
static struct page *pages[5];

static u64
link_to(struct page *p)
{
	return page_to_phys(p) | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D;
}

/* Maps two pages at AT: pinned until unmap_user(). */
static u8 *
map_user(void)
{
	u64 *t[3];

	for (int i = 0; i < 5; i++) {
		pages[i] = page_alloc(0, GFP_KERNEL | GFP_ZERO);
		if (pages[i] == NULL)
			return NULL;
	}
	for (int i = 0; i < 3; i++)
		t[i] = page_to_virt(pages[i]);
	t[0][AT >> HUGE_SHIFT & 511] = link_to(pages[1]);
	t[1][AT >> LARGE_SHIFT & 511] = link_to(pages[2]);
	t[2][AT >> PAGE_SHIFT & 511] = link_to(pages[3]);
	t[2][(AT >> PAGE_SHIFT & 511) + 1] = link_to(pages[4]);
	pin();
	top_entry = (u64 *)phys_to_virt(read_cr3() & PTE_ADDR) + (AT >> 39 & 511);
	if (*top_entry != 0) {
		unpin();
		return NULL;
	}
	WRITE_ONCE(*top_entry, link_to(pages[0]));
	return (u8 *)AT;
}

static void
unmap_user(void)
{
	WRITE_ONCE(*top_entry, 0);
	write_cr3(read_cr3());
	unpin();
	for (int i = 0; i < 5; i++)
		page_put(pages[i]);
}

/* The kernel's view of user byte i, or of the end (SIZE). */
static u8 *
user_byte(size_t i)
{
	size_t n = min(i / PAGE_SIZE, 1UL);

	return (u8 *)page_to_virt(pages[3 + n]) + (i - n * PAGE_SIZE);
}

#define END_OF_USER ((u8 __user *)(AT + SIZE))

static void
check_copies(void)
{
	static u8 buf[256];

	for (size_t n = 0; n <= 40; n++) {
		for (size_t room = 0; room <= 40; room++) {
			size_t fits = min(n, room), left;

			for (size_t i = 0; i < 64; i++)
				*user_byte(SIZE - 64 + i) = (u8)(i + 1);
			memset(buf, 0xee, sizeof(buf));
			left = copy_from_user_partial(buf, END_OF_USER - room, n);
			EXPECT_EQ(left, n - fits);
			EXPECT(memcmp(buf, user_byte(SIZE - room), fits) == 0);
			EXPECT_EQ(buf[fits], 0xee);
			EXPECT_EQ(copy_from_user(buf, END_OF_USER - room, n),
				  n > room ? -EFAULT : 0);
			EXPECT(memchr_inv(buf + fits, 0, n - fits) == NULL);
			memset(buf, 0xdd, sizeof(buf));
			left = copy_to_user_partial(END_OF_USER - room, buf, n);
			EXPECT_EQ(left, n - fits);
			EXPECT(memchr_inv(user_byte(SIZE - room), 0xdd, fits) == NULL);
			left = clear_user_partial(END_OF_USER - room, n);
			EXPECT_EQ(left, n - fits);
			EXPECT(memchr_inv(user_byte(SIZE - room), 0, fits) == NULL);
		}
	}
}

TEST(uaccess_copies_are_exact)
{
	if (map_user() == NULL)
		TEST_SKIP("no place for user pages");
	check_copies();
	unmap_user();
}

static void
check_strings(void)
{
	static char buf[64];

	for (size_t len = 0; len < 30; len++) {
		for (size_t n = 0; n < 34; n++) {
			/* The NUL is the last byte there is. */
			char __user *s = (char __user *)END_OF_USER - len - 1;
			long ret;

			for (size_t i = 0; i <= len; i++)
				*user_byte(SIZE - 1 - len + i) = i < len ? (u8)('a' + i) : 0;
			memset(buf, 0x77, sizeof(buf));
			ret = strncpy_from_user(buf, s, n);
			EXPECT_EQ(ret, len < n ? (long)len : -ENAMETOOLONG);
			if (ret >= 0)
				EXPECT(memcmp(buf, user_byte(SIZE - 1 - len), len + 1) == 0);
			EXPECT_EQ(buf[n], 0x77);
			EXPECT_EQ(strnlen_user(s, n), (long)min(len, n) + 1);
		}
	}
	/* No NUL before the end of what is mapped. */
	memset(user_byte(SIZE - 20), 'x', 20);
	for (size_t k = 1; k <= 20; k++) {
		EXPECT_EQ(strncpy_from_user(buf, (char __user *)END_OF_USER - k, 40), -EFAULT);
		EXPECT_EQ(strnlen_user((char __user *)END_OF_USER - k, 40), -EFAULT);
		EXPECT_EQ(strncpy_from_user(buf, (char __user *)END_OF_USER - k, k), -ENAMETOOLONG);
	}
}

TEST(uaccess_strings)
{
	if (map_user() == NULL)
		TEST_SKIP("no place for user pages");
	check_strings();
	unmap_user();
}

static void
check_values(void)
{
	u64 __user *p = (u64 __user *)AT;
	u64 v = 0;
	u32 w = 0, old;
	u8 b = 0;

	EXPECT_EQ(put_user(0x1122334455667788UL, p), 0);
	EXPECT_EQ(get_user(v, p), 0);
	EXPECT_EQ(v, 0x1122334455667788UL);
	EXPECT_EQ(get_user(w, (u32 __user *)p), 0);
	EXPECT_EQ(w, 0x55667788);
	EXPECT_EQ(put_user(0xab, (u8 __user *)p + 1), 0);
	EXPECT_EQ(get_user(b, (u8 __user *)p + 1), 0);
	EXPECT_EQ(b, 0xab);
	EXPECT_EQ(*user_byte(1), 0xab);
	/* A value that reaches over the end. */
	EXPECT_EQ(get_user(v, (u64 __user *)(END_OF_USER - 4)), -EFAULT);
	EXPECT_EQ(put_user(v, (u64 __user *)(END_OF_USER - 4)), -EFAULT);
	EXPECT_EQ(v, 0x1122334455667788UL);
	EXPECT_EQ(put_user(7, (u32 __user *)p), 0);
	old = 7;
	EXPECT_EQ(user_cmpxchg_u32((u32 __user *)p, &old, 9), 0);
	EXPECT_EQ(old, 7);
	EXPECT_EQ(user_cmpxchg_u32((u32 __user *)p, &old, 11), 0);
	EXPECT_EQ(old, 9);
	EXPECT_EQ(user_cmpxchg_u32((u32 __user *)END_OF_USER, &old, 1), -EFAULT);
}

TEST(uaccess_values)
{
	if (map_user() == NULL)
		TEST_SKIP("no place for user pages");
	check_values();
	unmap_user();
}

static void
check_structs(void)
{
	u64 k[4];

	for (size_t i = 0; i < 64; i++)
		*user_byte(i) = i < 32 ? (u8)i : 0;
	EXPECT_EQ(copy_struct_from_user(k, 32, (void __user *)AT, 48), 0);
	EXPECT(memcmp(k, user_byte(0), 32) == 0);
	EXPECT_EQ(copy_struct_from_user(k, 24, (void __user *)AT, 32), -E2BIG);
	EXPECT_EQ(copy_struct_from_user(k, 32, (void __user *)AT, 13), 0);
	EXPECT(memcmp(k, user_byte(0), 13) == 0);
	EXPECT(memchr_inv((u8 *)k + 13, 0, 19) == NULL);
	EXPECT_EQ(copy_struct_from_user(k, 32, END_OF_USER - 8, 16), -EFAULT);
}

TEST(uaccess_structs)
{
	if (map_user() == NULL)
		TEST_SKIP("no place for user pages");
	check_structs();
	unmap_user();
}

TEST(uaccess_bad_addresses)
{
	void __user *bad[] = {NULL,
			      (void __user *)8UL,
			      NOT_CANONICAL,
			      KERNEL,
			      (void __user *)~0UL,
			      (void __user *)USER_END,
			      (void __user *)(USER_END - 1)};
	char buf[16] = "0123456789";
	u64 v = 5;

	pin();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(get_user(v, (u64 __user *)bad[i]), -EFAULT);
		EXPECT_EQ(put_user(v, (u64 __user *)bad[i]), -EFAULT);
		EXPECT_EQ(copy_from_user_partial(buf, bad[i], 16), 16);
		EXPECT_EQ(copy_to_user(bad[i], buf, 16), -EFAULT);
		EXPECT_EQ(clear_user(bad[i], 16), -EFAULT);
		EXPECT_EQ(strncpy_from_user(buf, bad[i], 16), -EFAULT);
		EXPECT_EQ(strnlen_user(bad[i], 16), -EFAULT);
	}
	unpin();
	EXPECT_EQ(v, 5);
	EXPECT(user_range_ok(NULL, USER_END));
	EXPECT(!user_range_ok((void __user *)1UL, USER_END));
	EXPECT(!user_range_ok(NULL, ~0UL));
}

TEST(uaccess_extable)
{
	EXPECT_EQ(extable_find((unsigned long)&uaccess_init), 0);
	EXPECT_EQ(extable_find(0), 0);
}
