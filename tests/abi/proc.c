/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc of the whole machine: memory, CPUs, time, load, filesystems. */
#include "tests/abi/abi.h"

#include <dirent.h>

static char buf[1 << 18];

TEST(meminfo)
{
	static const char *keys[] = {
		"MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached",
		"SwapCached", "Active", "Inactive", "SwapTotal", "SwapFree",
		"Dirty", "Writeback", "AnonPages", "Mapped", "Shmem", "Slab",
		"SReclaimable", "SUnreclaim", "KernelStack", "PageTables",
		"CommitLimit", "Committed_AS", "VmallocTotal", "VmallocUsed",
		"HugePages_Total", "Hugepagesize",
	};
	long total = field("/proc/meminfo", "MemTotal");
	long cached, shmem, anon;
	char *m;
	int fd;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		ok(field("/proc/meminfo", keys[i]) >= 0, "has %s", keys[i]);
	get("/proc/meminfo", buf, sizeof(buf));
	check(!strncmp(buf, "MemTotal:  ", 11));
	check(strstr(buf, " kB\nMemFree:  ") != NULL);
	check(field("/proc/meminfo", "MemFree") < total);
	check(field("/proc/meminfo", "MemAvailable") <= total);
	cached = field("/proc/meminfo", "Cached");
	shmem = field("/proc/meminfo", "Shmem");
	fd = open("f", O_CREAT | O_RDWR, 0600);
	fallocate(fd, 0, 0, 16 << 20);
	check(field("/proc/meminfo", "Cached") - cached >= 14 << 10);
	check(field("/proc/meminfo", "Shmem") - shmem >= 14 << 10);
	ftruncate(fd, 0);
	check(field("/proc/meminfo", "Shmem") - shmem <= 4 << 10);
	anon = field("/proc/meminfo", "AnonPages");
	m = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	check(m != MAP_FAILED);
	check(field("/proc/meminfo", "AnonPages") - anon >= 14 << 10);
}

TEST(stat_lines)
{
	long ncpu = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long user, nice, sys, idle, all = 0;
	long cpus = 0, forks;
	char *p;

	get("/proc/stat", buf, sizeof(buf));
	check(!strncmp(buf, "cpu  ", 5));
	is(sscanf(buf, "cpu  %lu %lu %lu %lu", &user, &nice, &sys, &idle), 4);
	for (p = buf; (p = strstr(p, "\ncpu")); p++) {
		unsigned long u, n, s, i;
		int id = -1;

		sscanf(p + 1, "cpu%d %lu %lu %lu %lu", &id, &u, &n, &s, &i);
		all += i;
		cpus += id >= 0;
	}
	is(cpus, ncpu);
	check(labs((long)(all - idle)) <= ncpu + 100);
	check(strstr(buf, "\nintr ") && strstr(buf, "\nctxt "));
	check(strstr(buf, "\nprocs_blocked ") && strstr(buf, "\nsoftirq "));
	check(field("/proc/stat", "btime") > 0);
	check(field("/proc/stat", "procs_running") >= 1);
	check(labs(field("/proc/stat", "btime") + now_ns() / NSEC -
		   time(NULL)) <= 3);
	forks = field("/proc/stat", "processes");
	in_child {
		check(field("/proc/stat", "processes") > forks);
	}
}

/* Time goes to the right columns. */
TEST(stat_accounts)
{
	unsigned long a[4], b[4];
	struct timespec ts;

	get("/proc/stat", buf, sizeof(buf));
	sscanf(buf, "cpu %lu %lu %lu %lu", a, a + 1, a + 2, a + 3);
	nice(10);
	do {
		for (volatile int i = 0; i < 100000; i++)
			;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	} while (ts.tv_sec < 1);
	get("/proc/stat", buf, sizeof(buf));
	sscanf(buf, "cpu %lu %lu %lu %lu", b, b + 1, b + 2, b + 3);
	/* A tenth of it is enough: an emulated machine loses ticks. */
	check(b[1] - a[1] >= 10);
	check(b[1] - a[1] >= b[0] - a[0]);
	for (int i = 0; i < 4; i++)
		ok(b[i] >= a[i], "column %d does not fall", i);
}

