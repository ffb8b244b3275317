/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A boot sector that enters 64-bit mode, computes there for a moment and leaves QEMU through its debug
 * port: the host's KVM is used only when this gets to its end (tests/lib/vm.py).
 *
 * Model: page tables at 0x1000 (PML4), 0x2000 (PDPT) and 0x3000 (one 2 MiB page, identity).
 */

#define CR0_PE		(1 << 0)
#define CR0_PG		(1 << 31)
#define CR4_PAE		(1 << 5)
#define MSR_EFER	0xc0000080
#define EFER_LME	(1 << 8)
#define PTE_TABLE	0x03
#define PTE_LARGE	0x83
#define DEBUG_PORT	0xf4
#define VERDICT		0x2a

	.text
	.code16
	.org 0
start:
	cli
	ljmp	$0, $(set_segments - start + 0x7c00)
set_segments:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	$0x1000, %di
	movw	$0x1800, %cx
	cld
	rep stosw
	movw	$(0x2000 | PTE_TABLE), 0x1000
	movw	$(0x3000 | PTE_TABLE), 0x2000
	movw	$PTE_LARGE, 0x3000

	lgdt	gdt_pointer - start + 0x7c00
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$0x1000, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$(CR0_PG | CR0_PE), %eax
	movl	%eax, %cr0
	ljmp	$8, $(long_mode - start + 0x7c00)

	.code64
long_mode:
	movabsq	$0x123456789, %rbx
	movl	$1000000, %ecx
1:	addq	%rcx, %rbx
	imulq	$3, %rbx, %rbx
	loop	1b
	movl	$VERDICT, %eax
	outb	%al, $DEBUG_PORT
2:	hlt
	jmp	2b

	.balign 8
gdt:
	.quad	0
	.quad	0x00af9a000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt - start + 0x7c00

	.org 510
	.word	0xaa55
