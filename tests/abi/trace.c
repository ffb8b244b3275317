/* SPDX-License-Identifier: BSD-2-Clause */
/* tracefs: events, their texts, the rings and who reads them. */
#include "tests/abi/abi.h"

#include <poll.h>
#include <pthread.h>

#define T "/sys/kernel/tracing/"
#define HEAD "# tracer: nop\n#\n# entries-in-buffer/entries-written: "
#define TEXT (4 << 20)

static char *text;

static int
write_to(const char *path, int flags, const char *s)
{
	int fd = open(path, O_WRONLY | flags), n;

	if (fd < 0)
		return -1;
	n = (int)write(fd, s, strlen(s));
	close(fd);
	return n < 0 ? -1 : 0;
}

static size_t
read_all(const char *path)
{
	size_t n = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY);

	if (!text)
		text = malloc(TEXT);
	while (n < TEXT - 1 && (got = read(fd, text + n, TEXT - 1 - n)) > 0)
		n += got;
	text[n] = '\0';
	close(fd);
	return n;
}

/* Everything off, empty and of the usual size. */
static void
clean(void)
{
	static bool mounted;

	if (!mounted && access(T "trace", F_OK))
		works(mount("none", "/sys/kernel/tracing", "tracefs", 0, NULL));
	mounted = true;
	write_to(T "set_event", O_TRUNC, "");
	write_to(T "tracing_on", 0, "1");
	write_to(T "buffer_size_kb", 0, "1024");
	write_to(T "trace", O_TRUNC, "0");
}

void
abi_after(void)
{
	write_to(T "set_event", O_TRUNC, "");
	write_to(T "tracing_on", 0, "1");
}

static bool
file_is(const char *path, const char *want)
{
	read_all(path);
	return same(text, want);
}

/* The line of the trace that begins with `task`, has `event`, then somewhere `what`; NULL. */
static char *
find(const char *event, const char *what)
{
	char *line = text, *end;

	for (; *line; line = end + 1) {
		char *at;

		end = strchrnul(line, '\n');
		if (!*end)
			break;
		at = memmem(line, end - line, event, strlen(event));
		if (at && line[0] != '#' && memmem(at, end - at, what, strlen(what)))
			return line;
	}
	return NULL;
}

/* The task of a line: NAME-NUMBER in front of the CPU. */
static int
line_pid(const char *line)
{
	char head[32];

	snprintf(head, sizeof(head), "%.24s", line);
	return atoi(strrchr(head, '-') + 1);
}

static double
line_time(const char *line)
{
	return strtod(strchr(line, ']') + 8, NULL);
}

TEST(files)
{
	static const char *const names[] = {"trace", "trace_pipe", "tracing_on", "buffer_size_kb",
					    "current_tracer", "set_event", "available_events",
					    "per_cpu/cpu0/trace", "per_cpu/cpu0/trace_pipe",
					    "per_cpu/cpu0/stats", "events/enable",
					    "events/sched/enable", "trace_marker",
					    "events/sched/sched_switch/id"};
	struct stat st;
	char path[128];

	clean();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), T "%s", names[i]);
		ok(stat(path, &st) == 0 && S_ISREG(st.st_mode), "%s", names[i]);
	}
	works(stat(T, &st));
	is(st.st_mode, S_IFDIR | 0700);
	works(stat(T "trace", &st));
	is(st.st_mode, S_IFREG | 0640);
	works(stat(T "events/sched/sched_switch/format", &st));
	is(st.st_mode, S_IFREG | 0440);
	file_is(T "current_tracer", "nop\n");
	is(write_to(T "current_tracer", 0, "nop"), 0);
	fails(write_to(T "current_tracer", 0, "no-such"), EINVAL);
	read_all(T "available_tracers");
	check(strstr(text, "nop"));
	drop(USER);
	fails(open(T "trace", O_RDONLY), EACCES);
}

TEST(format)
{
	clean();
	read_all(T "events/sched/sched_switch/format");
	check(!strncmp(text, "name: sched_switch\nID: ", 23));
	check(strstr(text, "format:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"));
	check(strstr(text, "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"));
	check(strstr(text, "\tfield:char prev_comm[16];\toffset:8;\tsize:16;"));
	check(strstr(text, "\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"));
	check(strstr(text, "\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"));
	check(strstr(text, "\tfield:pid_t next_pid;\toffset:56;\tsize:4;\tsigned:1;\n"));
	check(strstr(text, "\nprint fmt: \"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s"));
	read_all(T "events/sched/sched_process_exec/format");
	check(strstr(text, "\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;"));
	check(strstr(text, "print fmt: \"filename=%s pid=%d old_pid=%d\", __get_str(filename), REC->pid, REC->old_pid\n"));
	read_all(T "events/raw_syscalls/sys_enter/format");
	check(strstr(text, "\tfield:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;\n"));
	check(strstr(text, "print fmt: \"NR %ld (%lx, %lx, %lx, %lx, %lx, %lx)\", REC->id, REC->args[0], "));
}

