/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of RCU: for sync/rcu*.c, its tests and the debugger. sync/rcu.c tells the model. */
#ifndef SYNC_RCU_IMPL_H
#define SYNC_RCU_IMPL_H

#include "config/config.h"
#include "lib/types.h"
#include "percpu/mailbox.h"
#include "percpu/percpu.h"
#include "percpu/work.h"
#include "sync/port.h"
#include "sync/rcu.h"
#include "sync/spinlock.h"

#define RCU_FANOUT 16
#define RCU_LEAVES_MAX ((CONFIG_MAX_CPUS + RCU_FANOUT - 1) / RCU_FANOUT)
/* Leaves, and what stands above them (a sixteenth, and so on). */
#define RCU_NODES_MAX (RCU_LEAVES_MAX + RCU_LEAVES_MAX / (RCU_FANOUT - 1) + 4)

/* How often a grace period that goes on looks at the CPUs it waits for. */
#define RCU_SCAN_NS 5000000UL
/* From this age on it interrupts those that are not idle. */
#define RCU_KICK_NS 10000000UL
/* Turns of a CPU's timer after which it does not trust the keeper any more. */
#define RCU_TURNS_MAX 8
/* Looks of the keeper without a wish after which nobody keeps. */
#define RCU_IDLE_LOOKS 8
/* How long a CPU collects callbacks before it asks for a grace period. */
#define RCU_COLLECT_NS 6000000UL
/* More callbacks than this on a CPU: no collecting. */
#define RCU_LONG_QUEUE (CONFIG_DEBUG ? 64 : 2048)
/* Callbacks run in a row before other work gets its turn. */
#define RCU_BATCH (CONFIG_DEBUG ? 8 : 64)
/* CPUs that one stall report names. */
#define RCU_STALL_CPUS 4

/*
 * A node of the combining tree. Children are CPUs (leaves) or nodes. Whoever
 * clears the last bit of a node clears the node's bit in its parent.
 */
struct rcu_node {
	/* a  children that the grace period waits for */
	u32 waiting;
	/* (gp.lock)  what `waiting` is about to start with */
	u32 init;
	/* I  NULL: the root */
	struct rcu_node *parent;
	/* I  our bit there */
	u32 parent_bit;
	/* I  leaves: number of the first CPU, and how many there are */
	u32 first_cpu;
	u32 nr_cpus;
	/* (gp.lock)  leaves: rcu_watching of each CPU when the grace period began */
	u32 snap[RCU_FANOUT];
} __cacheline_aligned;

/* A task that waits in rcu_synchronize(), on its stack. */
struct rcu_waiter {
	/* a  in gp.waiters */
	struct rcu_waiter *next;
	struct task *task;
	/* I  grace-period number that it waits for */
	u64 seq;
	/* a  1: reached; the waiter may be gone */
	u32 done;
};

struct rcu_gp {
	/*
	 * a  even: no grace period, odd: one is going on; seq/2 have ended.
	 * Written under lock.
	 */
	u64 seq;
	/* a  the keeper's CPU and 1: its timer goes or a poke is under way; 0: nobody */
	u32 keeper;
	/* l  CPUs report to this grace period; else the keeper looks after them */
	bool eager;
	/* a  largest (even) number that anybody waits for */
	u64 wanted;
	/* a  users in a hurry: CPUs are interrupted at once */
	u32 expedite;
	/* a  barriers and long queues: the end of a grace period is told to CPUs with callbacks */
	u32 hurry;
	/* a  CPUs that may have sections */
	u32 cpus_up;
	/* a  stack of struct rcu_waiter */
	struct rcu_waiter *waiters;

	/* Starting, scanning and ending a grace period. */
	struct spinlock lock __cacheline_aligned;
	/* l  the CPU whose timer scans */
	u32 scanner;
	/* l  when it began, was scanned last, and is to be reported; ns */
	u64 start;
	u64 scanned;
	u64 stall_at;
	/* l  callbacks of CPUs that went down */
	struct rcu_head *orphans;
	struct rcu_head **orphans_tail;
	/* I  the tree: root first, leaves last */
	struct rcu_node nodes[RCU_NODES_MAX];
	u32 nr_nodes;
	struct rcu_node *leaves;
};

