/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers of the memory tests: fault probing and lines of /proc/self/maps. */
#ifndef TESTS_ABI_MEM_H
#define TESTS_ABI_MEM_H

#include "tests/abi/abi.h"

#include <setjmp.h>

#define K4 4096L
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHANON (MAP_SHARED | MAP_ANONYMOUS)

static sigjmp_buf mem_back;
static volatile int mem_code;

ABI_FN void
mem_handler(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	mem_code = sig == SIGBUS ? 100 + si->si_code : si->si_code;
	siglongjmp(mem_back, 1);
}

/*
 * 0 if @p can be read (or written), else si_code, plus 100 for SIGBUS.
 * SEGV_MAPERR is 1, SEGV_ACCERR 2, BUS_ADRERR 102.
 */
ABI_FN int
probe(volatile void *p, bool write)
{
	struct sigaction sa = { .sa_sigaction = mem_handler,
				.sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	mem_code = 0;
	if (!sigsetjmp(mem_back, 1)) {
		volatile char *c = p;
		char v = *c;

		if (write)
			*c = v;
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return mem_code;
}

#define reads(p) probe((void *)(p), false)
#define writes(p) probe((void *)(p), true)

/* Pages of @n with @prot, fresh. */
ABI_FN char *
pages(long n, int prot)
{
	return mmap(NULL, n * K4, prot, ANON, -1, 0);
}

struct mapline {
	unsigned long start;
	unsigned long end;
	char perm[5];
	unsigned long off;
	unsigned long ino;
	char name[256];
};

/* The line of /proc/self/maps that holds @p; false if there is none. */
ABI_FN bool
map_line(const void *p, struct mapline *m)
{
	static char buf[1 << 18];
	char *save = NULL;

	get("/proc/self/maps", buf, sizeof(buf));
	for (char *l = strtok_r(buf, "\n", &save); l;
	     l = strtok_r(NULL, "\n", &save)) {
		m->name[0] = '\0';
		if (sscanf(l, "%lx-%lx %4s %lx %*x:%*x %lu %255[^\n]",
			   &m->start, &m->end, m->perm, &m->off, &m->ino,
			   m->name) < 5)
			continue;
		if ((unsigned long)p >= m->start && (unsigned long)p < m->end)
			return true;
	}
	return false;
}

/* "rw-p" of the line with @p, "none" without one. */
ABI_FN const char *
perms(const void *p)
{
	static struct mapline m;

	return map_line(p, &m) ? m.perm : "none";
}

/* Length of the line that holds @p. */
ABI_FN long
extent(const void *p)
{
	struct mapline m;

	return map_line(p, &m) ? (long)(m.end - m.start) : 0;
}

#endif