TEST(switches)
{
	clean();
	file_is(T "set_event", "");
	file_is(T "events/sched/enable", "0\n");
	is(write_to(T "set_event", 0, "sched:sched_switch\n"), 0);
	is(write_to(T "set_event", 0, "sched_process_fork"), 0);
	file_is(T "events/sched/enable", "X\n");
	file_is(T "events/sched/sched_switch/enable", "1\n");
	file_is(T "events/sched/sched_process_fork/enable", "1\n");
	read_all(T "set_event");
	check(strstr(text, "sched:sched_switch\n") && strstr(text, "sched:sched_process_fork\n"));
	is(write_to(T "set_event", 0, "!sched:sched_switch"), 0);
	file_is(T "set_event", "sched:sched_process_fork\n");
	fails(write_to(T "set_event", 0, "no:such"), EINVAL);
	file_is(T "set_event", "sched:sched_process_fork\n");
	is(write_to(T "set_event", O_TRUNC, "signal:*"), 0);
	file_is(T "events/signal/enable", "1\n");
	file_is(T "events/sched/enable", "0\n");
	is(write_to(T "events/signal/signal_deliver/enable", 0, "0"), 0);
	file_is(T "events/signal/enable", "X\n");
	fails(write_to(T "events/signal/enable", 0, "2"), EINVAL);
	is(write_to(T "events/signal/enable", 0, "1"), 0);
	file_is(T "events/signal/signal_deliver/enable", "1\n");
	is(write_to(T "events/signal/enable", 0, "0"), 0);
	file_is(T "set_event", "");
}

TEST(marker)
{
	char *a, *b;

	clean();
	read_all(T "trace");
	check(!strncmp(text, HEAD "0/0   #P:4\n", strlen(HEAD) + 11));
	check(strstr(text, "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"));
	is(write_to(T "trace_marker", 0, "first\n"), 0);
	is(write_to(T "trace_marker", 0, "second"), 0);
	read_all(T "trace");
	check(!strncmp(text, HEAD "2/2   #P:4\n", strlen(HEAD) + 11));
	a = find(": tracing_mark_write: ", "first");
	b = find(": tracing_mark_write: ", "second");
	if (check(a && b && a < b)) {
		is(line_pid(a), getpid());
		check(line_time(a) <= line_time(b));
	}
	/* Reading it leaves it there, and writing empties it. */
	read_all(T "trace");
	check(find("tracing_mark_write", "second") != NULL);
	is(write_to(T "trace", O_TRUNC, ""), 0);
	read_all(T "trace");
	check(!strncmp(text, HEAD "0/0", strlen(HEAD) + 3));
	/* Nothing is recorded while it is off. */
	is(write_to(T "tracing_on", 0, "0"), 0);
	file_is(T "tracing_on", "0\n");
	write_to(T "trace_marker", 0, "third");
	is(write_to(T "tracing_on", 0, "1"), 0);
	read_all(T "trace");
	check(!find("tracing_mark_write", "third"));
}

/* A child that does what is traced; its number. */
static int
traced_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/proc/self/exe", "trace", "@nothing", NULL);
		_exit(9);
	}
	is(reap(pid), 0);
	return pid;
}

HELPER(nothing)
{
	return 0;
}

