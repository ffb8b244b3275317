/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Byte order: conversions of whole words (checked by sparse through the be16
 * ... le64 types) and reads and writes at any address.
 */
#ifndef LIB_ENDIAN_H
#define LIB_ENDIAN_H

#include "lib/types.h"

#define swap16(x) __builtin_bswap16(x)
#define swap32(x) __builtin_bswap32(x)
#define swap64(x) __builtin_bswap64(x)

/* Constant expressions where x is one. */
#define cpu_to_be16(x) ((__force be16)swap16((u16)(x)))
#define cpu_to_be32(x) ((__force be32)swap32((u32)(x)))
#define cpu_to_be64(x) ((__force be64)swap64((u64)(x)))
#define be16_to_cpu(x) swap16((__force u16)(be16)(x))
#define be32_to_cpu(x) swap32((__force u32)(be32)(x))
#define be64_to_cpu(x) swap64((__force u64)(be64)(x))

#define cpu_to_le16(x) ((__force le16)(u16)(x))
#define cpu_to_le32(x) ((__force le32)(u32)(x))
#define cpu_to_le64(x) ((__force le64)(u64)(x))
#define le16_to_cpu(x) ((__force u16)(le16)(x))
#define le32_to_cpu(x) ((__force u32)(le32)(x))
#define le64_to_cpu(x) ((__force u64)(le64)(x))

struct endian_u16 {
	u16 v;
} __packed __attribute__((may_alias));

struct endian_u32 {
	u32 v;
} __packed __attribute__((may_alias));

struct endian_u64 {
	u64 v;
} __packed __attribute__((may_alias));

static inline u16
get_le16(const void *p)
{
	return ((const struct endian_u16 *)p)->v;
}

static inline u32
get_le32(const void *p)
{
	return ((const struct endian_u32 *)p)->v;
}

static inline u64
get_le64(const void *p)
{
	return ((const struct endian_u64 *)p)->v;
}

static inline u32
get_le24(const void *p)
{
	const u8 *b = p;

	return b[0] | (u32)b[1] << 8 | (u32)b[2] << 16;
}

static inline u16
get_be16(const void *p)
{
	return swap16(get_le16(p));
}

static inline u32
get_be32(const void *p)
{
	return swap32(get_le32(p));
}

static inline u64
get_be64(const void *p)
{
	return swap64(get_le64(p));
}

static inline void
put_le16(void *p, u16 v)
{
	((struct endian_u16 *)p)->v = v;
}

static inline void
put_le32(void *p, u32 v)
{
	((struct endian_u32 *)p)->v = v;
}

static inline void
put_le64(void *p, u64 v)
{
	((struct endian_u64 *)p)->v = v;
}

static inline void
put_be16(void *p, u16 v)
{
	put_le16(p, swap16(v));
}

static inline void
put_be32(void *p, u32 v)
{
	put_le32(p, swap32(v));
}

static inline void
put_be64(void *p, u64 v)
{
	put_le64(p, swap64(v));
}

#endif
