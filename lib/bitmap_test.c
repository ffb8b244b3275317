/* SPDX-License-Identifier: BSD-2-Clause */
/* Bit maps, against arrays of bool. */
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"

#define MAX 200

static BITMAP_DECLARE(map, MAX);
static BITMAP_DECLARE(other, MAX);
static BITMAP_DECLARE(result, MAX);
static bool model[MAX];
static bool model2[MAX];

static const size_t sizes[] = {1, 2, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 192, 200};

static void
random_map(unsigned long *m, bool *b, u64 *seed)
{
	u64 density = test_rand(seed) % 9;

	for (size_t i = 0; i < MAX; i++) {
		b[i] = test_rand(seed) % 8 < density;
		bit_assign(m, i, b[i]);
	}
}

static bool
same(const unsigned long *m, const bool *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bit_test(m, i) != b[i])
			return false;
	}
	return true;
}

TEST(bitmap_bits)
{
	bitmap_zero(map, MAX);
	EXPECT(bitmap_empty(map, MAX));
	bit_set(map, 64);
	EXPECT(bit_test(map, 64));
	EXPECT(!bit_test(map, 63));
	EXPECT(bit_test_and_set(map, 64));
	EXPECT(!bit_test_and_set(map, 65));
	EXPECT(bit_test_and_clear(map, 65));
	EXPECT(!bit_test_and_clear(map, 65));
	bit_flip(map, 64);
	bit_flip(map, 199);
	EXPECT_EQ(bitmap_first_one(map, MAX), 199);
	EXPECT_EQ(bitmap_first_one(map, 199), 199);
	bit_clear(map, 199);
	EXPECT(bitmap_empty(map, MAX));
}

TEST(bitmap_ranges)
{
	u64 seed = 1;

	for (int i = 0; i < 2000; i++) {
		size_t start = test_rand(&seed) % MAX;
		size_t n = test_rand(&seed) % (MAX - start + 1);
		bool value = test_rand(&seed) % 2;
		size_t weight = 0;

		random_map(map, model, &seed);
		for (size_t k = start; k < start + n; k++) {
			weight += model[k];
			model[k] = value;
		}
		EXPECT_EQ(bitmap_weight_range(map, start, n), weight);
		if (value)
			bitmap_set_range(map, start, n);
		else
			bitmap_clear_range(map, start, n);
		ASSERT_TRUE(same(map, model, MAX));
	}
}

static void
check_searches(size_t nbits)
{
	size_t next_one = nbits, next_zero = nbits, next_and = nbits, last = nbits, weight = 0;

	for (size_t i = nbits; i-- > 0;) {
		if (model[i])
			next_one = i;
		else
			next_zero = i;
		if (model[i] && model2[i])
			next_and = i;
		if (model[i] && last == nbits)
			last = i;
		weight += model[i];
		EXPECT_EQ(bitmap_next_one(map, nbits, i), next_one);
		EXPECT_EQ(bitmap_next_zero(map, nbits, i), next_zero);
		EXPECT_EQ(bitmap_next_and(map, other, nbits, i), next_and);
	}
	EXPECT_EQ(bitmap_next_one(map, nbits, nbits), nbits);
	EXPECT_EQ(bitmap_next_zero(map, nbits, nbits + 100), nbits);
	EXPECT_EQ(bitmap_last_one(map, nbits), last);
	EXPECT_EQ(bitmap_weight(map, nbits), weight);
	EXPECT_EQ(bitmap_empty(map, nbits), weight == 0);
	EXPECT_EQ(bitmap_full(map, nbits), weight == nbits);
	EXPECT_EQ(bitmap_intersects(map, other, nbits), next_and != nbits);
}

TEST(bitmap_searches)
{
	u64 seed = 2;

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (int i = 0; i < 40; i++) {
			random_map(map, model, &seed);
			random_map(other, model2, &seed);
			check_searches(sizes[s]);
		}
	}
	EXPECT(bitmap_empty(map, 0));
	EXPECT(bitmap_full(map, 0));
	EXPECT_EQ(bitmap_last_one(map, 0), 0);
}

