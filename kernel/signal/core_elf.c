/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in a core file: ELF, type ET_CORE (core(5), elf(5)).
 *
 * OFFSET       SIZE     MEANING
 * 0            64       ELF header
 * 64           56 * n   program headers: PT_NOTE, then PT_LOAD for each mapping
 * behind them  -        notes of the thread that failed: NT_PRSTATUS, NT_PRPSINFO,
 *                       NT_SIGINFO, NT_AUXV, NT_FILE, NT_PRFPREG, NT_X86_XSTATE;
 *                       of each other: NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE
 * next page    -        contents of the mappings; pages of zeros are holes
 * behind them  64       a section header that holds n, if it does not fit into
 *                       the ELF header (PN_XNUM)
 *
 * Which mappings have contents is for coredump_filter to say: what was written to,
 * and the first page of programs and libraries, is what it says by default.
 *
 * The list of mappings is made once: who shares the space, if another process does,
 * may change them meanwhile, and the file then holds zeros there.
 */
#include "kernel/signal/core_impl.h"

#include "kernel/file.h"
#include "kernel/sched/priority.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/coredump.h"
#include "kernel/signal/port.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/task/task_impl.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/core.h"
#include "lib/elf.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space.h"

/* As Linux: a longer table of files is left out. */
#define NAMES_MAX (4UL << 20)
#define NOTE_ALIGN 4

/* An array that grows. */
struct table {
	u8 *data;
	size_t len, room;
};

struct layout {
	struct core *core;
	/* struct elf64_phdr; the first is of the notes */
	struct table phdrs;
	/* NT_FILE: start, end and page of each, three words; the names */
	struct table ranges, names;
	u32 filter;
	/* The contents end here. */
	u64 end;
};

static int
table_add(struct table *t, const void *data, size_t n)
{
	size_t room = t->room ? t->room : PAGE_SIZE;
	u8 *more;

	if (t->len + n > t->room) {
		while (room < t->len + n)
			room *= 2;
		more = kvmalloc(room, GFP_KERNEL);
		if (!more)
			return -ENOMEM;
		if (t->len)
			memcpy(more, t->data, t->len);
		kvfree(t->data);
		t->data = more;
		t->room = room;
	}
	memcpy(t->data + t->len, data, n);
	t->len += n;
	return 0;
}

static u64
nr_phdrs(const struct layout *l)
{
	return l->phdrs.len / sizeof(struct elf64_phdr);
}

/* --- mappings --- */

static bool
begins_as_elf(const struct map_info *mi)
{
	char magic[ELF_MAGIC_SIZE];

	return space_access_force(current->space, mi->start, magic, sizeof(magic), false) ==
		       sizeof(magic) &&
	       !memcmp(magic, ELF_MAGIC, sizeof(magic));
}

/* Bytes of a mapping that are dumped, from its start. */
static u64
dump_size(const struct map_info *mi, u32 filter)
{
	u64 all = mi->end - mi->start;
	u32 bit;

	if (mi->vm_flags & MAPPING_SPECIAL)
		return mi->name ? all : 0;
	if (mi->vm_flags & MAPPING_DONTDUMP)
		return 0;
	if (mi->shared) {
		bit = core_file_unlinked(mi->file) ? CORE_ANON_SHARED : CORE_FILE_SHARED;
		return filter & bit ? all : 0;
	}
	if ((mi->anonymous || mi->swap) && (filter & CORE_ANON_PRIVATE))
		return all;
	if (!mi->file)
		return 0;
	if (filter & CORE_FILE_PRIVATE)
		return all;
	if (!(filter & CORE_ELF_HEADERS) || mi->offset || !(mi->prot & PROT_READ))
		return 0;
	return (mi->prot & PROT_EXEC) || begins_as_elf(mi) ? PAGE_SIZE : 0;
}

