/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/ needs from the folders above it (arch wires the machine, fs/ has paths). */
#ifndef KERNEL_PORT_H
#define KERNEL_PORT_H

#include "lib/types.h"

struct cpumask;
struct fs_context;
struct regs;
struct ns;
struct task;

/* --- arch/x86_64 --- */
/* Raises the reschedule interrupt on another CPU. */
void arch_ipi_reschedule(unsigned int cpu);
/* Stops all other CPUs (panic, reboot); prints their backtraces if asked. Interrupts are off. */
void arch_stop_cpus(bool backtrace);
/* Programs the one-shot clock interrupt of this CPU: absolute monotonic ns, NO_DEADLINE: off. */
void arch_clock_program(u64 deadline);
/*
 * Raw clock that ktime is made of: ns since boot = (cycles * mult >> 32) - start,
 * the product in 128 bits. mult is 0 until the clock is set up (time stands at 0).
 */
u64 arch_clock_cycles(void);
extern u64 arch_clock_start, arch_clock_mult;
/* Seconds since 1970 by the machine's real-time clock; at boot only. */
u64 rtc_read(void);
/* What changes with the task besides its stack; before arch_switch(), interrupts off. */
void arch_switch_prepare(struct task *prev, struct task *next);
/* Starts a CPU that is not online; it becomes so by itself, or not. 0, -ENOMEM. May sleep. */
int arch_cpu_start(unsigned int cpu);
/* Halts until an interrupt; interrupts are off on entry and on after. */
void arch_idle(void);
void __noreturn arch_poweroff(void);
void __noreturn arch_reboot(void);
void __noreturn arch_halt(void);
/* A new task's stack: of a user child (its parent's registers, returns 0) or a kernel thread. */
void arch_task_setup_user(struct task *child, const struct regs *parent_regs, unsigned long sp);
void arch_task_setup_kernel(struct task *t, int (*fn)(void *), void *arg);
/* Extended state: allocate and copy for fork, reset for exec, free. */
int arch_fpu_fork(struct task *child, struct task *parent);
void arch_fpu_reset(struct task *t);
void arch_fpu_free(struct task *t);
/* Builds the signal frame on the user's stack and points regs at the handler; -EFAULT. */
struct sigaction;
struct siginfo;
int arch_signal_frame(struct regs *r, int sig, const struct sigaction *sa,
		      const struct siginfo *info, u64 oldmask);
/*
 * Undoes it: returns the value for rax; sets *mask. *bad: no frame, or one whose
 * extended state is wrong; the registers are then those of the frame.
 */
long arch_signal_return(struct regs *r, u64 *mask, bool *bad);
/* Prints the stack of t (NULL: here) or of another CPU (by NMI). */
void arch_backtrace(struct task *t);
void arch_backtrace_cpu(unsigned int cpu);
/*
 * ptrace(2), t stopped or current: requests about registers (-EIO: no such),
 * single steps, entering of system calls; debug registers of a dead task, and of
 * current at exec.
 */
long arch_ptrace(struct task *t, unsigned int request, unsigned long addr, unsigned long data);
void arch_ptrace_step(struct task *t, bool on);
void arch_ptrace_watch(struct task *t, bool on);
/*
 * seccomp(2): calls of t go through kernel/trace/syscall.c for good. If t is neither
 * current nor new, each CPU then has to look at what it runs (arch_watch_refresh()).
 */
void arch_seccomp_watch(struct task *t);
void arch_watch_refresh(void);
void arch_debug_free(struct task *t);
void arch_debug_flush(void);
/* Sets TLS base for CLONE_SETTLS. */
void arch_set_tls(struct task *t, unsigned long base);

/* --- fs/ --- */
struct fs_context *fs_context_copy(struct fs_context *fs);
struct fs_context *fs_context_get(struct fs_context *fs);
void fs_context_put(struct fs_context *fs);
/* Does another task use it too? */
bool fs_context_shared(const struct fs_context *fs);
/* Root and directory become the root of current's mount namespace. May sleep. */
void fs_context_enter_root(struct fs_context *fs);
/* The first mount namespace. */
struct ns *mount_ns_initial(void);
/*
 * A new mount namespace: a copy of current's. The places of fs, which nobody else uses,
 * become those in the copy. err_ptr(-ENOMEM, -ENOSPC). May sleep.
 */
struct ns *mount_ns_copy(struct fs_context *fs);

#endif
