/* SPDX-License-Identifier: BSD-2-Clause */
/* Protection keys: pkeys(7), with a CPU that has them and without. */
#include "tests/abi/mem.h"

#include <cpuid.h>
#include <linux/futex.h>
#include <pthread.h>
#include <ucontext.h>

#define AD 1
#define WD 2
#define INIT 0x55555554u

/* Glibc's wrappers keep what they are told of PKRU; these do not. */
static int
key_alloc(unsigned long flags, unsigned long rights)
{
	return syscall(SYS_pkey_alloc, flags, rights);
}

static int
key_free(int key)
{
	return syscall(SYS_pkey_free, key);
}

static int
key_protect(void *p, long len, int prot, int key)
{
	return syscall(SYS_pkey_mprotect, p, len, prot, key);
}

static bool
has_keys(void)
{
	unsigned a, b, c = 0, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 1 << 4;
}

static unsigned
pkru(void)
{
	unsigned v, d;

	__asm__ volatile("rdpkru" : "=a"(v), "=d"(d) : "c"(0));
	return v;
}

static void
set_pkru(unsigned v)
{
	__asm__ volatile("wrpkru" ::"a"(v), "c"(0), "d"(0) : "memory");
}

static void
rights(int key, unsigned v)
{
	set_pkru((pkru() & ~(3u << 2 * key)) | v << 2 * key);
}

static sigjmp_buf back;
static volatile int got_code, got_key;
static volatile unsigned handler_pkru;

static void
on_segv(int sig, siginfo_t *si, void *ctx)
{
	(void)sig;
	(void)ctx;
	handler_pkru = pkru();
	got_code = si->si_code;
	got_key = si->si_pkey;
	siglongjmp(back, 1);
}

/* 0, or the code of the fault; PKRU is as before. */
static int
attempt(volatile char *p, int write)
{
	struct sigaction sa = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER };
	volatile unsigned before = pkru();

	sigaction(SIGSEGV, &sa, NULL);
	got_code = 0;
	got_key = -1;
	if (!sigsetjmp(back, 1)) {
		char c = *p;

		if (write)
			*p = c;
	}
	set_pkru(before);
	signal(SIGSEGV, SIG_DFL);
	return got_code;
}

static int
write_pkru_free(volatile char *p)
{
	struct sigaction sa = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER };
	volatile unsigned before = pkru();

	sigaction(SIGSEGV, &sa, NULL);
	got_code = 0;
	if (!sigsetjmp(back, 1))
		*p = 1;
	set_pkru(before);
	signal(SIGSEGV, SIG_DFL);
	return got_code;
}

TEST(without_keys)
{
	char *p = pages(1, RW);

	fails(key_alloc(1, 0), EINVAL);
	fails(key_alloc(0, 4), EINVAL);
	fails(key_alloc(0, -1), EINVAL);
	fails(key_free(-1), EINVAL);
	fails(key_free(16), EINVAL);
	fails(key_free(5), EINVAL);
	/* No key: as mprotect. */
	works(key_protect(p, K4, PROT_READ, -1));
	same(perms(p), "r--p");
	fails(key_protect(p, K4, PROT_READ, 5), EINVAL);
	fails(key_protect(p, K4, PROT_READ, 16), EINVAL);
	fails(key_protect(p, K4, PROT_READ, -2), EINVAL);
	fails(key_protect(p + 1, K4, PROT_READ, -1), EINVAL);
	fails(key_protect(p, K4, 0x100, -1), EINVAL);
	is(key_protect(p, 0, PROT_READ, 99), 0);
	munmap(p, K4);
	fails(key_protect(p, K4, PROT_READ, -1), ENOMEM);
	fails(key_protect(p, K4, PROT_READ, 5), EINVAL);
	if (has_keys())
		return;
	fails(key_alloc(0, 0), ENOSPC);
	fails(key_free(0), EINVAL);
	p = pages(1, RW);
	fails(key_protect(p, K4, PROT_READ, 0), EINVAL);
}

TEST(numbers)
{
	char *p = pages(1, RW);
	int key, n = 0;

	if (!has_keys()) {
		skip("no protection keys");
		return;
	}
	is(pkru(), INIT);
	key = works(key_alloc(0, AD));
	is(key, 1);
	is(pkru() >> 2 & 3, AD);
	key = works(key_alloc(0, WD));
	is(key, 2);
	is(pkru() >> 4 & 3, WD);
	works(key_free(1));
	fails(key_free(1), EINVAL);
	fails(key_protect(p, K4, RW, 1), EINVAL);
	is(key_alloc(0, 0), 1);
	is(pkru() >> 2 & 3, 0);
	while (key_alloc(0, 0) > 0)
		n++;
	is(n, 13);
	fails(key_alloc(0, 0), ENOSPC);
	works(key_free(0));
	is(key_alloc(0, 0), 0);
	works(key_protect(p, K4, RW, 0));
}

