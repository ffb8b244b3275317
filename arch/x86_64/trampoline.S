/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where application processors start: copied to a page below 1 MiB, entered in
 * real mode by the start-up IPI on all of them at once. Each finds its number
 * by its APIC id and leaves on its own idle stack; nothing here is shared but
 * what is read.
 */
#include "arch/x86_64/asm/layout.h"

	.section .rodata
	.code16
	.globl trampoline_start
trampoline_start:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	/* Physical address of this page, for the far jumps. */
	movzwl	%ax, %ebx
	shl	$4, %ebx
	lgdtl	tr_gdt_ptr - trampoline_start
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	*(tr_far32 - trampoline_start)

	.code32
tr_32:
	mov	$0x18, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%cr4, %eax
	or	$0x20, %eax
	mov	%eax, %cr4
	mov	$(boot_pml4 - 0xffffffff80000000), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x901, %eax
	wrmsr
	mov	%cr0, %eax
	and	$0x9fffffff, %eax
	or	$0x80010001, %eax
	mov	%eax, %cr0
	ljmpl	*(tr_far64 - trampoline_start)(%ebx)

	.balign 8
tr_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
tr_gdt_ptr:
	.short tr_gdt_ptr - tr_gdt - 1
	/* The three words below are filled in by smp.c with physical addresses. */
	.globl tr_gdt_base, tr_far32, tr_far64
tr_gdt_base:
	.long tr_gdt - trampoline_start
tr_far32:
	.long tr_32 - trampoline_start
	.short 0x08
tr_far64:
	.long tr_64 - trampoline_start
	.short 0x10

	.code64
tr_64:
	movabs	$ap_entry, %rax
	jmp	*%rax
	.globl trampoline_end
trampoline_end:

	.text
ap_entry:
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$0x18, %eax
	mov	%eax, %ss
	/* The boot tables map 4 GiB only; what follows may lie anywhere,
	 * but not the trampoline's descriptors. */
	mov	kernel_pml4_pa(%rip), %rcx
	mov	%rcx, %cr3
	/* Our APIC id: leaf 0xb where it exists (32 bits), else leaf 1. */
	xor	%eax, %eax
	cpuid
	cmp	$0xb, %eax
	jb	1f
	mov	$0xb, %eax
	xor	%ecx, %ecx
	cpuid
	test	%ebx, %ebx
	jz	1f
	mov	%edx, %eax
	jmp	2f
1:	mov	$1, %eax
	cpuid
	shr	$24, %ebx
	mov	%ebx, %eax
2:	/* Its number; CPUs that the tables do not name, or that nr_cpus= excludes, halt. */
	mov	nr_cpus(%rip), %ecx
	xor	%edx, %edx
3:	cmp	%edx, %ecx
	je	9f
	cmp	%eax, cpu_apic_id(, %rdx, 4)
	je	4f
	inc	%edx
	jmp	3b
4:	mov	ap_stack_top(%rip), %rax
	test	%rax, %rax
	jz	9f
	mov	(%rax, %rdx, 8), %rsp
	test	%rsp, %rsp
	jz	9f
	xor	%ebp, %ebp
	mov	%edx, %edi
	call	ap_start
9:	cli
	hlt
	jmp	9b
	.section .note.GNU-stack, "", @progbits
