/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of the image. Both hand over in 32-bit protected mode, paging off:
 *
 * PVH         QEMU -kernel, Firecracker, Cloud Hypervisor: ebx = hvm_start_info
 *             (xen/include/public/arch-x86/hvm/start_info.h is the specification)
 * Multiboot2  GRUB 2, BIOS or UEFI: eax = magic, ebx = boot information
 *
 * The boot page tables map: identity and direct map of the first 4 GiB, the
 * first GiB at KERNEL_BASE, all with 2 MiB pages. mm/kmap.c makes the final ones.
 */
#include "arch/x86_64/asm/layout.h"

#define MB2_MAGIC 0xe85250d6
#define MB2_BOOT_MAGIC 0x36d76289
#define PVH_BOOT_MAGIC 0x336ec578

	.section .multiboot, "a"
	.balign 8
mb2_header:
	.long MB2_MAGIC, 0, mb2_end - mb2_header, -(MB2_MAGIC + (mb2_end - mb2_header))
	/* framebuffer: preferred, optional; any size, 32 bits a pixel */
	.short 5, 1
	.long 20, 1024, 768, 32
	.balign 8
	/* page-align modules */
	.short 6, 0
	.long 8
	.short 0, 0
	.long 8
mb2_end:

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long boot_pvh

	.section .boot, "ax"
	.code32
	.globl boot_multiboot
boot_multiboot:
	cli
	cmp	$MB2_BOOT_MAGIC, %eax
	jne	boot_halt
	jmp	boot_common

	.globl boot_pvh
boot_pvh:
	cli
	mov	$PVH_BOOT_MAGIC, %eax
boot_common:
	cld
	mov	%eax, %esi
	mov	$(boot_stack_end - 0xffffffff80000000), %esp

	/* Long mode and NX are all that we ask of a CPU here. */
	push	%ebx
	mov	$0x80000000, %eax
	cpuid
	cmp	$0x80000001, %eax
	jb	boot_halt
	mov	$0x80000001, %eax
	cpuid
	bt	$29, %edx
	jnc	boot_halt
	pop	%edi

	/* Four page directories of 2 MiB pages: 4 GiB. */
	mov	$(boot_pd - 0xffffffff80000000), %ebx
	mov	$0x83, %eax
	xor	%ecx, %ecx
1:	mov	%eax, (%ebx, %ecx, 8)
	movl	$0, 4(%ebx, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$2048, %ecx
	jb	1b
	mov	$(boot_pdpt - 0xffffffff80000000), %ebx
	mov	$(boot_pd - 0xffffffff80000000 + 3), %eax
	xor	%ecx, %ecx
2:	mov	%eax, (%ebx, %ecx, 8)
	add	$4096, %eax
	inc	%ecx
	cmp	$4, %ecx
	jb	2b
	mov	$(boot_pdpt_kernel - 0xffffffff80000000), %ebx
	movl	$(boot_pd - 0xffffffff80000000 + 3), 510 * 8(%ebx)
	mov	$(boot_pml4 - 0xffffffff80000000), %ebx
	movl	$(boot_pdpt - 0xffffffff80000000 + 3), (%ebx)
	movl	$(boot_pdpt - 0xffffffff80000000 + 3), 273 * 8(%ebx)
	movl	$(boot_pdpt_kernel - 0xffffffff80000000 + 3), 511 * 8(%ebx)

#if CONFIG_KASAN
	/* The shadow of everything is one page (mm/kasan_map.c). */
	mov	$(kasan_zero_pt - 0xffffffff80000000), %ebx
	mov	$(kasan_zero_page - 0xffffffff80000000 + 3), %eax
	call	boot_fill
	mov	$(kasan_zero_pd - 0xffffffff80000000), %ebx
	mov	$(kasan_zero_pt - 0xffffffff80000000 + 3), %eax
	call	boot_fill
	mov	$(kasan_zero_pdpt - 0xffffffff80000000), %ebx
	mov	$(kasan_zero_pd - 0xffffffff80000000 + 3), %eax
	call	boot_fill
	/* Entries 472 to 503: the shadow of ffff800000000000 and up. */
	mov	$(boot_pml4 - 0xffffffff80000000 + 472 * 8), %ebx
	mov	$(kasan_zero_pdpt - 0xffffffff80000000 + 3), %eax
	mov	$32, %ecx
	call	boot_fill_some
#endif

	.globl boot_enter_long
	call	boot_enter_long
	ljmp	$0x10, $boot_64

/* The table at ebx: all entries, or the first ecx, are eax. */
boot_fill:
	mov	$512, %ecx
boot_fill_some:
	mov	%eax, -8(%ebx, %ecx, 8)
	movl	$0, -4(%ebx, %ecx, 8)
	loop	boot_fill_some
	ret

/* Turns on long mode with boot_pml4; uses eax, ecx, edx. Also for the trampoline. */
boot_enter_long:
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
	lgdt	boot_gdt_ptr
	ret

boot_halt:
	hlt
	jmp	boot_halt

	.code64
boot_64:
	mov	$0x18, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	movabs	$boot_high, %rax
	jmp	*%rax

	.balign 8
	.globl boot_gdt_ptr
boot_gdt:
	.quad 0
	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
boot_gdt_ptr:
	.short boot_gdt_ptr - boot_gdt - 1
	.quad boot_gdt

	.text
boot_high:
	mov	$boot_stack_end, %rsp
	xor	%ebp, %ebp
	mov	%edi, %ebx
	/* x86_start(magic, physical address of what the loader left) */
	mov	%esi, %edi
	mov	%ebx, %esi
	call	x86_start
1:	hlt
	jmp	1b

	.section .bss..page_aligned, "aw", @nobits
	.balign 4096
	.globl boot_pml4
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_pdpt_kernel:
	.skip 4096
boot_pd:
	.skip 4096 * 4
	.globl boot_stack
	/* Becomes the stack of the boot CPU's idle task. */
	.balign KERNEL_STACK_SIZE
boot_stack:
	.skip KERNEL_STACK_SIZE
	.globl boot_stack_end
boot_stack_end:
	.section .note.GNU-stack, "", @progbits
