/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU's TCG that finds the cache lines which two CPUs of the guest share
 * while each runs an operation.
 *
 * Model: a window collects the accesses of the CPUs whose gate is open. A program in the
 * guest moves gates and windows by executing NOPs that nobody else uses,
 *
 *	0f 1f 80 disp32		nopl disp32(%rax), disp32 = MARK + one of
 *
 *	BEGIN	this CPU's gate opens		END	it closes
 *	CLEAR	a new window begins, empty	REPORT	the window's shared lines are written
 *
 * which needs no privilege and does nothing on hardware. A gate belongs to the CPU, not to
 * the program: what runs there while it is open is recorded, interrupts and other tasks
 * included, and what the program does to prepare and to clean up is not. The program closes
 * all gates before CLEAR and REPORT. Windows are numbered from 1 by CLEAR; the program
 * counts too, and the reader compares.
 *
 * A line is shared if two CPUs accessed it and one of them wrote. A turn is the time from a
 * BEGIN to the END of its CPU. A CPU misses a line that it touches after another CPU has
 * written to it, or writes to after another has touched it: a directory knows, of each line,
 * which CPUs have it. Of a shared line it is said in how many turns each CPU touched it and
 * missed it, and, for each combination of CPU, instruction, physical address and kind, how
 * often that was:
 *
 *	window N
 *	cpu CPU ACCESSES LINES			of each CPU that did something
 *	line PHYSICAL
 *	turns CPU TOUCHED MISSED
 *	CPU r|w COUNT PC VIRTUAL PHYSICAL SIZE	numbers but CPU, COUNT, SIZE in hex
 *	end
 *
 * Not seen: the page walker's own accesses (A and D bits), the frame that an interrupt
 * pushes, device registers (not memory), and DMA.
 *
 * Locking: each CPU's table has a lock, which only a program that was killed with its gate
 * open makes contended; then each part of the directory, which is split by address, has one.
 *
 * Usage: -plugin conflicts.so,out=FILE
 */
#include "qemu_plugin.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 64UL
#define MARK 0x7e55e200u
#define FIRST_CAPACITY 8192u

enum mark { BEGIN, END, CLEAR, REPORT, MARKS };

/* One combination of what, where and how; count 0: the slot is free. */
struct access {
	uint64_t physical;
	uint64_t pc;
	uint64_t virtual;
	uint32_t count;
	/* The last turn in which it was, and how many turns there were. */
	uint32_t last;
	uint32_t turns;
	uint8_t store;
	uint8_t size;
	uint16_t cpu;
};

/*
 * A hash table that grows, open addressing; capacity is a power of two. Turns are counted in
 * combinations of a line, no instruction, and LINE_TOUCHED or LINE_MISSED as the kind.
 */
struct cpu {
	pthread_mutex_t lock;
	bool open;
	struct access *slots;
	uint32_t capacity;
	uint32_t used;
	uint32_t turn;
	uint64_t accesses;
} __attribute__((aligned(64)));

#define LINE_TOUCHED 2
#define LINE_MISSED 3

/* Who has a line, that is: wrote to it last, and has touched it since. line 0: free. */
struct holders {
	uint64_t line;
	uint64_t cpus;
	bool written;
};

/* A part of the directory, a hash table like those above. */
struct part {
	pthread_mutex_t lock;
	struct holders *slots;
	uint32_t capacity;
	uint32_t used;
} __attribute__((aligned(64)));

#define PARTS 256u
#define FIRST_PART 256u

int qemu_plugin_version = QEMU_PLUGIN_INTERFACE;

static struct part parts[PARTS];
static struct cpu *cpus;
static unsigned int nr_cpus;
static unsigned long window;
static FILE *out;

static void *
allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL) {
		fprintf(stderr, "conflicts: no memory\n");
		exit(1);
	}
	return p;
}

