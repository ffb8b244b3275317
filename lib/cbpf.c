/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF: the check of a program, and its interpreter.
 *
 * Model: a machine with two registers of 32 bits, A and X (0 at the start), and
 * sixteen cells of memory. It loads aligned words of the data in the byte order
 * of the machine, computes, jumps forward only, and gives a number at a RET.
 * A division by X = 0 ends the program with 0.
 *
 * For packets it also loads bytes, halves and words at any place, relative to X
 * too, in the order of the network, divides with a rest, and knows the length of an
 * IP header (MSH). Places from -4096 on are not the packet's: they stand for what
 * else is known of it. Local sockets have no device, mark or protocol: zeros, and
 * the end for what Linux ends a program without a device at.
 *
 * cbpf_check() is all that keeps cbpf_run() inside the program, its data and
 * its cells. For cells it looks at each instruction once, in order: a cell
 * counts as written if it was on every way there. An instruction behind a RET
 * counts as reached from it, one that no jump reaches behind a JMP as reached
 * with all cells written.
 *
 * See: S. McCanne, V. Jacobson, "The BSD Packet Filter" (1993).
 */
#include "lib/cbpf.h"

#include "lib/string.h"

#define CLASS(code) ((code)&0x07)
#define OP(code) ((code)&0xf0)

/* --- check --- */

/* An instruction that there is, with a k that it can take? */
static bool
insn_ok(const struct cbpf_insn *i, u32 size)
{
	switch (i->code) {
	case CBPF_LD | CBPF_ABS:
		return i->k < size && !(i->k & 3);
	case CBPF_LD | CBPF_MEM:
	case CBPF_LDX | CBPF_MEM:
	case CBPF_ST:
	case CBPF_STX:
		return i->k < CBPF_MEMWORDS;
	case CBPF_ALU | CBPF_DIV | CBPF_K:
		return i->k != 0;
	case CBPF_ALU | CBPF_LSH | CBPF_K:
	case CBPF_ALU | CBPF_RSH | CBPF_K:
		return i->k < 32;
	case CBPF_LD | CBPF_IMM:
	case CBPF_LDX | CBPF_IMM:
	case CBPF_LD | CBPF_LEN:
	case CBPF_LDX | CBPF_LEN:
	case CBPF_ALU | CBPF_ADD | CBPF_K:
	case CBPF_ALU | CBPF_ADD | CBPF_X:
	case CBPF_ALU | CBPF_SUB | CBPF_K:
	case CBPF_ALU | CBPF_SUB | CBPF_X:
	case CBPF_ALU | CBPF_MUL | CBPF_K:
	case CBPF_ALU | CBPF_MUL | CBPF_X:
	case CBPF_ALU | CBPF_DIV | CBPF_X:
	case CBPF_ALU | CBPF_AND | CBPF_K:
	case CBPF_ALU | CBPF_AND | CBPF_X:
	case CBPF_ALU | CBPF_OR | CBPF_K:
	case CBPF_ALU | CBPF_OR | CBPF_X:
	case CBPF_ALU | CBPF_XOR | CBPF_K:
	case CBPF_ALU | CBPF_XOR | CBPF_X:
	case CBPF_ALU | CBPF_LSH | CBPF_X:
	case CBPF_ALU | CBPF_RSH | CBPF_X:
	case CBPF_ALU | CBPF_NEG:
	case CBPF_JMP | CBPF_JA:
	case CBPF_JMP | CBPF_JEQ | CBPF_K:
	case CBPF_JMP | CBPF_JEQ | CBPF_X:
	case CBPF_JMP | CBPF_JGT | CBPF_K:
	case CBPF_JMP | CBPF_JGT | CBPF_X:
	case CBPF_JMP | CBPF_JGE | CBPF_K:
	case CBPF_JMP | CBPF_JGE | CBPF_X:
	case CBPF_JMP | CBPF_JSET | CBPF_K:
	case CBPF_JMP | CBPF_JSET | CBPF_X:
	case CBPF_RET | CBPF_K:
	case CBPF_RET | CBPF_A:
	case CBPF_MISC | CBPF_TAX:
	case CBPF_MISC | CBPF_TXA:
		return true;
	default:
		return false;
	}
}

/* Places that mean something else, from AD_OFF on. */
#define AD_OFF 0xfffff000u
#define AD_IFINDEX 8
#define AD_HATYPE 28
#define AD_CPU 36
#define AD_XOR_X 40
#define AD_RANDOM 56
#define AD_MAX 60

