/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The harness of the user-space tests: one static program an area, TAP on
 * standard output, run on Tessera and on Linux alike.
 *
 * Model: a file holds TEST(name) { ... } blocks and nothing else is needed;
 * main() is here.  Each case runs in a child process of its own session, in
 * an empty directory of its own, under a time limit, so that a crash or a
 * hang is one "not ok" and the next case runs.  The assertions number
 * themselves from one shared page; any descendant of a case may assert.
 *
 *	check(e)		e is true
 *	is(e, want)		both as long
 *	same(s, want)		strings
 *	soon(e)			e becomes true
 *	works(call)		call does not return -1; the value is returned
 *	fails(call, E)		call returns -1 with errno E
 *	in_child { ... }	the block in a child that must exit with 0
 *	HELPER(name) { ... }	run by exec of ourselves with argv[1] "@name"
 *
 * The plan comes last ("1..N").  Arguments are names of cases to run.
 */
#ifndef TESTS_ABI_ABI_H
#define TESTS_ABI_ABI_H

/* The tests do wrong things on purpose. */
#pragma GCC diagnostic ignored "-Wunused-result"
#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#pragma GCC diagnostic ignored "-Wformat-truncation"

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Helpers are static so that the header stands alone; not all use them all. */
#define ABI_FN __attribute__((unused)) static

#define ABI_LIMIT 30
#define NSEC 1000000000L
#define USER 1000

struct abi_case {
	const char *name;
	void (*fn)(void);
	long limit;
	long line;
};

struct abi_helper {
	const char *name;
	int (*fn)(int argc, char **argv);
};

struct abi_state {
	int count;
	int failed;
};

static struct abi_state *abi_state;
static const char *abi_name = "?";
static int abi_out = 1;

/* Bad and null pointers that the compiler cannot see through. */
ABI_FN void *volatile BAD = (void *)8;
ABI_FN void *volatile NIL;

#define TEST_LIMIT(id, secs)						\
	static void test_##id(void);					\
	static const struct abi_case abi_case_##id			\
	__attribute__((used, section("abi_cases"), aligned(8))) =	\
		{ #id, test_##id, secs, __LINE__ };			\
	static void							\
	test_##id(void)

#define TEST(id) TEST_LIMIT(id, ABI_LIMIT)

#define HELPER(id)							\
	static int helper_##id(int argc, char **argv);			\
	static const struct abi_helper abi_helper_##id			\
	__attribute__((used, section("abi_helpers"), aligned(8))) =	\
		{ #id, helper_##id };					\
	static int							\
	helper_##id(int argc __attribute__((unused)),			\
		    char **argv __attribute__((unused)))

/* A program may tidy up what a case that died has left. */
void abi_after(void) __attribute__((weak));

extern const struct abi_case __start_abi_cases[], __stop_abi_cases[];
extern const struct abi_helper __start_abi_helpers[] __attribute__((weak));
extern const struct abi_helper __stop_abi_helpers[] __attribute__((weak));

/* Writes one line in one write, if signals let it. */
ABI_FN void
abi_write(const char *line, size_t len)
{
	int e = errno;

	while (len > 0) {
		ssize_t n = write(abi_out, line, len);

		if (n < 0 && errno != EINTR)
			_exit(99);
		if (n > 0) {
			line += n;
			len -= n;
		}
	}
	errno = e;
}

/* One result; a '#' in its text would start a TAP directive. */
ABI_FN void
abi_emit(bool good, const char *directive, const char *text)
{
	char line[512];
	int n = __atomic_add_fetch(&abi_state->count, 1, __ATOMIC_SEQ_CST);
	int len;

	len = snprintf(line, sizeof(line) - 64, "%sok %d - %s: %.300s",
		       good ? "" : "not ", n, abi_name, text);
	for (char *p = line; *p; p++) {
		if (*p == '#' || *p == '\n')
			*p = '.';
	}
	len += snprintf(line + len, sizeof(line) - len, "%s\n", directive);
	if (!good)
		__atomic_add_fetch(&abi_state->failed, 1, __ATOMIC_SEQ_CST);
	abi_write(line, len);
}

ABI_FN __attribute__((format(printf, 2, 3))) bool
ok(bool good, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	abi_emit(good, "", text);
	return good;
}

ABI_FN __attribute__((format(printf, 1, 2))) void
diag(const char *fmt, ...)
{
	char text[400] = "# ";
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text + 2, sizeof(text) - 4, fmt, ap);
	va_end(ap);
	n = (n > 396 ? 396 : n) + 2;
	text[n++] = '\n';
	abi_write(text, n);
}

ABI_FN __attribute__((format(printf, 1, 2))) void
skip(const char *fmt, ...)
{
	char why[200];
	char dir[220];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	snprintf(dir, sizeof(dir), " # SKIP %s", why);
	abi_emit(true, dir, "skipped");
}

