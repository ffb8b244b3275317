/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF: tables of programs, and random ones against a second check and a
 * second interpreter, which are written from the definition: the one walks every
 * way through the program, the other computes with numbers of 64 bits.
 */
#include "lib/cbpf.h"
#include "lib/string.h"
#include "lib/test.h"

#define SIZE 64
#define OPS(c, kk)                                                                                 \
	{                                                                                          \
		.code = (c), .k = (kk)                                                             \
	}
#define BRANCH(c, kk, t, f)                                                                        \
	{                                                                                          \
		.code = CBPF_JMP | (c), .jt = (t), .jf = (f), .k = (kk)                            \
	}
#define RET_K(kk) OPS(CBPF_RET | CBPF_K, kk)
#define RET_A OPS(CBPF_RET | CBPF_A, 0)
#define IMM_A(kk) OPS(CBPF_LD | CBPF_IMM, kk)
#define IMM_X(kk) OPS(CBPF_LDX | CBPF_IMM, kk)
#define ALU(op, kk) OPS(CBPF_ALU | (op), kk)

static u16 scratch[CBPF_MAX_INSNS];
static u8 data[SIZE];

static void
fill_data(void)
{
	for (unsigned int i = 0; i < SIZE; i++)
		data[i] = (u8)(i * 37 + 11);
}

/* --- tables --- */

struct example {
	const char *what;
	struct cbpf_insn prog[8];
	unsigned int len;
	u32 value;
};

static const struct example good[] = {
	{"a constant", {RET_K(7)}, 1, 7},
	{"A is 0 at the start", {RET_A}, 1, 0},
	{"X is 0 at the start", {OPS(CBPF_MISC | CBPF_TXA, 0), RET_A}, 2, 0},
	{"the first word", {OPS(CBPF_LD | CBPF_ABS, 0), RET_A}, 2, 0x7a55300b},
	{"the last word", {OPS(CBPF_LD | CBPF_ABS, 60), RET_A}, 2, 0x2601dcb7},
	{"the size, in A", {OPS(CBPF_LD | CBPF_LEN, 5), RET_A}, 2, SIZE},
	{"the size, in X",
	 {OPS(CBPF_LDX | CBPF_LEN, 5), OPS(CBPF_MISC | CBPF_TXA, 0), RET_A},
	 3,
	 SIZE},
	{"a cell",
	 {IMM_A(9), OPS(CBPF_ST, 15), IMM_A(1), OPS(CBPF_LD | CBPF_MEM, 15), RET_A},
	 5,
	 9},
	{"a cell of X",
	 {IMM_X(9), OPS(CBPF_STX, 0), IMM_X(1), OPS(CBPF_LDX | CBPF_MEM, 0),
	  OPS(CBPF_MISC | CBPF_TXA, 0), RET_A},
	 6,
	 9},
	{"a sum that wraps", {IMM_A(0xffffffff), ALU(CBPF_ADD | CBPF_K, 3), RET_A}, 3, 2},
	{"a difference", {IMM_A(1), ALU(CBPF_SUB | CBPF_K, 3), RET_A}, 3, 0xfffffffe},
	{"a product", {IMM_A(0x10001), ALU(CBPF_MUL | CBPF_K, 0x10001), RET_A}, 3, 0x20001},
	{"a quotient", {IMM_A(0x80000000), ALU(CBPF_DIV | CBPF_K, 3), RET_A}, 3, 0x2aaaaaaa},
	{"division by X", {IMM_A(9), IMM_X(2), ALU(CBPF_DIV | CBPF_X, 0), RET_A}, 4, 4},
	{"division by X = 0", {IMM_A(9), ALU(CBPF_DIV | CBPF_X, 7), RET_K(5)}, 3, 0},
	{"a shift by X is by its low bits",
	 {IMM_A(3), IMM_X(33), ALU(CBPF_LSH | CBPF_X, 0), RET_A},
	 4,
	 6},
	{"a shift to the right", {IMM_A(0x80000000), ALU(CBPF_RSH | CBPF_K, 31), RET_A}, 3, 1},
	{"a sign", {IMM_A(5), ALU(CBPF_NEG, 0), RET_A}, 3, (u32)-5},
	{"and, or, xor",
	 {IMM_A(0xf0f0), ALU(CBPF_AND | CBPF_K, 0xff00), ALU(CBPF_OR | CBPF_K, 1),
	  ALU(CBPF_XOR | CBPF_K, 0x11), RET_A},
	 5,
	 0xf010},
	{"TAX", {IMM_A(4), OPS(CBPF_MISC | CBPF_TAX, 0), ALU(CBPF_ADD | CBPF_X, 0), RET_A}, 4, 8},
	{"a comparison knows no sign",
	 {IMM_A(0x80000000), BRANCH(CBPF_JGT | CBPF_K, 1, 0, 1), RET_K(1), RET_K(2)},
	 4,
	 1},
	{"not greater", {IMM_A(3), BRANCH(CBPF_JGT | CBPF_K, 3, 0, 1), RET_K(1), RET_K(2)}, 4, 2},
	{"as great", {IMM_A(3), BRANCH(CBPF_JGE | CBPF_K, 3, 0, 1), RET_K(1), RET_K(2)}, 4, 1},
	{"equal to X", {IMM_X(3), BRANCH(CBPF_JEQ | CBPF_X, 3, 0, 1), RET_K(1), RET_K(2)}, 4, 2},
	{"a bit in common",
	 {IMM_A(6), BRANCH(CBPF_JSET | CBPF_K, 9, 0, 1), RET_K(1), RET_K(2)},
	 4,
	 2},
	{"a jump", {OPS(CBPF_JMP | CBPF_JA, 1), RET_K(1), RET_K(2)}, 3, 2},
	{"a cell that is written on both ways",
	 {BRANCH(CBPF_JEQ | CBPF_K, 0, 0, 2), OPS(CBPF_ST, 2), OPS(CBPF_JMP | CBPF_JA, 1),
	  OPS(CBPF_STX, 2), OPS(CBPF_LD | CBPF_MEM, 2), RET_A},
	 6,
	 0},
	{"a cell where nothing comes by",
	 {OPS(CBPF_JMP | CBPF_JA, 1), OPS(CBPF_LD | CBPF_MEM, 2), RET_K(3)},
	 3,
	 3},
};