TEST(process)
{
	char what[64];
	char *fork_line, *exec_line, *exit_line;
	int pid;

	clean();
	write_to(T "set_event", 0, "sched:sched_process_fork");
	write_to(T "set_event", 0, "sched:sched_process_exec");
	write_to(T "set_event", 0, "sched:sched_process_exit");
	write_to(T "set_event", 0, "sched:sched_switch");
	pid = traced_child();
	msleep(2);
	write_to(T "set_event", O_TRUNC, "");
	read_all(T "trace");
	snprintf(what, sizeof(what), " pid=%d child_comm=trace child_pid=%d", getpid(), pid);
	fork_line = find(": sched_process_fork: comm=trace", what);
	snprintf(what, sizeof(what), "filename=/proc/self/exe pid=%d old_pid=%d", pid, pid);
	exec_line = find(": sched_process_exec: ", what);
	snprintf(what, sizeof(what), " pid=%d prio=120", pid);
	exit_line = find(": sched_process_exit: comm=exe", what);
	if (check(fork_line && exec_line && exit_line)) {
		is(line_pid(fork_line), getpid());
		is(line_pid(exec_line), pid);
		is(line_pid(exit_line), pid);
		check(line_time(fork_line) <= line_time(exec_line));
		check(line_time(exec_line) <= line_time(exit_line));
	}
	snprintf(what, sizeof(what), "next_pid=%d next_prio=120", pid);
	check(find(": sched_switch: prev_comm=", what));
	snprintf(what, sizeof(what), "prev_pid=%d prev_prio=120 prev_state=S ==> next_comm=", getpid());
	check(find(": sched_switch: prev_comm=trace", what));
	snprintf(what, sizeof(what), "prev_pid=%d prev_prio=120 prev_state=Z", pid);
	check(find(": sched_switch: prev_comm=exe", what) ||
	      (snprintf(what, sizeof(what), "prev_pid=%d prev_prio=120 prev_state=X", pid),
	       find(": sched_switch: prev_comm=exe", what)));
}

static void
nothing(int sig)
{
}

TEST(syscalls)
{
	char what[96], *enter, *leave;

	clean();
	write_to(T "events/raw_syscalls/enable", 0, "1");
	syscall(SYS_getpriority, 0x1234, 0x5678);
	syscall(SYS_getppid);
	write_to(T "events/raw_syscalls/enable", 0, "0");
	read_all(T "trace");
	enter = find(": sys_enter: ", "NR 140 (1234, 5678, ");
	leave = find(": sys_exit: ", "NR 140 = -22");
	if (check(enter && leave && enter < leave)) {
		is(line_pid(enter), getpid());
		is(line_pid(leave), getpid());
	}
	snprintf(what, sizeof(what), "NR 110 = %d", getppid());
	leave = find(": sys_exit: ", what);
	check(leave && line_pid(leave) == getpid());
}

TEST(signals)
{
	char what[96];

	clean();
	signal(SIGUSR1, nothing);
	signal(SIGUSR2, SIG_IGN);
	write_to(T "events/signal/enable", 0, "1");
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	write_to(T "events/signal/enable", 0, "0");
	read_all(T "trace");
	snprintf(what, sizeof(what), "sig=10 errno=0 code=0 comm=trace pid=%d grp=1 res=0", getpid());
	check(find(": signal_generate: ", what));
	snprintf(what, sizeof(what), "sig=12 errno=0 code=0 comm=trace pid=%d grp=1 res=1", getpid());
	check(find(": signal_generate: ", what));
	snprintf(what, sizeof(what), "sig=10 errno=0 code=0 sa_handler=%lx ", (long)nothing);
	check(find(": signal_deliver: ", what));
}

TEST(faults)
{
	char what[96], *p, *line;

	clean();
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	write_to(T "events/exceptions/page_fault_user/enable", 0, "1");
	write_to(T "events/kmem/mm_page_alloc/enable", 0, "1");
	*(volatile char *)p = 1;
	write_to(T "set_event", O_TRUNC, "");
	read_all(T "trace");
	snprintf(what, sizeof(what), "address=0x%lx ip=0x", (long)p);
	line = find(": page_fault_user: ", what);
	check(line && line_pid(line) == getpid() && strstr(line, "error_code=0x6\n"));
	check(find(": mm_page_alloc: ", " order=0 "));
}

TEST(timers)
{
	struct timespec ts = {0, 2000000};

	clean();
	write_to(T "events/timer/enable", 0, "1");
	write_to(T "events/irq_vectors/enable", 0, "1");
	nanosleep(&ts, NULL);
	write_to(T "set_event", O_TRUNC, "");
	read_all(T "trace");
	check(find(": hrtimer_start: hrtimer=", " function="));
	check(find(": hrtimer_expire_entry: hrtimer=", " now="));
	check(find(": hrtimer_expire_exit: hrtimer=", ""));
	check(find(": local_timer_entry: ", "vector="));
	check(find(": local_timer_exit: ", "vector="));
}

