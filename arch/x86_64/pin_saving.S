/* SPDX-License-Identifier: BSD-2-Clause */
/* pin_resched() for callers that count on no register changing (mm/busy.h). */
	.text
	.globl	pin_resched_saving
	.type	pin_resched_saving, @function
	.balign	16
pin_resched_saving:
	push	%rbp
	mov	%rsp, %rbp
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	and	$-16, %rsp
	call	pin_resched
	lea	-72(%rbp), %rsp
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	pop	%rbp
	ret
	.size	pin_resched_saving, . - pin_resched_saving

	.section .note.GNU-stack, "", @progbits