/* The slot of the combination, or the free one where it belongs. */
static struct access *
find(struct cpu *c, uint64_t physical, uint64_t pc, uint8_t store)
{
	uint64_t hash = (physical * 2 + store + pc * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
	uint32_t i = (hash >> 32) & (c->capacity - 1);
	struct access *a;

	for (;; i = (i + 1) & (c->capacity - 1)) {
		a = &c->slots[i];
		if (a->count == 0 || (a->physical == physical && a->pc == pc && a->store == store))
			return a;
	}
}

static void
grow(struct cpu *c)
{
	struct cpu bigger = {.capacity = c->capacity * 2};

	bigger.slots = allocate(bigger.capacity, sizeof(*bigger.slots));
	for (uint32_t i = 0; i < c->capacity; i++) {
		struct access *a = &c->slots[i];

		if (a->count != 0)
			*find(&bigger, a->physical, a->pc, a->store) = *a;
	}
	free(c->slots);
	c->slots = bigger.slots;
	c->capacity = bigger.capacity;
}

/* Counts what `a` says. */
static void
count(struct cpu *c, const struct access *a)
{
	struct access *slot = find(c, a->physical, a->pc, a->store);

	if (slot->count == 0) {
		*slot = *a;
		c->used++;
	}
	slot->count++;
	slot->turns += slot->last != c->turn;
	slot->last = c->turn;
	if (c->used > c->capacity / 2)
		grow(c);
}

/* --- the directory --- */

static uint64_t
hash_of(uint64_t line)
{
	return (line * 0x9e3779b97f4a7c15u) >> 24;
}

static struct holders *
part_find(struct part *p, uint64_t line)
{
	uint32_t i = (hash_of(line) / PARTS) & (p->capacity - 1);

	while (p->slots[i].line != 0 && p->slots[i].line != line)
		i = (i + 1) & (p->capacity - 1);
	return &p->slots[i];
}

static void
part_grow(struct part *p)
{
	struct holders *old = p->slots;
	uint32_t n = p->capacity;

	p->capacity *= 2;
	p->slots = allocate(p->capacity, sizeof(*p->slots));
	for (uint32_t i = 0; i < n; i++)
		if (old[i].line != 0)
			*part_find(p, old[i].line) = old[i];
	free(old);
}

/* Notes that the CPU touches a line (its number, not 0); whether it misses it. */
static bool
touch(unsigned int cpu, uint64_t line, bool store)
{
	struct part *p = &parts[hash_of(line) % PARTS];
	uint64_t me = 1UL << cpu % 64;
	struct holders *h;
	bool missed;

	pthread_mutex_lock(&p->lock);
	h = part_find(p, line);
	if (h->line == 0) {
		h->line = line;
		p->used++;
	}
	missed = store ? (h->cpus & ~me) != 0 : h->written && (h->cpus & me) == 0;
	h->cpus = store ? me : h->cpus | me;
	h->written |= store;
	if (p->used > p->capacity / 2)
		part_grow(p);
	pthread_mutex_unlock(&p->lock);
	return missed;
}

/* --- accesses --- */

/* Counts an access that lies in one line. */
static void
record(unsigned int cpu, const struct access *a)
{
	struct access line = {.physical = a->physical & ~(LINE - 1), .store = LINE_TOUCHED};
	struct cpu *c = &cpus[cpu];

	pthread_mutex_lock(&c->lock);
	c->accesses++;
	count(c, a);
	count(c, &line);
	line.store = LINE_MISSED;
	if (touch(cpu, a->physical / LINE + 1, a->store))
		count(c, &line);
	pthread_mutex_unlock(&c->lock);
}

static void
on_access(unsigned int cpu, uint32_t info, uint64_t virtual, void *pc)
{
	unsigned int size = 1u << qemu_plugin_mem_size_shift(info), head;
	const struct qemu_plugin_hwaddr *hw;
	struct access a = {.pc = (uint64_t)pc, .virtual = virtual};

	if (!cpus[cpu].open)
		return;
	hw = qemu_plugin_get_hwaddr(info, virtual);
	if (hw == NULL || qemu_plugin_hwaddr_is_io(hw))
		return;
	a.physical = qemu_plugin_hwaddr_phys_addr(hw);
	a.store = qemu_plugin_mem_is_store(info);
	head = LINE - a.physical % LINE;
	a.size = size < head ? size : head;
	record(cpu, &a);
	/* The part in the next line, if that is in the same page. */
	if (size > head && (a.physical + head) % 4096 != 0) {
		a.physical += head;
		a.virtual += head;
		a.size = size - head;
		record(cpu, &a);
	}
}

static void
clear(void)
{
	for (unsigned int i = 0; i < nr_cpus; i++) {
		struct cpu *c = &cpus[i];

		pthread_mutex_lock(&c->lock);
		/* Open: of somebody who was killed. */
		c->open = false;
		memset(c->slots, 0, c->capacity * sizeof(*c->slots));
		c->used = 0;
		c->accesses = 0;
		c->turn = 0;
		pthread_mutex_unlock(&c->lock);
	}
	for (unsigned int i = 0; i < PARTS; i++) {
		pthread_mutex_lock(&parts[i].lock);
		memset(parts[i].slots, 0, parts[i].capacity * sizeof(*parts[i].slots));
		parts[i].used = 0;
		pthread_mutex_unlock(&parts[i].lock);
	}
	window++;
}

static int
by_address(const void *left, const void *right)
{
	const struct access *a = left, *b = right;

	if (a->physical != b->physical)
		return a->physical < b->physical ? -1 : 1;
	if (a->cpu != b->cpu || a->pc != b->pc)
		return a->cpu != b->cpu ? a->cpu - b->cpu : (a->pc > b->pc) - (a->pc < b->pc);
	return a->store - b->store;
}

/* Writes one line's accesses, [from, to), if it is shared. */
static void
report_line(const struct access *from, const struct access *to)
{
	bool two = false, store = false;

	for (const struct access *a = from; a < to; a++) {
		two |= a->cpu != from->cpu;
		store |= a->store == 1;
	}
	if (!two || !store)
		return;
	fprintf(out, "line %" PRIx64 "\n", from->physical & ~(LINE - 1));
	for (const struct access *a = from; a < to; a++) {
		/* Of a CPU LINE_MISSED, if it is there, comes next to LINE_TOUCHED. */
		if (a->store == LINE_TOUCHED) {
			fprintf(out, "turns %u %u %u\n", a->cpu, a->turns,
				a + 1 < to && a[1].store == LINE_MISSED ? a[1].turns : 0);
		} else if (a->store != LINE_MISSED) {
			fprintf(out, "%u %c %u %" PRIx64 " %" PRIx64 " %" PRIx64 " %u\n", a->cpu,
				a->store ? 'w' : 'r', a->count, a->pc, a->virtual, a->physical,
				a->size);
		}
	}
}

/* Copies a CPU's accesses to `to`; returns behind the last. */
static struct access *
collect(unsigned int cpu, struct access *to)
{
	const struct cpu *c = &cpus[cpu];

	for (uint32_t i = 0; i < c->capacity; i++) {
		if (c->slots[i].count == 0)
			continue;
		*to = c->slots[i];
		to->cpu = cpu;
		to++;
	}
	return to;
}

/* Writes how much a CPU did, its accesses being [from, to). */
static void
report_cpu(unsigned int cpu, struct access *from, struct access *to)
{
	unsigned int lines = 0;
	uint64_t last = ~0UL;

	qsort(from, to - from, sizeof(*from), by_address);
	for (const struct access *a = from; a < to; a++) {
		lines += a->physical / LINE != last;
		last = a->physical / LINE;
	}
	fprintf(out, "cpu %u %" PRIu64 " %u\n", cpu, cpus[cpu].accesses, lines);
}

static void
report(void)
{
	struct access *all, *end, *from, *to;
	size_t n = 0;

	for (unsigned int i = 0; i < nr_cpus; i++) {
		pthread_mutex_lock(&cpus[i].lock);
		n += cpus[i].used;
	}
	end = all = allocate(n + 1, sizeof(*all));
	fprintf(out, "window %lu\n", window);
	for (unsigned int i = 0; i < nr_cpus; i++) {
		from = end;
		end = collect(i, end);
		if (end > from)
			report_cpu(i, from, end);
	}
	qsort(all, n, sizeof(*all), by_address);
	for (from = all; from < end; from = to) {
		for (to = from; to < end && to->physical / LINE == from->physical / LINE; to++)
			;
		report_line(from, to);
	}
	for (unsigned int i = 0; i < nr_cpus; i++)
		pthread_mutex_unlock(&cpus[i].lock);
	fprintf(out, "end\n");
	fflush(out);
	free(all);
}

static void
on_mark(unsigned int cpu, void *data)
{
	switch ((enum mark)(uintptr_t)data) {
	case BEGIN:
		cpus[cpu].open = true;
		cpus[cpu].turn++;
		break;
	case END:
		cpus[cpu].open = false;
		break;
	case CLEAR:
		clear();
		break;
	case REPORT:
		report();
		break;
	case MARKS:
		break;
	}
}

/* Which of our NOPs the instruction is; MARKS: none. */
static enum mark
mark_of(const struct qemu_plugin_insn *insn)
{
	static const uint8_t nop[] = {0x0f, 0x1f, 0x80};
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	uint32_t operand;

	if (qemu_plugin_insn_size(insn) != 7 || memcmp(bytes, nop, sizeof(nop)) != 0)
		return MARKS;
	memcpy(&operand, bytes + 3, sizeof(operand));
	return operand - MARK < MARKS ? operand - MARK : MARKS;
}

static void
on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		enum mark mark = mark_of(insn);

		if (mark != MARKS)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_mark, QEMU_PLUGIN_NO_REGISTERS, (void *)(uintptr_t)mark);
		else
			qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_NO_REGISTERS,
							 QEMU_PLUGIN_READ_WRITE,
							 (void *)qemu_plugin_insn_vaddr(insn));
	}
}

