/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters whose writers touch only their own CPU's line. The sum walks all
 * CPUs: exact when nobody writes, else some value the counter passed.
 */
#ifndef PERCPU_COUNTER_H
#define PERCPU_COUNTER_H

#include "percpu/percpu.h"

/* Static form: DEFINE_COUNTER(name); counter_inc(name); counter_sum(name). */
#define DEFINE_COUNTER(name) DEFINE_PERCPU(s64, name)
#define DECLARE_COUNTER(name) DECLARE_PERCPU(s64, name)
#define counter_add(name, n) this_cpu_add(name, n)
#define counter_inc(name) this_cpu_inc(name)
#define counter_dec(name) this_cpu_dec(name)
#define counter_sum(name) counter_sum_ptr(&(name))

/* Sum over all possible CPUs. */
s64 counter_sum_ptr(const s64 __percpu *c);

/*
 * A counter with a limit. CPUs take credit from the global value in batches
 * and spend it without touching a shared line; near the limit all credit is
 * called in, so that an add fails only if the sum leaves no room.
 * (percpu/counter.c tells the model.)
 */
struct limit_counter {
	/* a  used, and what CPUs hold as credit */
	s64 global;
	/* a  0 to S64_MAX; changed by limit_counter_set_limit() only */
	s64 limit;
	/* a  credit taken at once; 0: every add goes to the global value */
	s32 batch;
	/* a  not 0: close to the limit, CPUs keep no credit (percpu/counter.c) */
	u32 tight;
	/* a  CPUs that carry credit from or to the global value right now */
	u32 carriers;
	/* a  credit of each CPU (others only take it away) */
	s64 __percpu *delta;
};

/* -ENOMEM. May sleep. */
int __must_check limit_counter_init(struct limit_counter *c, s64 limit);
void limit_counter_fini(struct limit_counter *c);
/* With a zero that is the caller's, beside other things of each CPU: no limit_counter_fini(). */
void limit_counter_init_with(struct limit_counter *c, s64 limit, s64 __percpu *delta);
/*
 * Adds n (may be negative, then never fails); false if the limit would be
 * passed. Any context but NMI.
 */
bool limit_counter_try_add(struct limit_counter *c, s64 n);
/* A limit below the sum is allowed: nothing more is added until it has fallen. */
void limit_counter_set_limit(struct limit_counter *c, s64 limit);
/* What is in use; exact when nobody writes. */
s64 limit_counter_sum(const struct limit_counter *c);

#endif
