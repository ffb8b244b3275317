/* SPDX-License-Identifier: BSD-2-Clause */
/* Between binfmt_elf.c (mapping) and elf_stack.c (what the program finds on its stack). */
#ifndef FS_BINFMT_ELF_H
#define FS_BINFMT_ELF_H

#include "fs/exec.h"
#include "lib/elf.h"
#include "mm/space.h"

struct elf_image {
	struct file *file;
	struct elf64_header header;
	struct elf64_phdr *phdr;
	/* Address in memory minus address in the file. */
	unsigned long bias;
	unsigned long reserved;
	size_t reserved_size;
	/* Of what was mapped. */
	unsigned long low, high;
	unsigned long start_code, end_code, start_data, end_data;
};

/* What the new program is told. */
struct elf_start {
	struct exec_stack stack;
	/* First instruction (the interpreter's), and the program's own entry. */
	unsigned long ip;
	unsigned long entry;
	/* Bias of the interpreter; 0: none. */
	unsigned long base;
	unsigned long phdr;
	u32 phnum;
};

/* argc, argv, envp, auxv; *sp is where the program starts. 0, -EFAULT, -ENOMEM. */
int elf_make_stack(struct exec *x, struct elf_start *start, unsigned long *sp);

#endif
