/* SPDX-License-Identifier: BSD-2-Clause */
/* execve: arguments, scripts, errors, what survives, the auxiliary vector. */
#include "tests/abi/abi.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

#define SELF "/proc/self/exe"

static char self_path[PATH_MAX];

/* Runs helper @name in a child; its exit code as reap() gives it. */
static int
run(const char *name, char *arg)
{
	char at[32];
	char *argv[] = { "abi", at, arg, NULL };
	pid_t c;

	snprintf(at, sizeof(at), "@%s", name);
	c = fork();
	if (!c) {
		execv(SELF, argv);
		_exit(200);
	}
	return reap(c);
}

static int
run_path(const char *path, char *const argv[])
{
	pid_t c = fork();

	if (!c) {
		execv(path, argv);
		_exit(100 + errno);
	}
	return reap(c);
}

static void
make_exec(const char *path, const char *text)
{
	put(path, text);
	chmod(path, 0755);
}

static void
find_self(void)
{
	ssize_t n = readlink(SELF, self_path, sizeof(self_path) - 1);

	self_path[n > 0 ? n : 0] = '\0';
}

TEST(errors)
{
	char *argv[] = { "x", NULL };

	put("plain", "not a program");
	fails(execv("plain", argv), EACCES);
	chmod("plain", 0755);
	fails(execv("plain", argv), ENOEXEC);
	make_exec("empty", "");
	fails(execv("empty", argv), ENOEXEC);
	fails(execv("none", argv), ENOENT);
	fails(execv("", argv), ENOENT);
	fails(execv("plain/x", argv), ENOTDIR);
	fails(execv(".", argv), EACCES);
	fails(execv("/dev/null", argv), EACCES);
	fails(execv(BAD, argv), EFAULT);
	fails(execv("plain", BAD), EFAULT);
	fails(execve(SELF, argv, BAD), EFAULT);
	argv[0] = BAD;
	fails(execv(SELF, argv), EFAULT);
	symlink("loop", "loop");
	argv[0] = "x";
	fails(execv("loop", argv), ELOOP);
	chmod("plain", 0700);
	in_child {
		drop(USER);
		fails(execv("plain", argv), EACCES);
	}
}

HELPER(count_args)
{
	return argc;
}

/* Runs before main, which would take no arguments for "all tests". */
__attribute__((constructor)) static void
without_args(int argc, char **argv, char **envp)
{
	if (envp[0] && !strcmp(envp[0], "NOARGS=1"))
		_exit(argc == 1 && argv[0][0] == '\0' ? 7 : 1);
}

TEST(argument_count)
{
	char *none[] = { NULL };
	char *env[] = { "NOARGS=1", NULL };
	char *argv[] = { "x", "@count_args", "", "b", NULL };
	pid_t c;

	is(run_path(SELF, argv), 4);
	is(run("count_args", NULL), 2);
	/* Linux gives a program without arguments an empty argv[0]. */
	c = fork();
	if (!c) {
		execve(SELF, none, env);
		_exit(99);
	}
	is(reap(c), 7);
	c = fork();
	if (!c) {
		execve(SELF, NULL, env);
		_exit(99);
	}
	is(reap(c), 7);
}

TEST(too_big)
{
	static char big[131073];
	char *argv[] = { "x", "@count_args", big, NULL };
	static char *many[2200];
	struct rlimit r = { 8 << 20, RLIM_INFINITY };

	setrlimit(RLIMIT_STACK, &r);
	memset(big, 'a', sizeof(big));
	big[131072] = '\0';
	fails(execv(SELF, argv), E2BIG);
	big[131071] = '\0';
	is(run_path(SELF, argv), 3);
	/* All strings together: a quarter of the stack limit. */
	big[1000] = '\0';
	many[0] = "x";
	many[1] = "@count_args";
	for (int i = 2; i < 2199; i++)
		many[i] = big;
	fails(execv(SELF, many), E2BIG);
	many[1000] = NULL;
	is(run_path(SELF, many), 1000 & 255);
	r.rlim_cur = 1 << 20;
	in_child {
		setrlimit(RLIMIT_STACK, &r);
		fails(execv(SELF, many), E2BIG);
		many[100] = NULL;
		is(run_path(SELF, many), 100);
	}
}

HELPER(show_args)
{
	const char *want = argc > 2 ? argv[2] : "";
	char all[1024] = "";

	for (int i = 3; i < argc; i++) {
		strcat(all, argv[i]);
		strcat(all, "|");
	}
	return strcmp(all, want) ? 1 : 7;
}

