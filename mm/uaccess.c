/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies between user and kernel memory, in C: range checks and what is made of
 * the results of the loops in arch/x86_64/usercopy.S.
 */
#include "mm/uaccess.h"

#include "arch/x86_64/asm/insn.h"
#include "lib/section.h"
#include "lib/string.h"

#define CPUID_7_EBX_SMAP BIT(20)

DECLARE_REGISTRY(smap_open, const s32);
DECLARE_REGISTRY(smap_close, const s32);

static void
patch_sites(const s32 *from, const s32 *to, u8 last)
{
	const u8 insn[3] = {0x0f, 0x01, last};

	for (const s32 *site = from; site < to; site++)
		memcpy((char *)site + *site, insn, sizeof(insn));
}

void
uaccess_init(void)
{
	if (cpuid(0, 0).a < 7 || !(cpuid(7, 0).b & CPUID_7_EBX_SMAP))
		return;
	patch_sites(__start_reg_smap_open, __stop_reg_smap_open, 0xcb);
	patch_sites(__start_reg_smap_close, __stop_reg_smap_close, 0xca);
}

size_t
copy_from_user_partial(void *dst, const void __user *src, size_t n)
{
	if (unlikely(!user_range_ok(src, n)))
		return n;
	user_open();
	n = usercopy(dst, (const void __force *)src, n);
	user_close();
	return n;
}

size_t
copy_to_user_partial(void __user *dst, const void *src, size_t n)
{
	if (unlikely(!user_range_ok(dst, n)))
		return n;
	user_open();
	n = usercopy((void __force *)dst, src, n);
	user_close();
	return n;
}

size_t
clear_user_partial(void __user *dst, size_t n)
{
	if (unlikely(!user_range_ok(dst, n)))
		return n;
	user_open();
	n = userclear((void __force *)dst, n);
	user_close();
	return n;
}

int
copy_from_user(void *dst, const void __user *src, size_t n)
{
	size_t left = copy_from_user_partial(dst, src, n);

	if (likely(left == 0))
		return 0;
	/* Callers that go on by mistake see no old kernel memory. */
	memset((char *)dst + (n - left), 0, left);
	return -EFAULT;
}

int
copy_to_user(void __user *dst, const void *src, size_t n)
{
	return copy_to_user_partial(dst, src, n) == 0 ? 0 : -EFAULT;
}

int
clear_user(void __user *dst, size_t n)
{
	return clear_user_partial(dst, n) == 0 ? 0 : -EFAULT;
}

/* How many of n bytes at p lie below the end of user space. */
static size_t
user_room(const char __user *p, size_t n)
{
	unsigned long a = (unsigned long __force)p;

	return a >= USER_END ? 0 : min(n, (size_t)(USER_END - a));
}

long
strncpy_from_user(char *dst, const char __user *src, size_t n)
{
	size_t room = user_room(src, n);
	long len;

	user_open();
	len = user_strncpy(dst, (const char __force *)src, room);
	user_close();
	if (likely(len != (long)room))
		return len;
	return room < n ? -EFAULT : -ENAMETOOLONG;
}

long
strnlen_user(const char __user *src, size_t n)
{
	size_t room = user_room(src, n);
	long len;

	user_open();
	len = user_strnlen((const char __force *)src, room);
	user_close();
	if (len < 0 || (len == (long)room && room < n))
		return -EFAULT;
	return len + 1;
}

/* Are n user bytes zero? 0, -E2BIG, -EFAULT. */
static int
user_all_zero(const u8 __user *p, size_t n)
{
	u64 word;
	u8 byte;

	for (; n >= 8; n -= 8, p += 8) {
		if (get_user(word, (const u64 __user *)p) != 0)
			return -EFAULT;
		if (word != 0)
			return -E2BIG;
	}
	for (; n > 0; n--, p++) {
		if (get_user(byte, p) != 0)
			return -EFAULT;
		if (byte != 0)
			return -E2BIG;
	}
	return 0;
}

int
copy_struct_from_user(void *dst, size_t ksize, const void __user *src, size_t usize)
{
	size_t n = min(ksize, usize);
	int err = 0;

	if (!user_range_ok(src, usize))
		return -EFAULT;
	if (usize > ksize)
		err = user_all_zero((const u8 __user *)src + ksize, usize - ksize);
	if (err)
		return err;
	memset((char *)dst + n, 0, ksize - n);
	return copy_from_user(dst, src, n);
}

int
get_user_n(void *dst, const void __user *src, size_t n)
{
	switch (n) {
	case 1:
		return get_user(*(u8 *)dst, (const u8 __user *)src);
	case 2:
		return get_user(*(u16 *)dst, (const u16 __user *)src);
	case 4:
		return get_user(*(u32 *)dst, (const u32 __user *)src);
	case 8:
		return get_user(*(u64 *)dst, (const u64 __user *)src);
	default:
		return copy_from_user(dst, src, n);
	}
}

int
put_user_n(void __user *dst, const void *src, size_t n)
{
	switch (n) {
	case 1:
		return put_user(*(const u8 *)src, (u8 __user *)dst);
	case 2:
		return put_user(*(const u16 *)src, (u16 __user *)dst);
	case 4:
		return put_user(*(const u32 *)src, (u32 __user *)dst);
	case 8:
		return put_user(*(const u64 *)src, (u64 __user *)dst);
	default:
		return copy_to_user(dst, src, n);
	}
}

int
user_cmpxchg_u32(u32 __user *p, u32 *old, u32 v)
{
	u32 __force *kp = (u32 __force *)p;
	u32 found = *old;
	int err = 0;

	if (!user_addr_ok(p))
		return -EFAULT;
	user_open();
	__asm__ volatile("1: lock cmpxchgl %[v], %[mem]\n"
			 "2:\n\t"
			 ".pushsection .text.fixup, \"ax\"\n"
			 "3: mov %[fault], %[e]\n\t"
			 "jmp 2b\n\t"
			 ".popsection\n\t" EXTABLE("1b", "3b")
			 : [e] "+r"(err), "+a"(found), [mem] "+m"(*kp)
			 : [v] "r"(v), [fault] "i"(-EFAULT)
			 : "memory", "cc");
	user_close();
	if (err == 0)
		*old = found;
	return err;
}
