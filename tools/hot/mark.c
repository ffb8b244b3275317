/* SPDX-License-Identifier: BSD-2-Clause */
/* mark on|off: tells tools/hot/plugin.c to begin or to end counting. In the guest. */

int
main(int argc, char **argv)
{
	if (argc > 1 && argv[1][1] == 'n')
		__asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x81, 0xe2, 0x55, 0x7e");
	else
		__asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x80, 0xe2, 0x55, 0x7e");
	return 0;
}
