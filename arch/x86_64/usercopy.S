/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loops of mm/uaccess.c. Each load or store of user memory has an entry in
 * the exception table; a fault inside a word is tried again by bytes, so that
 * what is reported is exact.
 */
	.macro	fault_goes at, to
	.pushsection extable, "a"
	.balign	4
	.long	\at - ., \to - .
	.popsection
	.endm

	.text

/* size_t usercopy(void *dst, const void *src, size_t n): bytes left */
	.globl	usercopy
	.type	usercopy, @function
	.balign	16
usercopy:
	mov	%rdx, %rcx
	and	$7, %edx
	shr	$3, %rcx
.Lcopy_words:
	rep movsq
	mov	%edx, %ecx
.Lcopy_bytes:
	rep movsb
	xor	%eax, %eax
	ret
.Lcopy_by_bytes:
	lea	(%rdx, %rcx, 8), %rcx
	xor	%edx, %edx
	jmp	.Lcopy_bytes
.Lleft:
	mov	%rcx, %rax
	ret
	fault_goes .Lcopy_words, .Lcopy_by_bytes
	fault_goes .Lcopy_bytes, .Lleft
	.size	usercopy, . - usercopy

/* size_t userclear(void *dst, size_t n): bytes left */
	.globl	userclear
	.type	userclear, @function
	.balign	16
userclear:
	xor	%eax, %eax
	mov	%rsi, %rcx
	and	$7, %esi
	shr	$3, %rcx
.Lclear_words:
	rep stosq
	mov	%esi, %ecx
.Lclear_bytes:
	rep stosb
	ret
.Lclear_by_bytes:
	lea	(%rsi, %rcx, 8), %rcx
	jmp	.Lclear_bytes
	fault_goes .Lclear_words, .Lclear_by_bytes
	fault_goes .Lclear_bytes, .Lleft
	.size	userclear, . - userclear

/*
 * A word has a zero byte where (w - 0x01..01) & ~w & 0x80..80 has its lowest
 * bit. Words are read at any alignment; one that reaches into a page that is
 * not there is read by bytes, as is what is left at the end.
 *
 * rax: bytes done; rdx: n - 8, then n.
 */
	.macro	find_zero word, flags, scratch
	mov	\word, \scratch
	not	\scratch
	mov	\word, \flags
	sub	%r8, \flags
	and	\scratch, \flags
	and	%r9, \flags
	.endm

/* long user_strncpy(char *dst, const char *src, size_t n) */
	.globl	user_strncpy
	.type	user_strncpy, @function
	.balign	16
user_strncpy:
	xor	%eax, %eax
	sub	$8, %rdx
	jl	.Lcpy_tail
	movabs	$0x0101010101010101, %r8
	movabs	$0x8080808080808080, %r9
.Lcpy_word:
	mov	(%rsi, %rax), %rcx
	find_zero %rcx, %r11, %r10
	jnz	.Lcpy_found
	mov	%rcx, (%rdi, %rax)
	add	$8, %rax
	cmp	%rdx, %rax
	jle	.Lcpy_word
.Lcpy_tail:
	add	$8, %rdx
	jmp	3f
1:	inc	%rax
3:	cmp	%rdx, %rax
	jae	2f
.Lcpy_byte:
	movzbl	(%rsi, %rax), %ecx
	mov	%cl, (%rdi, %rax)
	test	%ecx, %ecx
	jnz	1b
2:	ret
.Lcpy_found:
	/* Bytes behind the zero byte become zero: the caller's buffer has room for the word. */
	mov	%r11, %r10
	neg	%r10
	and	%r11, %r10
	dec	%r10
	and	%r10, %rcx
	mov	%rcx, (%rdi, %rax)
	bsf	%r11, %r11
	shr	$3, %r11d
	add	%r11, %rax
	ret
.Lefault:
	mov	$-14, %rax
	ret
	fault_goes .Lcpy_word, .Lcpy_tail
	fault_goes .Lcpy_byte, .Lefault
	.size	user_strncpy, . - user_strncpy

/* long user_strnlen(const char *src, size_t n) */
	.globl	user_strnlen
	.type	user_strnlen, @function
	.balign	16
user_strnlen:
	mov	%rsi, %rdx
	xor	%eax, %eax
	sub	$8, %rdx
	jl	.Llen_tail
	movabs	$0x0101010101010101, %r8
	movabs	$0x8080808080808080, %r9
.Llen_word:
	mov	(%rdi, %rax), %rcx
	find_zero %rcx, %r11, %r10
	jnz	.Llen_found
	add	$8, %rax
	cmp	%rdx, %rax
	jle	.Llen_word
.Llen_tail:
	add	$8, %rdx
	jmp	3f
1:	inc	%rax
3:	cmp	%rdx, %rax
	jae	2f
.Llen_byte:
	cmpb	$0, (%rdi, %rax)
	jne	1b
2:	ret
.Llen_found:
	bsf	%r11, %r11
	shr	$3, %r11d
	add	%r11, %rax
	ret
	fault_goes .Llen_word, .Llen_tail
	fault_goes .Llen_byte, .Lefault
	.size	user_strnlen, . - user_strnlen

	.section .note.GNU-stack, "", @progbits