TEST(bitmap_logic)
{
	u64 seed = 3;

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		size_t n = sizes[s];
		bool subset = true, equal = true;

		random_map(map, model, &seed);
		random_map(other, model2, &seed);
		bitmap_and(result, map, other, n);
		for (size_t i = 0; i < n; i++)
			EXPECT_EQ(bit_test(result, i), model[i] && model2[i]);
		EXPECT(bitmap_subset(result, map, n));
		bitmap_or(result, map, other, n);
		for (size_t i = 0; i < n; i++)
			EXPECT_EQ(bit_test(result, i), model[i] || model2[i]);
		EXPECT(bitmap_subset(map, result, n));
		bitmap_xor(result, map, other, n);
		for (size_t i = 0; i < n; i++)
			EXPECT_EQ(bit_test(result, i), model[i] != model2[i]);
		bitmap_andnot(result, map, other, n);
		for (size_t i = 0; i < n; i++)
			EXPECT_EQ(bit_test(result, i), model[i] && !model2[i]);
		bitmap_complement(result, map, n);
		for (size_t i = 0; i < n; i++) {
			EXPECT_EQ(bit_test(result, i), !model[i]);
			subset = subset && (!model[i] || model2[i]);
			equal = equal && model[i] == model2[i];
		}
		EXPECT_EQ(bitmap_subset(map, other, n), subset);
		EXPECT_EQ(bitmap_equal(map, other, n), equal);
		bitmap_copy(result, map, n);
		bit_flip(result, n);
		EXPECT(bitmap_equal(map, result, n));
		bit_flip(result, n - 1);
		EXPECT(!bitmap_equal(map, result, n));
		bitmap_fill(result, n);
		EXPECT(bitmap_full(result, n));
	}
}

TEST(bitmap_runs)
{
	u64 seed = 4;

	for (int i = 0; i < 3000; i++) {
		size_t nbits = sizes[test_rand(&seed) % ARRAY_SIZE(sizes)];
		size_t from = test_rand(&seed) % nbits;
		size_t n = 1 + test_rand(&seed) % 12;
		size_t align = 1UL << test_rand(&seed) % 5;
		size_t want = nbits;

		random_map(map, model, &seed);
		for (size_t at = from; at + n <= nbits && at < nbits && want == nbits; at++) {
			bool fits = is_aligned(at, align);

			for (size_t k = at; k < at + n; k++)
				fits = fits && !model[k];
			if (fits)
				want = at;
		}
		EXPECT_EQ(bitmap_find_zero_run(map, nbits, from, n, align), want);
	}
	EXPECT_EQ(bitmap_find_zero_run(map, MAX, 0, SIZE_MAX, 1), MAX);
}

TEST(bitmap_iterators)
{
	size_t i, n = 0;

	bitmap_zero(map, 130);
	bit_set(map, 0);
	bit_set(map, 64);
	bit_set(map, 129);
	bitmap_for_each_one(i, map, 130)
		n = n * 1000 + i;
	EXPECT_EQ(n, 64129);
	n = 0;
	bitmap_for_each_zero(i, map, 130)
		n++;
	EXPECT_EQ(n, 127);
}

static const struct {
	const char *in;
	const char *out;
	int err;
} lists[] = {
	{"", "", 0},
	{"0", "0", 0},
	{"0-3,8", "0-3,8", 0},
	{" 1 , 2\n", "1-2", 0},
	{"99,1,,5-7,", "1,5-7,99", 0},
	{"N", "99", 0},
	{"97-N", "97-99", 0},
	{"all", "0-99", 0},
	{"0-9:2/4", "0-1,4-5,8-9", 0},
	{"0-8:1/3,20", "0,3,6,20", 0},
	{"0-99:100/100", "0-99", 0},
	{"100", "", -ERANGE},
	{"98-100", "", -ERANGE},
	{"99999999999999999999", "", -ERANGE},
	{"5-3", "", -EINVAL},
	{"1-", "", -EINVAL},
	{"-1", "", -EINVAL},
	{"x", "", -EINVAL},
	{"1x", "", -EINVAL},
	{"1;2", "", -EINVAL},
	{"0-9:0/4", "", -EINVAL},
	{"0-9:5/4", "", -EINVAL},
	{"0-9:1/0", "", -EINVAL},
	{"0-9:1", "", -EINVAL},
	{"0-9:1/", "", -EINVAL},
	{"ally", "", -EINVAL},
};

