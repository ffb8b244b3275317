/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * covered CALL: the functions of the kernel that a system call runs, a line each,
 * by /sys/kernel/debug/kcov and /proc/kallsyms. 0: some; 1: none; 2: no kcov.
 */
#include <fcntl.h>
#include <linux/kcov.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS 16384
#define SYMBOLS 32768

struct symbol {
	uint64_t at;
	char name[64];
};

static struct symbol symbols[SYMBOLS];
static int nr_symbols;

/* kallsyms is in order of addresses. */
static int
read_symbols(void)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	struct symbol *s;
	char type;

	if (!f)
		return -1;
	while (nr_symbols < SYMBOLS) {
		s = &symbols[nr_symbols];
		if (fscanf(f, "%lx %c %63s%*[^\n]", &s->at, &type, s->name) != 3)
			break;
		nr_symbols += type == 't' || type == 'T';
	}
	fclose(f);
	return nr_symbols ? 0 : -1;
}

static const char *
name_of(uint64_t pc)
{
	const char *name = "?";

	for (int i = 0; i < nr_symbols && symbols[i].at < pc; i++)
		name = symbols[i].name;
	return name;
}

static void
call(const char *what)
{
	if (!strcmp(what, "getpriority"))
		getpriority(PRIO_PROCESS, 0);
	else if (!strcmp(what, "getcwd"))
		getcwd((char[64]){0}, 64);
	else
		access(what, F_OK);
}

int
main(int argc, char **argv)
{
	const char *last = "";
	uint64_t *area, n;
	int fd;

	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	fd = open("/sys/kernel/debug/kcov", O_RDWR);
	if (argc < 2 || fd < 0 || ioctl(fd, KCOV_INIT_TRACE, WORDS) || read_symbols())
		return 2;
	area = mmap(NULL, WORDS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		return 2;
	__atomic_store_n(&area[0], 0, __ATOMIC_RELAXED);
	call(argv[1]);
	n = __atomic_load_n(&area[0], __ATOMIC_RELAXED);
	ioctl(fd, KCOV_DISABLE, 0);
	for (uint64_t i = 1; i <= n; i++) {
		const char *name = name_of(area[i]);

		if (strcmp(name, last))
			puts(name);
		last = name;
	}
	return n == 0;
}