TEST(access_by_key)
{
	char *p = pages(4, RW);
	int key, pipe_fd[2];
	char c;

	if (!has_keys()) {
		skip("no protection keys");
		return;
	}
	memset(p, 1, K4);
	key = works(key_alloc(0, 0));
	works(key_protect(p, 2 * K4, RW, key));
	is(attempt(p, 1), 0);
	rights(key, WD);
	is(attempt(p, 0), 0);
	is(attempt(p, 1), SEGV_PKUERR);
	is(got_key, key);
	/* Handlers begin with all keys but 0 shut. */
	is(handler_pkru, INIT);
	rights(key, AD);
	is(attempt(p, 0), SEGV_PKUERR);
	/* What is not there yet, too. */
	is(attempt(p + K4, 0), SEGV_PKUERR);
	is(write_pkru_free(p + K4), SEGV_PKUERR);
	is(attempt(p + 2 * K4, 1), 0);
	/* The kernel looks at them for the program. */
	pipe(pipe_fd);
	fails(write(pipe_fd[1], p, 1), EFAULT);
	fails(read(open("/dev/zero", O_RDONLY), p, 1), EFAULT);
	/* But not in a strange way. */
	int mem = open("/proc/self/mem", O_RDWR);
	is(pread(mem, &c, 1, (long)p), 1);
	is(c, 1);
	rights(key, 0);
	is(write(pipe_fd[1], p, 1), 1);
	/* mprotect keeps the key, and its rights come first. */
	works(mprotect(p, K4, PROT_READ));
	rights(key, WD);
	is(attempt(p, 0), 0);
	rights(key, 0);
	is(attempt(p, 1), SEGV_ACCERR);
	works(mprotect(p, K4, RW));
	rights(key, AD);
	is(attempt(p, 0), SEGV_PKUERR);
	/* Key 0 frees it. */
	works(key_protect(p, K4, RW, 0));
	is(attempt(p, 1), 0);
	is(attempt(p + K4, 1), SEGV_PKUERR);
	/* A mapping remembers a key that is free. */
	works(key_free(key));
	is(attempt(p + K4, 1), SEGV_PKUERR);
	/* It moves along, and a new one in its place has none. */
	char *q = mremap(p + K4, K4, K4, MREMAP_MAYMOVE | MREMAP_FIXED, p + 3 * K4);
	check(q == p + 3 * K4);
	is(attempt(q, 0), SEGV_PKUERR);
	mmap(q, K4, RW, ANON | MAP_FIXED, -1, 0);
	is(attempt(q, 1), 0);
}

TEST(smaps_key)
{
	static char buf[1 << 18];
	char *p = pages(3, RW), want[64], *line;
	int key;

	if (!has_keys()) {
		skip("no protection keys");
		return;
	}
	key = works(key_alloc(0, 0));
	works(key_protect(p + K4, K4, RW, key));
	is(extent(p + K4), K4);
	get("/proc/self/smaps", buf, sizeof(buf));
	snprintf(want, sizeof(want), "%lx-%lx ", (long)p + K4, (long)p + 2 * K4);
	line = strstr(buf, want);
	check(line);
	line = line ? strstr(line, "ProtectionKey:") : NULL;
	check(line);
	if (line) {
		is(atoi(line + 14), key);
		line = strchr(line, '\n');
		check(line && !strncmp(line, "\nVmFlags:", 9));
	}
	get("/proc/cpuinfo", buf, sizeof(buf));
	check(strstr(buf, " pku"));
	check(strstr(buf, " ospke"));
	works(key_protect(p + K4, K4, RW, 0));
	check(extent(p) >= 3 * K4);
}

TEST(large_page)
{
	char *p = mmap(NULL, 4 << 20, RW, ANON, -1, 0), *big;
	int key;

	if (!has_keys()) {
		skip("no protection keys");
		return;
	}
	big = (char *)(((long)p + (2 << 20) - 1) & -(2L << 20));
	madvise(big, 2 << 20, MADV_HUGEPAGE);
	big[5] = 1;
	key = works(key_alloc(0, AD));
	works(key_protect(big, 2 << 20, RW, key));
	is(attempt(big, 0), SEGV_PKUERR);
	is(attempt(big + (1 << 20), 0), SEGV_PKUERR);
	works(key_protect(big + K4, K4, RW, 0));
	is(attempt(big + K4, 1), 0);
	is(attempt(big, 0), SEGV_PKUERR);
	rights(key, 0);
	is(big[5], 1);
}

HELPER(keys)
{
	return pkru() == INIT && key_alloc(0, 0) == 1 ? 5 : 6;
}

static void *
thread_pkru(void *arg)
{
	(void)arg;
	unsigned v = pkru();

	set_pkru(0x55555550);
	return (void *)(long)v;
}

