/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel stacks: 16 KiB of single pages with unmapped pages on both sides.
 *
 * Model: a CPU keeps a few free stacks in slots, so that fork and exit touch no
 * page table. A slot is taken and filled by one exchange: any CPU may empty it.
 *
 * Contexts: kstack_alloc() may sleep; kstack_free() any but NMI.
 */
#include "arch/x86_64/asm/atomic.h"
#include "lib/assert.h"
#include "mm/kasan.h"
#include "mm/kmap.h"
#include "mm/meminfo.h"
#include "percpu/counter.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"

#define SLOTS 4

/* a  free stacks, or NULL */
static DEFINE_PERCPU(void *[SLOTS], slots);
static DEFINE_COUNTER(in_use);

void *
kstack_alloc(int node)
{
	void *stack = NULL;

	for (unsigned int i = 0; i < SLOTS && stack == NULL; i++) {
		if (this_cpu_read(slots[i]) != NULL)
			stack = this_cpu_xchg(slots[i], NULL);
	}
	if (stack == NULL) {
		stack = vmalloc_node(KERNEL_STACK_SIZE, (unsigned int)node, GFP_KERNEL);
		if (stack == NULL)
			return NULL;
		mm_stat_add(MM_KSTACK, KERNEL_STACK_SIZE / PAGE_SIZE);
	}
	counter_inc(in_use);
	/* Whoever had it last may have left in the middle of a frame. */
	kasan_unpoison(stack, KERNEL_STACK_SIZE);
	return stack;
}

static void
stack_release(void *stack)
{
	mm_stat_sub(MM_KSTACK, KERNEL_STACK_SIZE / PAGE_SIZE);
	vfree_stack(stack);
}

void
kstack_free(void *stack)
{
	if (stack == NULL)
		return;
	DEBUG_ASSERT(is_vmalloc(stack) && is_aligned((unsigned long)stack, PAGE_SIZE));
	counter_dec(in_use);
	for (unsigned int i = 0; i < SLOTS && stack != NULL; i++) {
		if (this_cpu_read(slots[i]) == NULL)
			stack = this_cpu_xchg(slots[i], stack);
	}
	/* Ours, or one that an interrupt put there between the look and the exchange. */
	if (stack != NULL)
		stack_release(stack);
}

void
kstack_drain(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		for (unsigned int i = 0; i < SLOTS; i++) {
			void *stack = atomic_xchg(&cpu_of(slots, cpu)[i], NULL);

			if (stack != NULL)
				stack_release(stack);
		}
	}
}

u64
kstack_count(void)
{
	return (u64)counter_sum(in_use);
}
