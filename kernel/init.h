/* SPDX-License-Identifier: BSD-2-Clause */
/* Ordered initialisation and command-line parameters: registered, not listed. */
#ifndef KERNEL_INIT_H
#define KERNEL_INIT_H

#include "lib/section.h"
#include "lib/types.h"

/* In this order; within a level in link order. All in task context on the boot CPU, CPUs up. */
enum init_level { INIT_CORE, INIT_FS, INIT_BUS, INIT_DRIVER, INIT_LATE, INIT_LEVELS };

struct initcall {
	const char *name;
	enum init_level level;
	/* 0 or -Exxx, which is logged */
	int (*fn)(void);
};
DECLARE_REGISTRY(initcalls, const struct initcall);

#define INITCALL(lvl, func)                                                                        \
	REGISTER(initcalls)                                                                        \
	static const struct initcall initcall_##func = {#func, (lvl), (func)}

/* Runs them all. */
void initcalls_run(void);

/*
 * A parameter of the kernel's command line. set() gets the text behind '=' or
 * NULL; it runs before memory and tasks exist. -EINVAL: reported.
 */
struct param {
	const char *name;
	int (*set)(const char *value);
};
DECLARE_REGISTRY(params, const struct param);

#define PARAM(pname, func)                                                                         \
	REGISTER(params) static const struct param param_##func = {(pname), (func)}

/* Cuts the line into parameters, calls set(); what nobody knows is kept for init. */
void params_parse(const char *cmdline);
/* The line as given, for /proc/cmdline. */
const char *params_cmdline(void);
/* What init gets: words without '=' as arguments, others as environment. NULL-terminated. */
extern const char *init_args[];
extern const char *init_env[];
#define INIT_ARGS_MAX 32

#endif
