/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/maps, smaps, smaps_rollup. One mapping is one record; its end is the next position. */
#include "fs/proc/pid.h"

#include "fs/namei.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/space.h"

/* Where the name of a mapping begins on its line. */
#define NAME_COLUMN 73
#define KB(pages) ((pages) * (PAGE_SIZE / 1024))

/* What the callback of one record works with. */
struct record {
	struct seq *s;
	/* of PATH_MAX */
	char *name;
	bool smaps;
	bool found;
	unsigned long end;
};

static void
show_name(struct record *r, const struct map_info *mi)
{
	const char *name = mi->name;

	if (mi->file) {
		name = file_name(mi->file, r->name, PATH_MAX);
		if (is_err(name))
			name = "?";
	}
	if (name) {
		seq_pad(r->s, NAME_COLUMN);
		for (; *name; name++) {
			if (*name == '\n')
				seq_puts(r->s, "\\012");
			else
				seq_putc(r->s, *name);
		}
	}
	seq_putc(r->s, '\n');
}

static void
show_line(struct record *r, const struct map_info *mi)
{
	const struct inode *i = mi->file ? mi->file->inode : NULL;
	u32 dev = i ? i->sb->dev : 0;

	seq_printf(r->s, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", mi->start, mi->end,
		   mi->prot & PROT_READ ? 'r' : '-', mi->prot & PROT_WRITE ? 'w' : '-',
		   mi->prot & PROT_EXEC ? 'x' : '-', mi->shared ? 's' : 'p', i ? mi->offset : 0,
		   DEV_MAJOR(dev), DEV_MINOR(dev), i ? i->ino : 0);
	show_name(r, mi);
}

/* --- smaps --- */

static void
show_kb(struct seq *s, const char *name, u64 kb)
{
	size_t n = strlen(name);

	seq_puts(s, name);
	seq_putc(s, ':');
	for (; n < 15; n++)
		seq_putc(s, ' ');
	seq_printf(s, "%8lu kB\n", kb);
}

/* Sums of one mapping, or of all. */
static void
show_counts(struct seq *s, const struct map_info *mi, u64 locked, bool rollup)
{
	u64 pss = mi->pss_4096ths / 1024;

	show_kb(s, "Rss", KB(mi->rss));
	show_kb(s, "Pss", pss);
	show_kb(s, "Pss_Dirty", min(pss, KB(mi->private_dirty + mi->shared_dirty)));
	if (rollup) {
		u64 anon = min(pss, KB(mi->anonymous));

		show_kb(s, "Pss_Anon", anon);
		show_kb(s, "Pss_File", pss - anon);
		show_kb(s, "Pss_Shmem", 0);
	}
	show_kb(s, "Shared_Clean", KB(mi->shared_clean));
	show_kb(s, "Shared_Dirty", KB(mi->shared_dirty));
	show_kb(s, "Private_Clean", KB(mi->private_clean));
	show_kb(s, "Private_Dirty", KB(mi->private_dirty));
	show_kb(s, "Referenced", KB(mi->referenced));
	show_kb(s, "Anonymous", KB(mi->anonymous));
	show_kb(s, "LazyFree", 0);
	show_kb(s, "AnonHugePages", KB(mi->anon_huge));
	show_kb(s, "ShmemPmdMapped", 0);
	show_kb(s, "FilePmdMapped", 0);
	show_kb(s, "Shared_Hugetlb", 0);
	show_kb(s, "Private_Hugetlb", 0);
	show_kb(s, "Swap", KB(mi->swap));
	show_kb(s, "SwapPss", KB(mi->swap));
	show_kb(s, "Locked", locked);
}

