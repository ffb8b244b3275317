/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF (McCanne and Jacobson 1993): programs that look at data and give a
 * number, as seccomp(2) takes them and as sockets do. lib/cbpf.c tells the machine.
 */
#ifndef LIB_CBPF_H
#define LIB_CBPF_H

#include "lib/types.h"

/*
 * OFFSET SIZE MEANING
 *      0    2 code: class | what the class needs to know
 *      2    1 how many instructions a jump skips if it is taken
 *      3    1 and if it is not
 *      4    4 k: an operand
 */
struct cbpf_insn {
	u16 code;
	u8 jt;
	u8 jf;
	u32 k;
};
static_assert(sizeof(struct cbpf_insn) == 8, "ABI");

/* Class; with it for loads: where from. */
#define CBPF_LD 0x00
#define CBPF_LDX 0x01
#define CBPF_ST 0x02
#define CBPF_STX 0x03
#define CBPF_ALU 0x04
#define CBPF_JMP 0x05
#define CBPF_RET 0x06
#define CBPF_MISC 0x07
#define CBPF_IMM 0x00
#define CBPF_ABS 0x20
#define CBPF_IND 0x40
#define CBPF_MEM 0x60
#define CBPF_LEN 0x80
#define CBPF_MSH 0xa0
/* and how much: words, halves, bytes */
#define CBPF_W 0x00
#define CBPF_H 0x08
#define CBPF_B 0x10
/* What ALU does */
#define CBPF_ADD 0x00
#define CBPF_SUB 0x10
#define CBPF_MUL 0x20
#define CBPF_DIV 0x30
#define CBPF_OR 0x40
#define CBPF_AND 0x50
#define CBPF_LSH 0x60
#define CBPF_RSH 0x70
#define CBPF_NEG 0x80
#define CBPF_MOD 0x90
#define CBPF_XOR 0xa0
/* When JMP jumps */
#define CBPF_JA 0x00
#define CBPF_JEQ 0x10
#define CBPF_JGT 0x20
#define CBPF_JGE 0x30
#define CBPF_JSET 0x40
/* The second operand: k or the register X. RET of A: 0x10. */
#define CBPF_K 0x00
#define CBPF_X 0x08
#define CBPF_A 0x10
#define CBPF_TAX 0x00
#define CBPF_TXA 0x80

#define CBPF_MEMWORDS 16
#define CBPF_MAX_INSNS 4096

/*
 * May this program run over size bytes of data? It ends, touches nothing else,
 * and reads no cell of its memory that it has not written. scratch: a number for
 * each instruction. len: 1 to CBPF_MAX_INSNS.
 */
bool cbpf_check(const struct cbpf_insn *prog, unsigned int len, u32 size, u16 *scratch);
/*
 * Runs a checked program. Of its data the first `there` bytes are known: a load
 * from behind them ends the program with 0.
 */
u32 cbpf_run(const struct cbpf_insn *prog, const u8 *data, u32 size, u32 there);
/* For packets: loads of any size at any place, in the order of the network, and MOD. */
bool cbpf_check_packet(const struct cbpf_insn *prog, unsigned int len, u16 *scratch);
/* What a program can ask besides the packet's bytes. */
struct cbpf_env {
	u32 cpu;
	u32 random;
};
/* Runs a program that cbpf_check_packet() has passed; a load from outside ends it with 0. */
u32 cbpf_run_packet(const struct cbpf_insn *prog, const u8 *data, u32 size,
		    const struct cbpf_env *env);
/* How much of a filters' budget it takes: the instructions that Linux makes of it. */
u32 cbpf_weight(const struct cbpf_insn *prog, unsigned int len);

#endif
