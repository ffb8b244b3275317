/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack of a new ELF program. From high to low addresses: strings, platform
 * name and random bytes, padding, auxiliary vector, environment and argument
 * pointers, argc (where the stack pointer is: a multiple of 16).
 *
 * See: x86-64 psABI 3.4.1; getauxval(3).
 */
#include "fs/binfmt_elf.h"
#include "fs/port.h"
#include "kernel/random.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/system.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define PLATFORM "x86_64"
#define RANDOM_BYTES 16
/* Programs spread over cache sets: the stack begins at one of these offsets. */
#define STACK_SHIFT_MAX 8192

/* The vector while it is made. */
struct auxv {
	u64 *v;
	u32 n;
};

static void
aux(struct auxv *a, u64 key, u64 value)
{
	a->v[a->n++] = key;
	a->v[a->n++] = value;
}

static unsigned long
push_bytes(struct exec_stack *st, const void *data, size_t n)
{
	st->p -= n;
	return copy_to_user((void __user *)st->p, data, n) ? 0 : st->p;
}

static void
fill_auxv(struct exec *x, const struct elf_start *s, struct auxv *a)
{
	const struct cred *c = current_cred();

	aux(a, AT_HWCAP, arch_hwcap());
	aux(a, AT_PAGESZ, PAGE_SIZE);
	aux(a, AT_CLKTCK, CLOCK_TICKS_PER_SEC);
	aux(a, AT_PHDR, s->phdr);
	aux(a, AT_PHENT, sizeof(struct elf64_phdr));
	aux(a, AT_PHNUM, s->phnum);
	aux(a, AT_BASE, s->base);
	aux(a, AT_FLAGS, 0);
	aux(a, AT_ENTRY, s->entry);
	aux(a, AT_UID, c->uid);
	aux(a, AT_EUID, c->euid);
	aux(a, AT_GID, c->gid);
	aux(a, AT_EGID, c->egid);
	aux(a, AT_SECURE, x->creds.secure);
}

/* The data that the vector points to, then the vector itself in the layout of the space. */
static int
make_auxv(struct exec *x, struct elf_start *s, struct auxv *a)
{
	u8 random[RANDOM_BYTES];
	unsigned long platform, seed;
	long vdso = arch_vdso_map(current->space, s->stack.top);

	if (vdso < 0)
		return vdso;
	if (!(current->personality & ADDR_NO_RANDOMIZE))
		s->stack.p -= random_below(STACK_SHIFT_MAX);
	s->stack.p = align_down(s->stack.p, 16UL);
	random_bytes(random, sizeof(random));
	platform = push_bytes(&s->stack, PLATFORM, sizeof(PLATFORM));
	seed = push_bytes(&s->stack, random, sizeof(random));
	if (!platform || !seed)
		return -EFAULT;
	if (vdso)
		aux(a, AT_SYSINFO_EHDR, vdso);
	aux(a, AT_MINSIGSTKSZ, arch_signal_frame_size());
	fill_auxv(x, s, a);
	aux(a, AT_RANDOM, seed);
	aux(a, AT_HWCAP2, arch_hwcap2());
	aux(a, AT_EXECFN, s->stack.filename);
	aux(a, AT_PLATFORM, platform);
	aux(a, AT_NULL, 0);
	return 0;
}

/* Writes pointers to `n` strings that begin at `addr`; NULL behind them. Returns the end. */
static u64 *
pointers(u64 *v, const struct exec_text *t, unsigned long addr)
{
	const char *s = t->buf;

	for (u32 i = 0; i < t->count; i++) {
		size_t n = strlen(s) + 1;

		*v++ = addr;
		addr += n;
		s += n;
	}
	*v++ = 0;
	return v;
}

int
elf_make_stack(struct exec *x, struct elf_start *s, unsigned long *sp)
{
	struct space_layout *l = space_layout(current->space);
	struct auxv a = {.v = l->auxv};
	size_t words = 1 + (size_t)x->argv.count + 1 + x->envp.count + 1;
	unsigned long at;
	u64 *block;
	int err = make_auxv(x, s, &a);

	if (err)
		return err;
	l->auxv_n = a.n;
	l->arg_start = s->stack.argv;
	l->arg_end = l->env_start = s->stack.envp;
	l->env_end = s->stack.filename;
	at = align_down(s->stack.p - (words + a.n) * sizeof(u64), 16UL);
	l->start_stack = at;
	block = kvmalloc((words + a.n) * sizeof(u64), GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	block[0] = x->argv.count;
	memcpy(pointers(pointers(block + 1, &x->argv, s->stack.argv), &x->envp, s->stack.envp), a.v,
	       a.n * sizeof(u64));
	err = copy_to_user((void __user *)at, block, (words + a.n) * sizeof(u64));
	kvfree(block);
	*sp = at;
	return err;
}
