/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Core files (core(5)).
 *
 * Model: a process that dies of a signal that dumps core, and whose limit
 * (RLIMIT_CORE) and dumpable attribute allow it, first ends its other threads,
 * then writes its memory to the file "core" in its directory: the ELF header,
 * program headers, notes, and what was written to memory, with holes for pages
 * of zeros. Memory that a file still holds is described, not copied. The wait
 * status has the bit 0x80 only if the file is complete up to the limit.
 *
 * OFFSET       SIZE     MEANING
 * 0            64       ELF header, type ET_CORE
 * 64           56 * n   program headers: PT_NOTE, then PT_LOAD for each mapping
 * behind them  -        notes: NT_PRSTATUS, NT_PRPSINFO, NT_SIGINFO, NT_AUXV
 * next page    -        contents of the mappings
 *
 * Contexts: the task that dies, on its way to user mode; may sleep. SIGKILL
 * ends the dump.
 */
#include "kernel/signal/coredump.h"

#include "arch/x86_64/asm/insn.h"
#include "kernel/file.h"
#include "kernel/sched/priority.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/port.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/task/task_impl.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/core.h"
#include "kernel/uapi/fcntl.h"
#include "lib/elf.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space.h"

#define MAPPINGS_MAX 65000
#define MSR_FS_BASE 0xc0000100
#define MSR_KERNEL_GS_BASE 0xc0000102

struct dump {
	struct file *file;
	/* Where the next byte goes, and where the limit is. */
	u64 pos, limit;
	struct elf64_phdr *phdr;
	u32 nr, room;
	/* One page, for copies. */
	u8 *page;
	const struct siginfo *info;
};

/* --- writing --- */

static int
dump_write(struct dump *d, const void *data, size_t n)
{
	struct iter it;
	s64 done;

	if (d->pos + n > d->limit)
		return -EFBIG;
	iter_init_kernel(&it, (void *)data, n);
	done = d->file->ops->write(d->file, &it, &d->pos);
	if (done < 0)
		return done;
	return (size_t)done == n ? 0 : -ENOSPC;
}

static size_t
note_size(size_t n)
{
	/* "CORE" with its NUL, padded to 8. */
	return sizeof(struct elf64_note) + 8 + align_up(n, 4);
}

static int
dump_note(struct dump *d, u32 type, const void *data, size_t n)
{
	struct {
		struct elf64_note h;
		char name[8];
	} note = {{5, n, type}, "CORE"};
	int err = dump_write(d, &note, sizeof(note));

	return err ? err : dump_write(d, data, n);
}

/* --- what the notes say --- */

static s32
number_of(struct pid __rcu *const *p)
{
	s32 nr;

	rcu_read_lock();
	nr = rcu_load(*p)->nr;
	rcu_read_unlock();
	return nr;
}

static void
split(s64 out[2], u64 ns)
{
	out[0] = ns / NSEC_PER_SEC;
	out[1] = ns % NSEC_PER_SEC / NSEC_PER_USEC;
}

static s32
parent_of(struct process *p)
{
	s32 nr;

	rcu_read_lock();
	nr = rcu_load(p->parent)->tgid;
	rcu_read_unlock();
	return nr;
}

static void
fill_status(struct core_prstatus *s, const struct siginfo *info)
{
	struct task *t = current;
	struct process *p = t->process;
	u64 utime, stime;

	*s = (struct core_prstatus){
		.signo = info->signo,
		.code = info->code,
		.err = info->err,
		.cursig = info->signo,
		.sigpend = t->signals.pending.set,
		.sighold = t->signals.blocked,
		.pid = t->tid,
		.ppid = parent_of(p),
		.pgrp = number_of(&p->pgrp),
		.sid = number_of(&p->session),
	};
	process_cputime(p, &utime, &stime);
	split(s->times[0], utime);
	split(s->times[1], stime);
	split(s->times[2], p->cutime);
	split(s->times[3], p->cstime);
	memcpy(s->regs, task_regs(t), sizeof(struct regs));
	s->regs[21] = rdmsr(MSR_FS_BASE);
	s->regs[22] = rdmsr(MSR_KERNEL_GS_BASE);
}