TEST(uptime_and_load)
{
	double up, idle, l1, l5, l15;
	int running, total, last;
	pid_t c;

	get("/proc/uptime", buf, sizeof(buf));
	is(sscanf(buf, "%lf %lf\n", &up, &idle), 2);
	check(up - now_ns() / 1e9 < 1 && now_ns() / 1e9 - up < 1);
	check(idle >= 0);
	get("/proc/loadavg", buf, sizeof(buf));
	is(sscanf(buf, "%lf %lf %lf %d/%d %d\n", &l1, &l5, &l15, &running,
		  &total, &last), 6);
	check(l1 >= 0 && running >= 1 && total >= running);
	c = fork();
	if (!c)
		_exit(0);
	reap(c);
	get("/proc/loadavg", buf, sizeof(buf));
	sscanf(buf, "%*f %*f %*f %*d/%*d %d", &last);
	check(last >= c);
}

/* Not even by the moment in which a CPU stops to idle. */
TEST(idle_does_not_fall)
{
	double idle, last = 0;
	pid_t c[4];
	int fell = 0;

	for (int i = 0; i < 4; i++) {
		c[i] = fork();
		if (!c[i])
			for (;;)
				usleep(15000);
	}
	for (double end = now_ns() + 2e9; now_ns() < end;) {
		get("/proc/uptime", buf, sizeof(buf));
		sscanf(buf, "%*f %lf", &idle);
		fell += idle < last;
		last = idle;
	}
	is(fell, 0);
	for (int i = 0; i < 4; i++) {
		kill(c[i], SIGKILL);
		reap(c[i]);
	}
}

TEST(cpuinfo)
{
	long n = 0;
	char *p;

	get("/proc/cpuinfo", buf, sizeof(buf));
	check(!strncmp(buf, "processor\t: 0\n", 14));
	for (p = buf; (p = strstr(p, "processor\t: ")); p++)
		n++;
	is(n, sysconf(_SC_NPROCESSORS_ONLN));
	check(strstr(buf, "\nvendor_id\t: ") && strstr(buf, "\nmodel name\t: "));
	check(strstr(buf, "\nflags\t\t: fpu ") != NULL);
	check(strstr(buf, " sse2 ") != NULL);
	check(strstr(buf, "\ncpu MHz\t\t: ") != NULL);
	check(strstr(buf, "\ncore id\t\t: ") && strstr(buf, "\nsiblings\t: "));
	check(strstr(buf, "\naddress sizes\t: ") != NULL);
	check(strstr(buf, "\nbogomips\t: ") != NULL);
}

TEST(small_files)
{
	get("/proc/filesystems", buf, sizeof(buf));
	check(strstr(buf, "nodev\ttmpfs\n") && strstr(buf, "nodev\tproc\n"));
	check(strstr(buf, "nodev\tsysfs\n") && strstr(buf, "nodev\tdevpts\n"));
	check(strstr(buf, "nodev\tdevtmpfs\n") != NULL);
	get("/proc/version", buf, sizeof(buf));
	check(strstr(buf, " version ") != NULL);
	check(get("/proc/cmdline", buf, sizeof(buf)) > 0);
	check(strchr(buf, '\n') == buf + strlen(buf) - 1);
	get("/proc/devices", buf, sizeof(buf));
	check(!strncmp(buf, "Character devices:\n  1 mem\n", 27));
	check(strstr(buf, "136 pts\n") && strstr(buf, "\nBlock devices:\n"));
	check(get("/proc/interrupts", buf, sizeof(buf)) > 0);
	check(strstr(buf, "CPU0") != NULL);
	get("/proc/mounts", buf, sizeof(buf));
	check(strstr(buf, " /proc proc ") != NULL);
	check(get("/proc/sys/kernel/pid_max", buf, sizeof(buf)) > 0);
	check(atol(buf) >= 32768);
	check(get("/proc/sys/kernel/random/boot_id", buf, sizeof(buf)) == 37);
	check(buf[8] == '-' && buf[23] == '-');
	check(get("/proc/sys/fs/file-max", buf, sizeof(buf)) > 0);
	check(get("/proc/sys/fs/file-nr", buf, sizeof(buf)) > 0);
	check(get("/proc/swaps", buf, sizeof(buf)) > 0);
	check(!strncmp(buf, "Filename\t", 9));
	check(get("/proc/vmstat", buf, sizeof(buf)) > 0);
	check(strstr(buf, "nr_free_pages ") && strstr(buf, "pgfault "));
	check(get("/proc/slabinfo", buf, sizeof(buf)) > 0);
	check(!strncmp(buf, "slabinfo - version: 2.1\n", 24));
	check(get("/proc/schedstat", buf, sizeof(buf)) > 0);
	check(!strncmp(buf, "version ", 8) && strstr(buf, "\ncpu0 "));
}