TEST(pipe)
{
	struct pollfd p = {.events = POLLIN};
	char buf[4096];
	pid_t pid;
	ssize_t n;
	int fd;

	clean();
	fd = works(open(T "trace_pipe", O_RDONLY | O_NONBLOCK));
	fails(read(fd, buf, sizeof(buf)), EAGAIN);
	p.fd = fd;
	is(poll(&p, 1, 0), 0);
	write_to(T "trace_marker", 0, "one");
	write_to(T "trace_marker", 0, "two");
	is(poll(&p, 1, 5000), 1);
	n = works(read(fd, buf, sizeof(buf) - 1));
	buf[n > 0 ? n : 0] = '\0';
	check(strstr(buf, ": tracing_mark_write: one\n"));
	check(strstr(buf, ": tracing_mark_write: two\n"));
	fails(read(fd, buf, sizeof(buf)), EAGAIN);
	/* What was taken is gone. */
	read_all(T "trace");
	check(!find("tracing_mark_write", "one"));
	/* And a reader that waits is told. */
	fcntl(fd, F_SETFL, 0);
	pid = fork();
	if (pid == 0) {
		msleep(200);
		write_to(T "trace_marker", 0, "three");
		_exit(0);
	}
	n = works(read(fd, buf, sizeof(buf) - 1));
	buf[n > 0 ? n : 0] = '\0';
	check(strstr(buf, ": tracing_mark_write: three\n"));
	is(reap(pid), 0);
	close(fd);
}

static void
be_on(int cpu)
{
	cpu_set_t s;

	CPU_ZERO(&s);
	CPU_SET(cpu, &s);
	is(sched_setaffinity(0, sizeof(s), &s), 0);
}

TEST(cpus)
{
	clean();
	be_on(1);
	write_to(T "trace_marker", 0, "here");
	be_on(2);
	write_to(T "trace_marker", 0, "there");
	read_all(T "per_cpu/cpu1/trace");
	check(find("[001]", "here") && !find("[002]", "there"));
	read_all(T "per_cpu/cpu2/trace");
	check(!find("[001]", "here") && find("[002]", "there"));
	read_all(T "per_cpu/cpu1/stats");
	check(!strncmp(text, "entries: 1\noverrun: 0\n", 22));
	is(write_to(T "per_cpu/cpu1/trace", O_TRUNC, ""), 0);
	read_all(T "trace");
	check(!find("[001]", "here") && find("[002]", "there"));
}

TEST(overrun)
{
	unsigned long entries, overrun, in, written;
	int fd;

	clean();
	is(write_to(T "buffer_size_kb", 0, "16"), 0);
	fails(write_to(T "buffer_size_kb", 0, "0"), EINVAL);
	be_on(1);
	fd = works(open(T "trace_marker", O_WRONLY));
	for (int i = 0; i < 5000; i++) {
		char s[16];

		write(fd, s, snprintf(s, sizeof(s), "n%d", i));
	}
	close(fd);
	read_all(T "per_cpu/cpu1/stats");
	is(sscanf(text, "entries: %lu\noverrun: %lu\n", &entries, &overrun), 2);
	check(entries > 50 && overrun > 1000);
	is(entries + overrun, 5000);
	read_all(T "per_cpu/cpu1/trace");
	is(sscanf(text, HEAD "%lu/%lu ", &in, &written), 2);
	is(in, entries);
	is(written, 5000);
	check(find("tracing_mark_write", "n4999") && !find("tracing_mark_write: ", "n10\n"));
	write_to(T "buffer_size_kb", 0, "1024");
}

/* --- many writers, one reader --- */

#define WRITERS 4
#define MARKS 4000

static void *
writer(void *arg)
{
	int fd = open(T "trace_marker", O_WRONLY);
	char s[64];

	be_on((int)(long)arg);
	for (int i = 0; i < MARKS; i++) {
		int n = snprintf(s, sizeof(s), "<w%ld n%d %.*s>", (long)arg, i, i % 40,
				 "========================================");

		write(fd, s, n);
	}
	close(fd);
	return NULL;
}