static void
show_flags(struct seq *s, const struct map_info *mi)
{
	static const struct {
		u32 flag;
		const char *name;
	} names[] = {
		{MAPPING_GROWSDOWN, "gd "},  {MAPPING_UFFD_MISSING, "um "},
		{MAPPING_SPECIAL, "pf "},    {MAPPING_UFFD_WP, "uw "},
		{MAPPING_LOCKED, "lo "},     {MAPPING_SEQ_READ, "sr "},
		{MAPPING_RAND_READ, "rr "},  {MAPPING_DONTFORK, "dc "},
		{MAPPING_SPECIAL, "de "},    {MAPPING_ACCOUNT, "ac "},
		{MAPPING_NORESERVE, "nr "},  {MAPPING_WIPEONFORK, "wf "},
		{MAPPING_DONTDUMP, "dd "},   {MAPPING_HUGE, "hg "},
		{MAPPING_NOHUGE, "nh "},     {MAPPING_MERGEABLE, "mg "},
		{MAPPING_UFFD_MINOR, "ui "},
	};

	seq_printf(s, "THPeligible:    %d\n", !mi->file && mi->end - mi->start >= LARGE_SIZE);
	if (space_has_pkeys())
		seq_printf(s, "ProtectionKey:  %8u\n", mi->pkey);
	seq_puts(s, "VmFlags: ");
	seq_puts(s, mi->prot & PROT_READ ? "rd " : "");
	seq_puts(s, mi->prot & PROT_WRITE ? "wr " : "");
	seq_puts(s, mi->prot & PROT_EXEC ? "ex " : "");
	seq_puts(s, mi->shared ? "sh " : "");
	seq_puts(s, mi->max_prot & PROT_READ ? "mr " : "");
	seq_puts(s, mi->max_prot & PROT_WRITE ? "mw " : "");
	seq_puts(s, mi->max_prot & PROT_EXEC ? "me " : "");
	seq_puts(s, mi->shared ? "ms " : "");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mi->vm_flags & names[i].flag)
			seq_puts(s, names[i].name);
	seq_putc(s, '\n');
}

static int
show_one(const struct map_info *mi, void *ctx)
{
	struct record *r = ctx;

	show_line(r, mi);
	if (r->smaps) {
		show_kb(r->s, "Size", (mi->end - mi->start) / 1024);
		show_kb(r->s, "KernelPageSize", PAGE_SIZE / 1024);
		show_kb(r->s, "MMUPageSize", PAGE_SIZE / 1024);
		show_counts(r->s, mi, mi->locked ? mi->pss_4096ths / 1024 : 0, false);
		show_flags(r->s, mi);
	}
	r->found = true;
	r->end = mi->end;
	return 1;
}

static int
show_at(struct seq *s, struct space *space, u64 *pos, bool smaps)
{
	struct record r = {.s = s, .smaps = smaps};
	int err;

	r.name = kmalloc(PATH_MAX, GFP_KERNEL);
	err = r.name ? space_for_each(space, *pos, smaps, show_one, &r) : -ENOMEM;
	kfree(r.name);
	if (err < 0)
		return err;
	if (!r.found)
		return 1;
	*pos = r.end;
	return 0;
}

int
pid_show_maps(struct seq *s, struct space *space, u64 *pos)
{
	return show_at(s, space, pos, false);
}

int
pid_show_smaps(struct seq *s, struct space *space, u64 *pos)
{
	return show_at(s, space, pos, true);
}

/* --- smaps_rollup --- */

struct rollup {
	struct map_info sum;
	u64 locked;
};

static int
add_one(const struct map_info *mi, void *ctx)
{
	struct rollup *r = ctx;
	struct map_info *sum = &r->sum;

	if (!sum->end)
		sum->start = mi->start;
	sum->end = mi->end;
	sum->rss += mi->rss;
	sum->pss_4096ths += mi->pss_4096ths;
	sum->shared_clean += mi->shared_clean;
	sum->shared_dirty += mi->shared_dirty;
	sum->private_clean += mi->private_clean;
	sum->private_dirty += mi->private_dirty;
	sum->referenced += mi->referenced;
	sum->anonymous += mi->anonymous;
	sum->anon_huge += mi->anon_huge;
	sum->swap += mi->swap;
	if (mi->locked)
		r->locked += mi->pss_4096ths / 1024;
	return 0;
}

int
pid_show_smaps_rollup(struct seq *s, struct space *space, u64 *pos)
{
	struct rollup r = {0};
	int err;

	if ((*pos)++)
		return 1;
	err = space_for_each(space, 0, true, add_one, &r);
	if (err)
		return err;
	seq_printf(s, "%08lx-%08lx ---p 00000000 00:00 0", r.sum.start, r.sum.end);
	seq_pad(s, NAME_COLUMN);
	seq_puts(s, "[rollup]\n");
	show_counts(s, &r.sum, r.locked, true);
	return 0;
}
