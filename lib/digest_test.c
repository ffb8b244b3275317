/* SPDX-License-Identifier: BSD-2-Clause */
/* Checksums, hashes and ciphers against published values. */
#include "lib/blake2s.h"
#include "lib/chacha.h"
#include "lib/crc32.h"
#include "lib/endian.h"
#include "lib/siphash.h"
#include "lib/string.h"
#include "lib/test.h"
#include "lib/xxhash.h"

/* One bit at a time, as the definition says. */
static u32
slow_crc(u32 poly, u32 crc, const u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? poly : 0);
	}
	return crc;
}

TEST(crc32_vectors)
{
	EXPECT_EQ(crc32(0, "123456789", 9), 0xcbf43926);
	EXPECT_EQ(crc32c(0, "123456789", 9), 0xe3069283);
	EXPECT_EQ(crc32(0, "", 0), 0);
	EXPECT_EQ(crc32c(0, "", 0), 0);
	EXPECT_EQ(crc32(crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
	EXPECT_EQ(crc32c(crc32c(0, "1", 1), "23456789", 8), 0xe3069283);
}

TEST(crc32_against_definition)
{
	u8 buf[80];
	u64 seed = 1;

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)test_rand(&seed);
	for (size_t start = 0; start < 8; start++) {
		for (size_t n = 0; start + n <= sizeof(buf); n++) {
			u32 init = (u32)test_rand(&seed);

			EXPECT_EQ(crc32_raw(init, buf + start, n),
				  slow_crc(0xedb88320, init, buf + start, n));
			EXPECT_EQ(crc32c_raw(init, buf + start, n),
				  slow_crc(0x82f63b78, init, buf + start, n));
		}
	}
}

/* RFC 3720 B.4. */
TEST(crc32c_iscsi)
{
	u8 buf[32];

	memset(buf, 0, sizeof(buf));
	EXPECT_EQ(crc32c(0, buf, sizeof(buf)), 0x8a9136aa);
	memset(buf, 0xff, sizeof(buf));
	EXPECT_EQ(crc32c(0, buf, sizeof(buf)), 0x62a8ab43);
	for (u8 i = 0; i < sizeof(buf); i++)
		buf[i] = i;
	EXPECT_EQ(crc32c(0, buf, sizeof(buf)), 0x46dd794e);
}

/* The paper's appendix, and the reference implementation's list. */
TEST(siphash_vectors)
{
	struct siphash_key key;
	u8 in[64];

	for (u8 i = 0; i < sizeof(in); i++)
		in[i] = i;
	key.k[0] = get_le64(in);
	key.k[1] = get_le64(in + 8);
	EXPECT_EQ(siphash(in, 0, &key), 0x726fdb47dd0e0e31UL);
	EXPECT_EQ(siphash(in, 1, &key), 0x74f839c593dc67fdUL);
	EXPECT_EQ(siphash(in, 8, &key), 0x93f5f5799a932462UL);
	EXPECT_EQ(siphash(in, 15, &key), 0xa129ca6149be45e5UL);
	EXPECT_EQ(siphash_1u64(get_le64(in), &key), siphash(in, 8, &key));
	EXPECT_EQ(siphash_2u64(get_le64(in), get_le64(in + 8), &key), siphash(in, 16, &key));
	EXPECT_EQ(siphash_3u64(get_le64(in), get_le64(in + 8), get_le64(in + 16), &key),
		  siphash(in, 24, &key));
	EXPECT_EQ(siphash_4u64(get_le64(in), get_le64(in + 8), get_le64(in + 16), get_le64(in + 24),
			       &key),
		  siphash(in, 32, &key));
}

/* RFC 8439 2.3.2: key 00..1f, counter 1, nonce 00 00 00 09 00 00 00 4a 00 00 00 00. */
TEST(chacha_vector)
{
	static const u32 expected[16] = {
		0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033,
		0x9aaa2204, 0x4e6cd4c3, 0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
		0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2,
	};
	struct chacha c;
	u8 key[CHACHA_KEY_SIZE];
	u8 out[CHACHA_BLOCK_SIZE];

	for (u8 i = 0; i < sizeof(key); i++)
		key[i] = i;
	chacha_init(&c, key, 0x4a000000UL, 0x0900000000000001UL);
	chacha_block(&c, out);
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(get_le32(out + 4 * i), expected[i]);
	EXPECT_EQ(c.s[12], 2);
	EXPECT_EQ(c.s[13], 0x09000000);
}

TEST(chacha_counter_and_stream)
{
	static u8 stream[200];
	struct chacha c, d;
	u8 key[CHACHA_KEY_SIZE] = {1};
	u8 block[CHACHA_BLOCK_SIZE];

	chacha_init(&c, key, 5, 0xffffffffUL);
	chacha_init(&d, key, 5, 0xffffffffUL);
	chacha_stream(&c, stream, sizeof(stream));
	EXPECT_EQ(c.s[12], 3);
	EXPECT_EQ(c.s[13], 1);
	for (size_t at = 0; at < sizeof(stream); at += sizeof(block)) {
		chacha_block(&d, block);
		EXPECT_EQ(memcmp(block, stream + at, min(sizeof(block), sizeof(stream) - at)), 0);
	}
	/* The carry into the high word gives the same block as starting there. */
	chacha_init(&d, key, 5, 1UL << 32);
	chacha_block(&d, block);
	EXPECT_EQ(memcmp(block, stream + 64, sizeof(block)), 0);
}

static void
expect_hex(const u8 *p, size_t n, const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * BLAKE2S_HASH_SIZE + 1];

	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[p[i] >> 4];
		text[2 * i + 1] = digits[p[i] & 15];
	}
	text[2 * n] = '\0';
	EXPECT_STR(text, hex);
}

