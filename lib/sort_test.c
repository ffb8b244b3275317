/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorting of elements of several sizes, and searching. */
#include "lib/sort.h"
#include "lib/string.h"
#include "lib/test.h"

#define MAX 200

/* Elements of size bytes, of which the first is the key; ctx counts the calls. */
static int
compare(const void *a, const void *b, void *ctx)
{
	if (ctx != NULL)
		(*(unsigned int *)ctx)++;
	return *(const u8 *)a - *(const u8 *)b;
}

TEST(sort_random)
{
	static const size_t sizes[] = {1, 2, 3, 4, 7, 8, 9, 16, 24, 37};
	static u8 buf[MAX * 37 + 8];
	static unsigned int count[256];
	u64 seed = 1;

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (size_t n = 0; n <= MAX; n += 1 + n / 8) {
			size_t size = sizes[s];
			unsigned int calls = 0;

			/* All bytes of an element are its key; count ends as it began. */
			for (size_t i = 0; i < n; i++) {
				u8 key = (u8)(test_rand(&seed) >> (n & 7));

				memset(buf + 1 + i * size, key, size);
				count[key]++;
			}
			buf[0] = buf[1 + n * size] = 0x77;
			sort(buf + 1, n, size, compare, &calls);
			EXPECT_EQ(buf[0], 0x77);
			EXPECT_EQ(buf[1 + n * size], 0x77);
			for (size_t i = 0; i < n; i++) {
				u8 *e = buf + 1 + i * size;

				EXPECT(memchr_inv(e, *e, size) == NULL);
				EXPECT(i == 0 || e[-1] <= *e);
				count[*e]--;
			}
			for (int i = 0; i < 256; i++)
				EXPECT_EQ(count[i], 0);
			EXPECT_LE(calls, 2 * n * 9);
		}
	}
}

TEST(sort_search)
{
	static const u8 array[] = {2, 2, 4, 6, 6, 6, 9};

	for (u8 key = 0; key < 12; key++) {
		for (size_t n = 0; n <= sizeof(array); n++) {
			size_t want = 0;

			while (want < n && array[want] < key)
				want++;
			EXPECT_EQ(sort_lower_bound(&key, array, n, 1, compare), want);
		}
	}
}
