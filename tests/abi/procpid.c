/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID: the files of a process and their formats. */
#include "tests/abi/abi.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

static char buf[1 << 18];

/* Field @n (from 1) of /proc/self/stat; names with blanks are one field. */
static long
stat_field(const char *path, int n)
{
	char *p;

	get(path, buf, sizeof(buf));
	p = strrchr(buf, ')');
	if (!p)
		return -1;
	p += 2;
	for (int i = 3; i < n && p; i++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p ? atol(p) : -1;
}

TEST(stat)
{
	int fields = 0;
	char *p;

	prctl(PR_SET_NAME, "a) (b c");
	get("/proc/self/stat", buf, sizeof(buf));
	is(atoi(buf), getpid());
	check(strstr(buf, " (a) (b c) R ") != NULL);
	p = strrchr(buf, ')') + 2;
	for (; *p; p++)
		fields += *p == ' ' || *p == '\n';
	is(fields + 2, 52);
	is(stat_field("/proc/self/stat", 4), getppid());
	is(stat_field("/proc/self/stat", 5), getpgrp());
	is(stat_field("/proc/self/stat", 6), getsid(0));
	is(stat_field("/proc/self/stat", 7), 0);
	is(stat_field("/proc/self/stat", 8), -1);
	is(stat_field("/proc/self/stat", 18), 20);
	is(stat_field("/proc/self/stat", 19), 0);
	is(stat_field("/proc/self/stat", 20), 1);
	is(stat_field("/proc/self/stat", 38), SIGCHLD);
	is(stat_field("/proc/self/stat", 41), 0);
	check(stat_field("/proc/self/stat", 10) > 0);
	check(stat_field("/proc/self/stat", 23) > 65536);
	check(stat_field("/proc/self/stat", 24) > 10);
	is(stat_field("/proc/self/stat", 23) / 1024,
	   field("/proc/self/status", "VmSize"));
	/* Start time in ticks since boot: not in the future, not long ago. */
	check(stat_field("/proc/self/stat", 22) * (NSEC / 100) <= now_ns());
	check(stat_field("/proc/self/stat", 22) > 0);
	nice(5);
	is(stat_field("/proc/self/stat", 18), 25);
	is(stat_field("/proc/self/stat", 19), 5);
}

TEST(states)
{
	pid_t c = fork();

	if (!c)
		for (;;)
			pause();
	check(until_state(c, 'S'));
	kill(c, SIGSTOP);
	check(until_state(c, 'T'));
	kill(c, SIGCONT);
	check(until_state(c, 'S'));
	kill(c, SIGKILL);
	check(until_state(c, 'Z'));
	reap(c);
	is(task_state(c), '?');
	c = fork();
	if (!c)
		for (;;)
			;
	check(until_state(c, 'R'));
	kill(c, SIGKILL);
	reap(c);
}

static bool
has(const char *text)
{
	bool r = strstr(buf, text) != NULL;

	if (!r)
		diag("no \"%s\"", text);
	return r;
}

TEST(status)
{
	char want[64];
	long data;
	char *m;

	prctl(PR_SET_NAME, "a\nb\\c");
	get("/proc/self/status", buf, sizeof(buf));
	check(has("Name:\ta\\nb\\\\c\n"));
	check(has("Umask:\t0022\nState:\tR (running)\n"));
	snprintf(want, sizeof(want), "\nTgid:\t%d\n", getpid());
	check(has(want));
	snprintf(want, sizeof(want), "\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
		 getpid(), getppid());
	check(has(want));
	check(has("\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"));
	check(has("\nThreads:\t1\n"));
	check(has("\nSigPnd:\t0000000000000000\n"));
	check(has("\nSeccomp:\t0\n"));
	check(has("\nCpus_allowed_list:\t0"));
	check(has("\nvoluntary_ctxt_switches:\t"));
	data = field("/proc/self/status", "VmData");
	m = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is(field("/proc/self/status", "VmData"), data + 1024);
	data = field("/proc/self/status", "RssAnon");
	madvise(m, 1 << 20, MADV_NOHUGEPAGE);
	memset(m, 1, 1 << 20);
	check(labs(field("/proc/self/status", "RssAnon") - data - 1024) <= 64);
	check(field("/proc/self/status", "VmRSS") >= 1024);
	check(field("/proc/self/status", "VmHWM") >= 1024);
	check(field("/proc/self/status", "VmPeak") >=
	      field("/proc/self/status", "VmSize"));
	check(field("/proc/self/status", "VmStk") > 0);
	check(field("/proc/self/status", "VmExe") > 0);
	is(field("/proc/self/status", "VmSwap"), 0);
	munmap(m, 1 << 20);
	check(labs(field("/proc/self/status", "RssAnon") - data) <= 64);
}

static void
nothing(int sig)
{
	(void)sig;
}

TEST(status_signals)
{
	sigset_t s = sigs(SIGUSR1, SIGRTMAX);

	signal(SIGHUP, SIG_IGN);
	handle(SIGUSR2, nothing, 0);
	sigprocmask(SIG_BLOCK, &s, NULL);
	raise(SIGUSR1);
	kill(getpid(), SIGRTMAX);
	get("/proc/self/status", buf, sizeof(buf));
	check(has("\nSigPnd:\t0000000000000200\n"));
	check(has("\nShdPnd:\t8000000000000000\n"));
	check(has("\nSigBlk:\t8000000000000200\n"));
	check(has("\nSigIgn:\t0000000000000001\n"));
	check(has("\nSigCgt:\t0000000000000800\n"));
	check(has("\nSigQ:\t2/"));
}

TEST(memory_files)
{
	long size, resident, shared, text, lib, data, dt;
	char *m = mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long rss = 0, pss = 0, total = 0;
	char *p;

	memset(m, 1, 16 << 10);
	get("/proc/self/statm", buf, sizeof(buf));
	is(sscanf(buf, "%ld %ld %ld %ld %ld %ld %ld", &size, &resident, &shared,
		  &text, &lib, &data, &dt), 7);
	check(size > resident && resident >= shared && text > 0 && data > 0);
	is(lib + dt, 0);
	get("/proc/self/smaps", buf, sizeof(buf));
	for (p = buf; (p = strstr(p, "\nSize:")); p++)
		total += atol(p + 6);
	is(total >= size * 4 - 64 && total <= size * 4 + 64, 1);
	for (p = buf; (p = strstr(p, "\nRss:")); p++)
		rss += atol(p + 5);
	check(rss > 16);
	for (p = buf; (p = strstr(p, "\nPss:")); p++)
		pss += atol(p + 5);
	check(pss > 0 && pss <= rss);
	check(has("\nVmFlags: rd "));
	check(has("\nAnonymous: ") && has("\nPrivate_Dirty: "));
	check(has("\nKernelPageSize:        4 kB\n"));
	check(field("/proc/self/smaps_rollup", "Rss") > 16);
}

TEST(map_of_one)
{
	char want[64];
	char *line;
	char *m = mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(m + 8192, 4096, PROT_NONE);
	memset(m, 1, 8192);
	get("/proc/self/smaps", buf, sizeof(buf));
	snprintf(want, sizeof(want), "-%lx rw-p 00000000 00:00 0",
		 (long)m + 8192);
	line = strstr(buf, want);
	check(line != NULL);
	if (!line)
		return;
	check(strstr(line, "\nReferenced:            8 kB\n") != NULL);
	check(strstr(line, "\nAnonymous:             8 kB\n") != NULL);
}

TEST(descriptors)
{
	char link[64] = "", want[64];
	struct stat st;
	int fd, n = 0;
	DIR *d;
	int p[2];

	put("f", "12345");
	fd = open("f", O_RDWR | O_APPEND | O_CLOEXEC);
	lseek(fd, 3, SEEK_SET);
	pipe(p);
	snprintf(want, sizeof(want), "/proc/self/fdinfo/%d", fd);
	get(want, buf, sizeof(buf));
	check(has("pos:\t3\n"));
	check(has("flags:\t02102002\n"));
	check(has("mnt_id:\t"));
	snprintf(want, sizeof(want), "/proc/self/fd/%d", p[0]);
	works(readlink(want, link, 63));
	fstat(p[0], &st);
	snprintf(buf, sizeof(buf), "pipe:[%lu]", st.st_ino);
	same(link, buf);
	is(lstat(want, &st), 0);
	is(st.st_mode, S_IFLNK | 0500);
	snprintf(want, sizeof(want), "/proc/self/fd/%d", p[1]);
	is(lstat(want, &st), 0);
	is(st.st_mode, S_IFLNK | 0300);
	fd = eventfd(77, 0);
	snprintf(want, sizeof(want), "/proc/self/fd/%d", fd);
	memset(link, 0, sizeof(link));
	works(readlink(want, link, 63));
	same(link, "anon_inode:[eventfd]");
	snprintf(want, sizeof(want), "/proc/self/fdinfo/%d", fd);
	get(want, buf, sizeof(buf));
	check(has("eventfd-count:               4d\n"));
	d = opendir("/proc/self/fd");
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	/* 0, 1, 2, the file, two of the pipe, eventfd, the harness, d. */
	check(n >= 8 && n <= 12);
}

static void
map_link(char *name, const char *format, const char *at, long pages)
{
	sprintf(name, "/proc/self/map_files/");
	sprintf(name + strlen(name), format, (long)at, (long)at + pages * 4096);
}

/* Links to what mappings show, by the exact names that maps gives. */
TEST(mapped_files)
{
	char name[100], text[100], want[100], cwd[80];
	int fd = works(open("mapped", O_CREAT | O_RDWR, 0600)), seen = 0, again;
	struct dirent *e;
	struct stat a, b;
	char *m;
	DIR *d;

	is(ftruncate(fd, 3 * 4096), 0);
	m = mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED, fd, 0);
	map_link(name, "%lx-%lx", m, 3);
	memset(text, 0, sizeof(text));
	check(readlink(name, text, sizeof(text) - 1) > 0);
	snprintf(want, sizeof(want), "%s/mapped", getcwd(cwd, sizeof(cwd)));
	same(text, want);
	is(lstat(name, &a), 0);
	is(a.st_mode, S_IFLNK | 0600);
	is(stat(name, &a), 0);
	is(fstat(fd, &b), 0);
	is(a.st_ino, b.st_ino);
	again = works(open(name, O_RDWR));
	is(write(again, "x", 1), 1);
	is(m[0], 'x');
	d = opendir("/proc/self/map_files");
	check(d != NULL);
	while ((e = readdir(d)) != NULL)
		seen += !strcmp(e->d_name, strrchr(name, '/') + 1);
	closedir(d);
	is(seen, 1);
	/* Anything else is not there. */
	map_link(name, "%lx-%lx", m, 2);
	fails(readlink(name, text, sizeof(text)), ENOENT);
	map_link(name, "%lx-%lx", m + 4096, 2);
	fails(readlink(name, text, sizeof(text)), ENOENT);
	map_link(name, "0%lx-%lx", m, 3);
	fails(readlink(name, text, sizeof(text)), ENOENT);
	map_link(name, "%lx-0%lx", m, 3);
	fails(readlink(name, text, sizeof(text)), ENOENT);
	map_link(name, "%lX-%lX", m, 3);
	check(readlink(name, text, sizeof(text)) > 0);
	map_link(name, " %lx-%lx", m, 3);
	fails(readlink(name, text, sizeof(text)), ENOENT);
	map_link(name, "%lx-%lx ", m, 3);
	fails(readlink(name, text, sizeof(text)), ENOENT);
	map_link(name, "%lx:%lx", m, 3);
	fails(readlink(name, text, sizeof(text)), ENOENT);
	map_link(name, "%lx-%lx", m, 3);
	in_child {
		drop(USER);
		prctl(PR_SET_DUMPABLE, 1);
		check(readlink(name, text, sizeof(text)) > 0);
		fails(open(name, O_RDONLY), EPERM);
		fails(readlink("/proc/1/map_files/1000-2000", text, sizeof(text)), EACCES);
	}
	munmap(m, 3 * 4096);
	fails(readlink(name, text, sizeof(text)), ENOENT);
}