static void
blake2s(u8 *out, size_t out_len, const void *data, size_t n)
{
	struct blake2s b;

	blake2s_init(&b, out_len, NULL, 0);
	blake2s_update(&b, data, n);
	blake2s_final(&b, out);
}

TEST(blake2s_vectors)
{
	struct blake2s b;
	u8 key[32];
	u8 hash[32];

	blake2s(hash, 32, "abc", 3);
	expect_hex(hash, 32, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
	blake2s(hash, 32, "", 0);
	expect_hex(hash, 32, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9");
	for (u8 i = 0; i < 32; i++)
		key[i] = i;
	blake2s_init(&b, 32, key, 32);
	blake2s_final(&b, hash);
	expect_hex(hash, 32, "48a8997da407876b3d79c0d92325ad3b89cbb754d86ab71aee047ad345fd2c49");
	blake2s_init(&b, 32, key, 32);
	blake2s_update(&b, "\0", 1);
	blake2s_final(&b, hash);
	expect_hex(hash, 32, "40d15fee7c328830166ac3f918650f807e7e01e177258cdc0a39b11f598066f1");
}

/* RFC 7693 appendix E: a hash over hashes of all lengths, keyed and not. */
TEST(blake2s_self_test)
{
	static const u8 lengths[4] = {16, 20, 28, 32};
	static const u16 inputs[6] = {0, 3, 64, 65, 255, 1024};
	static u8 in[1024];
	struct blake2s all, one;
	u8 key[32];
	u8 hash[32];

	blake2s_init(&all, 32, NULL, 0);
	for (int i = 0; i < 4; i++) {
		for (int j = 0; j < 6; j++) {
			u32 fib[2];
			size_t n = inputs[j];
			size_t out_len = lengths[i];

			for (int keyed = 0; keyed < 2; keyed++) {
				u8 *p = keyed ? key : in;
				size_t size = keyed ? out_len : n;

				fib[0] = (u32)(0xdead4bad * size);
				fib[1] = 1;
				for (size_t k = 0; k < size; k++) {
					u32 next = fib[0] + fib[1];

					fib[0] = fib[1];
					fib[1] = next;
					p[k] = (u8)(next >> 24);
				}
			}
			blake2s(hash, out_len, in, n);
			blake2s_update(&all, hash, out_len);
			blake2s_init(&one, out_len, key, out_len);
			blake2s_update(&one, in, n);
			blake2s_final(&one, hash);
			blake2s_update(&all, hash, out_len);
		}
	}
	blake2s_final(&all, hash);
	expect_hex(hash, 32, "6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe");
}

TEST(blake2s_pieces)
{
	u8 in[200], whole[32], pieces[32];
	struct blake2s b;
	u64 seed = 3;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (u8)test_rand(&seed);
	for (size_t n = 0; n <= sizeof(in); n++) {
		size_t done = 0;

		blake2s(whole, 32, in, n);
		blake2s_init(&b, 32, NULL, 0);
		while (done < n) {
			size_t part = min(n - done, (size_t)(test_rand(&seed) % 70));

			blake2s_update(&b, in + done, part);
			done += part;
		}
		blake2s_final(&b, pieces);
		EXPECT_EQ(memcmp(whole, pieces, 32), 0);
	}
}

static u64
xxh64(const void *data, size_t n, u64 seed)
{
	struct xxh64 x;

	xxh64_init(&x, seed);
	xxh64_update(&x, data, n);
	return xxh64_digest(&x);
}

TEST(xxh64_vectors)
{
	EXPECT_EQ(xxh64("", 0, 0), 0xef46db3751d8e999UL);
	EXPECT_EQ(xxh64("a", 1, 0), 0xd24ec4f1a98c6e5bUL);
	EXPECT_EQ(xxh64("abc", 3, 0), 0x44bc2cf5ad770999UL);
	EXPECT_EQ(xxh64("Nobody inspects the spammish repetition", 39, 0), 0xfbcea83c8a378bf1UL);
}

TEST(xxh64_pieces)
{
	static u8 in[300];
	u64 seed = 4;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (u8)test_rand(&seed);
	for (size_t n = 0; n <= sizeof(in); n++) {
		struct xxh64 x;
		size_t done = 0;

		xxh64_init(&x, 7);
		while (done < n) {
			size_t part = min(n - done, (size_t)(test_rand(&seed) % 80));

			xxh64_update(&x, in + done, part);
			done += part;
			EXPECT_EQ(xxh64_digest(&x), xxh64(in, done, 7));
		}
	}
}