static bool
packet_insn_ok(const struct cbpf_insn *i)
{
	switch (i->code) {
	case CBPF_LD | CBPF_ABS | CBPF_W:
	case CBPF_LD | CBPF_ABS | CBPF_H:
	case CBPF_LD | CBPF_ABS | CBPF_B:
		return i->k < AD_OFF || (i->k <= AD_OFF + AD_MAX && !(i->k & 3));
	case CBPF_ALU | CBPF_MOD | CBPF_K:
		return i->k != 0;
	case CBPF_LD | CBPF_IND | CBPF_W:
	case CBPF_LD | CBPF_IND | CBPF_H:
	case CBPF_LD | CBPF_IND | CBPF_B:
	case CBPF_LDX | CBPF_MSH | CBPF_B:
	case CBPF_ALU | CBPF_MOD | CBPF_X:
		return true;
	default:
		return insn_ok(i, 0);
	}
}

/* Does it stay inside, with `left` instructions behind it? */
static bool
jump_ok(const struct cbpf_insn *i, u32 left)
{
	if (i->code == (CBPF_JMP | CBPF_JA))
		return i->k < left;
	return i->jt < left && i->jf < left;
}

/* written[pc]: the cells that each jump to pc seen so far has behind it. */
static bool
cells_ok(const struct cbpf_insn *prog, unsigned int len, u16 *written)
{
	u16 now = 0;

	memset(written, 0xff, len * sizeof(*written));
	for (unsigned int pc = 0; pc < len; pc++) {
		const struct cbpf_insn *i = &prog[pc];

		now &= written[pc];
		switch (CLASS(i->code)) {
		case CBPF_ST:
		case CBPF_STX:
			now |= (u16)BIT(i->k);
			break;
		case CBPF_LD:
		case CBPF_LDX:
			if ((i->code & ~1) == CBPF_MEM && !(now & BIT(i->k)))
				return false;
			break;
		case CBPF_JMP:
			if (OP(i->code) == CBPF_JA) {
				written[pc + 1 + i->k] &= now;
			} else {
				written[pc + 1 + i->jt] &= now;
				written[pc + 1 + i->jf] &= now;
			}
			now = 0xffff;
			break;
		}
	}
	return true;
}

/* packet: else for `size` bytes of data. */
static bool
check(const struct cbpf_insn *prog, unsigned int len, bool packet, u32 size, u16 *scratch)
{
	if (len == 0 || len > CBPF_MAX_INSNS || CLASS(prog[len - 1].code) != CBPF_RET)
		return false;
	for (unsigned int pc = 0; pc < len; pc++) {
		if (!(packet ? packet_insn_ok(&prog[pc]) : insn_ok(&prog[pc], size)))
			return false;
		if (CLASS(prog[pc].code) == CBPF_JMP && !jump_ok(&prog[pc], len - 1 - pc))
			return false;
	}
	return cells_ok(prog, len, scratch);
}

bool
cbpf_check(const struct cbpf_insn *prog, unsigned int len, u32 size, u16 *scratch)
{
	return check(prog, len, false, size, scratch);
}

bool
cbpf_check_packet(const struct cbpf_insn *prog, unsigned int len, u16 *scratch)
{
	return check(prog, len, true, 0, scratch);
}

/* --- run --- */

/* b is not 0 where op divides. */
static u32
compute(unsigned int op, u32 a, u32 b)
{
	switch (op) {
	case CBPF_ADD:
		return a + b;
	case CBPF_SUB:
		return a - b;
	case CBPF_MUL:
		return a * b;
	case CBPF_DIV:
		return a / b;
	case CBPF_MOD:
		return a % b;
	case CBPF_OR:
		return a | b;
	case CBPF_AND:
		return a & b;
	case CBPF_XOR:
		return a ^ b;
	case CBPF_LSH:
		return a << (b & 31);
	case CBPF_RSH:
		return a >> (b & 31);
	default:
		return -a;
	}
}

static bool
jumps(unsigned int op, u32 a, u32 b)
{
	switch (op) {
	case CBPF_JEQ:
		return a == b;
	case CBPF_JGT:
		return a > b;
	case CBPF_JGE:
		return a >= b;
	default:
		return a & b;
	}
}

/* Bytes from `at` on, in the order of the network. False: not all are there. */
static bool
load_bytes(const u8 *data, u32 size, u32 at, u32 n, u32 *v)
{
	if (n > size || at > size - n)
		return false;
	*v = 0;
	for (u32 i = 0; i < n; i++)
		*v = *v << 8 | data[at + i];
	return true;
}

/* What else is known. False: the program ends. */
static bool
load_known(u32 what, const struct cbpf_env *env, u32 x, u32 *a)
{
	switch (what) {
	case AD_IFINDEX:
	case AD_HATYPE:
		return false;
	case AD_CPU:
		*a = env->cpu;
		return true;
	case AD_XOR_X:
		*a ^= x;
		return true;
	case AD_RANDOM:
		*a = env->random;
		return true;
	default:
		*a = 0;
		return true;
	}
}