TEST(strings)
{
	char exe[PATH_MAX] = "", link[PATH_MAX] = "";
	ssize_t n;
	pid_t c;

	n = get("/proc/self/cmdline", buf, sizeof(buf));
	check(n > 1 && buf[n - 1] == '\0');
	works(readlink("/proc/self/exe", exe, sizeof(exe) - 1));
	check(exe[0] == '/');
	c = fork();
	if (!c) {
		execve(exe, (char *[]){ "one", "@pausing", "two words", "",
		       NULL }, (char *[]){ "VAR=value", "SECOND=2", NULL });
		_exit(1);
	}
	while (get("/proc/self/comm", buf, 64), true) {
		snprintf(link, sizeof(link), "/proc/%d/environ", c);
		n = get(link, buf, sizeof(buf));
		if (n >= 0 && !strcmp(buf, "VAR=value"))
			break;
		msleep(1);
	}
	is(n, 19);
	is(memcmp(buf, "VAR=value\0SECOND=2", 19), 0);
	snprintf(link, sizeof(link), "/proc/%d/cmdline", c);
	is(get(link, buf, sizeof(buf)), 4 + 9 + 10 + 1);
	is(memcmp(buf, "one\0@pausing\0two words\0", 24), 0);
	kill(c, SIGKILL);
	reap(c);
}

