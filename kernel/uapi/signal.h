/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals: numbers, flags and layouts of the Linux x86_64 ABI. */
#ifndef KERNEL_UAPI_SIGNAL_H
#define KERNEL_UAPI_SIGNAL_H

#include "lib/types.h"

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGSTKFLT 16
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGIO 29
#define SIGPWR 30
#define SIGSYS 31
#define SIGRTMIN 32
#define SIGRTMAX 64

#define SIG_DFL 0UL
#define SIG_IGN 1UL

/* sigaction flags */
#define SA_NOCLDSTOP 0x00000001u
#define SA_NOCLDWAIT 0x00000002u
#define SA_SIGINFO 0x00000004u
#define SA_UNSUPPORTED 0x00000400u
#define SA_EXPOSE_TAGBITS 0x00000800u
#define SA_RESTORER 0x04000000u
#define SA_ONSTACK 0x08000000u
#define SA_RESTART 0x10000000u
#define SA_NODEFER 0x40000000u
#define SA_RESETHAND 0x80000000u
#define SA_UAPI_FLAGS                                                                              \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_RESTART |        \
	 SA_NODEFER | SA_RESETHAND)

/* rt_sigprocmask */
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

/* sigaltstack */
#define SS_ONSTACK 1u
#define SS_DISABLE 2u
#define SS_AUTODISARM (1u << 31)
#define SS_FLAG_BITS SS_AUTODISARM
#define MINSIGSTKSZ 2048

struct sigaltstack {
	void __user *sp;
	s32 flags;
	s32 pad;
	size_t size;
};

/* si_code: who sent it */
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_MESGQ (-3)
#define SI_ASYNCIO (-4)
#define SI_SIGIO (-5)
#define SI_TKILL (-6)
#define SI_DETHREAD (-7)
#define SI_ASYNCNL (-60)

/* SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP, SIGCHLD, SIGIO, SIGSYS */
#define ILL_ILLOPC 1
#define ILL_ILLOPN 2
#define ILL_PRVOPC 5
#define ILL_BADSTK 8
#define FPE_INTDIV 1
#define FPE_INTOVF 2
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define FPE_FLTUNK 14
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define SEGV_PKUERR 4
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define BUS_OBJERR 3
#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define TRAP_HWBKPT 4
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_TRAPPED 4
#define CLD_STOPPED 5
#define CLD_CONTINUED 6
#define POLL_IN 1
#define POLL_OUT 2
#define POLL_MSG 3
#define POLL_ERR 4
#define POLL_PRI 5
#define POLL_HUP 6
#define SYS_SECCOMP 1
#define SYS_USER_DISPATCH 2

/*
 * siginfo_t, 128 bytes.
 *
 * OFFSET SIZE MEANING
 *      0    4 signal
 *      4    4 errno
 *      8    4 code (SI_*, CLD_*, ...)
 *     16    - by kind:
 *             kill, rt   pid 4, uid 4, value 8
 *             timer      timer id 4, overrun 4, value 8, private 4
 *             SIGCHLD    pid 4, uid 4, status 4, (4), utime 8, stime 8 (clock ticks)
 *             fault      address 8, low address bits 2, (6), lower 8, upper 8
 *             SIGIO      band 8, fd 4
 *             SIGSYS     call address 8, system call 4, architecture 4
 *     48   80 zero
 */
struct siginfo {
	s32 signo;
	s32 err;
	s32 code;
	s32 pad0;
	union {
		struct {
			s32 pid;
			u32 uid;
			union {
				u64 value;
				struct {
					s32 status;
					s32 pad1;
					s64 utime;
					s64 stime;
				};
			};
		};
		struct {
			s32 timer_id;
			s32 overrun;
			u64 timer_value;
			s32 timer_private;
		};
		struct {
			u64 addr;
			s16 addr_lsb;
			u64 lower;
			u64 upper;
		};
		struct {
			s64 band;
			s32 fd;
		};
		struct {
			u64 call_addr;
			s32 syscall;
			u32 arch;
		};
		u64 words[4];
	};
	u64 zero[10];
};
/* What the kernel itself ever fills in. */
#define SIGINFO_KERNEL_SIZE 48
static_assert(sizeof(struct siginfo) == 128, "ABI");
static_assert(offsetof(struct siginfo, zero) == SIGINFO_KERNEL_SIZE, "ABI");

/* sigevent */
#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2
#define SIGEV_THREAD_ID 4

struct sigevent {
	u64 value;
	s32 signo;
	s32 notify;
	s32 tid;
	s32 pad[11];
};
static_assert(sizeof(struct sigevent) == 64, "ABI");

#endif
