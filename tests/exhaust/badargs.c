/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every system call with bad pointers, lengths, descriptors and numbers, from
 * all CPUs at once.  Nothing may hang or fall over, init lives, and no value
 * that is not an errno may come out.
 *
 * Model: a worker on each CPU runs in a child of its own process group with a
 * page of shared memory that tells which call it is in.  A watchdog kills the
 * worker that has stayed in one call (many block by right) or that has ended,
 * and starts it anew.  SIGKILL must always end a worker.  Half of the workers
 * are root in a chroot of their own, without the calls by which root may
 * rightly damage others; the other half are an ordinary user with all calls.
 *
 * SEED and SECONDS in the environment choose another run.
 */
#include "tests/exhaust/exhaust.h"

#include <linux/memfd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#define LAST_CALL 460
#define MAX_WORKERS 64
#define MAX_ERRNO 133

/* What a worker writes: a page that only it and the watchdog have. */
struct report {
	long nr;
	long count;
	long args[6];
	long strange_nr;
	long strange_result;
};

struct worker {
	volatile struct report *report;
	long seen;
	long since;
	pid_t pid;
};

static struct worker workers[MAX_WORKERS];
static uint64_t state;
static char *good_page, *edge, *read_only;

static uint64_t
rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Numbers that are no call's: past the list, of the x32 ABI, what a wrong sign or width makes. */
static const long no_calls[] = {
	461, 511, 512, 1023, 4096, 65536 + SYS_getpid, 0x40000000 + SYS_getpid, INT_MAX,
	0x80000000, 0xffffffff, (1L << 32) + SYS_getpid, LONG_MAX, -1, -4096,
};
#define NO_CALLS (int)(sizeof(no_calls) / sizeof(no_calls[0]))

/* Ends the machine, the process itself, or makes processes without end. */
static const short never[] = {
	SYS_reboot, SYS_exit, SYS_exit_group, SYS_fork, SYS_vfork, SYS_clone,
	SYS_clone3, SYS_kexec_load, SYS_kexec_file_load, SYS_rt_sigreturn,
};

/* What root may do to others or to the machine's state. */
static const short not_root[] = {
	SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal, SYS_pidfd_getfd,
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_process_madvise, SYS_process_mrelease, SYS_prlimit64,
	SYS_setpriority, SYS_ioprio_set, SYS_sched_setaffinity,
	SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr,
	SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
	SYS_sethostname, SYS_setdomainname, SYS_syslog, SYS_swapon,
	SYS_swapoff, SYS_init_module, SYS_finit_module, SYS_delete_module,
	SYS_acct, SYS_quotactl, SYS_quotactl_fd, SYS_bpf, SYS_fanotify_init,
	SYS_fanotify_mark, SYS_vhangup, SYS_migrate_pages, SYS_move_pages,
	SYS_perf_event_open, SYS_iopl, SYS_ioperm, SYS_kcmp, SYS_setns,
	SYS_unshare, SYS_mount_setattr, SYS_move_mount, SYS_open_by_handle_at,
	SYS_umount2, SYS_mount, SYS_pivot_root, SYS_capset,
};

static bool
listed(const short *list, size_t n, long nr)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == nr)
			return true;
	}
	return false;
}

#define LISTED(list, nr) listed(list, sizeof(list) / sizeof(list[0]), nr)

