/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF: the check of a program, and its interpreter.
 *
 * Model: a machine with two registers of 32 bits, A and X (0 at the start), and
 * sixteen cells of memory. It loads aligned words of the data in the byte order
 * of the machine, computes, jumps forward only, and gives a number at a RET.
 * A division by X = 0 ends the program with 0. What is not seccomp's is not
 * here: bytes and halves, loads relative to X, MOD, ancillary data.
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

bool
cbpf_check(const struct cbpf_insn *prog, unsigned int len, u32 size, u16 *scratch)
{
	if (len == 0 || len > CBPF_MAX_INSNS || CLASS(prog[len - 1].code) != CBPF_RET)
		return false;
	for (unsigned int pc = 0; pc < len; pc++) {
		if (!insn_ok(&prog[pc], size))
			return false;
		if (CLASS(prog[pc].code) == CBPF_JMP && !jump_ok(&prog[pc], len - 1 - pc))
			return false;
	}
	return cells_ok(prog, len, scratch);
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

u32
cbpf_run(const struct cbpf_insn *prog, const u8 *data, u32 size, u32 there)
{
	u32 mem[CBPF_MEMWORDS], a = 0, x = 0, b;
	const struct cbpf_insn *i;

	for (i = prog;; i++) {
		b = i->code & CBPF_X ? x : i->k;
		switch (CLASS(i->code)) {
		case CBPF_LD:
			if (i->code == (CBPF_LD | CBPF_ABS)) {
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
			if (i->code == (CBPF_LDX | CBPF_MEM))
				x = mem[i->k];
			else
				x = i->code == (CBPF_LDX | CBPF_LEN) ? size : i->k;
			break;
		case CBPF_ST:
			mem[i->k] = a;
			break;
		case CBPF_STX:
			mem[i->k] = x;
			break;
		case CBPF_ALU:
			if (OP(i->code) == CBPF_DIV && b == 0)
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