static int
add_file(struct layout *l, const struct map_info *mi)
{
	const char *name = file_name(mi->file, (char *)l->core->page, PAGE_SIZE);
	u64 range[3] = {mi->start, mi->end, mi->offset / PAGE_SIZE};
	int err;

	if (is_err(name))
		return 0;
	err = table_add(&l->ranges, range, sizeof(range));
	return err ? err : table_add(&l->names, name, strlen(name) + 1);
}

static int
add_mapping(const struct map_info *mi, void *ctx)
{
	struct layout *l = ctx;
	struct elf64_phdr p = {
		.type = PT_LOAD,
		.vaddr = mi->start,
		.memsz = mi->end - mi->start,
		.filesz = dump_size(mi, l->filter),
		.align = PAGE_SIZE,
		.flags = (mi->prot & PROT_READ ? PF_R : 0) | (mi->prot & PROT_WRITE ? PF_W : 0) |
			 (mi->prot & PROT_EXEC ? PF_X : 0),
	};
	int err = table_add(&l->phdrs, &p, sizeof(p));

	if (!err && mi->file && !(mi->vm_flags & MAPPING_SPECIAL))
		err = add_file(l, mi);
	if (!err && fatal_signal_pending())
		err = -EINTR;
	return err;
}

/* --- notes --- */

