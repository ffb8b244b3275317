/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of System V IPC share. */
#ifndef TESTS_ABI_SYSV_H
#define TESTS_ABI_SYSV_H

#include "tests/abi/abi.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#define SETTINGS "/proc/sys/kernel/"
#define KEY 0x7e55e1a

/* The setting as it is, and back to it at the end of the case. */
ABI_FN long
setting(const char *name)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), SETTINGS "%s", name);
	return get(path, text, sizeof(text)) > 0 ? strtol(text, NULL, 0) : -1;
}

ABI_FN int
set_setting(const char *name, long value)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), SETTINGS "%s", name);
	snprintf(text, sizeof(text), "%ld", value);
	return put(path, text);
}

/* Columns of the line of /proc/sysvipc/@kind whose second one is @id; how many there are. */
ABI_FN int
proc_row(const char *kind, int id, long v[20])
{
	static char buf[1 << 16];
	char path[64];
	int n = 0;

	snprintf(path, sizeof(path), "/proc/sysvipc/%s", kind);
	get(path, buf, sizeof(buf));
	for (char *p = strchr(buf, '\n'); p && p[1]; p = strchr(p + 1, '\n')) {
		char *end, *at = p + 1;

		for (n = 0; n < 20; n++) {
			v[n] = strtol(at, &end, n == 2 ? 8 : 10);
			if (end == at || strchr(p + 1, '\n') < at)
				break;
			at = end;
		}
		if (n > 1 && v[1] == id)
			return n;
	}
	return 0;
}

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

#endif
