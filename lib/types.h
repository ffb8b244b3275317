/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sized integers, the few macros that every file needs, error pointers and
 * the annotations that sparse and clang check (see Documentation/style and
 * the table below). Everything here is empty or trivial under gcc.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX
#define S64_MAX INT64_MAX

#define BIT(n) (1UL << (n))
#define BITS_PER_LONG 64
#define BITS_TO_LONGS(n) (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)

#define CACHE_LINE 64
#define __cacheline_aligned __attribute__((aligned(CACHE_LINE)))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __noreturn __attribute__((noreturn))
#define __noinline __attribute__((noinline))
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __must_check __attribute__((warn_unused_result))
#define __maybe_unused __attribute__((unused))
#define __used __attribute__((used))
#define __weak __attribute__((weak))
#define __section(s) __attribute__((section(s)))
#define __cold __attribute__((cold))
#define fallthrough __attribute__((fallthrough))

/* Code and data that are freed once every CPU is up and init runs. */
#define __init __section(".init.text") __cold
#define __initdata __section(".init.data")
/* Data that is written during boot only and read-only afterwards. */
#define __ro_after_init __section(".data.ro_after_init")
/* Data that several CPUs read and none writes often: kept off written lines. */
#define __read_mostly __section(".data.read_mostly")

#ifndef static_assert
#define static_assert _Static_assert
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member)                                                            \
	((type *)((char *)(ptr)-offsetof(type, member) + 0 * sizeof((ptr) == &((type *)0)->member)))

#define min(a, b)                                                                                  \
	({                                                                                         \
		__typeof__(a) _min_a = (a);                                                        \
		__typeof__(b) _min_b = (b);                                                        \
		_min_a < _min_b ? _min_a : _min_b;                                                 \
	})
#define max(a, b)                                                                                  \
	({                                                                                         \
		__typeof__(a) _max_a = (a);                                                        \
		__typeof__(b) _max_b = (b);                                                        \
		_max_a > _max_b ? _max_a : _max_b;                                                 \
	})
#define clamp(v, lo, hi) min(max(v, lo), hi)
#define swap(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) _swap_tmp = (a);                                                     \
		(a) = (b);                                                                         \
		(b) = _swap_tmp;                                                                   \
	} while (0)

/* n is a power of two; the result has the type of x. */
#define align_down(x, n) ((x) & ~((__typeof__(x))(n)-1))
#define align_up(x, n) (((x) + (n)-1) & ~((__typeof__(x))(n)-1))
#define is_aligned(x, n) (((x) & ((__typeof__(x))(n)-1)) == 0)
#define is_power_of_2(x) ((x) != 0 && ((x) & ((x)-1)) == 0)
#define div_round_up(n, d) (((n) + (d)-1) / (d))

/* One read or write that the compiler neither splits, repeats nor drops. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/*
 * The value of an lvalue that others write meanwhile, where any value or mixture will do:
 * statistics, hints, what is thrown away when a sequence count has changed. Say why beside it.
 * Where one whole, recent value is needed it is READ_ONCE(). (sync/kcsan.c)
 */
#if defined(CONFIG_KCSAN) && CONFIG_KCSAN
void data_race_read(void *to, const void *from, size_t size);
#define data_race(x)                                                                               \
	({                                                                                         \
		__typeof__(x) _dr;                                                                 \
		data_race_read((void *)&_dr, (const void *)&(x), sizeof(_dr));                     \
		_dr;                                                                               \
	})
/* A function that runs before there is per-CPU data to watch with. */
#define __no_kcsan __attribute__((no_sanitize_thread))
#else
#define data_race(x) (x)
#define __no_kcsan
#endif

/*
 * Error pointers: the last page of the address space is never mapped, so a
 * pointer there carries -Exxx. A NULL pointer is not an error pointer.
 */
#define MAX_ERRNO 4095

static inline void *
err_ptr(long err)
{
	return (void *)err;
}

static inline long
ptr_err(const void *p)
{
	return (long)p;
}

static inline bool
is_err(const void *p)
{
	return unlikely((unsigned long)p >= (unsigned long)-MAX_ERRNO);
}

static inline bool
is_err_or_null(const void *p)
{
	return unlikely(p == NULL) || is_err(p);
}

/*
 * What the checkers see.
 *
 * sparse: address spaces and bitwise types.
 * clang:  capabilities (locks, PINNED, RCU).
 */
#ifdef __CHECKER__
#define __user __attribute__((noderef, address_space(__user)))
#define __iomem __attribute__((noderef, address_space(__iomem)))
#define __percpu __attribute__((noderef, address_space(__percpu)))
#define __rcu __attribute__((noderef, address_space(__rcu)))
#define __force __attribute__((force))
#define __bitwise __attribute__((bitwise))
#else
#define __user
#define __iomem
#define __percpu
#define __rcu
#define __force
#define __bitwise
#endif

#if defined(__clang__) && defined(THREAD_SAFETY)
#define __capability(name) __attribute__((capability(name)))
#define __guarded_by(l) __attribute__((guarded_by(l)))
#define __must_hold(...) __attribute__((requires_capability(__VA_ARGS__)))
#define __acquires(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define __releases(...) __attribute__((release_capability(__VA_ARGS__)))
#define __try_acquires(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define __no_thread_safety __attribute__((no_thread_safety_analysis))
#else
#define __capability(name)
#define __guarded_by(l)
#define __must_hold(...)
#define __acquires(...)
#define __releases(...)
#define __try_acquires(...)
#define __no_thread_safety
#endif

typedef u16 __bitwise be16;
typedef u32 __bitwise be32;
typedef u64 __bitwise be64;
typedef u16 __bitwise le16;
typedef u32 __bitwise le32;
typedef u64 __bitwise le64;

#endif
