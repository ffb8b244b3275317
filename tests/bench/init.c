/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The /init of boot-time measurements: says that it runs, on the console, and
 * switches the machine off.
 */
#include <fcntl.h>
#include <sys/reboot.h>
#include <unistd.h>

int
main(void)
{
	static const char text[] = "INIT-RUNS\n";

	write(open("/dev/console", O_WRONLY), text, sizeof(text) - 1);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