static void
fill_psinfo(struct core_prpsinfo *s)
{
	struct task *t = current;
	struct process *p = t->process;
	const struct space_layout *l = space_layout(t->space);
	size_t n = min(l->arg_end - l->arg_start, sizeof(s->psargs) - 1);

	*s = (struct core_prpsinfo){
		.sname = 'R',
		.nice = sched_get_nice(t),
		.uid = current_cred()->uid,
		.gid = current_cred()->gid,
		.pid = p->tgid,
		.ppid = parent_of(p),
		.pgrp = number_of(&p->pgrp),
		.sid = number_of(&p->session),
	};
	task_get_comm(t, s->fname);
	n = space_access(t->space, l->arg_start, s->psargs, n, false);
	/* Arguments end in NULs; the field shows blanks. */
	for (size_t i = 0; i + 1 < n; i++)
		if (!s->psargs[i])
			s->psargs[i] = ' ';
}

static size_t
auxv_size(void)
{
	return space_layout(current->space)->auxv_n * sizeof(u64);
}

static size_t
notes_size(void)
{
	return note_size(sizeof(struct core_prstatus)) + note_size(sizeof(struct core_prpsinfo)) +
	       note_size(sizeof(struct siginfo)) + note_size(auxv_size());
}

static int
dump_notes(struct dump *d)
{
	struct core_prstatus *status = (void *)d->page;
	struct core_prpsinfo *psinfo = (void *)d->page;
	int err;

	fill_status(status, d->info);
	err = dump_note(d, NT_PRSTATUS, status, sizeof(*status));
	if (err)
		return err;
	fill_psinfo(psinfo);
	err = dump_note(d, NT_PRPSINFO, psinfo, sizeof(*psinfo));
	if (!err)
		err = dump_note(d, NT_SIGINFO, d->info, sizeof(*d->info));
	if (!err)
		err = dump_note(d, NT_AUXV, space_layout(current->space)->auxv, auxv_size());
	return err;
}

/* --- mappings --- */

static int
count_mapping(const struct map_info *mi, void *ctx)
{
	u32 *n = ctx;

	return ++*n > MAPPINGS_MAX;
}

/* Is there something in it that no file has? */
static bool
worth_dumping(const struct map_info *mi)
{
	if (mi->vm_flags & MAPPING_SPECIAL)
		return mi->name && str_equal(mi->name, "[vdso]");
	if (mi->vm_flags & MAPPING_DONTDUMP)
		return false;
	return !mi->file || (!mi->shared && (mi->prot & PROT_WRITE));
}

static int
note_mapping(const struct map_info *mi, void *ctx)
{
	struct dump *d = ctx;
	struct elf64_phdr *p = &d->phdr[d->nr];

	if (d->nr == d->room)
		return 1;
	*p = (struct elf64_phdr){
		.type = PT_LOAD,
		.vaddr = mi->start,
		.memsz = mi->end - mi->start,
		.align = PAGE_SIZE,
	};
	p->filesz = worth_dumping(mi) ? p->memsz : 0;
	p->flags = (mi->prot & PROT_READ ? PF_R : 0) | (mi->prot & PROT_WRITE ? PF_W : 0) |
		   (mi->prot & PROT_EXEC ? PF_X : 0);
	d->nr++;
	return 0;
}

static int
collect(struct dump *d)
{
	u32 n = 1;

	space_for_each(current->space, 0, false, count_mapping, &n);
	d->room = n;
	d->nr = 1;
	d->phdr = kvmalloc(n * sizeof(*d->phdr), GFP_KERNEL);
	if (!d->phdr)
		return -ENOMEM;
	space_for_each(current->space, 0, false, note_mapping, d);
	return 0;
}