TEST(scripts)
{
	char text[PATH_MAX + 64];
	char *argv[] = { "zero", "one", "two", NULL };

	find_self();
	snprintf(text, sizeof(text), "#!%s @script_args\nrest\n", self_path);
	make_exec("s", text);
	is(run_path("./s", argv), 7);
	snprintf(text, sizeof(text), "#! \t %s \t @script_args \t \nx", self_path);
	make_exec("s", text);
	is(run_path("./s", argv), 7);
	snprintf(text, sizeof(text), "#!%s @script_args", self_path);
	make_exec("s", text);
	is(run_path("./s", argv), 7);
	/* All that follows the interpreter is one argument. */
	snprintf(text, sizeof(text), "#!%s @a b c\n", self_path);
	make_exec("s", text);
	is(run_path("./s", argv), 94);
	make_exec("t", "#!/none/interpreter\n");
	fails(execv("t", argv), ENOENT);
	make_exec("t", "#!\n");
	fails(execv("t", argv), ENOEXEC);
	make_exec("t", "#!   \n");
	fails(execv("t", argv), ENOEXEC);
	make_exec("t", "#!./\n");
	fails(execv("t", argv), EACCES);
}

/* argv is: interpreter, "@script_args", script, "one", "two". */
HELPER(script_args)
{
	if (argc != 5 || strcmp(argv[2], "./s"))
		return 1;
	return strcmp(argv[3], "one") || strcmp(argv[4], "two") ? 2 : 7;
}

TEST(scripts_nested)
{
	char text[PATH_MAX + 64];
	char name[8];
	char *argv[] = { "x", NULL };

	find_self();
	snprintf(text, sizeof(text), "#!%s @count_args\n", self_path);
	make_exec("s0", text);
	for (int i = 1; i < 7; i++) {
		snprintf(text, sizeof(text), "#!./s%d\n", i - 1);
		snprintf(name, sizeof(name), "s%d", i);
		make_exec(name, text);
	}
	is(run_path("./s0", argv), 3);
	is(run_path("./s1", argv), 4);
	is(run_path("./s4", argv), 7);
	is(run_path("./s5", argv), 100 + ELOOP);
}

TEST(script_line_length)
{
	char text[512];
	char *argv[] = { "x", NULL };

	memset(text, 'a', sizeof(text));
	memcpy(text, "#!/", 3);
	text[300] = '\0';
	make_exec("s", text);
	/* Longer than the 256 bytes that are looked at. */
	fails(execv("s", argv), ENOEXEC);
	text[200] = '\0';
	make_exec("s", text);
	fails(execv("s", argv), ENOENT);
	memcpy(text, "#!/bin/none ", 12);
	memset(text + 12, 'b', 400);
	text[400] = '\0';
	make_exec("s", text);
	fails(execv("s", argv), ENOENT);
}

/* Copies ourselves, so that there is an ELF file to spoil. */
static char image[8 << 20];
static ssize_t image_size;

static void
write_image(const char *path)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);

	write(fd, image, image_size);
	close(fd);
}

TEST(interpreter_missing)
{
	Elf64_Ehdr *e = (Elf64_Ehdr *)image;
	Elf64_Phdr *ph;
	char *argv[] = { "x", "@count_args", NULL };
	bool done = false;

	image_size = get(SELF, image, sizeof(image));
	write_image("copy");
	is(run_path("copy", argv), 2);
	ph = (Elf64_Phdr *)(image + e->e_phoff);
	for (int i = 0; i < e->e_phnum && !done; i++) {
		if (ph[i].p_type == PT_NOTE || ph[i].p_type == PT_GNU_STACK) {
			ph[i].p_type = PT_INTERP;
			ph[i].p_offset = image_size - 16;
			ph[i].p_filesz = 16;
			done = true;
		}
	}
	check(done);
	memcpy(image + image_size - 16, "/none/ld.so.123", 16);
	write_image("interp");
	fails(execv("interp", argv), ENOENT);
	image[image_size - 1] = 'x';
	write_image("interp");
	fails(execv("interp", argv), ENOEXEC);
}

TEST(text_busy)
{
	char *argv[] = { "x", "@nap", NULL };
	struct gate g = gate_new();
	int fd, st;
	pid_t c;

	image_size = get(SELF, image, sizeof(image));
	write_image("prog");
	fd = works(open("prog", O_RDWR));
	fails(execv("prog", argv), ETXTBSY);
	close(fd);
	c = fork();
	if (!c) {
		execv("prog", argv);
		_exit(100);
	}
	/* The descriptor closes as the new program starts. */
	close(g.fd[1]);
	gate_wait(&g);
	fails(open("prog", O_WRONLY), ETXTBSY);
	fails(open("prog", O_RDWR), ETXTBSY);
	fails(truncate("prog", 0), ETXTBSY);
	works(open("prog", O_RDONLY));
	is(unlink("prog"), 0);
	kill(c, SIGKILL);
	is(waitpid(c, &st, 0), c);
}

