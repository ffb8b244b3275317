/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on the address space: on s->memory, s->length bytes, or where the kernel puts it. */
#define _GNU_SOURCE
#include "tests/conflicts/conflicts.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define READ_WRITE (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static void
touch(struct side *s)
{
	for (size_t i = 0; i < s->length; i += PAGE)
		*(volatile char *)(s->memory + i) = 1;
}

static void
run_mmap_fixed(struct side *s)
{
	void *p = mmap(s->memory, s->length, READ_WRITE, ANON | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED)
		must(-1);
}

static void
run_munmap(struct side *s)
{
	must(munmap(s->memory, s->length));
}

static void
before_munmap(struct side *s)
{
	run_mmap_fixed(s);
	touch(s);
}

static void
setup_touched(struct side *s)
{
	before_munmap(s);
}

static void
run_mmap(struct side *s)
{
	s->object = mmap(NULL, s->length, READ_WRITE, ANON, -1, 0);
	if (s->object == MAP_FAILED)
		must(-1);
}

static void
after_mmap(struct side *s)
{
	must(munmap(s->object, s->length));
}

/* --- faults --- */

static void
run_fault(struct side *s)
{
	*(volatile char *)s->memory = 1;
}

static void
before_fault(struct side *s)
{
	must(madvise(s->memory, s->length, MADV_DONTNEED));
}

static void
run_fault_read(struct side *s)
{
	(void)*(volatile char *)s->memory;
}

/* A page of a file, each side's own page of it. */
static void
setup_file_map(struct side *s)
{
	int fd;

	if (access(s->path, F_OK) != 0)
		make_file(s->path, 16 * PAGE);
	fd = must(open(s->path, O_RDWR));
	s->length = PAGE;
	if (mmap(s->memory, s->length, READ_WRITE, MAP_SHARED | MAP_FIXED, fd,
		 (off_t)(s->number * 8 * PAGE)) == MAP_FAILED)
		must(-1);
	close(fd);
}

static void
run_mmap_file(struct side *s)
{
	s->object = mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, s->fd, (off_t)(s->number * 8 * PAGE));
	if (s->object == MAP_FAILED)
		must(-1);
}

static void
after_mmap_file(struct side *s)
{
	must(munmap(s->object, PAGE));
}

static void
arrange_mmap_file(struct side *s)
{
	if (access(s->path, F_OK) != 0)
		make_file(s->path, 16 * PAGE);
	s->fd = must(open(s->path, O_RDWR));
}

static void
setup_mmap_file(struct side *s)
{
	if (s->fd < 0)
		arrange_mmap_file(s);
}

/* --- changes --- */

static void
run_mprotect(struct side *s)
{
	must(mprotect(s->memory, s->length, PROT_READ));
}

static void
after_mprotect(struct side *s)
{
	must(mprotect(s->memory, s->length, READ_WRITE));
}

static void
run_madvise(struct side *s)
{
	must(madvise(s->memory, s->length, MADV_DONTNEED));
}

static void
run_mincore(struct side *s)
{
	unsigned char resident[8];

	must(mincore(s->memory, s->length, resident));
}

static void
run_mlock(struct side *s)
{
	must(mlock(s->memory, PAGE));
}

static void
after_mlock(struct side *s)
{
	must(munlock(s->memory, PAGE));
}

static void
run_mremap(struct side *s)
{
	void *p = mremap(s->memory, s->length, s->length, MREMAP_MAYMOVE | MREMAP_FIXED,
			 s->memory + 64 * PAGE);

	if (p == MAP_FAILED)
		must(-1);
}

static void
run_brk(struct side *s)
{
	if (sbrk(PAGE) == (void *)-1)
		must(-1);
}

static void
after_brk(struct side *s)
{
	if (sbrk(-(intptr_t)PAGE) == (void *)-1)
		must(-1);
}

const struct op ops_memory[] = {
	{"mmap", run_mmap, NULL, after_mmap, NULL, NULL},
	{"mmap-fixed", run_mmap_fixed, NULL, run_munmap, NULL, NULL},
	{"munmap", run_munmap, before_munmap, NULL, NULL, NULL},
	{"fault", run_fault, before_fault, NULL, setup_touched, NULL},
	{"fault-read", run_fault_read, before_fault, NULL, setup_touched, NULL},
	{"fault-file", run_fault, before_fault, NULL, setup_file_map, NULL},
	{"mmap-file", run_mmap_file, NULL, after_mmap_file, setup_mmap_file, arrange_mmap_file},
	{"mprotect", run_mprotect, touch, after_mprotect, setup_touched, NULL},
	{"madvise", run_madvise, touch, NULL, setup_touched, NULL},
	{"mincore", run_mincore, NULL, NULL, setup_touched, NULL},
	{"mlock", run_mlock, NULL, after_mlock, setup_touched, NULL},
	{"mremap", run_mremap, before_munmap, NULL, NULL, NULL},
	{"brk", run_brk, NULL, after_brk, NULL, NULL},
	{NULL},
};