static int
dump_headers(struct dump *d)
{
	u64 at = sizeof(struct elf64_header) + d->nr * sizeof(*d->phdr);
	struct elf64_header h = {
		.type = ET_CORE,
		.machine = EM_X86_64,
		.version = EV_CURRENT,
		.phoff = sizeof(h),
		.ehsize = sizeof(h),
		.phentsize = sizeof(*d->phdr),
		.phnum = d->nr,
	};
	int err;

	memcpy(h.ident, ELF_MAGIC, ELF_MAGIC_SIZE);
	h.ident[4] = ELFCLASS64;
	h.ident[5] = ELFDATA2LSB;
	h.ident[6] = EV_CURRENT;
	d->phdr[0] = (struct elf64_phdr){
		.type = PT_NOTE,
		.offset = at,
		.filesz = notes_size(),
		.align = 4,
	};
	at = align_up(at + d->phdr[0].filesz, PAGE_SIZE);
	for (u32 i = 1; i < d->nr; i++) {
		d->phdr[i].offset = at;
		at += d->phdr[i].filesz;
	}
	err = dump_write(d, &h, sizeof(h));
	return err ? err : dump_write(d, d->phdr, d->nr * sizeof(*d->phdr));
}

static int
dump_memory(struct dump *d, const struct elf64_phdr *p)
{
	u64 end = p->vaddr + p->filesz;
	int err;

	for (u64 va = p->vaddr; va < end; va += PAGE_SIZE) {
		size_t n = space_access(current->space, va, d->page, PAGE_SIZE, false);

		if (fatal_signal_pending())
			return -EINTR;
		cond_resched();
		d->pos = p->offset + (va - p->vaddr);
		/* Zeros, and what cannot be read, are holes; but the file must reach the end. */
		if (va + PAGE_SIZE < end && (!n || !memchr_inv(d->page, 0, n)))
			continue;
		memset(d->page + n, 0, PAGE_SIZE - n);
		err = dump_write(d, d->page, PAGE_SIZE);
		if (err)
			return err;
	}
	return 0;
}

static int
dump_all(struct dump *d)
{
	int err = collect(d);

	if (!err)
		err = dump_headers(d);
	if (!err)
		err = dump_notes(d);
	for (u32 i = 1; !err && i < d->nr; i++)
		err = dump_memory(d, &d->phdr[i]);
	/* A file that was cut at the limit is one that was asked for. */
	return err == -EFBIG ? 0 : err;
}

/* --- the process --- */

/* Ends the other threads and waits for them. False: somebody ends the process already. */
static bool
stop_others(struct process *p, int sig)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	bool ok = !p->group_exit && !p->group_exec;

	if (ok) {
		p->group_exit = true;
		process_zap_threads(p, sig, current);
		p->group_exec = current;
	}
	while (ok && p->nr_threads > 1) {
		park_prepare(PARK_KILLABLE);
		spin_unlock_irq(&p->lock, flags);
		park(NO_DEADLINE);
		flags = spin_lock_irq(&p->lock);
		ok = !(current->signals.pending.set & sigmask(SIGKILL));
	}
	if (p->group_exec == current)
		p->group_exec = NULL;
	spin_unlock_irq(&p->lock, flags);
	return ok;
}

static bool
core_write(struct dump *d)
{
	bool ok = false;

	d->file = file_open("core", O_CREAT | O_WRONLY | O_TRUNC | O_NOFOLLOW | O_LARGEFILE, 0600);
	if (is_err(d->file))
		return false;
	d->page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	/* Only a regular file has pages. */
	if (d->page && d->file->cache && d->file->ops->write)
		ok = dump_all(d) == 0;
	kvfree(d->phdr);
	kfree(d->page);
	file_put(d->file);
	return ok;
}

bool
core_dump(int sig, const struct siginfo *info)
{
	struct process *p = current->process;
	struct dump d = {.limit = rlimit(RLIMIT_CORE), .info = info};

	if (d.limit < PAGE_SIZE || READ_ONCE(p->dumpable) != 1 || !stop_others(p, sig))
		return false;
	if (!core_write(&d))
		return false;
	current->flags |= TASK_DUMPED;
	p->exit_code |= 0x80;
	return true;
}