/* A program that has ended is busy no more, at once; one that forked is until the child ends. */
TEST(text_busy_ends)
{
	char *nap[] = { "x", "@nap", NULL }, *forks[] = { "x", "@forks", NULL };
	int fd, st;
	pid_t c, grandchild;

	is(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	image_size = get(SELF, image, sizeof(image));
	write_image("prog");
	for (int i = 0; i < 20; i++) {
		struct gate g = gate_new();

		c = fork();
		if (!c) {
			execv("prog", nap);
			_exit(100);
		}
		close(g.fd[1]);
		gate_wait(&g);
		kill(c, SIGKILL);
		is(waitpid(c, &st, 0), c);
		fd = works(open("prog", O_RDWR));
		close(fd);
		close(g.fd[0]);
	}
	c = fork();
	if (!c) {
		execv("prog", forks);
		_exit(100);
	}
	is(waitpid(c, &st, 0), c);
	is(WEXITSTATUS(st), 0);
	fails(open("prog", O_RDWR), ETXTBSY);
	fd = works(open("grandchild", O_RDONLY));
	is(read(fd, &grandchild, sizeof(grandchild)), sizeof(grandchild));
	close(fd);
	kill(grandchild, SIGKILL);
	is(waitpid(grandchild, &st, 0), grandchild);
	fd = works(open("prog", O_RDWR));
	close(fd);
	unlink("prog");
}

HELPER(forks)
{
	pid_t c = fork();
	int fd;

	if (!c) {
		sleep(20);
		_exit(0);
	}
	fd = open("grandchild", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	return write(fd, &c, sizeof(c)) != sizeof(c);
}

HELPER(nap)
{
	sleep(20);
	return 0;
}

TEST(descriptors)
{
	int a = works(dup2(0, 40));
	int b = works(fcntl(0, F_DUPFD_CLOEXEC, 41));

	is(a, 40);
	is(b, 41);
	is(run("fds", NULL), 7);
	is(fcntl(b, F_GETFD), FD_CLOEXEC);
}

HELPER(fds)
{
	return fcntl(40, F_GETFD) == 0 && fcntl(41, F_GETFD) == -1 ? 7 : 1;
}

static void
nothing(int sig)
{
	(void)sig;
}

HELPER(state)
{
	struct sigaction sa;
	struct itimerval it;
	sigset_t s;
	stack_t ss;
	int bad = 0;

	sigaction(SIGUSR1, NULL, &sa);
	bad |= sa.sa_handler != SIG_DFL;
	sigaction(SIGUSR2, NULL, &sa);
	bad |= (sa.sa_handler != SIG_IGN) << 1;
	sigprocmask(SIG_BLOCK, NULL, &s);
	bad |= (!sigismember(&s, SIGHUP)) << 2;
	sigpending(&s);
	bad |= (!sigismember(&s, SIGHUP)) << 3;
	getitimer(ITIMER_REAL, &it);
	bad |= (it.it_value.tv_sec < 50) << 4;
	sigaltstack(NULL, &ss);
	bad |= (ss.ss_flags != SS_DISABLE) << 5;
	bad |= (umask(0) != 031) << 6;
	return bad;
}

TEST(signals_and_timers)
{
	struct itimerval it = { { 0, 0 }, { 100, 0 } };
	static char alt[65536];
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };
	sigset_t s = sigs(SIGHUP, 0);
	pid_t c;

	handle(SIGUSR1, nothing, 0);
	signal(SIGUSR2, SIG_IGN);
	sigprocmask(SIG_BLOCK, &s, NULL);
	c = fork();
	if (!c) {
		sigaltstack(&ss, NULL);
		setitimer(ITIMER_REAL, &it, NULL);
		umask(031);
		raise(SIGHUP);
		execv(SELF, (char *[]){ "x", "@state", NULL });
		_exit(200);
	}
	is(reap(c), 0);
}

HELPER(ids)
{
	bool good = getpid() == atoi(argv[2]) && getppid() == atoi(argv[3]) &&
		    getpgrp() == atoi(argv[4]);

	return good ? 7 : 1;
}

TEST(identity_stays)
{
	char a[16], b[16], c[16];
	char *argv[] = { "x", "@ids", a, b, c, NULL };
	pid_t p = fork();

	if (!p) {
		snprintf(a, sizeof(a), "%d", getpid());
		snprintf(b, sizeof(b), "%d", getppid());
		snprintf(c, sizeof(c), "%d", getpgrp());
		execv(SELF, argv);
		_exit(1);
	}
	is(reap(p), 7);
}

HELPER(comm)
{
	char name[17] = "";

	prctl(PR_GET_NAME, name);
	return strcmp(name, argv[2]) ? 1 : 7;
}

TEST(name)
{
	char *argv[] = { "shown", "@comm", "a-name-of-more-", NULL };

	find_self();
	symlink(self_path, "a-name-of-more-than-fifteen");
	is(run_path("./a-name-of-more-than-fifteen", argv), 7);
	symlink(self_path, "short");
	argv[2] = "short";
	is(run_path("./short", argv), 7);
}

/* Walks the initial stack as the ABI lays it out. */
HELPER(auxv)
{
	char **p = argv;
	Elf64_auxv_t *a;
	unsigned long v[64] = { 0 };
	unsigned long seen = 0;

	if (p[argc] || ((unsigned long *)p)[-1] != (unsigned long)argc)
		return 1;
	for (p += argc + 1; *p; p++)
		;
	for (a = (Elf64_auxv_t *)(p + 1); a->a_type; a++) {
		if (a->a_type < 64) {
			v[a->a_type] = a->a_un.a_val;
			seen |= 1UL << a->a_type;
		}
	}
	if (v[AT_PAGESZ] != 4096 || v[AT_CLKTCK] != 100)
		return 2;
	if (v[AT_PHENT] != sizeof(Elf64_Phdr) || v[AT_PHNUM] < 3 || !v[AT_PHDR])
		return 3;
	if (!v[AT_ENTRY] || v[AT_BASE] || v[AT_FLAGS])
		return 4;
	if (v[AT_UID] != USER || v[AT_EUID] != USER || v[AT_GID] != USER ||
	    v[AT_EGID] != USER || v[AT_SECURE])
		return 5;
	if (strcmp((char *)v[AT_PLATFORM], "x86_64"))
		return 6;
	if (strcmp((char *)v[AT_EXECFN], SELF))
		return 8;
	if (!v[AT_RANDOM] || !v[AT_SYSINFO_EHDR] || !(seen & 1UL << AT_HWCAP))
		return 9;
	if (memcmp((void *)v[AT_SYSINFO_EHDR], ELFMAG, 4))
		return 10;
	return (unsigned long)argv & 7 ? 11 : 7;
}

TEST(auxiliary_vector)
{
	find_self();
	in_child {
		drop(USER);
		is(run("auxv", NULL), 7);
	}
}

HELPER(random16)
{
	fwrite((void *)getauxval(AT_RANDOM), 1, 16, stdout);
	fflush(stdout);
	return 0;
}

TEST(random_bytes)
{
	char r[2][16];
	int p[2];

	for (int i = 0; i < 2; i++) {
		pipe(p);
		in_child {
			dup2(p[1], 1);
			execv(SELF, (char *[]){ "x", "@random16", NULL });
		}
		is(read(p[0], r[i], 16), 16);
	}
	check(memcmp(r[0], r[1], 16) != 0);
}

HELPER(stack_alignment)
{
	unsigned long sp = (unsigned long)argv - 8;

	return sp % 16 ? 1 : 7;
}

TEST(alignment)
{
	char arg[20] = "";

	for (int i = 0; i < 16; i++) {
		arg[i] = 'x';
		if (run("stack_alignment", arg) != 7)
			ok(false, "stack aligned with %d bytes", i);
	}
	is(run("stack_alignment", NULL), 7);
}

TEST(execveat_call)
{
	char *argv[] = { "x", "@count_args", NULL };
	char *envp[] = { NULL };
	int d, f;

	find_self();
	f = works(open(self_path, O_RDONLY | O_CLOEXEC));
	put("plain", "");
	fails(syscall(SYS_execveat, f, "", argv, envp, 0), ENOENT);
	fails(syscall(SYS_execveat, f, "x", argv, envp, 0x8000), EINVAL);
	fails(syscall(SYS_execveat, -1, "x", argv, envp, 0), EBADF);
	fails(syscall(SYS_execveat, f, "x", argv, envp, 0), ENOTDIR);
	in_child {
		pid_t c = fork();

		if (!c)
			syscall(SYS_execveat, f, "", argv, envp, AT_EMPTY_PATH);
		is(reap(c), 2);
	}
	symlink(self_path, "l");
	d = works(open(".", O_RDONLY | O_DIRECTORY));
	fails(syscall(SYS_execveat, d, "l", argv, envp, AT_SYMLINK_NOFOLLOW),
	      ELOOP);
	in_child {
		pid_t c = fork();

		if (!c)
			syscall(SYS_execveat, d, "l", argv, envp, 0);
		is(reap(c), 2);
	}
}