static void
at_exit(uint64_t id, void *data)
{
	if (fclose(out) != 0)
		perror("conflicts");
}

int
qemu_plugin_install(uint64_t id, const struct qemu_plugin_info *info, int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) {
		fprintf(stderr, "conflicts: usage: -plugin conflicts.so,out=FILE\n");
		return 1;
	}
	out = fopen(argv[0] + 4, "w");
	if (out == NULL) {
		perror(argv[0] + 4);
		return 1;
	}
	nr_cpus = qemu_plugin_n_max_vcpus();
	cpus = aligned_alloc(64, nr_cpus * sizeof(*cpus));
	if (cpus == NULL)
		return 1;
	memset(cpus, 0, nr_cpus * sizeof(*cpus));
	for (unsigned int i = 0; i < nr_cpus; i++) {
		pthread_mutex_init(&cpus[i].lock, NULL);
		cpus[i].capacity = FIRST_CAPACITY;
		cpus[i].slots = allocate(FIRST_CAPACITY, sizeof(struct access));
	}
	for (unsigned int i = 0; i < PARTS; i++) {
		pthread_mutex_init(&parts[i].lock, NULL);
		parts[i].capacity = FIRST_PART;
		parts[i].slots = allocate(FIRST_PART, sizeof(struct holders));
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
