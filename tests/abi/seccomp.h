/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs about seccomp(2) share: filters by the line. */
#ifndef TESTS_ABI_SECCOMP_H
#define TESTS_ABI_SECCOMP_H

#include "abi.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define S BPF_STMT
#define J BPF_JUMP
#define LOAD(field) S(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARG(n) S(BPF_LD | BPF_W | BPF_ABS, 16 + 8 * (n))
#define RET(v) S(BPF_RET | BPF_K, v)
#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define ERR(e) (SECCOMP_RET_ERRNO | (e))
#define ALLOW SECCOMP_RET_ALLOW

/* The call that most filters are about: nothing else makes it. */
#define CALL SYS_getppid

ABI_FN long
sec(unsigned int op, unsigned int flags, const void *arg)
{
	return syscall(SYS_seccomp, op, flags, arg);
}

ABI_FN long
install_n(unsigned int flags, const struct sock_filter *f, unsigned short n)
{
	struct sock_fprog p = { .len = n, .filter = (struct sock_filter *)f };

	return sec(SECCOMP_SET_MODE_FILTER, flags, &p);
}

#define install(flags, f) install_n(flags, f, LEN(f))

/* A filter by which call @nr gives @ret, and all others are allowed. */
ABI_FN long
filter_call(unsigned int flags, int nr, unsigned int ret)
{
	struct sock_filter f[] = {
		LOAD(nr),
		J(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		RET(ret),
		RET(ALLOW),
	};

	return install(flags, f);
}

/* How a child ends that has this filter and makes the call; 200: it did not end by it. */
#define ends_by(prepare) ({						\
	pid_t eb_p = fork();						\
	if (!eb_p) {							\
		prepare;						\
		syscall(CALL);						\
		_exit(200);						\
	}								\
	reap(eb_p); })

#endif