extern struct rcu_gp rcu_gp;

/* Lists of callbacks by what they wait for. */
enum rcu_segment {
	/* nothing: ready to run */
	RCU_DONE,
	/* seq[] of the same index */
	RCU_WAIT,
	RCU_READY,
	/* not asked for yet */
	RCU_NEXT,
	RCU_SEGMENTS,
};

struct rcu_list {
	struct rcu_head *head;
	/* NULL in an empty list that was never used */
	struct rcu_head **tail;
};

/* All of it o, interrupts off, unless it says otherwise. */
struct rcu_cpu {
	struct rcu_list lists[RCU_SEGMENTS];
	u64 seq[RCU_SEGMENTS];
	/* a  callbacks in the lists or being run; others look whether it is 0 */
	u32 len;
	/* a  number that our callbacks wait for, for the keeper to read; 0: none */
	u64 wish;
	/* the timer's turns since that changed */
	u32 turns;
	/* the timer or a poke will come */
	bool armed;
	/* since then nothing has been asked for: others may still share the grace period */
	bool collecting;
	/* counted in gp.hurry for a long queue */
	bool long_queue;
	struct work work;
	struct rcu_head barrier;
	/* a  1: mail is on its way */
	u32 mail_posted __cacheline_aligned;
	struct mail mail;
};

DECLARE_PERCPU(struct rcu_cpu, rcu_cpu);

/* The number that is reached when a whole grace period has passed from now on. */
static inline u64
rcu_seq_snap(void)
{
	/* What the caller has written comes before the look: pairs with rcu_gp_start(). */
	smp_mb();
	return (READ_ONCE(rcu_gp.seq) + 3) & ~1UL;
}

/* Is this CPU outside of any section, apart from the caller (a softirq or a task), who has none? */
static inline bool
rcu_quiescent_here(void)
{
	u32 pins = this_cpu_read(pin_count) & ~(PIN_NO_RESCHED | PIN_SOFTIRQ);

	return pins == 0 && !irqs_disabled();
}

/*
 * rcu.c: has the softirq run on `cpu`, and a quiescent state noted if it is in
 * one. Any context but NMI.
 */
void rcu_poke(unsigned int cpu);

/* rcu_gp.c */
void rcu_tree_init(void);
/* rcu_waiting of a CPU: the keeper will look whether it is 0; or it is to report. */
#define RCU_WAITS_NOTE 1u
#define RCU_WAITS_REPORT 2u
/* Clears a CPU's bit; the CPU is in a quiescent state now. True: the grace period is over. */
bool rcu_report(unsigned int cpu);
/* Asks for seq, any context; true if somebody has to call rcu_gp_advance(). */
bool rcu_gp_request(u64 seq);
/*
 * Ends, starts, scans as needed. must: also when another CPU is at it. Not in an
 * interrupt; no lock of RANK_TIMER or above.
 */
void rcu_gp_advance(bool must);
/* True while rcu_gp_advance() would do something now. */
bool rcu_gp_due(void);

/* Callbacks of this CPU wait for seq (0: for none): sees to it, without hurry. Pinned. */
void rcu_gp_wish_oncpu(u64 seq);
/* In the softirq: collects wishes if this CPU is the keeper. */
void rcu_keeper_turn_oncpu(void);
/* rcu_cpu_down() has been called on `cpu`: somebody else keeps, if it did. Pinned. */
void rcu_keeper_adopt(unsigned int cpu);

/* rcu_cb.c */
/* Softirq: moves callbacks on, asks for what they need. */
void rcu_callbacks_advance_oncpu(void);
/* Gives the callbacks of this CPU away; interrupts off. */
void rcu_callbacks_orphan_oncpu(void);

#endif