TEST(bitmap_list_text)
{
	char buf[64];

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		int err = bitmap_list_parse(lists[i].in, map, 100);

		if (err != lists[i].err)
			test_printf("# in: %s\n", lists[i].in);
		EXPECT_EQ(err, lists[i].err);
		if (err != 0)
			continue;
		EXPECT_EQ(bitmap_list_print(buf, sizeof(buf), map, 100), strlen(lists[i].out));
		EXPECT_STR(buf, lists[i].out);
	}
	EXPECT_EQ(bitmap_list_parse("0-3,8", map, 100), 0);
	EXPECT_EQ(bitmap_list_print(buf, 4, map, 100), 3);
	EXPECT_STR(buf, "0-3");
	EXPECT_EQ(bitmap_list_print(buf, 0, map, 100), 0);
	EXPECT_EQ(bitmap_list_parse("N", map, 0), -ERANGE);
}

static const struct {
	const char *in;
	size_t nbits;
	const char *out;
	int err;
} hexes[] = {
	{"f", 4, "f", 0},
	{"f", 8, "0f", 0},
	{"0000010f\n", 32, "0000010f", 0},
	{"1,00000000", 33, "1,00000000", 0},
	{"1,0", 100, "0,00000000,00000001,00000000", 0},
	{"a,b,0000c", 100, "0,0000000a,0000000b,0000000c", 0},
	{"f,ffffffff,ffffffff,ffffffff", 100, "f,ffffffff,ffffffff,ffffffff", 0},
	{"1f,ffffffff,ffffffff,ffffffff", 100, "", -EOVERFLOW},
	{"ABCD", 16, "abcd", 0},
	{"10000", 16, "", -EOVERFLOW},
	{"000000001", 64, "", -EOVERFLOW},
	{"2", 1, "", -EOVERFLOW},
	{"", 8, "", -EINVAL},
	{",1", 8, "", -EINVAL},
	{"1,", 8, "", -EINVAL},
	{"g", 8, "", -EINVAL},
	{"1 1", 8, "", -EINVAL},
};

TEST(bitmap_hex_text)
{
	char buf[64];

	for (size_t i = 0; i < ARRAY_SIZE(hexes); i++) {
		int err = bitmap_hex_parse(hexes[i].in, map, hexes[i].nbits);

		if (err != hexes[i].err)
			test_printf("# in: %s\n", hexes[i].in);
		EXPECT_EQ(err, hexes[i].err);
		if (err != 0)
			continue;
		bitmap_hex_print(buf, sizeof(buf), map, hexes[i].nbits);
		EXPECT_STR(buf, hexes[i].out);
	}
}

TEST(bitmap_text_round_trip)
{
	static char buf[1024];
	u64 seed = 6;

	for (int i = 0; i < 500; i++) {
		size_t nbits = sizes[test_rand(&seed) % ARRAY_SIZE(sizes)];

		random_map(map, model, &seed);
		bitmap_list_print(buf, sizeof(buf), map, nbits);
		EXPECT_EQ(bitmap_list_parse(buf, other, nbits), 0);
		EXPECT(bitmap_equal(map, other, nbits));
		bitmap_hex_print(buf, sizeof(buf), map, nbits);
		EXPECT_EQ(bitmap_hex_parse(buf, other, nbits), 0);
		EXPECT(bitmap_equal(map, other, nbits));
	}
}
