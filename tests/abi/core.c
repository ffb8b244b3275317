/* SPDX-License-Identifier: BSD-2-Clause */
/* Core dumps: core(5), /proc/PID/coredump_filter, kernel.core_pattern, fs.suid_dumpable. */
#include "abi.h"

#include <elf.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/user.h>
#include <sys/utsname.h>

#define PATTERN "/proc/sys/kernel/core_pattern"
#define USES_PID "/proc/sys/kernel/core_uses_pid"
#define PIPE_LIMIT "/proc/sys/kernel/core_pipe_limit"
#define SUID_DUMPABLE "/proc/sys/fs/suid_dumpable"
#define FILTER "/proc/self/coredump_filter"
#define OUT "/tmp/core-out"
#define HUGE_CORE (64 << 20)

void
abi_after(void)
{
	put(PATTERN, "core");
	put(USES_PID, "0");
	put(PIPE_LIMIT, "0");
	put(SUID_DUMPABLE, "0");
	unlink(OUT);
}

static void
limit(rlim_t n)
{
	struct rlimit r = { n, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &r);
}

/* Runs @fn, which is to crash, in a child; its wait status. */
static int
crash(void (*fn)(void), rlim_t max, pid_t *child)
{
	pid_t pid = fork();
	int st = -1;

	if (!pid) {
		limit(max);
		fn();
		_exit(0);
	}
	waitpid(pid, &st, 0);
	if (child)
		*child = pid;
	return st;
}

static void
abort_now(void)
{
	handle(SIGSEGV, SIG_DFL, 0);
	raise(SIGSEGV);
}

static bool
dumped(int st)
{
	return WIFSIGNALED(st) && WCOREDUMP(st);
}

/* --- reading one --- */

struct corefile {
	char *data;
	size_t size;
	Elf64_Ehdr *h;
	Elf64_Phdr *ph;
};

