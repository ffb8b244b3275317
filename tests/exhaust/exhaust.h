/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of the tests that drive a limit to its end: numbers under
 * /proc/sys with their old value kept, and what must be as it was afterwards.
 */
#ifndef TESTS_EXHAUST_EXHAUST_H
#define TESTS_EXHAUST_EXHAUST_H

#include "tests/abi/abi.h"

#include <dirent.h>
#include <sys/resource.h>

/* A limit under /proc/sys that is set for a while. */
struct limit {
	char path[96];
	char old[32];
};

/* The one that is set now, for when its case dies before it is restored. */
static struct limit *limit_now;

__attribute__((constructor)) static void
limit_init(void)
{
	limit_now = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

void
abi_after(void)
{
	if (limit_now->path[0])
		put(limit_now->path, limit_now->old);
	limit_now->path[0] = '\0';
}

/* Reads "/proc/sys/@name"; -1 if there is no such file. */
ABI_FN long
limit_get(const char *name)
{
	char path[96], text[64];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return get(path, text, sizeof(text)) > 0 ? atol(text) : -1;
}

/* False, after a skip, if the limit does not exist here. */
ABI_FN bool
limit_set(struct limit *l, const char *name, long value)
{
	char text[32];

	snprintf(l->path, sizeof(l->path), "/proc/sys/%s", name);
	if (get(l->path, l->old, sizeof(l->old)) <= 0) {
		skip("no %s", l->path);
		return false;
	}
	*limit_now = *l;
	snprintf(text, sizeof(text), "%ld\n", value);
	return ok(!put(l->path, text), "%s is set to %ld", name, value);
}

ABI_FN void
limit_restore(struct limit *l)
{
	ok(!put(l->path, l->old), "%s is set back", l->path);
	limit_now->path[0] = '\0';
}

/* Entries of @dir that begin with a digit. */
ABI_FN long
entries(const char *dir)
{
	DIR *d = opendir(dir);
	long n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] >= '0' && e->d_name[0] <= '9';
	if (d)
		closedir(d);
	return n;
}

/* What the machine holds, to be compared with later. */
struct level {
	long procs;
	long files;
	long kib;
	long tables;
};

ABI_FN struct level
level_now(void)
{
	/* Caches that shrink by themselves are no loss; not all have this. */
	put("/proc/sys/vm/drop_caches", "3\n");
	return (struct level){
		.procs = entries("/proc"),
		.files = limit_get("fs/file-nr"),
		.kib = field("/proc/meminfo", "MemAvailable"),
		.tables = field("/proc/meminfo", "PageTables"),
	};
}

/*
 * All as before: processes but for what the kernel itself may have added,
 * open files but for a batch that each CPU keeps, memory but for what lies in
 * lists of each CPU (on Linux 45 MiB of 1 GiB).  Leaks of a few pages are
 * other suites' matter.
 */
ABI_FN void
level_check(const struct level *a)
{
	long slack = field("/proc/meminfo", "MemTotal") / 16;
	long spare = 100 + 64 * sysconf(_SC_NPROCESSORS_CONF);
	struct level b = level_now();

	for (int i = 0; i < 400; i++) {
		b = level_now();
		if (b.procs <= a->procs + 4 && b.files <= a->files + spare &&
		    b.kib >= a->kib - slack && b.tables <= a->tables + 1024)
			break;
		msleep(25);
	}
	ok(b.procs <= a->procs + 4, "processes: %ld, were %ld", b.procs,
	   a->procs);
	ok(b.files <= a->files + spare, "open files: %ld, were %ld", b.files,
	   a->files);
	ok(b.kib >= a->kib - slack, "memory available: %ld KiB, was %ld KiB",
	   b.kib, a->kib);
	ok(b.tables <= a->tables + 1024, "page tables: %ld KiB, were %ld KiB",
	   b.tables, a->tables);
}

/* Forks, runs a program, uses a pipe: the machine is in order. */
ABI_FN void
still_works(void)
{
	char c = 0;
	int p[2];
	pid_t pid;

	is(pipe(p), 0);
	pid = works(fork());
	if (!pid) {
		dup2(p[1], 1);
		execv("/proc/self/exe", (char *[]){ "x", "@alive", NULL });
		_exit(1);
	}
	is(read(p[0], &c, 1), 1);
	is(c, 'a');
	is(reap(pid), 7);
	close(p[0]);
	close(p[1]);
	is(kill(1, 0), 0);
}

HELPER(alive)
{
	return write(1, "a", 1) == 1 ? 7 : 1;
}

#endif
