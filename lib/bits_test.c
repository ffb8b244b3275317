/* SPDX-License-Identifier: BSD-2-Clause */
/* The small headers: bits.h, endian.h, muldiv.h, sat.h, hash.h, types.h. */
#include "lib/bits.h"
#include "lib/endian.h"
#include "lib/hash.h"
#include "lib/muldiv.h"
#include "lib/sat.h"
#include "lib/test.h"

TEST(bits_find)
{
	EXPECT_EQ(ffs64(0), 0);
	EXPECT_EQ(fls64(0), 0);
	EXPECT_EQ(ffs32(0), 0);
	EXPECT_EQ(fls32(0), 0);
	for (unsigned int i = 0; i < 64; i++) {
		u64 bit = 1UL << i;

		EXPECT_EQ(ffs64(bit | ~(bit - 1)), i + 1);
		EXPECT_EQ(fls64(bit | (bit - 1)), i + 1);
		EXPECT_EQ(ctz64(bit), i);
		EXPECT_EQ(clz64(bit), 63 - i);
		EXPECT_EQ(ilog2(bit | (bit - 1)), i);
		EXPECT_EQ(ilog2_up(bit), i);
		if (i > 1)
			EXPECT_EQ(ilog2_up(bit - 1), i);
		if (i < 63)
			EXPECT_EQ(ilog2_up(bit + 1), i + 1);
		EXPECT_EQ(popcount64(bit - 1), i);
		EXPECT_EQ(popcount64(~(bit - 1)), 64 - i);
		EXPECT_EQ(roundup_pow2(bit), bit);
		EXPECT_EQ(rounddown_pow2(bit | (bit - 1)), bit);
		EXPECT_EQ(sign_extend64(bit, i), (s64)(~0UL << i));
	}
	EXPECT_EQ(popcount64(~0UL), 64);
	EXPECT_EQ(popcount32(~0U), 32);
	EXPECT_EQ(roundup_pow2(0), 1);
	EXPECT_EQ(roundup_pow2(5), 8);
	EXPECT_EQ(roundup_pow2((1UL << 63) + 1), 0);
	EXPECT_EQ(sign_extend64(0x7f, 7), 0x7f);
	EXPECT_EQ(GENMASK(7, 4), 0xf0);
	EXPECT_EQ(GENMASK(63, 0), ~0UL);
	EXPECT_EQ(GENMASK(63, 63), 1UL << 63);
}

TEST(bits_rotate_and_reverse)
{
	EXPECT_EQ(rol32(0x80000001, 1), 3);
	EXPECT_EQ(ror32(3, 1), 0x80000001);
	EXPECT_EQ(rol32(5, 0), 5);
	EXPECT_EQ(rol64(1UL << 63 | 1, 1), 3);
	EXPECT_EQ(ror64(3, 1), 1UL << 63 | 1);
	EXPECT_EQ(ror64(5, 0), 5);
	EXPECT_EQ(bit_reverse(1, 1), 1);
	EXPECT_EQ(bit_reverse(0x6, 3), 0x3);
	EXPECT_EQ(bit_reverse(0x1234, 16), 0x2c48);
	EXPECT_EQ(bit_reverse(1, 64), 1UL << 63);
	EXPECT_EQ(bit_reverse(1, 0), 0);
}

TEST(endian_all)
{
	u8 b[16];

	put_le16(b + 1, 0x1234);
	EXPECT_EQ(b[1], 0x34);
	EXPECT_EQ(get_le16(b + 1), 0x1234);
	EXPECT_EQ(get_be16(b + 1), 0x3412);
	put_be32(b + 3, 0x12345678);
	EXPECT_EQ(b[3], 0x12);
	EXPECT_EQ(get_be32(b + 3), 0x12345678);
	EXPECT_EQ(get_le32(b + 3), 0x78563412);
	EXPECT_EQ(get_le24(b + 3), 0x563412);
	put_be64(b + 5, 0x123456789abcdef0UL);
	EXPECT_EQ(b[5], 0x12);
	EXPECT_EQ(get_be64(b + 5), 0x123456789abcdef0UL);
	put_le64(b + 7, 0x123456789abcdef0UL);
	EXPECT_EQ(get_le64(b + 7), 0x123456789abcdef0UL);
	put_be16(b, 0x1234);
	EXPECT_EQ(b[0], 0x12);
	put_le32(b, 0x12345678);
	EXPECT_EQ(b[0], 0x78);
	EXPECT_EQ((__force u16)cpu_to_be16(0x1234), 0x3412);
	EXPECT_EQ(be32_to_cpu(cpu_to_be32(0x12345678)), 0x12345678);
	EXPECT_EQ(be64_to_cpu(cpu_to_be64(5)), 5);
	EXPECT_EQ(le16_to_cpu(cpu_to_le16(0x1234)), 0x1234);
	EXPECT_EQ(le64_to_cpu(cpu_to_le64(7)), 7);
}