static const struct example bad[] = {
	{"no end", {IMM_A(1)}, 1, 0},
	{"a jump at the end", {RET_K(1), OPS(CBPF_JMP | CBPF_JA, 0)}, 2, 0},
	{"a return of X", {OPS(CBPF_RET | CBPF_X, 0)}, 1, 0},
	{"a byte", {OPS(CBPF_LD | CBPF_ABS | 0x10, 0), RET_A}, 2, 0},
	{"a half", {OPS(CBPF_LD | CBPF_ABS | 0x08, 0), RET_A}, 2, 0},
	{"relative to X", {OPS(CBPF_LD | 0x40, 0), RET_A}, 2, 0},
	{"the length of an IP header", {OPS(CBPF_LDX | 0xb0, 0), RET_A}, 2, 0},
	{"words into X", {OPS(CBPF_LDX | CBPF_ABS, 0), RET_A}, 2, 0},
	{"MOD", {ALU(0x90, 3), RET_A}, 2, 0},
	{"another code", {OPS(0xf7, 0), RET_A}, 2, 0},
	{"a code of more than a byte", {OPS(0x106, 0), RET_A}, 2, 0},
	{"behind the data", {OPS(CBPF_LD | CBPF_ABS, SIZE), RET_A}, 2, 0},
	{"far behind the data", {OPS(CBPF_LD | CBPF_ABS, 0xfffffffc), RET_A}, 2, 0},
	{"not aligned", {OPS(CBPF_LD | CBPF_ABS, 2), RET_A}, 2, 0},
	{"cell 16", {OPS(CBPF_ST, 16), RET_A}, 2, 0},
	{"X to cell 16", {OPS(CBPF_STX, 16), RET_A}, 2, 0},
	{"from cell 16", {OPS(CBPF_LD | CBPF_MEM, 16), RET_A}, 2, 0},
	{"division by 0", {ALU(CBPF_DIV | CBPF_K, 0), RET_A}, 2, 0},
	{"a shift by 32", {ALU(CBPF_LSH | CBPF_K, 32), RET_A}, 2, 0},
	{"a shift to the right by 32", {ALU(CBPF_RSH | CBPF_K, 32), RET_A}, 2, 0},
	{"a jump behind the end", {OPS(CBPF_JMP | CBPF_JA, 1), RET_A}, 2, 0},
	{"a jump to before the start", {OPS(CBPF_JMP | CBPF_JA, 0xffffffff), RET_A}, 2, 0},
	{"a branch behind the end", {BRANCH(CBPF_JEQ | CBPF_K, 0, 1, 0), RET_A}, 2, 0},
	{"else behind the end", {BRANCH(CBPF_JEQ | CBPF_K, 0, 0, 1), RET_A}, 2, 0},
	{"a cell that was never written", {OPS(CBPF_LD | CBPF_MEM, 0), RET_A}, 2, 0},
	{"another cell", {OPS(CBPF_ST, 1), OPS(CBPF_LDX | CBPF_MEM, 0), RET_A}, 3, 0},
	{"a cell that one way misses",
	 {BRANCH(CBPF_JEQ | CBPF_K, 0, 0, 1), OPS(CBPF_ST, 2), OPS(CBPF_LD | CBPF_MEM, 2), RET_A},
	 4,
	 0},
	{"a cell behind a return", {RET_A, OPS(CBPF_LD | CBPF_MEM, 2), RET_A}, 3, 0},
};