ABI_FN const char *
abi_errname(int e)
{
	const char *s = e ? strerrorname_np(e) : "0";

	return s ? s : "?";
}

ABI_FN bool
abi_is(long got, long want, int e, const char *text, const char *wtext)
{
	bool good = ok(got == want, "%s is %s", text, wtext);

	if (!good)
		diag("got %ld (0x%lx), want %ld (0x%lx), errno %s", got, got,
		     want, want, abi_errname(e));
	return good;
}

ABI_FN bool
abi_same(const char *got, const char *want, const char *text)
{
	bool good = got && want && !strcmp(got, want);

	ok(good, "%s is \"%.80s\"", text, want ? want : "(null)");
	if (!good)
		diag("got \"%s\"", got ? got : "(null)");
	return good;
}

ABI_FN bool
abi_fails(long got, int e, int want, const char *text, const char *wtext)
{
	bool good = ok(got == -1 && e == want, "%s fails with %s", text, wtext);

	if (!good && got == -1)
		diag("got %s (%d)", abi_errname(e), e);
	else if (!good)
		diag("returned %ld", got);
	return good;
}

ABI_FN long
abi_works(long got, int e, const char *text)
{
	if (!ok(got != -1, "%s works", text))
		diag("errno %s (%d)", abi_errname(e), e);
	return got;
}

#define check(e) ok((e) ? true : false, "%s", #e)
#define is(e, want) ({							\
	errno = 0;							\
	long abi_g = (long)(e);						\
	abi_is(abi_g, (long)(want), errno, #e, #want); })
#define same(s, want) abi_same(s, want, #s)
#define fails(call, err) ({						\
	errno = 0;							\
	long abi_g = (long)(call);					\
	abi_fails(abi_g, errno, err, #call, #err); })
#define works(call) ({							\
	errno = 0;							\
	long abi_g = (long)(call);					\
	abi_works(abi_g, errno, #call); })

/* True within five seconds, by ABI_SCALE: for what ends a moment after we are told. */
#define soon(e) ({							\
	bool abi_t = false;						\
	for (int abi_i = 0; abi_i < 1000 * abi_scale() && !(abi_t = (e)); abi_i++) \
		abi_nap();						\
	ok(abi_t, "%s soon", #e); })

/* How many times as long as usual all may take here. */
ABI_FN long
abi_scale(void)
{
	const char *scale = getenv("ABI_SCALE");

	return scale && atol(scale) > 1 ? atol(scale) : 1;
}

ABI_FN void
abi_nap(void)
{
	struct timespec ts = { 0, 5000000 };

	nanosleep(&ts, NULL);
}

/* Exit code of @pid, or minus the signal that ended it. */
ABI_FN int
reap(pid_t pid)
{
	int st;

	while (waitpid(pid, &st, 0) < 0) {
		if (errno != EINTR)
			return 1000;
	}
	return WIFSIGNALED(st) ? -WTERMSIG(st) : WEXITSTATUS(st);
}

ABI_FN void
abi_join(pid_t pid)
{
	int r = pid < 0 ? 1001 : reap(pid);

	if (r)
		ok(false, "child ended with %d", r);
}

#define in_child							\
	for (pid_t abi_p = fork();					\
	     abi_p == 0 || (abi_join(abi_p), false); _exit(0))

/* Becomes an ordinary user, for good. */
ABI_FN void
drop(uid_t uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid))
		_exit(98);
}

ABI_FN long
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

ABI_FN void
msleep(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

/* A file of @text, made or replaced; the result is 0 or -1. */
ABI_FN int
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t len = strlen(text);
	int r;

	if (fd < 0)
		return -1;
	r = write(fd, text, len) == (ssize_t)len ? 0 : -1;
	close(fd);
	return r;
}

/* Reads a file into @buf as a string; -1 or the length. */
ABI_FN ssize_t
get(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return -1;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	buf[len] = '\0';
	close(fd);
	return len;
}

/* Number behind @key in a file of "key: number" lines; -1 if absent. */
ABI_FN long
field(const char *path, const char *key)
{
	static char buf[65536];
	size_t n = strlen(key);

	if (get(path, buf, sizeof(buf)) < 0)
		return -1;
	for (char *p = buf; p; p = strchr(p, '\n')) {
		if (*p == '\n')
			p++;
		if (!strncmp(p, key, n) && strchr(": \t", p[n]) && p[n])
			return strtol(p + n + strspn(p + n, ": \t"), NULL, 0);
	}
	return -1;
}

/* State letter of a task from /proc/TID/stat, '?' when it is gone. */
ABI_FN char
task_state(pid_t tid)
{
	char path[64];
	char buf[512];
	char *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (get(path, buf, sizeof(buf)) <= 0)
		return '?';
	p = strrchr(buf, ')');
	return p && p[1] ? p[2] : '?';
}

/* Waits until a task is in @state ('S' asleep, 'T' stopped, 'Z' dead). */
ABI_FN bool
until_state(pid_t tid, char state)
{
	for (int i = 0; i < 5000; i++) {
		if (task_state(tid) == state)
			return true;
		msleep(i < 10 ? 1 : 4);
	}
	return false;
}

ABI_FN bool
until_asleep(pid_t tid)
{
	return until_state(tid, 'S');
}

/* A one-shot gate between processes, made before fork. */
struct gate {
	int fd[2];
};

ABI_FN struct gate
gate_new(void)
{
	struct gate g;

	if (pipe2(g.fd, O_CLOEXEC))
		_exit(97);
	return g;
}

ABI_FN void
gate_open(struct gate *g)
{
	if (write(g->fd[1], "x", 1) != 1)
		_exit(96);
}

ABI_FN void
gate_wait(struct gate *g)
{
	char c;

	while (read(g->fd[0], &c, 1) < 0 && errno == EINTR)
		;
}

/* Installs a handler without SA_RESTART unless @flags says so. */
ABI_FN void
handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

ABI_FN sigset_t
sigs(int a, int b)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, a);
	if (b)
		sigaddset(&s, b);
	return s;
}

