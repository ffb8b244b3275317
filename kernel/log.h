/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel log: a ring read by /dev/kmsg, syslog(2) and the consoles. */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include "lib/assert.h"
#include "lib/types.h"

/* Levels of syslog(3); a console shows those below loglevel= (7; quiet: 4). */
enum log_level {
	LOG_EMERG,
	LOG_ALERT,
	LOG_CRIT,
	LOG_ERR,
	LOG_WARNING,
	LOG_NOTICE,
	LOG_INFO,
	LOG_DEBUG
};

/*
 * One record (a trailing newline is not needed). Any context, NMI included: in
 * NMI the record reaches the consoles later. Same %-formats as lib/fmt.h, and
 * %pS: symbol+offset of an address.
 */
void log_write(enum log_level level, const char *fmt, ...) __printf(2, 3);
/* Shows what NMIs have written, who do not show it themselves. Any context but NMI. */
void log_flush(void);
#define log_err(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
/* At most one record in 5 s (after a burst of 10) from this place. */
#define log_ratelimited(level, ...)                                                                \
	do {                                                                                       \
		static struct log_limit _ll;                                                       \
		if (log_limit_ok(&_ll))                                                            \
			log_write((level), __VA_ARGS__);                                           \
	} while (0)
struct log_limit {
	u64 since;
	u32 burst;
	u32 missed;
};
bool log_limit_ok(struct log_limit *l);

/* Stops the machine: registers, backtraces of all CPUs, then panic= decides. */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn __cold;

#endif