/* All processes are listed, once, in one order. */
TEST(process_list)
{
	pid_t c[20];
	int seen = 0, last = 0;
	bool order = true;
	DIR *d;

	for (int i = 0; i < 20; i++) {
		c[i] = fork();
		if (!c[i])
			for (;;)
				pause();
	}
	d = opendir("/proc");
	for (struct dirent *e; (e = readdir(d));) {
		int pid = atoi(e->d_name);

		if (!pid)
			continue;
		order &= pid > last;
		last = pid;
		for (int i = 0; i < 20; i++)
			seen += c[i] == pid;
	}
	closedir(d);
	is(seen, 20);
	check(order);
	for (int i = 0; i < 20; i++) {
		kill(c[i], SIGKILL);
		reap(c[i]);
	}
}

/* Reading with an offset and in small pieces gives the same text. */
TEST(reading_in_pieces)
{
	static const char *files[] = {
		"/proc/cpuinfo", "/proc/filesystems", "/proc/version",
		"/proc/self/limits", "/proc/devices",
	};
	static char whole[1 << 16];

	for (int i = 0; i < 5; i++) {
		ssize_t n = get(files[i], whole, sizeof(whole));
		int fd = open(files[i], O_RDONLY);
		ssize_t len = 0, r;

		while ((r = read(fd, buf + len, 7)) > 0)
			len += r;
		ok(len == n && !memcmp(buf, whole, n), "%s by 7 bytes",
		   files[i]);
		r = pread(fd, buf, 10, 5);
		ok(r == 10 && !memcmp(buf, whole + 5, 10), "%s from 5",
		   files[i]);
		close(fd);
	}
}

TEST(sysctl_write)
{
	char old[32];

	check(get("/proc/sys/kernel/pid_max", old, sizeof(old)) > 0);
	is(put("/proc/sys/kernel/pid_max", "40000\n"), 0);
	get("/proc/sys/kernel/pid_max", buf, sizeof(buf));
	same(buf, "40000\n");
	is(put("/proc/sys/kernel/pid_max", old), 0);
	fails(put("/proc/sys/kernel/pid_max", "junk"), EINVAL);
	fails(put("/proc/sys/kernel/pid_max", "1"), EINVAL);
	in_child {
		drop(USER);
		fails(open("/proc/sys/kernel/pid_max", O_WRONLY), EACCES);
		works(open("/proc/sys/kernel/pid_max", O_RDONLY));
	}
}

static const char *
call_of(pid_t p)
{
	static char text[300];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", p);
	if (get(path, text, sizeof(text)) < 0)
		return "none";
	return text;
}

static bool
begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

TEST(syscall_file)
{
	char want[100], text[300], c;
	unsigned long sp, ip;
	int fd[2], self;
	struct stat st;
	pid_t p;

	is(pipe(fd), 0);
	p = fork();
	if (!p) {
		read(fd[0], &c, 1);
		raise(SIGSTOP);
		for (;;)
			;
	}
	snprintf(want, sizeof(want), "0 0x%x 0x%lx 0x1 ", fd[0], (unsigned long)&c);
	soon(begins(call_of(p), want));
	is(sscanf(call_of(p), "%*d %*x %*x %*x %*x %*x %*x %lx %lx", &sp, &ip), 2);
	check(sp && ip);
	snprintf(want, sizeof(want), "/proc/%d/syscall", p);
	is(stat(want, &st), 0);
	is(st.st_mode, S_IFREG | 0400);
	write(fd[1], "x", 1);
	/* It stands on the way back from the signal's call. */
	until_state(p, 'T');
	snprintf(want, sizeof(want), "%ld 0x", (long)SYS_tgkill);
	check(begins(call_of(p), want));
	kill(p, SIGCONT);
	soon(begins(call_of(p), "running\n"));
	kill(p, SIGKILL);
	until_state(p, 'Z');
	same(call_of(p), "-1 0x0 0x0\n");
	is(reap(p), -SIGKILL);
	/* Our own is the read of the file itself. */
	self = open("/proc/self/syscall", O_RDONLY);
	is(read(self, text, sizeof(text)) > 0, true);
	snprintf(want, sizeof(want), "0 0x%x 0x%lx 0x12c ", self, (unsigned long)text);
	check(begins(text, want));
	in_child {
		drop(USER);
		fails(open("/proc/1/syscall", O_RDONLY), EACCES);
		lseek(self, 0, SEEK_SET);
		fails(read(self, text, sizeof(text)), EPERM);
	}
}
