/* SPDX-License-Identifier: BSD-2-Clause */
	.section .rodata
	.balign 4096
	.globl vdso_image_start, vdso_image_end
vdso_image_start:
	.incbin VDSO_FILE
	.balign 4096
vdso_image_end:
	.section .note.GNU-stack, "", @progbits