HELPER(pausing)
{
	for (;;)
		pause();
	return 0;
}

static void *
waits(void *arg)
{
	prctl(PR_SET_NAME, "second");
	*(volatile pid_t *)arg = gettid();
	for (;;)
		pause();
	return NULL;
}

TEST(threads)
{
	volatile pid_t tid = 0;
	char path[64];
	pthread_t t;
	struct stat st;
	DIR *d;
	int n = 0;

	pthread_create(&t, NULL, waits, (void *)&tid);
	while (!tid)
		msleep(1);
	d = opendir("/proc/self/task");
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	is(n, 2);
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
	get(path, buf, sizeof(buf));
	same(buf, "second\n");
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	is(stat_field(path, 4), getppid());
	is(atoi(buf), tid);
	/* A thread's own directory exists but is not listed. */
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	is(field(path, "Tgid"), getpid());
	is(field(path, "Pid"), tid);
	stat("/proc/self/task", &st);
	is(st.st_nlink, 4);
	is(field("/proc/self/status", "Threads"), 2);
	memset(path, 0, sizeof(path));
	works(readlink("/proc/thread-self", path, sizeof(path) - 1));
	snprintf(buf, sizeof(buf), "%d/task/%d", getpid(), gettid());
	same(path, buf);
}

TEST(io_counters)
{
	long r = field("/proc/self/io", "rchar");
	long w = field("/proc/self/io", "wchar");
	long sr = field("/proc/self/io", "syscr");
	char b[100];
	int fd = open("f", O_CREAT | O_RDWR, 0600);

	write(fd, b, 100);
	pread(fd, b, 100, 0);
	check(field("/proc/self/io", "wchar") - w >= 100);
	check(field("/proc/self/io", "rchar") - r >= 100);
	check(field("/proc/self/io", "syscr") - sr >= 1);
	check(field("/proc/self/io", "read_bytes") >= 0);
}