static bool
load(struct corefile *c, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	memset(c, 0, sizeof(*c));
	if (fd < 0 || fstat(fd, &st) || st.st_size > HUGE_CORE)
		return false;
	c->size = st.st_size;
	c->data = mmap(NULL, c->size + 1, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (c->data == MAP_FAILED || c->size < sizeof(Elf64_Ehdr))
		return false;
	c->h = (Elf64_Ehdr *)c->data;
	c->ph = (Elf64_Phdr *)(c->data + c->h->e_phoff);
	return !memcmp(c->h->e_ident, ELFMAG, SELFMAG) && c->h->e_type == ET_CORE;
}

/* The @nth note of @type, or NULL; its size in *@n. */
static void *
note(struct corefile *c, unsigned int type, int nth, size_t *n)
{
	size_t at = c->ph[0].p_offset, end = at + c->ph[0].p_filesz;

	while (at + sizeof(Elf64_Nhdr) <= end && end <= c->size) {
		Elf64_Nhdr *h = (Elf64_Nhdr *)(c->data + at);
		size_t name = at + sizeof(*h), desc = name + ((h->n_namesz + 3) & ~3u);

		if (h->n_type == type && nth-- == 0) {
			if (n)
				*n = h->n_descsz;
			return c->data + desc;
		}
		at = desc + ((h->n_descsz + 3) & ~3u);
	}
	return NULL;
}

static int
count_notes(struct corefile *c, unsigned int type)
{
	int n = 0;

	while (note(c, type, n, NULL))
		n++;
	return n;
}

static Elf64_Phdr *
segment(struct corefile *c, const void *addr)
{
	for (int i = 1; i < c->h->e_phnum; i++) {
		Elf64_Phdr *p = &c->ph[i];

		if ((Elf64_Addr)addr >= p->p_vaddr &&
		    (Elf64_Addr)addr < p->p_vaddr + p->p_memsz)
			return p;
	}
	return NULL;
}

/* What the dump holds of an address; NULL: nothing. */
static char *
at(struct corefile *c, const void *addr)
{
	Elf64_Phdr *p = segment(c, addr);
	Elf64_Off off = p ? (Elf64_Addr)addr - p->p_vaddr : 0;

	if (!p || off >= p->p_filesz || p->p_offset + off >= c->size)
		return NULL;
	return c->data + p->p_offset + off;
}

/* --- the filter --- */

TEST(filter_file)
{
	char buf[64];

	get(FILTER, buf, sizeof(buf));
	same(buf, "00000033\n");
	is(put(FILTER, "0x7\n"), 0);
	get(FILTER, buf, sizeof(buf));
	same(buf, "00000007\n");
	is(put(FILTER, "9"), 0);
	get(FILTER, buf, sizeof(buf));
	same(buf, "00000009\n");
	is(put(FILTER, "0xffffffff"), 0);
	get(FILTER, buf, sizeof(buf));
	same(buf, "000001ff\n");
	fails(put(FILTER, "x"), EINVAL);
	fails(put(FILTER, "0x100000000"), ERANGE);
	get(FILTER, buf, sizeof(buf));
	same(buf, "000001ff\n");
	in_child {
		get(FILTER, buf, sizeof(buf));
		same(buf, "000001ff\n");
		is(put(FILTER, "1"), 0);
	}
	get(FILTER, buf, sizeof(buf));
	same(buf, "000001ff\n");
	get("/proc/2/coredump_filter", buf, sizeof(buf));
	same(buf, "");
	fails(put("/proc/2/coredump_filter", "1"), ESRCH);
	fails(access("/proc/thread-self/coredump_filter", F_OK), ENOENT);
}

HELPER(show_filter)
{
	char buf[64];

	get(FILTER, buf, sizeof(buf));
	return strcmp(buf, "00000004\n") != 0;
}

TEST(filter_survives_exec)
{
	is(put(FILTER, "4"), 0);
	in_child {
		execl("/proc/self/exe", "core", "@show_filter", NULL);
		_exit(77);
	}
	check(true);
}

/* --- the file --- */

static char *page_private, *page_none, *page_dont, *page_shared, *page_untouched, *page_file;

static void
crash_with_memory(void)
{
	*(volatile int *)NIL = 1;
}

static char *
pages(size_t n, int flags, int fd)
{
	return mmap(NULL, n, PROT_READ | PROT_WRITE, flags, fd, 0);
}

static void
make_pages(void)
{
	int fd = open("mapped", O_RDWR | O_CREAT, 0600);

	is(write(fd, "from the file", 14), 14);
	is(ftruncate(fd, 8192), 0);
	page_private = pages(8192, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	page_none = pages(4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	page_dont = pages(4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	page_untouched = pages(4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	mprotect(page_untouched, 4096, PROT_READ);
	page_shared = pages(4096, MAP_SHARED | MAP_ANONYMOUS, -1);
	page_file = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	strcpy(page_private, "private memory");
	strcpy(page_none, "not for reading");
	mprotect(page_none, 4096, PROT_NONE);
	strcpy(page_dont, "not for dumping");
	madvise(page_dont, 4096, MADV_DONTDUMP);
	strcpy(page_shared, "shared memory");
}

TEST(memory)
{
	struct corefile c;
	struct stat st;
	char *s;

	make_pages();
	check(dumped(crash(crash_with_memory, RLIM_INFINITY, NULL)));
	is(stat("core", &st), 0);
	is(st.st_mode, S_IFREG | 0600);
	is(st.st_uid, 0);
	if (!load(&c, "core")) {
		ok(false, "no core file that can be read");
		return;
	}
	is(c.h->e_machine, EM_X86_64);
	is(c.h->e_phentsize, sizeof(Elf64_Phdr));
	is(c.ph[0].p_type, PT_NOTE);
	same(at(&c, page_private), "private memory");
	s = at(&c, page_private + 4096);
	check(s && !s[0] && !s[4095]);
	same(at(&c, page_none), "not for reading");
	same(at(&c, page_shared), "shared memory");
	is((long)at(&c, page_dont), 0);
	is((long)at(&c, page_untouched), 0);
	is((long)at(&c, page_file), 0);
	check(segment(&c, page_dont));
	check(segment(&c, page_untouched));
	is(segment(&c, page_none)->p_flags, 0);
	/* The last one ends the file. */
	is((long)(c.ph[c.h->e_phnum - 1].p_offset + c.ph[c.h->e_phnum - 1].p_filesz),
	   (long)c.size);
	/* The stack of the caller. */
	check(at(&c, &c));
}

TEST(filter_shared_and_files)
{
	struct corefile c;

	make_pages();
	put(FILTER, "0x4");
	check(dumped(crash(crash_with_memory, RLIM_INFINITY, NULL)));
	check(load(&c, "core"));
	is((long)at(&c, page_private), 0);
	is((long)at(&c, page_shared), 0);
	same(at(&c, page_file), "from the file");
	put(FILTER, "0");
	check(dumped(crash(crash_with_memory, RLIM_INFINITY, NULL)));
	check(load(&c, "core"));
	is((long)at(&c, page_private), 0);
	is((long)at(&c, page_file), 0);
	is((long)at(&c, (void *)abort_now), 0);
	put(FILTER, "0x33");
}

TEST(elf_headers)
{
	extern const char __ehdr_start[];
	struct corefile c;
	Elf64_Phdr *p;

	check(dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	check(load(&c, "core"));
	p = segment(&c, __ehdr_start);
	check(p && p->p_filesz == 4096);
	check(p && !memcmp(c.data + p->p_offset, ELFMAG, SELFMAG));
	put(FILTER, "0x23");
	check(dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	check(load(&c, "core"));
	p = segment(&c, __ehdr_start);
	check(p && p->p_filesz == 0);
	put(FILTER, "0x33");
}

TEST(many_mappings)
{
	struct corefile c;
	char *many = mmap(NULL, 4096 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int seen = 0;

	for (int i = 0; i < 4096; i += 2)
		mprotect(many + i * 4096L, 4096, PROT_READ);
	check(dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	check(load(&c, "core"));
	for (int i = 0; i < 4096; i++) {
		Elf64_Phdr *p = segment(&c, many + i * 4096L);

		seen += p && p->p_vaddr == (Elf64_Addr)(many + i * 4096L);
	}
	is(seen, 4096);
}

/* --- the notes --- */

static struct elf_prstatus *
status_of(struct corefile *c, pid_t tid)
{
	struct elf_prstatus *s;

	for (int i = 0; (s = note(c, NT_PRSTATUS, i, NULL)); i++) {
		if (s->pr_pid == tid)
			return s;
	}
	return NULL;
}

static struct shared {
	pid_t tid[3];
	void *sp[3];
	int ready;
} *shared;

static void *
sleeper(void *arg)
{
	long i = (long)arg;
	sigset_t s = sigs(SIGUSR1, SIGUSR2);
	char here;

	pthread_sigmask(SIG_BLOCK, &s, NULL);
	shared->tid[i] = gettid();
	shared->sp[i] = &here;
	__asm__ volatile("movq %0, %%xmm5" ::"r"(0x1122334455660000L + i));
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	if (i == 1) {
		for (;;)
			pause();
	}
	/* Its registers say where it is. */
	__asm__ volatile("mov %0, %%r12\n1: pause\n jmp 1b" ::"r"(0xabcdef0000L + i) : "r12");
	return NULL;
}

static void
crash_with_threads(void)
{
	pthread_t t;

	for (long i = 1; i < 3; i++)
		pthread_create(&t, NULL, sleeper, (void *)i);
	while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) < 2)
		sched_yield();
	/* All are asleep or in their loop. */
	msleep(50);
	shared->tid[0] = gettid();
	*(volatile int *)0x1234 = 1;
}

static void
check_fpregs(struct corefile *c, int nth)
{
	struct user_fpregs_struct *fp = note(c, NT_PRFPREG, nth, NULL);
	struct elf_prstatus *s = note(c, NT_PRSTATUS, nth, NULL);

	for (int i = 1; i < 3; i++) {
		if (s->pr_pid != shared->tid[i])
			continue;
		check(fp && *(long *)&fp->xmm_space[20] == 0x1122334455660000L + i);
	}
}

TEST(threads)
{
	struct user_regs_struct *r;
	struct elf_prstatus *s;
	struct corefile c;
	siginfo_t *info;
	size_t n = 0;
	pid_t pid;
	int st;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	st = crash(crash_with_threads, RLIM_INFINITY, &pid);
	is(WTERMSIG(st), SIGSEGV);
	check(dumped(st));
	check(load(&c, "core"));
	is(count_notes(&c, NT_PRSTATUS), 3);
	is(count_notes(&c, NT_PRFPREG), 3);
	is(count_notes(&c, NT_PRPSINFO), 1);
	is(count_notes(&c, NT_SIGINFO), 1);
	is(count_notes(&c, NT_AUXV), 1);
	is(count_notes(&c, NT_FILE), 1);
	s = note(&c, NT_PRSTATUS, 0, &n);
	is(n, sizeof(*s));
	is(s->pr_pid, shared->tid[0]);
	is(s->pr_ppid, getpid());
	is(s->pr_cursig, SIGSEGV);
	is(s->pr_fpvalid, 1);
	for (int i = 1; i < 3; i++) {
		s = status_of(&c, shared->tid[i]);
		if (!s) {
			ok(false, "no status of thread %d", i);
			continue;
		}
		r = (struct user_regs_struct *)&s->pr_reg;
		check((char *)r->rsp < (char *)shared->sp[i] &&
		      (char *)r->rsp > (char *)shared->sp[i] - 65536);
		is(s->pr_cursig, SIGSEGV);
		is(s->pr_info.si_signo, SIGSEGV);
		check(s->pr_sighold & (1ul << (SIGUSR1 - 1)));
		check(r->fs_base != 0);
		check(at(&c, (void *)r->rsp));
		if (i == 1)
			is(r->orig_rax, SYS_pause);
		else
			is(r->r12, 0xabcdef0000L + i);
	}
	check_fpregs(&c, 1);
	check_fpregs(&c, 2);
	info = note(&c, NT_SIGINFO, 0, &n);
	is(n, 128);
	is(info->si_signo, SIGSEGV);
	is(info->si_code, SEGV_MAPERR);
	is((long)info->si_addr, 0x1234);
}

TEST(process_note)
{
	struct corefile c;
	struct elf_prpsinfo *p;
	unsigned long *file;
	char *names, self[PATH_MAX] = "";
	bool found = false;
	size_t n = 0;
	pid_t pid;

	prctl(PR_SET_NAME, "strange name");
	check(dumped(crash(abort_now, RLIM_INFINITY, &pid)));
	check(load(&c, "core"));
	p = note(&c, NT_PRPSINFO, 0, &n);
	is(n, sizeof(*p));
	is(p->pr_pid, pid);
	is(p->pr_ppid, getpid());
	is(p->pr_uid, 0);
	is(p->pr_sname, 'R');
	same(p->pr_fname, "strange name");
	check(strstr(p->pr_psargs, "core"));
	file = note(&c, NT_FILE, 0, &n);
	is(file[1], 4096);
	is((long)readlink("/proc/self/exe", self, sizeof(self) - 1) > 0, 1);
	names = (char *)(file + 2 + 3 * file[0]);
	for (unsigned long i = 0; i < file[0] && names < (char *)file + n; i++) {
		unsigned long *f = file + 2 + 3 * i;
		extern const char __ehdr_start[];

		if (f[0] == (unsigned long)__ehdr_start) {
			found = f[2] == 0;
			same(names, self);
		}
		names += strlen(names) + 1;
	}
	check(found);
}

TEST(vector_registers)
{
	struct corefile c;
	char flags[16384];
	size_t n = 0;
	unsigned long *x;

	get("/proc/cpuinfo", flags, sizeof(flags));
	check(dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	check(load(&c, "core"));
	x = note(&c, NT_X86_XSTATE, 0, &n);
	if (!strstr(flags, " xsave ")) {
		is((long)x, 0);
		return;
	}
	check(x && n >= 576);
	/* The components that the processor has. */
	check(x && (x[464 / 8] & 3) == 3);
}

/* --- limits and places --- */

TEST(limits)
{
	struct stat st;
	int status = crash(abort_now, 0, NULL);

	is(WTERMSIG(status), SIGSEGV);
	check(!WCOREDUMP(status));
	fails(access("core", F_OK), ENOENT);
	check(!dumped(crash(abort_now, 4095, NULL)));
	fails(access("core", F_OK), ENOENT);
	check(dumped(crash(abort_now, 8192, NULL)));
	is(stat("core", &st), 0);
	check(st.st_size > 0 && st.st_size <= 8192);
}

TEST(signals)
{
	int core[] = { SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ };

	for (unsigned int i = 0; i < sizeof(core) / sizeof(core[0]); i++) {
		pid_t pid = fork();
		int st;

		if (!pid) {
			limit(RLIM_INFINITY);
			signal(core[i], SIG_DFL);
			raise(core[i]);
			_exit(0);
		}
		waitpid(pid, &st, 0);
		is(WTERMSIG(st), core[i]);
		check(WCOREDUMP(st));
		is(unlink("core"), 0);
	}
	in_child {
		pid_t pid = fork();
		int st;

		if (!pid) {
			limit(RLIM_INFINITY);
			raise(SIGTERM);
			_exit(0);
		}
		waitpid(pid, &st, 0);
		check(!WCOREDUMP(st));
		fails(access("core", F_OK), ENOENT);
	}
}

TEST(old_files)
{
	struct stat st;

	is(put("victim", "precious"), 0);
	is(symlink("victim", "core"), 0);
	check(dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	is(lstat("core", &st), 0);
	check(S_ISREG(st.st_mode));
	is(stat("victim", &st), 0);
	is(st.st_size, 8);
	unlink("core");
	is(link("victim", "core"), 0);
	check(dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	is(stat("victim", &st), 0);
	is(st.st_size, 8);
	is(st.st_nlink, 1);
	unlink("core");
	is(mkdir("core", 0755), 0);
	check(!dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	rmdir("core");
	/* Where the user may not write. */
	chmod(".", 0755);
	in_child {
		drop(USER);
		prctl(PR_SET_DUMPABLE, 1);
		check(!dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	}
	fails(access("core", F_OK), ENOENT);
}

static void
not_dumpable(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	abort_now();
}

TEST(dumpable)
{
	is(prctl(PR_GET_DUMPABLE), 1);
	fails(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	fails(prctl(PR_SET_DUMPABLE, -1), EINVAL);
	check(!dumped(crash(not_dumpable, RLIM_INFINITY, NULL)));
	fails(access("core", F_OK), ENOENT);
}

/* --- names --- */

static void
crash_named(void)
{
	prctl(PR_SET_NAME, "a/b c");
	abort_now();
}

static bool
exists(const char *fmt, ...)
{
	char name[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	if (access(name, F_OK)) {
		diag("no file %s", name);
		return false;
	}
	return true;
}

TEST(names)
{
	struct utsname u;
	char buf[256];
	pid_t pid;

	uname(&u);
	is(put(PATTERN, "x.%p.%P.%i.%I.%u.%g.%s.%d.%%.%q%\n"), 0);
	get(PATTERN, buf, sizeof(buf));
	same(buf, "x.%p.%P.%i.%I.%u.%g.%s.%d.%%.%q%\n");
	check(dumped(crash(abort_now, RLIM_INFINITY, &pid)));
	check(exists("x.%d.%d.%d.%d.0.0.%d.1.%%.", pid, pid, pid, pid, SIGSEGV));
	is(put(PATTERN, "e.%e.%h.%c"), 0);
	check(dumped(crash(crash_named, RLIM_INFINITY, &pid)));
	check(exists("e.a!b c.%s.%lu", u.nodename, RLIM_INFINITY));
	is(put(PATTERN, "f.%f.%F"), 0);
	check(dumped(crash(crash_named, RLIM_INFINITY, &pid)));
	check(exists("f.core."));
	is(put(PATTERN, "core.%d"), 0);
	is(put(USES_PID, "1"), 0);
	check(dumped(crash(abort_now, RLIM_INFINITY, &pid)));
	check(exists("core.1.%d", pid));
	is(put(PATTERN, "core.%p"), 0);
	check(dumped(crash(abort_now, RLIM_INFINITY, &pid)));
	check(exists("core.%d", pid));
	is(put(PATTERN, "sub/core"), 0);
	check(!dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	is(mkdir("sub", 0700), 0);
	check(dumped(crash(abort_now, RLIM_INFINITY, &pid)));
	check(exists("sub/core.%d", pid));
}

TEST(name_of_program)
{
	char self[PATH_MAX] = "", want[PATH_MAX + 8];

	readlink("/proc/self/exe", self, sizeof(self) - 1);
	for (char *p = self; *p; p++)
		*p = *p == '/' ? '!' : *p;
	snprintf(want, sizeof(want), "E.%s", self);
	is(put(PATTERN, "E.%E"), 0);
	check(dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	check(exists("%s", want));
}

static void
crash_dots(void)
{
	prctl(PR_SET_NAME, "..");
	abort_now();
}

static void
crash_no_name(void)
{
	prctl(PR_SET_NAME, "");
	abort_now();
}

TEST(names_lead_nowhere)
{
	is(mkdir("d", 0700), 0);
	is(mkdir("d/!.", 0700), 0);
	is(mkdir("d/!", 0700), 0);
	is(put(PATTERN, "d/%e/core"), 0);
	check(dumped(crash(crash_dots, RLIM_INFINITY, NULL)));
	check(exists("d/!./core"));
	check(dumped(crash(crash_no_name, RLIM_INFINITY, NULL)));
	check(exists("d/!/core"));
}

TEST(long_pattern)
{
	char text[200], buf[256];

	memset(text, 'y', sizeof(text) - 1);
	text[199] = '\0';
	put(PATTERN, text);
	get(PATTERN, buf, sizeof(buf));
	is(strlen(buf), 128);
	put(PATTERN, "");
	is(put(PATTERN, "\n"), 0);
	get(PATTERN, buf, sizeof(buf));
	same(buf, "\n");
	check(!dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	fails(put(SUID_DUMPABLE, "3"), EINVAL);
}

/* --- commands --- */

static const char *
command(const char *args)
{
	static char line[128];
	char self[100] = "";

	readlink("/proc/self/exe", self, sizeof(self) - 1);
	snprintf(line, sizeof(line), "|%s %s", self, args);
	return line;
}

/* Says in OUT what it is, how it was called, and what it read. */
HELPER(take)
{
	char buf[65536], cwd[64] = "", path[64];
	Elf64_Ehdr *h = (Elf64_Ehdr *)buf;
	long total = 0, n, dir = 0;
	struct rlimit r;
	bool elf = false;
	FILE *f;

	while ((n = read(0, buf, sizeof(buf))) > 0) {
		if (!total)
			elf = !memcmp(h->e_ident, ELFMAG, SELFMAG);
		total += n;
	}
	getcwd(cwd, sizeof(cwd));
	getrlimit(RLIMIT_CORE, &r);
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
		dir += !access(path, F_OK);
	}
	f = fopen(OUT ".new", "w");
	fprintf(f, "uid %d %d ppid %d sid %d pgrp %d cwd %s core %ld env %d fds %ld argc %d\n", getuid(),
		geteuid(), getppid(), getsid(0), getpgrp(), cwd, (long)r.rlim_cur, environ[0] != NULL,
		dir, argc);
	fprintf(f, "elf %d size %d\n", elf, total > 10000);
	for (int i = 2; i < argc; i++)
		fprintf(f, "[%s]\n", argv[i]);
	fclose(f);
	rename(OUT ".new", OUT);
	return 0;
}

static bool
have_out(char *buf, size_t n)
{
	for (int i = 0; i < 1000 * abi_scale() && access(OUT, F_OK); i++)
		abi_nap();
	return get(OUT, buf, n) > 0;
}

TEST(command)
{
	char buf[4096], want[4096];
	pid_t pid;

	is(put(PATTERN, command("@take %p %s  %e x%%y")), 0);
	/* The limit is for files. */
	check(dumped(crash(crash_named, 0, &pid)));
	check(have_out(buf, sizeof(buf)));
	snprintf(want, sizeof(want),
		 "uid 0 0 ppid 2 sid 0 pgrp 0 cwd / core 1 env 0 fds 1 argc 6\nelf 1 size 1\n"
		 "[%d]\n[11]\n[a!b c]\n[x%%y]\n", pid);
	same(buf, want);
	fails(access("core", F_OK), ENOENT);
	/* What takes dumps is not dumped itself. */
	unlink(OUT);
	check(!dumped(crash(abort_now, 1, NULL)));
	msleep(50);
	fails(access(OUT, F_OK), ENOENT);
}

TEST(command_of_a_user)
{
	char buf[4096], want[4096];
	pid_t pid;

	is(put(PATTERN, command("@take %u %g %d")), 0);
	in_child {
		drop(USER);
		prctl(PR_SET_DUMPABLE, 1);
		check(dumped(crash(abort_now, 0, &pid)));
	}
	check(have_out(buf, sizeof(buf)));
	snprintf(want, sizeof(want),
		 "uid 0 0 ppid 2 sid 0 pgrp 0 cwd / core 1 env 0 fds 1 argc 5\nelf 1 size 1\n"
		 "[%d]\n[%d]\n[1]\n", USER, USER);
	same(buf, want);
}

TEST(command_with_pidfd)
{
	char buf[4096], want[4096];
	pid_t pid;

	is(put(PATTERN, command("@take %F %p")), 0);
	check(dumped(crash(abort_now, 0, &pid)));
	check(have_out(buf, sizeof(buf)));
	snprintf(want, sizeof(want),
		 "uid 0 0 ppid 2 sid 0 pgrp 0 cwd / core 1 env 0 fds 2 argc 4\nelf 1 size 1\n"
		 "[3]\n[%d]\n", pid);
	same(buf, want);
}

/* A helper is a process of the namespaces that process 1 is in. */
HELPER(where)
{
	char ns[64] = "", buf[65536];
	FILE *f;

	while (read(0, buf, sizeof(buf)) > 0)
		;
	readlink("/proc/self/ns/mnt", ns, sizeof(ns) - 1);
	get("/proc/self/mountinfo", buf, sizeof(buf));
	f = fopen(OUT ".new", "w");
	fprintf(f, "%s mounts %d", ns, strstr(buf, " / / ") != NULL);
	/* What its children do to mounts of their own is not seen outside. */
	if (syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0) == 0) {
		readlink("/proc/self/ns/mnt", buf, sizeof(buf));
		_exit(memcmp(buf, ns, strlen(ns)) ? 0 : 1);
	}
	wait(&argc);
	fprintf(f, " child %d\n", argc);
	fclose(f);
	rename(OUT ".new", OUT);
	return 0;
}

TEST(command_has_mounts)
{
	char buf[4096], want[200], ns[64] = "";

	readlink("/proc/1/ns/mnt", ns, sizeof(ns) - 1);
	is(put(PATTERN, command("@where")), 0);
	check(dumped(crash(abort_now, 0, NULL)));
	check(have_out(buf, sizeof(buf)));
	snprintf(want, sizeof(want), "%s mounts 1 child 0\n", ns);
	same(buf, want);
}

TEST(command_missing)
{
	is(put(PATTERN, "|/nowhere/at/all %p"), 0);
	check(!dumped(crash(abort_now, RLIM_INFINITY, NULL)));
	is(put(PATTERN, "|"), 0);
	check(!dumped(crash(abort_now, RLIM_INFINITY, NULL)));
}

HELPER(close_at_once)
{
	char c;

	read(0, &c, 1);
	put(OUT, "closed");
	return 0;
}

TEST(command_that_does_not_read)
{
	is(put(PATTERN, command("@close_at_once")), 0);
	check(dumped(crash(abort_now, 0, NULL)));
	soon(!access(OUT, F_OK));
}

/* Looks at the process that dies, which waits for us. */
HELPER(look)
{
	static char buf[65536];
	long pid = argc > 2 ? atol(argv[2]) : 0, n;
	char path[64], state, exe[PATH_MAX] = "";
	FILE *f;

	while ((n = read(0, buf, sizeof(buf))) > 0)
		;
	msleep(100);
	snprintf(path, sizeof(path), "/proc/%ld/exe", pid);
	readlink(path, exe, sizeof(exe) - 1);
	state = task_state(pid);
	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	f = fopen(OUT ".new", "w");
	fprintf(f, "%c dumping %ld threads %ld exe %d\n", state, field(path, "CoreDumping"),
		field(path, "Threads"), exe[0] == '/');
	fclose(f);
	rename(OUT ".new", OUT);
	return 0;
}

TEST(command_is_waited_for)
{
	char buf[256];

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	is(put(PATTERN, command("@look %p")), 0);
	is(put(PIPE_LIMIT, "4"), 0);
	check(dumped(crash(crash_with_threads, 0, NULL)));
	/* It has been written before the process was gone. */
	get(OUT, buf, sizeof(buf));
	same(buf, "S dumping 1 threads 3 exe 1\n");
}

HELPER(hold)
{
	put(OUT, "here");
	while (!access(OUT, F_OK))
		msleep(5);
	return 0;
}

TEST(pipe_limit)
{
	pid_t first = fork();

	if (!first) {
		limit(0);
		put(PATTERN, command("@hold"));
		put(PIPE_LIMIT, "1");
		abort_now();
	}
	soon(!access(OUT, F_OK));
	check(!dumped(crash(abort_now, 0, NULL)));
	unlink(OUT);
	is(reap(first), -SIGSEGV);
}

TEST(kill_ends_a_dump)
{
	pid_t pid = fork();
	int st;

	if (!pid) {
		char *big = pages(1 << 20, MAP_PRIVATE | MAP_ANONYMOUS, -1);

		memset(big, 1, 1 << 20);
		put(PATTERN, command("@hold"));
		abort_now();
	}
	soon(!access(OUT, F_OK));
	is(waitpid(pid, &st, WNOHANG), 0);
	is(field(({ static char p[64]; snprintf(p, 64, "/proc/%d/status", pid); p; }), "CoreDumping"), 1);
	/* Others are dropped. */
	is(kill(pid, SIGTERM), 0);
	is(kill(pid, SIGUSR1), 0);
	msleep(50);
	is(waitpid(pid, &st, WNOHANG), 0);
	is(kill(pid, SIGKILL), 0);
	is(waitpid(pid, &st, 0), pid);
	is(WTERMSIG(st), SIGKILL);
	check(!WCOREDUMP(st));
	unlink(OUT);
}

/* process_mrelease(2) is for who needs its memory no more. */
TEST(a_dump_keeps_its_memory)
{
	pid_t pid = fork();
	int fd;

	if (!pid) {
		limit(0);
		put(PATTERN, command("@hold"));
		put(PIPE_LIMIT, "1");
		abort_now();
	}
	soon(!access(OUT, F_OK));
	fd = syscall(SYS_pidfd_open, pid, 0);
	fails(syscall(448, fd, 0), EINVAL);
	unlink(OUT);
	is(reap(pid), -SIGSEGV);
	close(fd);
}

/* --- rights that were changed --- */

static int
after_setuid(const char *setting)
{
	int v = -1;
	int p[2];

	put(SUID_DUMPABLE, setting);
	pipe(p);
	in_child {
		setresuid(USER, USER, USER);
		v = prctl(PR_GET_DUMPABLE);
		write(p[1], &v, sizeof(v));
	}
	read(p[0], &v, sizeof(v));
	close(p[0]);
	close(p[1]);
	return v;
}

static void
crash_as_user(void)
{
	setresuid(USER, USER, USER);
	abort_now();
}

TEST(suid_dumpable)
{
	char name[PATH_MAX], cwd[PATH_MAX] = "";
	struct stat st;

	is(after_setuid("0"), 0);
	is(after_setuid("1"), 1);
	is(after_setuid("2"), 2);
	chmod(".", 0777);
	/* A name that the process chooses by its directory is not safe. */
	check(!dumped(crash(crash_as_user, RLIM_INFINITY, NULL)));
	fails(access("core", F_OK), ENOENT);
	getcwd(cwd, sizeof(cwd));
	snprintf(name, sizeof(name), "%s/safe.%%d", cwd);
	is(put(PATTERN, name), 0);
	chmod(".", 0700);
	check(dumped(crash(crash_as_user, RLIM_INFINITY, NULL)));
	is(stat("safe.2", &st), 0);
	is(st.st_uid, 0);
	is(st.st_mode, S_IFREG | 0600);
	/* What is there already stays. */
	check(!dumped(crash(crash_as_user, RLIM_INFINITY, NULL)));
	put(SUID_DUMPABLE, "1");
	chmod(".", 0777);
	put(PATTERN, "core");
	check(dumped(crash(crash_as_user, RLIM_INFINITY, NULL)));
	is(stat("core", &st), 0);
	is(st.st_uid, USER);
}

HELPER(dumpable_now)
{
	return prctl(PR_GET_DUMPABLE);
}

static void
copy_self(const char *to)
{
	int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0755);

	while (sendfile(out, in, NULL, 1 << 20) > 0)
		;
	close(in);
	close(out);
}

TEST(set_id_program)
{
	const char *settings[] = { "0", "1", "2" };

	chmod(".", 0755);
	copy_self("prog");
	chmod("prog", 04755);
	for (int i = 0; i < 3; i++) {
		put(SUID_DUMPABLE, settings[i]);
		pid_t pid = fork();

		if (!pid) {
			drop(USER);
			execl("./prog", "prog", "@dumpable_now", NULL);
			_exit(77);
		}
		is(reap(pid), i);
	}
	/* One that cannot be read. */
	chmod("prog", 0711);
	put(SUID_DUMPABLE, "2");
	pid_t pid = fork();

	if (!pid) {
		drop(USER);
		execl("./prog", "prog", "@dumpable_now", NULL);
		_exit(77);
	}
	is(reap(pid), 2);
	chmod("prog", 0755);
	put(SUID_DUMPABLE, "0");
	pid = fork();
	if (!pid) {
		drop(USER);
		execl("./prog", "prog", "@dumpable_now", NULL);
		_exit(77);
	}
	is(reap(pid), 1);
}
