/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies between user and kernel memory. A fault on the user side that cannot
 * be resolved is found in the exception table and ends the copy. All may sleep
 * (demand paging) unless pinned, when a page that is not there is -EFAULT.
 *
 * Which addresses are user addresses: bit 63 clear. What lies between the user's
 * half and the kernel's is not canonical: the access raises #GP there, and its
 * handler asks the exception table too, like that of #PF.
 *
 * SMAP: access to user pages is open between user_open() and user_close(). They
 * are 3-byte no-operations that uaccess_init() turns into stac and clac on a CPU
 * that has them.
 */
#ifndef MM_UACCESS_H
#define MM_UACCESS_H

#include "arch/x86_64/asm/layout.h"
#include "lib/errno.h"
#include "lib/types.h"

/* Does [p, p + n) lie in user space? */
static inline bool
user_range_ok(const void __user *p, size_t n)
{
	unsigned long a = (unsigned long __force)p;

	return n <= USER_END && a <= USER_END - n;
}

/* Bytes NOT copied (0: all). */
size_t __must_check copy_from_user_partial(void *dst, const void __user *src, size_t n);
size_t __must_check copy_to_user_partial(void __user *dst, const void *src, size_t n);
/* Bytes NOT cleared (0: all). */
size_t __must_check clear_user_partial(void __user *dst, size_t n);
/* 0 or -EFAULT. After -EFAULT what copy_from_user() did not copy is zero in dst. */
int __must_check copy_from_user(void *dst, const void __user *src, size_t n);
int __must_check copy_to_user(void __user *dst, const void *src, size_t n);
int __must_check clear_user(void __user *dst, size_t n);
/* Length without NUL, up to n - 1; -ENAMETOOLONG if it does not fit in n; -EFAULT. */
long __must_check strncpy_from_user(char *dst, const char __user *src, size_t n);
/* Length with NUL, or n + 1 if longer than n; -EFAULT. */
long __must_check strnlen_user(const char __user *src, size_t n);
/*
 * A struct whose size the caller gives (clone3, openat2): copies, zero-fills,
 * -E2BIG if bytes we do not know are not zero, -EFAULT.
 */
int __must_check copy_struct_from_user(void *dst, size_t ksize, const void __user *src,
				       size_t usize);

/* Boot CPU, before kmap_init() makes code read-only (which calls it). */
void uaccess_init(void);

/* A site in the set "smap_open" or "smap_close": its offset from the entry. */
#define smap_site(set)                                                                             \
	__asm__ volatile("661: .byte 0x0f, 0x1f, 0x00\n\t"                                         \
			 ".pushsection reg_" set ", \"a\"\n\t"                                     \
			 ".balign 4\n\t"                                                           \
			 ".long 661b - .\n\t"                                                      \
			 ".popsection" ::                                                          \
				 : "memory")

static __always_inline void
user_open(void)
{
	smap_site("smap_open");
}

static __always_inline void
user_close(void)
{
	smap_site("smap_close");
}

/* An entry of the exception table: a fault at label `at` goes on at `to`. */
#define EXTABLE(at, to)                                                                            \
	".pushsection extable, \"a\"\n\t"                                                          \
	".balign 4\n\t"                                                                            \
	".long " at " - ., " to " - .\n\t"                                                         \
	".popsection\n\t"

#define user_load(insn, v, err, p)                                                                 \
	__asm__ volatile("1: " insn "\n"                                                           \
			 "2:\n\t"                                                                  \
			 ".pushsection .text.fixup, \"ax\"\n"                                      \
			 "3: mov %[fault], %[e]\n\t"                                               \
			 "xor %k[val], %k[val]\n\t"                                                \
			 "jmp 2b\n\t"                                                              \
			 ".popsection\n\t" EXTABLE("1b", "3b")                                     \
			 : [val] "=r"(v), [e] "+r"(err)                                            \
			 : [src] "m"(*(p)), [fault] "i"(-EFAULT))