static s32
number_of(struct pid __rcu *const *p)
{
	s32 nr;

	rcu_read_lock();
	nr = rcu_load(*p)->nr;
	rcu_read_unlock();
	return nr;
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
split(s64 out[2], u64 ns)
{
	out[0] = (s64)(ns / NSEC_PER_SEC);
	out[1] = (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
}

static void
fill_status(struct core_prstatus *s, struct task *t, const struct siginfo *info)
{
	struct process *p = t->process;
	u64 utime, stime;

	*s = (struct core_prstatus){
		.signo = info->signo,
		.cursig = (s16)info->signo,
		.sigpend = t->signals.pending.set,
		.sighold = t->signals.blocked,
		.pid = t->tid,
		.ppid = parent_of(p),
		.pgrp = number_of(&p->pgrp),
		.sid = number_of(&p->session),
		.fpvalid = 1,
	};
	/* The leader's are those of all. */
	if (t->tid == p->tgid)
		process_cputime(p, &utime, &stime);
	else
		task_cputime(t, &utime, &stime);
	split(s->times[0], utime);
	split(s->times[1], stime);
	split(s->times[2], p->cutime);
	split(s->times[3], p->cstime);
	arch_core_regs(t, s->regs);
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
		.nice = (char)sched_get_nice(t),
		.uid = current_cred()->uid,
		.gid = current_cred()->gid,
		.pid = p->tgid,
		.ppid = parent_of(p),
		.pgrp = number_of(&p->pgrp),
		.sid = number_of(&p->session),
	};
	task_get_comm(t, s->fname);
	n = space_peek(t->space, l->arg_start, s->psargs, n);
	/* Arguments end in NULs; the field shows blanks. */
	for (size_t i = 0; i < n; i++)
		if (!s->psargs[i])
			s->psargs[i] = ' ';
}

/* "CORE" and "LINUX" with their NUL, padded: both take 8 bytes. */
static size_t
note_size(size_t n)
{
	return sizeof(struct elf64_note) + 8 + align_up(n, NOTE_ALIGN);
}

static int
emit_note_head(struct core *c, const char *name, u32 type, size_t n)
{
	struct {
		struct elf64_note h;
		char name[8];
	} note = {.h = {(u32)strlen(name) + 1, (u32)n, type}};

	strscpy(note.name, name, sizeof(note.name));
	return core_emit(c, &note, sizeof(note));
}

static int
emit_pad(struct core *c, size_t n)
{
	u32 zero = 0;

	return core_emit(c, &zero, align_up(n, NOTE_ALIGN) - n);
}

static int
emit_note(struct core *c, const char *name, u32 type, const void *data, size_t n)
{
	int err = emit_note_head(c, name, type, n);

	if (!err)
		err = core_emit(c, data, n);
	return err ? err : emit_pad(c, n);
}

static size_t
auxv_size(void)
{
	return space_layout(current->space)->auxv_n * sizeof(u64);
}

static bool
has_files(const struct layout *l)
{
	return l->ranges.len && l->names.len + l->ranges.len < NAMES_MAX;
}

static size_t
files_size(const struct layout *l)
{
	return 2 * sizeof(u64) + l->ranges.len + l->names.len;
}

static int
emit_files(const struct layout *l)
{
	struct core *c = l->core;
	/* How many; the unit of their offsets. */
	u64 head[2] = {l->ranges.len / (3 * sizeof(u64)), PAGE_SIZE};
	int err;

	if (!has_files(l))
		return 0;
	err = emit_note_head(c, "CORE", NT_FILE, files_size(l));
	if (!err)
		err = core_emit(c, head, sizeof(head));
	if (!err)
		err = core_emit(c, l->ranges.data, l->ranges.len);
	if (!err)
		err = core_emit(c, l->names.data, l->names.len);
	return err ? err : emit_pad(c, files_size(l));
}

static size_t
thread_notes_size(void)
{
	size_t xstate = arch_core_xstate_size();

	return note_size(sizeof(struct core_prstatus)) + note_size(CORE_FPREGS_SIZE) +
	       (xstate ? note_size(xstate) : 0);
}

static size_t
notes_size(const struct layout *l)
{
	size_t threads = 1;
	const struct core_thread *ct;

	list_for_each_entry(ct, &l->core->threads, link)
		threads++;
	return threads * thread_notes_size() + note_size(sizeof(struct core_prpsinfo)) +
	       note_size(sizeof(struct siginfo)) + note_size(auxv_size()) +
	       (has_files(l) ? note_size(files_size(l)) : 0);
}

/* What the thread that failed tells of its process. */
static int
emit_process(const struct layout *l)
{
	struct core *c = l->core;
	struct core_prpsinfo *psinfo = (void *)c->page;
	int err;

	fill_psinfo(psinfo);
	err = emit_note(c, "CORE", NT_PRPSINFO, psinfo, sizeof(*psinfo));
	if (!err)
		err = emit_note(c, "CORE", NT_SIGINFO, c->info, sizeof(*c->info));
	if (!err)
		err = emit_note(c, "CORE", NT_AUXV, space_layout(current->space)->auxv,
				auxv_size());
	return err ? err : emit_files(l);
}

static int
emit_thread(const struct layout *l, struct task *t, u8 *xstate)
{
	struct core *c = l->core;
	struct core_prstatus *status = (void *)c->page;
	int err;

	fill_status(status, t, c->info);
	err = emit_note(c, "CORE", NT_PRSTATUS, status, sizeof(*status));
	if (!err && t == current)
		err = emit_process(l);
	if (!err)
		err = emit_note(c, "CORE", NT_PRFPREG, arch_core_fpregs(t), CORE_FPREGS_SIZE);
	if (err || !xstate)
		return err;
	arch_core_xstate(t, xstate);
	return emit_note(c, "LINUX", NT_X86_XSTATE, xstate, arch_core_xstate_size());
}

static int
emit_notes(const struct layout *l)
{
	size_t n = arch_core_xstate_size();
	u8 *xstate = n ? kmalloc(n, GFP_KERNEL) : NULL;
	const struct core_thread *ct;
	int err = n && !xstate ? -ENOMEM : 0;

	arch_core_sync();
	if (!err)
		err = emit_thread(l, current, xstate);
	list_for_each_entry(ct, &l->core->threads, link) {
		if (!err)
			err = emit_thread(l, ct->task, xstate);
	}
	kfree(xstate);
	return err;
}

/* --- the file --- */

/* Gives all that follows the headers its place. */
static void
place(struct layout *l)
{
	struct elf64_phdr *p = (void *)l->phdrs.data;
	u64 n = nr_phdrs(l);
	u64 at = sizeof(struct elf64_header) + l->phdrs.len;

	p[0].offset = at;
	p[0].filesz = notes_size(l);
	at = align_up(at + p[0].filesz, PAGE_SIZE);
	for (u64 i = 1; i < n; i++) {
		p[i].offset = at;
		at += p[i].filesz;
	}
	l->end = at;
}

static int
emit_headers(const struct layout *l)
{
	bool many = nr_phdrs(l) >= PN_XNUM;
	struct elf64_header h = {
		.type = ET_CORE,
		.machine = EM_X86_64,
		.version = EV_CURRENT,
		.phoff = sizeof(h),
		.shoff = many ? l->end : 0,
		.ehsize = sizeof(h),
		.phentsize = sizeof(struct elf64_phdr),
		.phnum = many ? PN_XNUM : (u16)nr_phdrs(l),
		.shentsize = many ? sizeof(struct elf64_shdr) : 0,
		.shnum = many,
	};
	int err;

	memcpy(h.ident, ELF_MAGIC, ELF_MAGIC_SIZE);
	h.ident[EI_CLASS] = ELFCLASS64;
	h.ident[EI_DATA] = ELFDATA2LSB;
	h.ident[EI_VERSION] = EV_CURRENT;
	err = core_emit(l->core, &h, sizeof(h));
	return err ? err : core_emit(l->core, l->phdrs.data, l->phdrs.len);
}

static int
emit_memory(struct core *c, const struct elf64_phdr *p)
{
	int err = 0;

	for (u64 at = 0; at < p->filesz && !err; at += PAGE_SIZE) {
		size_t n;

		cond_resched();
		if (fatal_signal_pending())
			return -EINTR;
		n = space_access_force(current->space, p->vaddr + at, c->page, PAGE_SIZE, false);
		/* Zeros, and what cannot be read, are holes. */
		if (!n || !memchr_inv(c->page, 0, n))
			continue;
		memset(c->page + n, 0, PAGE_SIZE - n);
		err = core_skip(c, p->offset + at);
		if (!err)
			err = core_emit(c, c->page, PAGE_SIZE);
	}
	return err;
}

/* The file reaches its end though the last page may be a hole. */
static int
emit_end(const struct layout *l)
{
	struct elf64_shdr many = {.size = 1, .info = (u32)nr_phdrs(l)};
	struct core *c = l->core;
	int err = 0;

	if (c->pos < l->end) {
		err = core_skip(c, c->pipe ? l->end : l->end - 1);
		if (!err && !c->pipe)
			err = core_emit(c, "", 1);
	}
	if (!err && nr_phdrs(l) >= PN_XNUM)
		err = core_emit(c, &many, sizeof(many));
	return err;
}

static void
emit_all(struct layout *l)
{
	int err;

	place(l);
	err = emit_headers(l);
	if (!err)
		err = emit_notes(l);
	for (u64 i = 1; !err && i < nr_phdrs(l); i++)
		err = emit_memory(l->core, (struct elf64_phdr *)l->phdrs.data + i);
	/* A file that was cut is one all the same. */
	if (!err)
		(void)emit_end(l);
}

bool
core_elf_write(struct core *c)
{
	struct layout l = {.core = c, .filter = READ_ONCE(current->process->core_filter)};
	struct elf64_phdr notes = {.type = PT_NOTE, .align = NOTE_ALIGN};
	int err = -ENOMEM;

	c->page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (c->page)
		err = table_add(&l.phdrs, &notes, sizeof(notes));
	if (!err)
		err = space_for_each(current->space, 0, true, add_mapping, &l);
	if (!err)
		emit_all(&l);
	kvfree(l.phdrs.data);
	kvfree(l.ranges.data);
	kvfree(l.names.data);
	kfree(c->page);
	return !err;
}