TEST(mountinfo)
{
	struct stat st;
	unsigned int id, parent, maj, min;
	char root[256], point[256], want[PATH_MAX];
	char *line;

	mkdir("m", 0755);
	mount("src", "m", "tmpfs", MS_NOSUID, "size=64k");
	stat("m", &st);
	getcwd(want, sizeof(want) - 8);
	strcat(want, "/m ");
	get("/proc/self/mountinfo", buf, sizeof(buf));
	line = strstr(buf, want);
	check(line != NULL);
	while (line && line > buf && line[-1] != '\n')
		line--;
	is(sscanf(line ? line : "", "%u %u %u:%u %255s %255s", &id, &parent,
		  &maj, &min, root, point), 6);
	is(makedev(maj, min), st.st_dev);
	same(root, "/");
	check(strstr(line, " rw,nosuid,relatime - tmpfs src rw,size=64k") ||
	      strstr(line, " rw,nosuid,relatime shared:"));
	check(id != parent);
	get("/proc/self/mounts", buf, sizeof(buf));
	check(strstr(buf, "m tmpfs rw,nosuid,relatime,size=64k") != NULL);
	umount("m");
}

TEST(absent)
{
	struct stat st;

	fails(stat("/proc/4999999", &st), ENOENT);
	fails(stat("/proc/0", &st), ENOENT);
	fails(stat("/proc/self/nothing", &st), ENOENT);
	fails(mkdir("/proc/new", 0700), ENOENT);
	fails(unlink("/proc/self/stat"), EPERM);
	is(stat("/proc/self/stat", &st), 0);
	is(st.st_size, 0);
	check(S_ISREG(st.st_mode));
	is(st.st_mode & 0777, 0444);
}

TEST(privacy)
{
	char path[64];
	pid_t c = fork();

	if (!c)
		for (;;)
			pause();
	in_child {
		drop(USER);
		snprintf(path, sizeof(path), "/proc/%d/stat", c);
		works(open(path, O_RDONLY));
		snprintf(path, sizeof(path), "/proc/%d/environ", c);
		fails(open(path, O_RDONLY), EACCES);
		snprintf(path, sizeof(path), "/proc/%d/fd", c);
		fails(open(path, O_RDONLY), EACCES);
		snprintf(path, sizeof(path), "/proc/%d/exe", c);
		fails(readlink(path, buf, 100), EACCES);
		snprintf(path, sizeof(path), "/proc/%d/cwd", c);
		fails(readlink(path, buf, 100), EACCES);
	}
	kill(c, SIGKILL);
	reap(c);
}