TEST(cbpf_good)
{
	fill_data();
	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++) {
		const struct example *e = &good[i];

		if (!test_check(cbpf_check(e->prog, e->len, SIZE, scratch), e->what))
			continue;
		if (cbpf_run(e->prog, data, SIZE, SIZE) != e->value)
			test_fail_line("%s: %#x", e->what, cbpf_run(e->prog, data, SIZE, SIZE));
	}
}

TEST(cbpf_bad)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		test_check(!cbpf_check(bad[i].prog, bad[i].len, SIZE, scratch), bad[i].what);
	EXPECT(!cbpf_check(bad[0].prog, 0, SIZE, scratch));
}

TEST(cbpf_length)
{
	static struct cbpf_insn prog[CBPF_MAX_INSNS + 1];

	for (unsigned int i = 0; i <= CBPF_MAX_INSNS; i++)
		prog[i] = (struct cbpf_insn)ALU(CBPF_ADD | CBPF_K, 1);
	prog[CBPF_MAX_INSNS - 1] = prog[CBPF_MAX_INSNS] = (struct cbpf_insn)RET_A;
	EXPECT(cbpf_check(prog, CBPF_MAX_INSNS, SIZE, scratch));
	EXPECT_EQ(cbpf_run(prog, data, SIZE, SIZE), CBPF_MAX_INSNS - 1u);
	EXPECT(!cbpf_check(prog, CBPF_MAX_INSNS + 1, SIZE, scratch));
	EXPECT_EQ(cbpf_weight(prog, CBPF_MAX_INSNS), CBPF_MAX_INSNS + 3u);
}

/* What is not there ends it: a filter that says yes without it says yes whatever it is. */
TEST(cbpf_part_of_the_data)
{
	static const struct cbpf_insn prog[] = {
		OPS(CBPF_LD | CBPF_ABS, 0),
		BRANCH(CBPF_JEQ | CBPF_K, 1, 0, 1),
		RET_K(5),
		OPS(CBPF_LD | CBPF_ABS, 8),
		RET_K(6),
	};
	const u8 one[8] = {1}, two[8] = {2};

	ASSERT_TRUE(cbpf_check(prog, ARRAY_SIZE(prog), SIZE, scratch));
	EXPECT_EQ(cbpf_run(prog, one, SIZE, sizeof(one)), 5u);
	EXPECT_EQ(cbpf_run(prog, two, SIZE, sizeof(two)), 0u);
	EXPECT_EQ(cbpf_run(prog, one, SIZE, 0), 0u);
}