static u32
load_width(const struct cbpf_insn *i)
{
	return i->code & CBPF_B ? 1 : i->code & CBPF_H ? 2 : 4;
}

static bool
is_relative(const struct cbpf_insn *i)
{
	return (i->code & 0xe0) == CBPF_IND;
}

static bool
is_known_load(const struct cbpf_insn *i)
{
	return !is_relative(i) && i->k >= AD_OFF;
}

static bool
is_packet_load(const struct cbpf_insn *i)
{
	return (i->code & 0xe0) == CBPF_ABS || is_relative(i);
}

/* env: what packets have, NULL: it is none. */
static __always_inline u32
run(const struct cbpf_insn *prog, const u8 *data, u32 size, u32 there, const struct cbpf_env *env)
{
	u32 mem[CBPF_MEMWORDS], a = 0, x = 0, b;
	const struct cbpf_insn *i;

	for (i = prog;; i++) {
		b = i->code & CBPF_X ? x : i->k;
		switch (CLASS(i->code)) {
		case CBPF_LD:
			if (env && is_packet_load(i)) {
				u32 at = is_relative(i) ? x + i->k : i->k;

				if (!(is_known_load(i)
					      ? load_known(i->k - AD_OFF, env, x, &a)
					      : load_bytes(data, size, at, load_width(i), &a)))
					return 0;
			} else if (i->code == (CBPF_LD | CBPF_ABS)) {
				if (i->k + sizeof(a) > there)
					return 0;
				memcpy(&a, data + i->k, sizeof(a));
			} else if (i->code == (CBPF_LD | CBPF_MEM)) {
				a = mem[i->k];
			} else {
				a = i->code == (CBPF_LD | CBPF_LEN) ? size : i->k;
			}
			break;
		case CBPF_LDX:
			if (i->code == (CBPF_LDX | CBPF_MEM)) {
				x = mem[i->k];
			} else if (env && i->code == (CBPF_LDX | CBPF_MSH | CBPF_B)) {
				if (!load_bytes(data, size, i->k, 1, &x))
					return 0;
				x = (x & 0xf) << 2;
			} else {
				x = i->code == (CBPF_LDX | CBPF_LEN) ? size : i->k;
			}
			break;
		case CBPF_ST:
			mem[i->k] = a;
			break;
		case CBPF_STX:
			mem[i->k] = x;
			break;
		case CBPF_ALU:
			if ((OP(i->code) == CBPF_DIV || OP(i->code) == CBPF_MOD) && b == 0)
				return 0;
			a = compute(OP(i->code), a, b);
			break;
		case CBPF_JMP:
			if (OP(i->code) == CBPF_JA)
				i += i->k;
			else
				i += jumps(OP(i->code), a, b) ? i->jt : i->jf;
			break;
		case CBPF_RET:
			return i->code & CBPF_A ? a : i->k;
		default:
			if (i->code & CBPF_TXA)
				a = x;
			else
				x = a;
			break;
		}
	}
}

u32
cbpf_run(const struct cbpf_insn *prog, const u8 *data, u32 size, u32 there)
{
	return run(prog, data, size, there, NULL);
}

u32
cbpf_run_packet(const struct cbpf_insn *prog, const u8 *data, u32 size, const struct cbpf_env *env)
{
	return run(prog, data, size, size, env);
}

/* --- weight --- */

/* Linux turns each into one to five instructions of its own machine, behind three to start. */
static u32
insn_weight(const struct cbpf_insn *i)
{
	unsigned int op = OP(i->code);
	u32 n = 1;

	switch (CLASS(i->code)) {
	case CBPF_ALU:
		return op == CBPF_DIV && (i->code & CBPF_X) ? 5 : 1;
	case CBPF_JMP:
		if (op == CBPF_JA)
			return 1;
		/* Its operands have a sign: a large k goes through a register. */
		if (!(i->code & CBPF_X) && i->k > INT32_MAX)
			n++;
		/* It jumps on a condition or goes on: two ways away take two jumps. */
		if (i->jf != 0 && (i->jt != 0 || op == CBPF_JSET))
			n++;
		return n;
	case CBPF_RET:
		return i->code & CBPF_A ? 1 : 2;
	default:
		return 1;
	}
}

u32
cbpf_weight(const struct cbpf_insn *prog, unsigned int len)
{
	u32 sum = 3;

	for (unsigned int pc = 0; pc < len; pc++)
		sum += insn_weight(&prog[pc]);
	return sum;
}
