/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of drained references: for percpu/ref*.c and the debugger. */
#ifndef PERCPU_REF_IMPL_H
#define PERCPU_REF_IMPL_H

#include "percpu/percpu.h"
#include "percpu/ref.h"

/* From the first delta to the flush, and between flushes, reviews, looks of the keeper. */
#define REF_FLUSH_NS 5000000UL

/* What the keeper of epochs reads. */
struct ref_status {
	/* o  1: the cache has a delta */
	u32 dirty;
	/* o  the review list is not empty */
	u32 reviewing;
	/* o  the epoch in which this CPU last flushed */
	u64 clean_epoch;
	/* o  the epoch of our last turn, and how many turns it has lasted since */
	u64 seen_epoch;
	u32 turns;
};

DECLARE_PERCPU(struct ref_status, ref_status);

/* All read it, the keeper writes it. */
struct ref_time {
	/* a  the current epoch */
	u64 epoch;
	/* a  the keeper's CPU and 1: its timer goes or the mail to it is under way; 0: nobody */
	u32 keeper;
	/* a  CPUs that had deltas at the keeper's last look */
	u32 nr_dirty;
};

extern struct ref_time ref_time;

/* --- ref.c --- */
/* ref_flush_oncpu(); all: also what is in use here and not under review. Pinned. */
bool ref_flush_how_oncpu(bool all);
/* True if the list is empty or not due, false if the batch was used up. Pinned. */
bool ref_review_oncpu(void);
/* Has the softirq come. Interrupts off. */
void ref_arm_keeper_oncpu(void);

/* --- ref_epoch.c --- */
/* In the softirq, after the flush: lets time go on. True: this CPU is the keeper. */
bool ref_epochs_turn_oncpu(void);
/* Two epochs at once, if no other CPU has deltas; flushes. Task context, pinned. */
bool ref_epochs_alone_oncpu(void);
/* `cpu` is dead: somebody else keeps the epochs, if it did. Pinned. */
void ref_epochs_adopt(unsigned int cpu);

#endif