/* Each line as its writer made it, each writer's in order, and those that are missing announced. */
TEST_LIMIT(stress, 60)
{
	int last[WRITERS] = {-1, -1, -1, -1}, bad = 0, gaps = 0, seen = 0, fd, w, i, n;
	pthread_t t[WRITERS];
	char want[64], *at;
	size_t have = 0;
	unsigned long lost = 0, l;
	ssize_t got;

	clean();
	write_to(T "buffer_size_kb", 0, "64");
	read_all("/proc/self/comm");
	fd = works(open(T "trace_pipe", O_RDONLY | O_NONBLOCK));
	for (w = 0; w < WRITERS; w++)
		pthread_create(&t[w], NULL, writer, (void *)(long)w);
	for (n = 0; n < 2; n++) {
		for (i = 0; n == 0 && i < 20; i++, msleep(5))
			while (have < TEXT / 2 && (got = read(fd, text + have, 4000)) > 0)
				have += got;
		for (w = 0; n == 0 && w < WRITERS; w++)
			pthread_join(t[w], NULL);
		while (have < TEXT - 5000 && (got = read(fd, text + have, 4000)) > 0)
			have += got;
	}
	text[have] = '\0';
	for (at = text; (at = strstr(at, " [LOST ")); at++)
		if (sscanf(at, " [LOST %lu EVENTS]", &l) == 1)
			lost += l;
	for (at = text; (at = strstr(at, "_write: <w")); at++) {
		if (sscanf(at, "_write: <w%d n%d ", &w, &i) != 2 || w < 0 || w >= WRITERS) {
			bad++;
			continue;
		}
		snprintf(want, sizeof(want), "_write: <w%d n%d %.*s>\n", w, i, i % 40,
			 "========================================");
		bad += strncmp(at, want, strlen(want)) != 0 || i <= last[w];
		gaps += i - last[w] - 1;
		last[w] = i;
		seen++;
	}
	is(bad, 0);
	for (w = 0; w < WRITERS; w++)
		is(last[w], MARKS - 1);
	is(seen + gaps, WRITERS * MARKS);
	is(lost, gaps);
	close(fd);
	write_to(T "buffer_size_kb", 0, "1024");
}

/* --- everything at once --- */

static volatile bool over;

static void *
busy_writer(void *arg)
{
	int fd = open(T "trace_marker", O_WRONLY);

	while (!over) {
		for (int i = 0; i < 100; i++)
			write(fd, "churn", 5);
		msleep(1);
	}
	close(fd);
	return NULL;
}

static void *
busy_reader(void *arg)
{
	char buf[8192];

	while (!over) {
		int fd = open(arg, O_RDONLY | O_NONBLOCK);

		for (int i = 0; i < 10 && read(fd, buf, sizeof(buf)) > 0; i++)
			;
		close(fd);
		msleep(2);
	}
	return NULL;
}

/* Sizes, switches and CPUs change while events come and readers read: lines stay whole. */
TEST_LIMIT(churn, 90)
{
	static const char *const sizes[] = {"16", "64", "128"};
	pthread_t t[5];
	int bad = 0, lines = 0;
	char *at, *end;

	clean();
	over = false;
	pthread_create(&t[0], NULL, busy_writer, NULL);
	pthread_create(&t[1], NULL, busy_writer, NULL);
	pthread_create(&t[2], NULL, busy_reader, T "trace");
	pthread_create(&t[3], NULL, busy_reader, T "trace_pipe");
	pthread_create(&t[4], NULL, busy_reader, T "per_cpu/cpu3/trace");
	for (int i = 0; i < 14; i++) {
		write_to(T "buffer_size_kb", 0, sizes[i % 3]);
		write_to(T "events/sched/enable", 0, i % 2 ? "0" : "1");
		write_to(T "events/raw_syscalls/enable", 0, i % 4 < 2 ? "1" : "0");
		write_to(T "tracing_on", 0, i % 8 == 7 ? "0" : "1");
		if (i % 6 == 0)
			write_to("/sys/devices/system/cpu/cpu3/online", 0, i % 12 ? "1" : "0");
		if (i % 5 == 0)
			write_to(T "trace", O_TRUNC, "");
		msleep(20);
	}
	write_to(T "set_event", O_TRUNC, "");
	over = true;
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	write_to("/sys/devices/system/cpu/cpu3/online", 0, "1");
	write_to(T "tracing_on", 0, "1");
	write_to(T "trace_marker", 0, "the end");
	read_all(T "trace");
	for (at = text; *at; at = end + 1) {
		char name[64];
		double time;
		int cpu, pid;

		end = strchrnul(at, '\n');
		if (!*end)
			break;
		if (*at == '#' || !strncmp(at, "CPU:", 4))
			continue;
		lines++;
		pid = line_pid(at);
		bad += pid < 0 || sscanf(strchr(at, '['), "[%d] %*s %lf: %63[a-z_]: ", &cpu, &time, name) != 3 ||
		       cpu < 0 || cpu > 3;
	}
	is(bad, 0);
	check(lines > 0);
	check(find("tracing_mark_write: ", "the end"));
	clean();
}
