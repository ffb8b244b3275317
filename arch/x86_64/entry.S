/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries from user mode and by interrupt.
 *
 * Every entry builds a struct regs (asm/regs.h) on the task's kernel stack,
 * at its very top when it came from user mode. GS is the per-CPU area in the
 * kernel and the user's own outside: entries from user mode swap it. NMI, #DF
 * and #MC run on stacks of their own (IST) and may interrupt the few
 * instructions around a swap, so they cannot know whose GS it is: a program may
 * give its own any value (wrgsbase). They find the CPU's on their stack.
 */
#include "arch/x86_64/asm/layout.h"
#include "asm-offsets.h"

.macro PUSH_REGS rax=%rax
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	\rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
.endm

.macro POP_REGS
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
.endm

/*
 * SYSCALL: rcx = user rip, r11 = user rflags, rax = number, arguments in rdi,
 * rsi, rdx, r10, r8, r9. FMASK has cleared IF, DF, TF, AC, NT.
 */
	.section .text.entry, "ax"
	.globl entry_syscall
	.balign 64
entry_syscall:
	swapgs
	mov	%rsp, %gs:entry_user_sp
	mov	%gs:entry_stack, %rsp
	push	$SEL_USER_DATA
	push	%gs:entry_user_sp
	push	%r11
	push	$SEL_USER_CODE
	push	%rcx
	push	%rax
	PUSH_REGS $-38
	sti
	xor	%ebp, %ebp
	cmpw	$0, %gs:syscall_watch
	jne	entry_syscall_watched
	/* The number is the low half. */
	mov	%eax, %eax
	cmp	$SYSCALL_LIMIT, %eax
	jae	entry_missing
	mov	syscall_table(, %rax, 8), %rax
	test	%rax, %rax
	jz	entry_missing
	mov	%r10, %rcx
	call	*%rax
entry_syscall_done:
	mov	%rax, REGS_RAX(%rsp)
	/*
	 * Interrupts stay off from the look at the work bits to the return, so
	 * that whoever sets a bit later finds us by its interrupt.
	 */
	cli
	mov	%gs:current_task, %rdx
	cmpl	$0, TASK_WORK(%rdx)
	jne	entry_syscall_work
	cmpl	$0, %gs:pin_count
	je	entry_syscall_work
	/* What C preserves is still the user's, but for rbp; r11 and rcx hold rflags and rip. */
	mov	REGS_RBP(%rsp), %rbp
	add	$(7 * 8), %rsp
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	mov	8(%rsp), %rcx
	mov	24(%rsp), %r11
	mov	32(%rsp), %rsp
	swapgs
	sysretq

/* kernel/trace/syscall.c makes the call, between two records, or behind a stop, or not. */
entry_syscall_watched:
	mov	%rsp, %rdi
	call	syscall_watched
	jmp	entry_syscall_done

entry_missing:
	mov	REGS_ORIG_RAX(%rsp), %edi
	call	syscall_missing
	jmp	entry_syscall_done

entry_syscall_work:
	mov	%rsp, %rdi
	mov	$1, %esi
	call	user_exit_work
	jmp	entry_return_user

/* First run of a new user task: switch.S comes here with the task switched from in rax. */
	.globl entry_fork_child
entry_fork_child:
	mov	%rax, %rdi
	call	task_first_run
	cli
	mov	%rsp, %rdi
	xor	%esi, %esi
	call	user_exit_work
	/* fall through */

/* Return to user mode by IRET: all registers from struct regs. Interrupts off. */
entry_return_user:
	POP_REGS
	add	$8, %rsp
	swapgs
	iretq

/* First run of a kernel thread: rbx = fn, r12 = arg. */
	.globl entry_kthread
entry_kthread:
	mov	%rax, %rdi
	call	task_first_run
	mov	%r12, %rdi
	call	*%rbx
	mov	%eax, %edi
	call	kthread_exit
	ud2

/* A kernel stack becomes a program's: drops everything on it and goes to user mode. */
	.globl arch_enter_user
arch_enter_user:
	cli
	mov	%gs:entry_stack, %rsp
	sub	$REGS_SIZE, %rsp
	mov	%rsp, %rdi
	xor	%esi, %esi
	call	user_exit_work
	jmp	entry_return_user