ABI_FN int
abi_rm(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path) && 0;
}

/* What the programs expect of whoever booted the machine. */
ABI_FN void
abi_environment(void)
{
	umask(022);
	mkdir("/proc", 0555);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	if (access("/proc/self/stat", F_OK) && errno == ENOENT)
		mount("proc", "/proc", "proc", 0, NULL);
	if (access("/dev/null", F_OK) && errno == ENOENT)
		mount("dev", "/dev", "devtmpfs", 0, NULL);
	mkdir("/dev/pts", 0755);
	if (access("/dev/pts/ptmx", F_OK) && errno == ENOENT)
		mount("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666");
}

ABI_FN int
abi_wait_limited(pid_t pid, long limit, int *st)
{
	long end = now_ns() + limit * NSEC;
	long step = 200000;

	while (waitpid(pid, st, WNOHANG) != pid) {
		struct timespec ts = { 0, step };

		if (now_ns() > end)
			return -1;
		nanosleep(&ts, NULL);
		if (step < 10000000)
			step *= 2;
	}
	return 0;
}

ABI_FN void
abi_run_case(const struct abi_case *c, const char *dir)
{
	long limit = c->limit * abi_scale();
	int before = abi_state->count;
	pid_t pid;
	int st = 0;

	abi_name = c->name;
	mkdir(dir, 0755);
	pid = fork();
	if (!pid) {
		setsid();
		if (chdir(dir))
			_exit(95);
		c->fn();
		_exit(0);
	}
	if (abi_wait_limited(pid, limit, &st)) {
		ok(false, "still running after %ld s", limit);
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		abi_wait_limited(pid, 10, &st);
	} else if (WIFSIGNALED(st)) {
		ok(false, "killed by signal %d", WTERMSIG(st));
	} else if (WEXITSTATUS(st)) {
		ok(false, "exited with %d", WEXITSTATUS(st));
	} else if (abi_state->count == before) {
		ok(false, "asserted nothing");
	}
	kill(-pid, SIGKILL);
	while (!umount2(dir, MNT_DETACH))
		;
	nftw(dir, abi_rm, 16, FTW_DEPTH | FTW_PHYS);
	if (abi_after)
		abi_after();
}

ABI_FN bool
abi_wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], name))
			return true;
	}
	return argc < 2;
}

/* The case after source line @line; the section is in no certain order. */
ABI_FN const struct abi_case *
abi_next(long line)
{
	const struct abi_case *best = NULL;

	for (const struct abi_case *c = __start_abi_cases;
	     c < __stop_abi_cases; c++) {
		if (c->line > line && (!best || c->line < best->line))
			best = c;
	}
	return best;
}

int
main(int argc, char **argv)
{
	char dir[64];

	if (argc > 1 && argv[1][0] == '@') {
		for (const struct abi_helper *h = __start_abi_helpers;
		     h < __stop_abi_helpers; h++) {
			if (!strcmp(h->name, argv[1] + 1))
				return h->fn(argc, argv);
		}
		return 94;
	}
	abi_environment();
	abi_state = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (abi_state == MAP_FAILED)
		return 93;
	abi_out = fcntl(1, F_DUPFD_CLOEXEC, 100);
	snprintf(dir, sizeof(dir), "/tmp/abi.%d", getpid());
	for (const struct abi_case *c = abi_next(0); c; c = abi_next(c->line)) {
		if (abi_wanted(c->name, argc, argv))
			abi_run_case(c, dir);
	}
	printf("1..%d\n", abi_state->count);
	fflush(stdout);
	return abi_state->failed != 0;
}

#endif
