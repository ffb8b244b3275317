/* SPDX-License-Identifier: BSD-2-Clause */
/* wrgsbase: computes for ever with a GS base like the kernel's; each tenth of a second it tells that it lives. */
#include <stdio.h>
#include <sys/auxv.h>
#include <time.h>

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE 2
#endif

int
main(void)
{
	if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE)) {
		puts("no wrgsbase");
		return 0;
	}
	__asm__ volatile("wrgsbase %0" ::"r"(0xffffd00000000000UL));
	puts("set");
	fflush(stdout);
	for (unsigned long n = 0;; n++) {
		unsigned long base;

		__asm__ volatile("rdgsbase %0" : "=r"(base));
		if (base != 0xffffd00000000000UL) {
			printf("lost after %lu turns\n", n);
			return 1;
		}
	}
}
