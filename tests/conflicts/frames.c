/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells what the machine's page frames are used for, since the plugin knows addresses only.
 *
 * Model: frames_print() prints those lines of /proc/tessera/frames that tell of a frame
 * something new since the last call, behind the word "frames". On Linux the same lines are
 * made of /proc/kpageflags; which cache a slab belongs to is read out of the kernel's memory
 * (/proc/kcore), at the offsets that Debian's 6.1 for amd64 has.
 *
 * The first call prints besides where Linux keeps its per-CPU areas: "percpu CPU ADDRESS".
 */
#define _GNU_SOURCE
#include "tests/conflicts/conflicts.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 1 GiB of them. */
#define FRAMES_MAX (1UL << 18)
#define CPUS 4

/* Linux: bits of /proc/kpageflags, include/uapi/linux/kernel-page-flags.h. */
#define KPF_SLAB (1UL << 7)
#define KPF_BUDDY (1UL << 10)
#define KPF_MMAP (1UL << 11)
#define KPF_ANON (1UL << 12)
#define KPF_SWAPBACKED (1UL << 14)
#define KPF_COMPOUND_TAIL (1UL << 16)
#define KPF_NOPAGE (1UL << 20)
#define KPF_LRU (1UL << 5)
#define KPF_PGTABLE (1UL << 26)

/* Linux: struct page array with nokaslr, and fields of struct slab and struct kmem_cache. */
#define VMEMMAP 0xffffea0000000000UL
#define DIRECT_MAP 0xffff888000000000UL
#define PAGE_STRUCT 64
#define SLAB_CACHE_AT 24
#define CACHE_SIZE_AT 24
#define CACHE_NAME_AT 96

/* A hash of what was last said of each frame. */
static uint64_t known[FRAMES_MAX];

static uint64_t
hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash;
}

/* Prints the line "FIRST COUNT TEXT" if it is news of one of its frames. */
static void
tell(unsigned long first, unsigned long count, const char *text)
{
	uint64_t hash = hash_of(text);
	bool news = false;

	for (unsigned long i = first; i < first + count && i < FRAMES_MAX; i++) {
		news |= known[i] != hash;
		known[i] = hash;
	}
	if (news)
		printf("frames %lx %lx %s\n", first, count, text);
}

static void
tell_tessera(FILE *f)
{
	unsigned long first, count;
	char line[160], text[128];

	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%lx %lx %127[^\n]", &first, &count, text) == 3)
			tell(first, count, text);
}

/* --- Linux --- */

static int kcore = -1;
static Elf64_Phdr segments[32];
static unsigned int nr_segments;

static void
kcore_open(void)
{
	Elf64_Ehdr head;

	kcore = open("/proc/kcore", O_RDONLY);
	if (kcore < 0 || pread(kcore, &head, sizeof(head), 0) != sizeof(head))
		return;
	nr_segments = head.e_phnum < array_size(segments) ? head.e_phnum : array_size(segments);
	if (pread(kcore, segments, nr_segments * sizeof(*segments), head.e_phoff) < 0)
		nr_segments = 0;
}

/* Reads kernel memory; false: it is not there. */
static bool
kcore_read(unsigned long address, void *to, size_t n)
{
	for (unsigned int i = 0; i < nr_segments; i++) {
		const Elf64_Phdr *p = &segments[i];

		if (p->p_type == PT_LOAD && address >= p->p_vaddr &&
		    address + n <= p->p_vaddr + p->p_memsz)
			return pread(kcore, to, n, p->p_offset + (address - p->p_vaddr)) ==
			       (ssize_t)n;
	}
	return false;
}

static unsigned long
symbol_address(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long address, found = 0;
	char line[256], symbol[128];

	while (f != NULL && found == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%lx %*c %127s", &address, symbol) == 2 &&
		    strcmp(symbol, name) == 0)
			found = address;
	if (f != NULL)
		fclose(f);
	return found;
}

static void
tell_percpu(void)
{
	unsigned long offsets[CPUS], at = symbol_address("__per_cpu_offset");

	if (at == 0 || !kcore_read(at, offsets, sizeof(offsets)))
		return;
	for (unsigned int i = 0; i < CPUS; i++)
		printf("percpu %u %lx\n", i, offsets[i]);
}

/* "slab CACHE SLOT OBJECTS" of the slab that begins at a frame. */
static void
slab_text(unsigned long frame, char *text, size_t size)
{
	unsigned long cache, name;
	char cache_name[64] = "?";
	unsigned int slot = 0;

	if (kcore_read(VMEMMAP + frame * PAGE_STRUCT + SLAB_CACHE_AT, &cache, sizeof(cache)) &&
	    kcore_read(cache + CACHE_SIZE_AT, &slot, sizeof(slot)) &&
	    kcore_read(cache + CACHE_NAME_AT, &name, sizeof(name)))
		kcore_read(name, cache_name, sizeof(cache_name) - 1);
	cache_name[strcspn(cache_name, " \n")] = '\0';
	snprintf(text, size, "slab %s %u %lx", cache_name, slot, frame * PAGE);
}

static const char *
kind_of(uint64_t flags)
{
	if (flags & KPF_NOPAGE)
		return "reserved";
	if (flags & KPF_BUDDY)
		return "free";
	if (flags & KPF_PGTABLE)
		return "table";
	if (flags & KPF_ANON)
		return "anon";
	if ((flags & KPF_LRU) && (flags & KPF_SWAPBACKED))
		return "shmem";
	return flags & KPF_LRU ? "cache" : "kernel";
}

static void
tell_linux(void)
{
	static uint64_t flags[FRAMES_MAX];
	int fd = open("/proc/kpageflags", O_RDONLY);
	ssize_t got = read(fd, flags, sizeof(flags));
	unsigned long n = got > 0 ? (unsigned long)got / sizeof(*flags) : 0, end;
	char text[128];

	close(fd);
	for (unsigned long i = 0; i < n; i = end) {
		bool slab = flags[i] & KPF_SLAB;

		end = i + 1;
		if (slab) {
			while (end < n && (flags[end] & KPF_SLAB) &&
			       (flags[end] & KPF_COMPOUND_TAIL))
				end++;
			slab_text(i, text, sizeof(text));
		} else {
			snprintf(text, sizeof(text), "%s", kind_of(flags[i]));
			while (end < n && !(flags[end] & KPF_SLAB) &&
			       strcmp(kind_of(flags[end]), text) == 0)
				end++;
		}
		tell(i, end - i, text);
	}
}

void
frames_print(void)
{
	FILE *f = fopen("/proc/tessera/frames", "r");

	if (f != NULL) {
		tell_tessera(f);
		fclose(f);
		return;
	}
	if (kcore < 0) {
		kcore_open();
		tell_percpu();
	}
	tell_linux();
}