TEST(tasks)
{
	char *p = pages(2, RW);
	pthread_t t;
	void *v;
	int key;

	if (!has_keys()) {
		skip("no protection keys");
		return;
	}
	key = works(key_alloc(0, WD));
	works(key_protect(p, 2 * K4, RW, key));
	rights(key, 0);
	p[0] = 1;
	rights(key, WD);
	unsigned mine = pkru();
	/* A child has them as they are, a thread too; each its own from then on. */
	in_child {
		is(pkru(), mine);
		is(attempt(p, 1), SEGV_PKUERR);
		is(attempt(p + K4, 1), SEGV_PKUERR);
		is(attempt(p, 0), 0);
		rights(key, 0);
		is(attempt(p, 1), 0);
		is(key_alloc(0, 0), key + 1);
	}
	is(pkru(), mine);
	pthread_create(&t, NULL, thread_pkru, NULL);
	pthread_join(t, &v);
	is((long)v, mine);
	is(pkru(), mine);
	for (int i = 0; i < 50; i++) {
		sched_yield();
		if (pkru() != mine)
			break;
	}
	is(pkru(), mine);
	/* A program begins with none. */
	pid_t pid = fork();
	if (!pid) {
		execl("/proc/self/exe", "x", "@keys", NULL);
		_exit(9);
	}
	is(reap(pid), 5);
}

static volatile unsigned frame_pkru;

static void
change_frame(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	unsigned a, b = 0, c, d;
	char *fp = (char *)uc->uc_mcontext.fpregs;

	(void)sig;
	(void)si;
	__get_cpuid_count(0xd, 9, &a, &b, &c, &d);
	frame_pkru = *(unsigned *)(fp + b);
	*(unsigned *)(fp + b) = 0x55555514;
	*(unsigned long *)(fp + 512) |= 1 << 9;
}

TEST(frames)
{
	struct sigaction sa = { .sa_sigaction = change_frame, .sa_flags = SA_SIGINFO };

	if (!has_keys()) {
		skip("no protection keys");
		return;
	}
	sigaction(SIGUSR1, &sa, NULL);
	set_pkru(0x55555554 & ~0xcu);
	raise(SIGUSR1);
	is(frame_pkru, 0x55555550);
	is(pkru(), 0x55555514);
}

static long
futex(int *word, int op, int val, void *other, int *word2)
{
	return syscall(SYS_futex, word, op, val, other, word2, 0);
}

/* Words that keys deny are EFAULT, however often the kernel looks. */
TEST(futexes)
{
	static const struct timespec soon_over = { 0, 1000000 };
	int shared[] = { ANON, SHANON }, key, mine = 0;

	if (!has_keys()) {
		skip("no protection keys");
		return;
	}
	key = key_alloc(0, 0);
	for (int i = 0; i < 2; i++) {
		int *w = mmap(NULL, K4, RW, shared[i], -1, 0), flag = i ? 0 : FUTEX_PRIVATE_FLAG;

		w[0] = 5;
		is(key_protect(w, K4, RW, key), 0);
		rights(key, AD);
		fails(futex(w, FUTEX_WAIT | flag, 5, (void *)&soon_over, NULL), EFAULT);
		fails(futex(&mine, FUTEX_WAKE_OP | flag, 1, (void *)1, w), EFAULT);
		fails(futex(w, FUTEX_CMP_REQUEUE | flag, 1, (void *)1, &mine), EFAULT);
		fails(futex(w, FUTEX_LOCK_PI | flag, 0, NULL, NULL), EFAULT);
		fails(futex(w, FUTEX_UNLOCK_PI | flag, 0, NULL, NULL), EFAULT);
		rights(key, WD);
		fails(futex(w, FUTEX_WAIT | flag, 4, (void *)&soon_over, NULL), EAGAIN);
		fails(futex(&mine, FUTEX_WAKE_OP | flag, 1, (void *)1, w), EFAULT);
		rights(key, 0);
		w[0] = 0;
		rights(key, WD);
		fails(futex(w, FUTEX_LOCK_PI | flag, 0, NULL, NULL), EFAULT);
		rights(key, 0);
		is(futex(w, FUTEX_LOCK_PI | flag, 0, NULL, NULL), 0);
		is(futex(w, FUTEX_UNLOCK_PI | flag, 0, NULL, NULL), 0);
	}
}

TEST(only_execute)
{
	char *p = pages(2, RW), *q;
	int (*fn)(void);

	if (!has_keys()) {
		skip("no protection keys");
		return;
	}
	/* mov $42, %eax; ret */
	memcpy(p, "\xb8\x2a\0\0\0\xc3", 6);
	fn = (int (*)(void))p;
	works(mprotect(p, K4, PROT_EXEC));
	is(fn(), 42);
	is(attempt(p, 0), SEGV_PKUERR);
	/* Nobody can ask for its key. */
	check(got_key > 0);
	fails(key_free(got_key), EINVAL);
	fails(key_protect(p + K4, K4, RW, got_key), EINVAL);
	works(mprotect(p, K4, PROT_READ));
	is(attempt(p, 0), 0);
	q = mmap(NULL, K4, PROT_EXEC, ANON, -1, 0);
	is(attempt(q, 0), SEGV_PKUERR);
}