/*
 * Interrupts and exceptions: one stub a vector pushes an error code (0 where
 * the CPU pushes none) and the vector.
 */
	.balign 16
	.globl entry_vectors
entry_vectors:
vector = 0
.rept 256
	.balign 16
.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
	    vector == 29 || vector == 30
	.byte 0x66, 0x90
.else
	push	$0
.endif
	push	$vector
.if vector == 2 || vector == 8 || vector == 18
	jmp	entry_ist
.elseif vector == 1
	jmp	entry_debug
.else
	jmp	entry_common
.endif
vector = vector + 1
.endr

/*
 * Stack: vector, error code, rip, cs, rflags, rsp, ss. The vector's slot
 * becomes rdi's, the error code's stays as orig_rax.
 */
entry_common:
	cld
	testb	$3, 24(%rsp)
	jz	entry_common_kernel_gs
	swapgs
	lfence
entry_common_kernel_gs:
	xchg	%rdi, (%rsp)
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%edi, %esi
	mov	%rsp, %rdi
	xor	%ebp, %ebp
	testb	$3, REGS_CS(%rsp)
	jnz	2f
	/* Keeps the backtrace going through the interrupted frame. */
	mov	REGS_RBP(%rsp), %rbp
2:	call	trap_dispatch
	testb	$3, REGS_CS(%rsp)
	jz	3f
	mov	%gs:current_task, %rdx
	cmpl	$0, TASK_WORK(%rdx)
	jne	4f
	cmpl	$0, %gs:pin_count
	jne	entry_return_user
4:	mov	%rsp, %rdi
	xor	%esi, %esi
	call	user_exit_work
	jmp	entry_return_user
3:	POP_REGS
	add	$8, %rsp
	/* A #GP or #PF here is found in the exception table (bad user frame). */
	iretq

/*
 * #DB has a stack of its own: a breakpoint on what "mov ss" reads is held back
 * until behind the next instruction, which may be a SYSCALL. The kernel's stack
 * and GS are not there yet then, and what the program watches is of no interest:
 * it is dropped. From user mode it goes on as any other exception, on the task's
 * stack.
 */
entry_debug:
	testb	$3, 24(%rsp)
	jnz	1f
	push	%rax
	mov	$0xffff0ff0, %eax
	mov	%rax, %dr6
	pop	%rax
	andl	$~0x100, 32(%rsp)
	add	$16, %rsp
	iretq
1:	cld
	swapgs
	lfence
	push	%rdi
	mov	%rsp, %rdi
	mov	%gs:entry_stack, %rsp
	push	56(%rdi)
	push	48(%rdi)
	push	40(%rdi)
	push	32(%rdi)
	push	24(%rdi)
	push	16(%rdi)
	push	8(%rdi)
	mov	(%rdi), %rdi
	jmp	entry_common_kernel_gs

/* IST entries: rbx remembers what GS is; the per-CPU area stands above the frame (desc.c). */
entry_ist:
	cld
	xchg	%rdi, (%rsp)
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%edi, %r12d
	mov	$0xc0000101, %ecx
	rdmsr
	mov	%rdx, %rbx
	shl	$32, %rbx
	or	%rax, %rbx
	mov	REGS_SIZE(%rsp), %rax
	mov	%rax, %rdx
	shr	$32, %rdx
	wrmsr
	mov	%rsp, %rdi
	mov	%r12d, %esi
	xor	%ebp, %ebp
	call	trap_dispatch_ist
	mov	%rbx, %rax
	mov	%rbx, %rdx
	shr	$32, %rdx
	mov	$0xc0000101, %ecx
	wrmsr
	POP_REGS
	add	$8, %rsp
	iretq

/*
 * struct task *arch_switch(struct task *prev, struct task *next): saves what
 * the C calling convention preserves, changes stacks, returns prev on the new
 * one. Interrupts off.
 */
	.text
	.globl arch_switch
arch_switch:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, TASK_KSP(%rdi)
	mov	TASK_KSP(%rsi), %rsp
	mov	%rdi, %rax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.section .note.GNU-stack, "", @progbits