#define user_store(insn, v, p, label)                                                              \
	__asm__ goto("1: " insn "\n\t" EXTABLE("1b", "%l[" #label "]")                             \
		     :                                                                             \
		     : [val] "er"(v), [dst] "m"(*(p))                                              \
		     : "memory"                                                                    \
		     : label)

/*
 * Single values of 1, 2, 4, 8 bytes (integers or pointers), access open: sets
 * err to -EFAULT and v to 0, or leaves err.
 */
#define user_load_any(v, err, p)                                                                   \
	do {                                                                                       \
		static_assert(sizeof(*(p)) == 1 || sizeof(*(p)) == 2 || sizeof(*(p)) == 4 ||       \
				      sizeof(*(p)) == 8,                                           \
			      "a scalar");                                                         \
		switch (sizeof(*(p))) {                                                            \
		case 1:                                                                            \
			user_load("movzbl %[src], %k[val]", v, err, p);                            \
			break;                                                                     \
		case 2:                                                                            \
			user_load("movzwl %[src], %k[val]", v, err, p);                            \
			break;                                                                     \
		case 4:                                                                            \
			user_load("movl %[src], %k[val]", v, err, p);                              \
			break;                                                                     \
		default:                                                                           \
			user_load("movq %[src], %[val]", v, err, p);                               \
		}                                                                                  \
	} while (0)

/* The same for stores; goes to label at a fault. */
#define user_store_any(v, p, label)                                                                \
	do {                                                                                       \
		static_assert(sizeof(*(p)) == 1 || sizeof(*(p)) == 2 || sizeof(*(p)) == 4 ||       \
				      sizeof(*(p)) == 8,                                           \
			      "a scalar");                                                         \
		switch (sizeof(*(p))) {                                                            \
		case 1:                                                                            \
			user_store("movb %b[val], %[dst]", (u8)(v), p, label);                     \
			break;                                                                     \
		case 2:                                                                            \
			user_store("movw %w[val], %[dst]", (u16)(v), p, label);                    \
			break;                                                                     \
		case 4:                                                                            \
			user_store("movl %k[val], %[dst]", (u32)(v), p, label);                    \
			break;                                                                     \
		default:                                                                           \
			user_store("movq %[val], %[dst]", (v), p, label);                          \
		}                                                                                  \
	} while (0)

#define user_addr_ok(p) likely((long __force)(p) >= 0)

/* Single values of 1, 2, 4, 8 bytes (integers or pointers): 0 or -EFAULT; then x is as before. */
#define get_user(x, p)                                                                             \
	({                                                                                         \
		const __typeof__(*(p)) __force *_gp = (const __typeof__(*(p)) __force *)(p);       \
		unsigned long _gv;                                                                 \
		int _ge = -EFAULT;                                                                 \
		if (user_addr_ok(_gp)) {                                                           \
			_ge = 0;                                                                   \
			user_open();                                                               \
			user_load_any(_gv, _ge, _gp);                                              \
			user_close();                                                              \
			if (likely(_ge == 0))                                                      \
				(x) = (__typeof__(x))(__typeof__(*_gp))_gv;                        \
		}                                                                                  \
		_ge;                                                                               \
	})
#define put_user(x, p)                                                                             \
	({                                                                                         \
		__label__ _pf;                                                                     \
		__typeof__(*(p)) __force *_pp = (__typeof__(*(p)) __force *)(p);                   \
		unsigned long _pv = (unsigned long)(__typeof__(*(p)))(x);                          \
		int _pe = -EFAULT;                                                                 \
		if (user_addr_ok(_pp)) {                                                           \
			user_open();                                                               \
			user_store_any(_pv, _pp, _pf);                                             \
			_pe = 0;                                                                   \
		_pf:                                                                               \
			user_close();                                                              \
		}                                                                                  \
		_pe;                                                                               \
	})
/*
 * The address of a member of a user's struct. The struct may lie anywhere, also where none can:
 * C has no member of that.
 */
#define user_field(p, member)                                                                      \
	((__typeof__(((__typeof__(*(p)) __force *)NULL)->member) __user                            \
		  *)((unsigned long __force)(p) + offsetof(__typeof__(*(p)), member)))

/* n is 1, 2, 4 or 8. */
int get_user_n(void *dst, const void __user *src, size_t n);
int put_user_n(void __user *dst, const void *src, size_t n);

/*
 * Atomic compare-and-exchange of a user u32 (futex), aligned: 0 or -EFAULT; *old
 * gets what was there.
 */
int user_cmpxchg_u32(u32 __user *p, u32 *old, u32 v);

/*
 * The exception table: trap code (#PF that is not resolved, #GP) asks where to
 * go on after a kernel fault at `rip`; 0: nowhere.
 */
unsigned long extable_find(unsigned long rip);

/*
 * arch/x86_64/usercopy.S; access is open. Bytes left; never more than n bytes
 * from either start are touched.
 */
size_t usercopy(void *dst, const void *src, size_t n);
size_t userclear(void *dst, size_t n);
/* Bytes before NUL; n if there is none in n bytes; -EFAULT. strncpy copies them and the NUL. */
long user_strncpy(char *dst, const char *src, size_t n);
long user_strnlen(const char *src, size_t n);

#endif
