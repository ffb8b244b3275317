/* SPDX-License-Identifier: BSD-2-Clause */
/* busy CPU [PRIORITY]: computes for ever on that CPU, as a FIFO task if there is a priority. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	struct sched_param p = {.sched_priority = argc > 2 ? atoi(argv[2]) : 0};
	volatile unsigned long n = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &set);
	/* In this order: once there it may never run before it has its priority. */
	if ((p.sched_priority && sched_setscheduler(0, SCHED_FIFO, &p)) ||
	    sched_setaffinity(0, sizeof(set), &set)) {
		perror("busy");
		return 1;
	}
	for (;;)
		n++;
}