static long
raw(long nr, const volatile long *a)
{
	register long r10 asm("r10") = a[3];
	register long r8 asm("r8") = a[4];
	register long r9 asm("r9") = a[5];
	long ret;

	asm volatile("syscall" : "=a"(ret)
		     : "0"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10),
		       "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

/* Results between the last errno and -4095 would be the kernel's secrets. */
static void
call(volatile struct report *to, long nr)
{
	long r;

	to->nr = nr;
	to->count++;
	r = raw(nr, to->args);
	if (r < -MAX_ERRNO && r >= -4095) {
		to->strange_nr = nr;
		to->strange_result = r;
	}
}

/* @n pages with a hole behind them, where a long write ends. */
static char *
island(int n, int prot, int flags)
{
	char *m = mmap(NULL, (n + 2) * 4096, prot, flags | MAP_ANONYMOUS, -1, 0);

	munmap(m, 4096);
	munmap(m + (n + 1) * 4096, 4096);
	return m + 4096;
}

static void
make_pages(void)
{
	good_page = island(16, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	edge = island(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	read_only = island(1, PROT_READ, MAP_PRIVATE);
}

/* Descriptors 0 to 11 of many kinds, and nothing else open. */
static void
make_files(void)
{
	int p[2], zero = 0, m;

	syscall(SYS_close_range, 0, ~0U, 0);
	pipe2(p, O_NONBLOCK);
	pipe(p);
	open("file", O_CREAT | O_RDWR, 0666);
	open(".", O_RDONLY);
	eventfd(1, EFD_NONBLOCK);
	epoll_create1(0);
	timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	memfd_create("m", MFD_ALLOW_SEALING);
	m = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	ioctl(m, TIOCSPTLCK, &zero);
	ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
}

static long
argument(void)
{
	static const long numbers[] = {
		0, 1, 2, 3, 7, 8, 16, 24, 32, 64, 100, 255, 511, 512, 4095,
		4096, 4097, 65535, 65536, -1, -2, -22, -100, INT_MAX, INT_MIN,
		UINT32_MAX, 1L << 32, LONG_MAX, LONG_MIN, 1L << 47,
		(1L << 47) - 4096, 0x5555555555555555, -4096, 0xc0000000,
	};
	uint64_t r = rnd();

	switch (r >> 60) {
	case 0 ... 2:
		return numbers[(r >> 8) % (sizeof(numbers) / sizeof(long))];
	case 3 ... 5:
		return (r >> 8) % 13;
	case 6:
		return 1L << ((r >> 8) & 63);
	case 7:
		return r >> ((r >> 4) & 63);
	case 8:
		return (long)edge + 4096 - ((r >> 8) & 63);
	case 9:
		return (long)read_only + ((r >> 8) & 4095);
	case 10:
		return 0xffffffff80000000 + ((r >> 8) & 0xffffff);
	case 11:
		return 0x8000000000000000 + (r >> 20);
	case 12:
		return (long)"/no/such/path";
	case 13:
		return (long)"file";
	default:
		return (long)good_page + ((r >> 8) & 0xfff8);
	}
}

static void
fill_good_page(void)
{
	uint64_t *p = (uint64_t *)good_page;

	for (int i = 0; i < 32; i++)
		p[rnd() % 8192] = rnd() & 1 ? (uint64_t)argument() :
				  rnd() >> 40;
}

static void
limits(void)
{
	struct rlimit as = { 256 << 20, 256 << 20 };
	struct rlimit cpu = { 300, 300 };
	struct rlimit files = { 256, 256 };
	struct rlimit size = { 1 << 20, 1 << 20 };
	struct rlimit core = { 0, 0 };

	setrlimit(RLIMIT_AS, &as);
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_FSIZE, &size);
	setrlimit(RLIMIT_CORE, &core);
	setrlimit(RLIMIT_MEMLOCK, &size);
	put("/proc/self/oom_score_adj", "1000");
}

/* Prepares the child of worker @i; root is put in a chroot. */
static bool
become_worker(int i)
{
	bool root = i & 1;
	cpu_set_t one;
	char dir[32];

	setpgid(0, 0);
	CPU_ZERO(&one);
	CPU_SET(i % sysconf(_SC_NPROCESSORS_ONLN), &one);
	sched_setaffinity(0, sizeof(one), &one);
	limits();
	make_pages();
	/* The harness's page and the other workers' are not ours to spoil. */
	munmap(abi_state, 4096);
	for (int k = 0; k < MAX_WORKERS; k++) {
		if (k != i)
			munmap((void *)workers[k].report, 4096);
	}
	snprintf(dir, sizeof(dir), "%s%d", root ? "r" : "u", i);
	if (chdir(dir))
		_exit(1);
	make_files();
	if (root)
		chroot(".");
	else
		drop(USER + 800 + i);
	signal(SIGPIPE, SIG_IGN);
	return root;
}

static void
random_worker(int i, uint64_t seed)
{
	volatile struct report *to = workers[i].report;
	bool root = become_worker(i);

	state = seed;
	for (int n = 0; n < 10; n++)
		rnd();
	for (;;) {
		long nr = rnd() % 64 ? (long)(rnd() % (LAST_CALL + 1))
				     : no_calls[rnd() % NO_CALLS];

		if (LISTED(never, nr) || (root && LISTED(not_root, nr)))
			continue;
		fill_good_page();
		for (int k = 0; k < 6; k++)
			to->args[k] = argument();
		call(to, nr);
	}
}

/* All arguments of one kind at a time, for one number. */
static void
table_worker(int i, long nr)
{
	volatile struct report *to = workers[i].report;
	long kinds[12];

	become_worker(i);
	kinds[0] = 0;
	kinds[1] = -1;
	kinds[2] = (long)BAD;
	kinds[3] = 0xffffffff81000000;
	kinds[4] = 0x8000000000000000;
	kinds[5] = (long)edge + 4095;
	kinds[6] = (long)edge + 4096;
	kinds[7] = (long)read_only;
	kinds[8] = LONG_MAX;
	kinds[9] = (long)good_page;
	kinds[10] = 9;
	kinds[11] = (1L << 47) - 8;
	for (int k = 0; k < 12; k++) {
		for (int a = -1; a < 6; a++) {
			for (int j = 0; j < 6; j++)
				to->args[j] = a < 0 || a == j ? kinds[k] :
					      (long)good_page;
			call(to, nr);
		}
	}
	_exit(0);
}

static bool
ended(struct worker *w, long grace)
{
	long end = now_ns() + grace;
	int st;

	do {
		if (waitpid(w->pid, &st, WNOHANG | __WALL) == w->pid)
			return true;
		msleep(1);
	} while (now_ns() < end);
	return false;
}

/* Kills and fetches; false if the task does not die. */
static bool
finish(struct worker *w)
{
	volatile struct report *r = w->report;

	kill(w->pid, SIGKILL);
	kill(-w->pid, SIGKILL);
	if (ended(w, 20 * NSEC))
		return true;
	diag("pid %d does not die in call %ld(%lx, %lx, %lx, %lx, %lx, %lx)",
	     w->pid, r->nr, r->args[0], r->args[1], r->args[2], r->args[3],
	     r->args[4], r->args[5]);
	return false;
}

static void
prepare(void)
{
	char dir[32];

	mkdir("w", 0755);
	mount("t", "w", "tmpfs", MS_NODEV | MS_NOSUID, "size=16m,nr_inodes=5k");
	chdir("w");
	for (int i = 0; i < MAX_WORKERS; i++) {
		snprintf(dir, sizeof(dir), "%s%d", i & 1 ? "r" : "u", i);
		mkdir(dir, 0755);
		chown(dir, i & 1 ? 0 : USER + 800 + i, -1);
		workers[i].report = (void *)island(1, PROT_READ | PROT_WRITE,
						   MAP_SHARED);
	}
}

static bool
strange(int n)
{
	bool any = false;

	for (int i = 0; i < n; i++) {
		if (!workers[i].report->strange_result)
			continue;
		diag("call %ld returned %ld", workers[i].report->strange_nr,
		     workers[i].report->strange_result);
		any = true;
	}
	return any;
}

static long
number_from(const char *name, long otherwise)
{
	const char *v = getenv(name);

	return v ? strtol(v, NULL, 0) : otherwise;
}

/* The kernel looks at the low half of the number as a signed one: 2^32 + getpid is getpid. */
TEST(no_call)
{
	for (int i = 0; i < NO_CALLS; i++) {
		if ((int)no_calls[i] == SYS_getpid)
			is(syscall(no_calls[i]), getpid());
		else
			fails(syscall(no_calls[i], -1, BAD, BAD, -1, -1, -1), ENOSYS);
	}
}

/* One number after the other: each with each kind of bad argument. */
TEST_LIMIT(each_call, 400)
{
	struct level before = level_now();
	int bad = 0;

	prepare();
	for (long nr = 0; nr <= LAST_CALL; nr++) {
		struct worker *w = &workers[0];
		pid_t pid;

		if (LISTED(never, nr))
			continue;
		w->report->strange_result = 0;
		pid = fork();
		if (!pid)
			table_worker(0, nr);
		w->pid = pid;
		/* A call that blocks is ended from outside. */
		if (!ended(w, NSEC / 10) && !finish(w))
			bad++;
		if (!ok(!strange(1), "call %ld gives no strange result", nr))
			bad++;
	}
	is(bad, 0);
	chdir("..");
	umount2("w", MNT_DETACH);
	still_works();
	level_check(&before);
}

static long
tend(struct worker *w, int i, uint64_t seed, bool *stuck)
{
	long now = now_ns();
	pid_t pid;

	if (w->pid && waitpid(w->pid, NULL, WNOHANG | __WALL) == w->pid) {
		/* Whoever it left behind goes too. */
		kill(-w->pid, SIGKILL);
		w->pid = 0;
	} else if (w->pid && w->report->count != w->seen) {
		w->seen = w->report->count;
		w->since = now;
	} else if (w->pid && now - w->since > NSEC / 5) {
		*stuck |= !finish(w);
		w->pid = 0;
	}
	if (w->pid)
		return 0;
	w->since = now;
	/* The child would write its 0 to the shared page. */
	pid = fork();
	if (!pid)
		random_worker(i, seed);
	w->pid = pid > 0 ? pid : 0;
	return 1;
}

TEST_LIMIT(all_at_once, 900)
{
	long seconds = number_from("SECONDS", 15);
	uint64_t seed = number_from("SEED", 1);
	long n = sysconf(_SC_NPROCESSORS_ONLN) * 2;
	struct level before = level_now();
	long end, starts = 0, calls = 0;
	bool stuck = false;

	n = n > MAX_WORKERS ? MAX_WORKERS : n;
	prepare();
	diag("seed %lu, %ld s, %ld workers", seed, seconds, n);
	end = now_ns() + seconds * NSEC;
	while (now_ns() < end && !stuck) {
		for (int i = 0; i < n; i++)
			starts += tend(&workers[i], i, seed + i * 1000003UL +
				       starts * 7919UL, &stuck);
		msleep(2);
	}
	for (int i = 0; i < n; i++) {
		if (workers[i].pid)
			stuck |= !finish(&workers[i]);
		calls += workers[i].report->count;
	}
	diag("%ld calls in %ld lives", calls, starts);
	check(!stuck);
	check(calls > 1000);
	check(!strange(n));
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
	chdir("..");
	umount2("w", MNT_DETACH);
	still_works();
	level_check(&before);
}