TEST(muldiv_all)
{
	u64 seed = 1;

	EXPECT_EQ(muldiv_u64(~0UL, ~0UL, ~0UL), ~0UL);
	EXPECT_EQ(muldiv_u64(10, 10, 3), 33);
	EXPECT_EQ(muldiv_u64(1, 1, 0), ~0UL);
	EXPECT_EQ(muldiv_u64(0, 0, 0), ~0UL);
	EXPECT_EQ(muldiv_u64(1UL << 63, 4, 2), ~0UL);
	EXPECT_EQ(muldiv_u64(1UL << 63, 4, 3), (1UL << 63) / 3 * 4 + 2);
	EXPECT_EQ(muldiv_round_up_u64(10, 10, 3), 34);
	EXPECT_EQ(muldiv_round_up_u64(9, 10, 3), 30);
	EXPECT_EQ(muldiv_round_up_u64(1UL << 63, 4, 2), ~0UL);
	EXPECT_EQ(mul_u64_u64_shr(~0UL, ~0UL, 64), ~0UL - 1);
	EXPECT_EQ(mul_u64_u64_shr(1UL << 63, 1UL << 63, 126), 1);
	EXPECT_EQ(mul_u64_u64_shr(5, 6, 0), 30);
	EXPECT_EQ(mul_u64_u32_shr(1000000000UL << 20, 3, 20), 3000000000UL);
	for (int i = 0; i < 1000; i++) {
		u64 a = test_rand(&seed) >> test_rand(&seed) % 64;
		u64 b = test_rand(&seed) >> test_rand(&seed) % 64;
		u64 d = (test_rand(&seed) >> test_rand(&seed) % 64) | 1;
		u64 q = muldiv_u64(a, b, d);
		unsigned __int128 p = (unsigned __int128)a * b;

		if (p >> 64 >= d) {
			EXPECT_EQ(q, ~0UL);
			continue;
		}
		EXPECT((unsigned __int128)q * d <= p);
		EXPECT(p - (unsigned __int128)q * d < d);
	}
}

TEST(sat_all)
{
	u64 r;
	u8 small;

	EXPECT_EQ(sat_add_u64(~0UL, 1), ~0UL);
	EXPECT_EQ(sat_add_u64(1, 2), 3);
	EXPECT_EQ(sat_sub_u64(1, 2), 0);
	EXPECT_EQ(sat_sub_u64(5, 2), 3);
	EXPECT_EQ(sat_mul_u64(1UL << 32, 1UL << 32), ~0UL);
	EXPECT_EQ(sat_mul_u64(3, 4), 12);
	EXPECT_EQ(sat_add_u32(~0U, 5), ~0U);
	EXPECT_EQ(sat_add_s64(S64_MAX, 1), S64_MAX);
	EXPECT_EQ(sat_add_s64(INT64_MIN, -1), INT64_MIN);
	EXPECT_EQ(sat_sub_s64(INT64_MIN, 1), INT64_MIN);
	EXPECT_EQ(sat_sub_s64(S64_MAX, -1), S64_MAX);
	EXPECT_EQ(sat_sub_s64(0, INT64_MIN), S64_MAX);
	EXPECT_EQ(sat_mul_s64(S64_MAX, -2), INT64_MIN);
	EXPECT_EQ(sat_mul_s64(INT64_MIN, -1), S64_MAX);
	EXPECT_EQ(sat_u32(1UL << 32), ~0U);
	EXPECT_EQ(sat_u32(7), 7);
	EXPECT_EQ(sat_array_size(8, 3, 16), 56);
	EXPECT_EQ(sat_array_size(8, 1UL << 60, 16), SIZE_MAX);
	EXPECT(check_add(~0UL, 1UL, &r));
	EXPECT(!check_add(1, 2, &r));
	EXPECT_EQ(r, 3);
	EXPECT(check_add(200, 100, &small));
	EXPECT(check_sub(1UL, 2UL, &r));
	EXPECT(check_mul(1UL << 63, 2UL, &r));
	EXPECT(seq_before32(0xfffffff0, 5));
	EXPECT(!seq_before32(5, 5));
	EXPECT(seq_after32(5, 0xfffffff0));
	EXPECT(seq_before64(~0UL, 0));
	EXPECT(seq_after64(0, ~0UL));
}

/* Keys that differ little must spread over a table nearly evenly. */
TEST(hash_spreads)
{
	static u16 low[256], high[256], bits[256], mem[256];

	for (u64 i = 0; i < 256 * 64; i++) {
		u64 key = i << 12;

		low[hash_u64(key) & 255]++;
		high[hash_ptr((void *)key) >> 56]++;
		bits[hash_bits(key, 8)]++;
		mem[hash_mem(&key, sizeof(key), 1) & 255]++;
	}
	for (int i = 0; i < 256; i++) {
		EXPECT_GT(low[i], 20);
		EXPECT_LT(low[i], 120);
		EXPECT_GT(high[i], 20);
		EXPECT_LT(high[i], 120);
		EXPECT_GT(bits[i], 20);
		EXPECT_LT(bits[i], 120);
		EXPECT_GT(mem[i], 20);
		EXPECT_LT(mem[i], 120);
	}
}

TEST(hash_depends_on_everything)
{
	u8 buf[40] = {0};

	for (size_t n = 0; n <= 32; n++) {
		u64 h = hash_mem(buf, n, 1);

		EXPECT_NE(h, hash_mem(buf, n + 1, 1));
		EXPECT_NE(h, hash_mem(buf, n, 2));
		for (size_t i = 0; i < n * 8; i++) {
			buf[i / 8] ^= 1 << (i % 8);
			EXPECT_NE(h, hash_mem(buf, n, 1));
			buf[i / 8] ^= 1 << (i % 8);
		}
		EXPECT_EQ(h, hash_mem(buf, n, 1));
	}
	EXPECT_EQ(hash_str("abc", 7), hash_mem("abcd", 3, 7));
	EXPECT_NE(hash_2u64(1, 2), hash_2u64(2, 1));
}