/* Reading the files of a process that dies meanwhile. */
TEST(reading_the_dying)
{
	static const char *files[] = { "stat", "status", "maps", "cmdline",
				       "environ", "limits", "io", "smaps" };
	char path[64];

	for (int i = 0; i < 8; i++) {
		int fds[8];
		pid_t c = fork();

		if (!c)
			for (;;)
				pause();
		for (int k = 0; k < 8; k++) {
			snprintf(path, sizeof(path), "/proc/%d/%s", c, files[k]);
			fds[k] = open(path, O_RDONLY);
		}
		kill(c, SIGKILL);
		if (i & 1)
			reap(c);
		for (int k = 0; k < 8; k++) {
			read(fds[k], buf, 4096);
			close(fds[k]);
		}
		if (!(i & 1))
			reap(c);
	}
	check(true);
}

/* What is open is of the program that was: exec leaves nothing to read. */
TEST(spaces_of_the_open)
{
	static const char *const names[] = { "environ", "maps", "auxv", "smaps" };
	struct gate g = gate_new();
	char path[64], buf[64];
	int fd[4], mem;
	pid_t c = fork();

	if (!c) {
		gate_wait(&g);
		execl("/proc/self/exe", "x", "@sleeper", NULL);
		_exit(1);
	}
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", c, names[i]);
		fd[i] = works(open(path, O_RDONLY));
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", c);
	mem = works(open(path, O_RDONLY));
	is(pread(mem, buf, 8, (long)names), 8);
	gate_open(&g);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", c);
	soon(get(path, buf, sizeof(buf)) > 0 && !strcmp(buf + 2, "@sleeper"));
	for (int i = 0; i < 4; i++)
		is(read(fd[i], buf, sizeof(buf)), i == 2 ? sizeof(buf) : 0);
	is(pread(mem, buf, 8, (long)names), 0);
	kill(c, SIGKILL);
	reap(c);
}

HELPER(sleeper)
{
	for (;;)
		pause();
	return 0;
}

TEST(context_switches)
{
	long v = field("/proc/self/status", "voluntary_ctxt_switches");
	long n;
	cpu_set_t s;
	pid_t c;

	check(v >= 0);
	/* Not each: a sleep may be over before the CPU has got as far as switching. */
	soon(field("/proc/self/status", "voluntary_ctxt_switches") >= v + 10);
	n = field("/proc/self/status", "nonvoluntary_ctxt_switches");
	CPU_ZERO(&s);
	CPU_SET(0, &s);
	sched_setaffinity(0, sizeof(s), &s);
	c = fork();
	if (!c) {
		for (;;)
			;
	}
	for (long end = now_ns() + NSEC / 2; now_ns() < end;)
		;
	check(field("/proc/self/status", "nonvoluntary_ctxt_switches") > n);
	kill(c, SIGKILL);
	reap(c);
}

TEST(login)
{
	char buf[32];

	check(get("/proc/self/loginuid", buf, sizeof(buf)) > 0);
	same(buf, "4294967295");
	check(get("/proc/self/sessionid", buf, sizeof(buf)) > 0);
	same(buf, "4294967295");
	in_child {
		is(put("/proc/self/loginuid", "1000"), 0);
		in_child {
			check(get("/proc/self/loginuid", buf, sizeof(buf)) > 0);
			same(buf, "1000");
			get("/proc/self/sessionid", buf, sizeof(buf));
			check(strcmp(buf, "4294967295"));
			is(put("/proc/self/loginuid", "x"), -1);
		}
	}
}

/* What is not there is counted by number and program. */
static long
missing_count(const char *key)
{
	static char buf[65536];
	char *p;

	if (get("/proc/tessera/syscalls", buf, sizeof(buf)) < 0)
		return -1;
	p = strstr(buf, key);
	return p ? atol(p + strlen(key)) : 0;
}

TEST(missing_calls)
{
	char line[64];

	if (access("/proc/tessera", F_OK)) {
		skip("not Tessera");
		return;
	}
	prctl(15, "misser");
	is(missing_count("\n470 - "), 0);
	for (int i = 0; i < 3; i++)
		fails(syscall(470), ENOSYS);
	is(missing_count("\n470 - "), 3);
	/* Its number is the low half of the register. */
	fails(syscall((1L << 32) + 470), ENOSYS);
	is(missing_count("\n470 - "), 4);
	fails(syscall(100000), ENOSYS);
	is(missing_count("\n100000 - "), 1);
	check(get("/proc/tessera/syscalls", line, sizeof(line)) > 0);
	is(strncmp(line, "# number name count program\n", 28), 0);
	in_child {
		static char buf[65536];

		prctl(15, "other");
		fails(syscall(470), ENOSYS);
		get("/proc/tessera/syscalls", buf, sizeof(buf));
		check(strstr(buf, "470 - 4 misser\n") != NULL);
		check(strstr(buf, "470 - 1 other\n") != NULL);
	}
}