TEST(cbpf_weights)
{
	static const struct {
		struct cbpf_insn insn;
		u32 weight;
	} rows[] = {
		{RET_K(0), 2},
		{RET_A, 1},
		{IMM_A(0xffffffff), 1},
		{ALU(CBPF_DIV | CBPF_X, 0), 5},
		{ALU(CBPF_DIV | CBPF_K, 3), 1},
		{BRANCH(CBPF_JA, 0x80000000, 0, 0), 1},
		{BRANCH(CBPF_JEQ | CBPF_K, 1, 3, 0), 1},
		{BRANCH(CBPF_JEQ | CBPF_K, 1, 0, 3), 1},
		{BRANCH(CBPF_JEQ | CBPF_K, 1, 3, 3), 2},
		{BRANCH(CBPF_JEQ | CBPF_K, 0x80000000, 3, 3), 3},
		{BRANCH(CBPF_JEQ | CBPF_X, 0x80000000, 3, 3), 2},
		{BRANCH(CBPF_JSET | CBPF_K, 1, 3, 0), 1},
		{BRANCH(CBPF_JSET | CBPF_K, 1, 0, 3), 2},
		{BRANCH(CBPF_JSET | CBPF_K, 0x80000000, 0, 0), 2},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (cbpf_weight(&rows[i].insn, 1) != rows[i].weight + 3)
			test_fail_line("row %u: %u", i, cbpf_weight(&rows[i].insn, 1));
}

/* --- random programs --- */

#define RANDOM_LEN 12
#define CELL(n) BIT(n)

/* Every way from pc on, with the cells that were written before it: the definition. */
static bool
ways_ok(const struct cbpf_insn *prog, unsigned int len, unsigned int pc, unsigned long cells)
{
	while (pc < len) {
		const struct cbpf_insn *i = &prog[pc++];

		if (i->code == 0x02 || i->code == 0x03) {
			cells |= CELL(i->k);
		} else if (i->code == 0x60 || i->code == 0x61) {
			if (!(cells & CELL(i->k)))
				return false;
		} else if (i->code == 0x05) {
			pc += i->k;
		} else if ((i->code & 7) == 5) {
			if (!ways_ok(prog, len, pc + i->jt, cells))
				return false;
			pc += i->jf;
		}
	}
	return true;
}

static bool
is_code(u16 code)
{
	static const u8 codes[] = {
		0x20, 0x80, 0x81, 0x06, 0x16, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x54,
		0x5c, 0x44, 0x4c, 0xa4, 0xac, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0x00, 0x01, 0x07, 0x87,
		0x60, 0x61, 0x02, 0x03, 0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static bool
reference_check(const struct cbpf_insn *prog, unsigned int len)
{
	for (unsigned int pc = 0; pc < len; pc++) {
		u16 c = prog[pc].code;
		u64 k = prog[pc].k;

		if (!is_code(c) || (c == 0x20 && (k % 4 || k > SIZE - 4)) ||
		    ((c == 0x60 || c == 0x61 || c == 0x02 || c == 0x03) && k > 15) ||
		    (c == 0x34 && !k) || ((c == 0x64 || c == 0x74) && k > 31) ||
		    (c == 0x05 && pc + 1 + k > len - 1u) ||
		    ((c & 7) == 5 && c != 0x05 &&
		     (pc + 1 + prog[pc].jt > len - 1u || pc + 1 + prog[pc].jf > len - 1u)))
			return false;
	}
	return (prog[len - 1].code == 0x06 || prog[len - 1].code == 0x16) &&
	       ways_ok(prog, len, 0, 0);
}

static u64
reference_alu(u16 code, u64 a, u64 v)
{
	switch (code >> 4) {
	case 0x0:
		return a + v;
	case 0x1:
		return a + (0x100000000UL - v);
	case 0x2:
		return a * v;
	case 0x3:
		return a / v;
	case 0x4:
		return a | v;
	case 0x5:
		return a & v;
	case 0x6:
		return a << v % 32;
	case 0x7:
		return a >> v % 32;
	case 0x8:
		return 0x100000000UL - a;
	default:
		return (a | v) - (a & v);
	}
}

static u32
reference_run(const struct cbpf_insn *prog)
{
	u64 a = 0, x = 0, cells[16] = {};

	for (unsigned int pc = 0;; pc++) {
		u16 c = prog[pc].code;
		u64 k = prog[pc].k, v = c & 8 ? x : k;
		bool yes = false;

		if (c == 0x20)
			a = data[k] + data[k + 1] * 256UL + data[k + 2] * 65536UL +
			    data[k + 3] * 16777216UL;
		else if (c == 0x80)
			a = SIZE;
		else if (c == 0x81)
			x = SIZE;
		else if (c == 0x00)
			a = k;
		else if (c == 0x01)
			x = k;
		else if (c == 0x60)
			a = cells[k];
		else if (c == 0x61)
			x = cells[k];
		else if (c == 0x02)
			cells[k] = a;
		else if (c == 0x03)
			cells[k] = x;
		else if (c == 0x07)
			x = a;
		else if (c == 0x87)
			a = x;
		else if (c == 0x06)
			return (u32)k;
		else if (c == 0x16)
			return (u32)a;
		else if ((c & 0xf7) == 0x34 && v == 0)
			return 0;
		else if ((c & 7) == 4)
			a = reference_alu(c, a, v) % 0x100000000UL;
		else if (c == 0x05)
			pc += (unsigned int)k;
		else {
			yes = (c & 0xf0) == 0x10   ? a == v
			      : (c & 0xf0) == 0x20 ? a > v
			      : (c & 0xf0) == 0x30 ? a >= v
						   : (a & v) != 0;
			pc += yes ? prog[pc].jt : prog[pc].jf;
		}
	}
}

static u32
random_k(u64 *seed, u16 code)
{
	u64 r = test_rand(seed);

	switch (code & 7) {
	case 0:
	case 1:
	case 2:
	case 3:
		return code == 0x20 ? r % 68 / 4 * 4 : code == 0x00 ? (u32)r : r % 17;
	case 5:
		return code == 0x05 ? r % 4 : r & 0x100 ? (u32)(r >> 32) : r % 4;
	default:
		return r & 0x100 ? (u32)(r >> 32) : r % 34;
	}
}

static void
random_program(u64 *seed, struct cbpf_insn *prog, unsigned int len)
{
	for (unsigned int pc = 0; pc < len; pc++) {
		u64 r = test_rand(seed);
		u16 code = (u8)r;

		/* A code that there is, mostly; many stores, for else few loads are right. */
		while (!is_code(code) && (r >> 40) % 64)
			code = (u8)test_rand(seed);
		if ((r >> 48) % 8 == 0)
			code = 0x02 | ((r >> 56) & 1);
		prog[pc].code = pc == len - 1 ? 0x16 : code;
		prog[pc].k = random_k(seed, code);
		prog[pc].jt = (u8)((r >> 16) % 4);
		prog[pc].jf = (u8)((r >> 24) % 4);
	}
}

TEST(cbpf_random)
{
	struct cbpf_insn prog[RANDOM_LEN];
	unsigned int right = 0, wrong = 0;
	u64 seed = 20221211;

	for (unsigned int n = 0; n < 40000; n++) {
		unsigned int len = 2 + test_rand(&seed) % (RANDOM_LEN - 1);
		bool ok;

		random_program(&seed, prog, len);
		for (unsigned int i = 0; i < SIZE; i++)
			data[i] = (u8)(test_rand(&seed) & (n & 1 ? 0xff : 0x03));
		ok = reference_check(prog, len);
		if (cbpf_check(prog, len, SIZE, scratch) != ok) {
			test_fail_line("program %u is %s", n, ok ? "good" : "bad");
			return;
		}
		right += ok;
		wrong += !ok;
		if (ok && cbpf_run(prog, data, SIZE, SIZE) != reference_run(prog)) {
			test_fail_line("program %u gives %#x, not %#x", n,
				       cbpf_run(prog, data, SIZE, SIZE), reference_run(prog));
			return;
		}
	}
	/* Both were tried. */
	EXPECT_GT(right, 5000u);
	EXPECT_GT(wrong, 5000u);
}

/* Loads of packets: what is there, in the order of the network, and nothing beyond. */
TEST(cbpf_packets)
{
	static const u8 data[] = {0x12, 0x34, 0x56, 0x78, 0x9a};
	static const struct {
		u16 code;
		u32 k, value;
	} loads[] = {
		{CBPF_LD | CBPF_ABS | CBPF_B, 4, 0x9a},
		{CBPF_LD | CBPF_ABS | CBPF_H, 3, 0x789a},
		{CBPF_LD | CBPF_ABS | CBPF_W, 1, 0x3456789a},
		{CBPF_LD | CBPF_ABS | CBPF_B, 5, 0},
		{CBPF_LD | CBPF_ABS | CBPF_H, 4, 0},
		{CBPF_LD | CBPF_ABS | CBPF_W, 2, 0},
		{CBPF_LD | CBPF_ABS | CBPF_W, 0xffffefff, 0},
		{CBPF_LD | CBPF_IND | CBPF_B, 2, 0x56},
		{CBPF_LD | CBPF_IND | CBPF_W, 0xffffffff, 0},
		{CBPF_LD | CBPF_ABS | CBPF_W, 0xfffff000 + 36, 7},
	};
	const struct cbpf_env env = {.cpu = 7};
	u16 scratch[2];

	for (u32 i = 0; i < ARRAY_SIZE(loads); i++) {
		struct cbpf_insn prog[] = {{loads[i].code, 0, 0, loads[i].k},
					   {CBPF_RET | CBPF_A, 0, 0, 0}};

		if (!test_check(cbpf_check_packet(prog, 2, scratch), "a load"))
			continue;
		if (cbpf_run_packet(prog, data, sizeof(data), &env) != loads[i].value)
			test_fail_line("load %u: %#x", i,
				       cbpf_run_packet(prog, data, sizeof(data), &env));
	}
}
