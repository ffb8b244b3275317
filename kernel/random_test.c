/* SPDX-License-Identifier: BSD-2-Clause */
/* The random generator: not its quality, but that it never repeats, sticks or runs over. */
#include "kernel/random.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "lib/test.h"

TEST(random_bits_vary)
{
	u64 ones[64] = {};

	for (unsigned int i = 0; i < 1000; i++) {
		u64 v = random_u64();

		for (unsigned int b = 0; b < 64; b++)
			ones[b] += v >> b & 1;
	}
	/* 500 expected, standard deviation 16: 10 of them either way. */
	for (unsigned int b = 0; b < 64; b++) {
		EXPECT_GT(ones[b], 340u);
		EXPECT_LT(ones[b], 660u);
	}
}

TEST(random_exact_length)
{
	u8 buf[160], zero[160] = {};

	for (size_t n = 0; n < 128; n++) {
		memset(buf, 0, sizeof(buf));
		random_bytes(buf + 16, n);
		EXPECT(memcmp(buf, zero, 16) == 0);
		EXPECT(memcmp(buf + 16 + n, zero, 16) == 0);
		if (n >= 16)
			EXPECT(memcmp(buf + 16, zero, n) != 0);
	}
}

TEST(random_below_range)
{
	u32 seen = 0;

	EXPECT_EQ(random_below(1), 0UL);
	for (unsigned int i = 0; i < 1000; i++) {
		u64 v = random_below(7);

		EXPECT_LT(v, 7UL);
		seen |= 1u << v;
	}
	EXPECT_EQ(seen, 0x7fu);
}

TEST(random_add_changes_nothing_visible)
{
	u64 a[8], b[8];

	random_bytes(a, sizeof(a));
	random_add("tessera", 7);
	random_bytes(b, sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)) != 0);
}
