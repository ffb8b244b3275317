/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF programs: 64-bit, x86-64, static, position-independent or with an
 * interpreter (PT_INTERP).
 *
 * Model: an image is a file with its program headers. What can be refused without
 * harm is refused before exec_begin(); what only mapping shows (segments that
 * overlap, lie outside or do not fit) ends the process, as in Linux.
 *
 * A position-independent program with an interpreter goes to two thirds of the
 * address space, so that its heap has room; the interpreter (or a
 * position-independent program without one) goes where mmap puts it.
 *
 * See: System V gABI, chapter 5; elf(5); getauxval(3).
 */
#include "fs/binfmt_elf.h"
#include "fs/generic.h"
#include "kernel/task/task.h"
#include "kernel/uapi/mman.h"
#include "kernel/uapi/system.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define PHDRS_SIZE_MAX 4096
#define PIE_BASE (align_down(USER_END / 3 * 2, PAGE_SIZE))
/* 2^28 pages of room for the random place of a program. */
#define PIE_RANDOM_PAGES (1UL << 28)
#define BRK_RANDOM_PAGES (32UL << 20 >> PAGE_SHIFT)

static int
read_exact(struct file *f, void *buf, size_t n, u64 pos)
{
	s64 r = file_read_kernel(f, buf, n, pos);

	if (r < 0)
		return r;
	return (size_t)r == n ? 0 : -EIO;
}

/* Header and program headers: 0, -ENOEXEC for anything that is not ours, -ENOMEM. */
static int
image_read(struct elf_image *im)
{
	const struct elf64_header *h = &im->header;
	size_t size;

	if (memcmp(h->ident, ELF_MAGIC, ELF_MAGIC_SIZE) || h->machine != EM_X86_64)
		return -ENOEXEC;
	if (h->phentsize != sizeof(struct elf64_phdr) || !h->phnum)
		return -ENOEXEC;
	size = (size_t)h->phnum * sizeof(struct elf64_phdr);
	if (size > PHDRS_SIZE_MAX || h->phoff > S64_MAX - size)
		return -ENOEXEC;
	im->phdr = kvmalloc(size, GFP_KERNEL);
	if (!im->phdr)
		return -ENOMEM;
	return read_exact(im->file, im->phdr, size, h->phoff) ? -ENOEXEC : 0;
}

/* Can it be mapped at all? Of an interpreter this is asked when it is too late to refuse. */
static bool
image_loadable(const struct elf_image *im)
{
	return (im->header.type == ET_EXEC || im->header.type == ET_DYN) && im->file->ops->mmap;
}

static void
image_free(struct elf_image *im)
{
	kvfree(im->phdr);
	im->phdr = NULL;
}

static const struct elf64_phdr *
find_phdr(const struct elf_image *im, u32 type)
{
	for (u32 i = 0; i < im->header.phnum; i++) {
		if (im->phdr[i].type == type)
			return &im->phdr[i];
	}
	return NULL;
}

/* --- the interpreter's file --- */

static int
interp_name(struct elf_image *im, const struct elf64_phdr *ph, char **out)
{
	char *name;
	int err;

	if (ph->filesz > PATH_MAX || ph->filesz < 2)
		return -ENOEXEC;
	if (ph->offset > S64_MAX - PATH_MAX)
		return -EINVAL;
	name = kmalloc(ph->filesz, GFP_KERNEL);
	if (!name)
		return -ENOMEM;
	err = read_exact(im->file, name, ph->filesz, ph->offset);
	if (!err && name[ph->filesz - 1])
		err = -ENOEXEC;
	if (err) {
		kfree(name);
		return err;
	}
	*out = name;
	return 0;
}

/* Opens what PT_INTERP names into `in`; in->file stays NULL when there is none. */
static int
interp_open(struct elf_image *im, struct elf_image *in)
{
	const struct elf64_phdr *ph = find_phdr(im, PT_INTERP);
	struct file *f;
	char *name;
	int err;

	if (!ph)
		return 0;
	err = interp_name(im, ph, &name);
	if (err)
		return err;
	f = file_open_exec(AT_FDCWD, name, 0);
	kfree(name);
	if (is_err(f))
		return ptr_err(f);
	in->file = f;
	err = read_exact(f, &in->header, sizeof(in->header), 0);
	if (err)
		return err;
	err = image_read(in);
	return err == -ENOEXEC ? -ELIBBAD : err;
}

/* --- mapping --- */

static u32
segment_prot(const struct elf64_phdr *ph)
{
	return (ph->flags & PF_R ? PROT_READ : 0) | (ph->flags & PF_W ? PROT_WRITE : 0) |
	       (ph->flags & PF_X ? PROT_EXEC : 0);
}

/* Does the segment lie in the user's half, its parts in order? */
static bool
segment_sane(const struct elf64_phdr *ph, unsigned long bias)
{
	unsigned long at = bias + ph->vaddr;

	return ph->filesz <= ph->memsz && ph->memsz <= USER_END && at < USER_END &&
	       at <= USER_END - ph->memsz;
}

/* Page of the lowest segment; ~0: there is none. */
static unsigned long
lowest(const struct elf_image *im)
{
	unsigned long low = ~0UL;

	for (u32 i = 0; i < im->header.phnum; i++) {
		const struct elf64_phdr *ph = &im->phdr[i];

		if (ph->type == PT_LOAD)
			low = min(low, (unsigned long)align_down(ph->vaddr, PAGE_SIZE));
	}
	return low;
}

/* Bytes from there to the end of the highest; 0: there is none. */
static size_t
span(const struct elf_image *im)
{
	unsigned long low = lowest(im);
	unsigned long high = 0;

	for (u32 i = 0; i < im->header.phnum; i++) {
		const struct elf64_phdr *ph = &im->phdr[i];

		if (ph->type == PT_LOAD)
			high = max(high, (unsigned long)(ph->vaddr + ph->memsz));
	}
	return high > low ? high - low : 0;
}

static unsigned long
largest_align(const struct elf_image *im)
{
	unsigned long a = PAGE_SIZE;

	for (u32 i = 0; i < im->header.phnum; i++) {
		const struct elf64_phdr *ph = &im->phdr[i];

		if (ph->type == PT_LOAD && is_power_of_2(ph->align))
			a = max(a, (unsigned long)ph->align);
	}
	return a;
}

/* Maps what the file has of a segment. */
static int
map_file_part(struct elf_image *im, const struct elf64_phdr *ph, u32 flags)
{
	unsigned long at = im->bias + ph->vaddr;
	unsigned long skip = at & (PAGE_SIZE - 1);
	struct map_backing b = {.file = im->file, .offset = ph->offset - skip};
	long r;

	if (!ph->filesz)
		return 0;
	if (ph->offset < skip || (b.offset & (PAGE_SIZE - 1)) || ph->offset > S64_MAX - ph->filesz)
		return -EINVAL;
	r = space_map(current->space, at - skip, align_up(ph->filesz + skip, PAGE_SIZE),
		      segment_prot(ph), MAP_PRIVATE | flags, &b);
	return r < 0 ? r : 0;
}

/*
 * Zeroes behind the file's part to the end of its page (ld.so's first malloc() takes what lies
 * behind its own bss there), and maps zero pages up to the end of the segment. As in Linux these
 * may be read and written whatever the segment says.
 */
static int
map_bss(struct elf_image *im, const struct elf64_phdr *ph, u32 flags)
{
	unsigned long from = im->bias + ph->vaddr + ph->filesz;
	unsigned long to = im->bias + ph->vaddr + ph->memsz;
	unsigned long page = ph->filesz ? align_up(from, PAGE_SIZE) : align_down(from, PAGE_SIZE);
	long r;

	if (ph->memsz == ph->filesz)
		return 0;
	/* A part that may not be written keeps what the file has there. */
	if (ph->filesz && page > from && (ph->flags & PF_W) &&
	    clear_user((void __user *)from, page - from))
		return -EFAULT;
	if (align_up(to, PAGE_SIZE) <= page)
		return 0;
	r = space_map(current->space, page, align_up(to, PAGE_SIZE) - page,
		      segment_prot(ph) | PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | flags, NULL);
	return r < 0 ? r : 0;
}

/* Finds room for a position-independent image and sets its bias. */
static int
place(struct elf_image *im, bool has_interp)
{
	size_t size = span(im);
	unsigned long align = largest_align(im);
	unsigned long hint = 0;
	long r;

	im->bias = 0;
	if (!size)
		return -EINVAL;
	if (im->header.type != ET_DYN)
		return 0;
	if (has_interp)
		hint = align_down(PIE_BASE + exec_random_pages(PIE_RANDOM_PAGES), align);
	/* Reserves it, with room to align; the segments replace it. */
	size = align_up(size, PAGE_SIZE);
	r = space_map(current->space, hint, size + align - PAGE_SIZE, 0,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, NULL);
	if (r < 0 && !has_interp) {
		/* No space has room for that alignment. */
		align = PAGE_SIZE;
		r = space_map(current->space, 0, size, 0,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, NULL);
	}
	if (r < 0)
		return r;
	im->reserved = r;
	im->reserved_size = size + align - PAGE_SIZE;
	im->bias = align_up((unsigned long)r, align) - lowest(im);
	return 0;
}

/* Gives back what place() reserved and no segment covers. */
static void
trim(struct elf_image *im)
{
	unsigned long end = im->reserved + im->reserved_size;

	if (!im->reserved_size)
		return;
	if (im->low > im->reserved)
		space_unmap(current->space, im->reserved, im->low - im->reserved);
	if (end > align_up(im->high, PAGE_SIZE))
		space_unmap(current->space, align_up(im->high, PAGE_SIZE),
			    end - align_up(im->high, PAGE_SIZE));
}

static void
note_segment(struct elf_image *im, const struct elf64_phdr *ph)
{
	unsigned long at = im->bias + ph->vaddr;

	im->low = min(im->low, align_down(at, PAGE_SIZE));
	im->high = max(im->high, (unsigned long)(at + ph->memsz));
	if (ph->flags & PF_X) {
		im->start_code = min(im->start_code, at);
		im->end_code = max(im->end_code, (unsigned long)(at + ph->filesz));
	}
	im->start_data = max(im->start_data, at);
	im->end_data = max(im->end_data, (unsigned long)(at + ph->filesz));
}

/*
 * flags: how the first segment goes to its place. MAP_FIXED_NOREPLACE: nothing may
 * be there.
 */
static int
map_image(struct elf_image *im, bool has_interp, u32 flags)
{
	int err = place(im, has_interp);

	im->low = im->start_code = ~0UL;
	im->high = im->end_code = im->start_data = im->end_data = 0;
	for (u32 i = 0; i < im->header.phnum && !err; i++) {
		const struct elf64_phdr *ph = &im->phdr[i];

		if (ph->type != PT_LOAD || !ph->memsz)
			continue;
		if (!segment_sane(ph, im->bias))
			return -EINVAL;
		err = map_file_part(im, ph, flags);
		if (!err)
			err = map_bss(im, ph, flags);
		note_segment(im, ph);
		flags = MAP_FIXED;
	}
	if (!err && im->low > im->high)
		err = -EINVAL;
	if (!err)
		trim(im);
	return err;
}

/* --- putting it together --- */

/* Where the program headers lie in memory, for AT_PHDR; 0: in no segment. */
static unsigned long
phdr_address(const struct elf_image *im)
{
	u64 off = im->header.phoff;

	for (u32 i = 0; i < im->header.phnum; i++) {
		const struct elf64_phdr *ph = &im->phdr[i];

		if (ph->type == PT_LOAD && off >= ph->offset && off - ph->offset < ph->filesz)
			return im->bias + ph->vaddr + (off - ph->offset);
	}
	return 0;
}

static void
set_layout(const struct elf_image *im, bool has_interp)
{
	struct space_layout *l = space_layout(current->space);
	unsigned long brk = align_up(im->high, PAGE_SIZE);

	l->start_code = im->start_code == ~0UL ? im->low : im->start_code;
	l->end_code = im->end_code;
	l->start_data = im->start_data;
	l->end_data = im->end_data;
	/* A loader run by hand lies among the mappings: its heap would have no room there. */
	if (im->header.type == ET_DYN && !has_interp)
		brk = PIE_BASE;
	brk += exec_random_pages(BRK_RANDOM_PAGES);
	space_set_brk(current->space, brk);
}

static int
map_all(struct exec *x, struct elf_image *im, struct elf_image *in, struct elf_start *start)
{
	const struct elf64_phdr *gnu_stack = find_phdr(im, PT_GNU_STACK);
	bool executable = gnu_stack && (gnu_stack->flags & PF_X);
	int err = exec_map_stack(x, executable, &start->stack);

	if (!err)
		err = map_image(im, in->file != NULL,
				im->header.type == ET_DYN ? MAP_FIXED : MAP_FIXED_NOREPLACE);
	if (err)
		return err;
	set_layout(im, in->file != NULL);
	start->entry = im->bias + im->header.entry;
	start->ip = start->entry;
	start->phdr = phdr_address(im);
	start->phnum = im->header.phnum;
	if (in->file) {
		/* A fixed interpreter may replace the program, as in Linux. */
		err = image_loadable(in) ? map_image(in, false, MAP_FIXED) : -EINVAL;
		if (err)
			return err;
		start->base = in->bias;
		start->ip = in->bias + in->header.entry;
	}
	return start->ip < USER_END ? 0 : -EINVAL;
}

static int
start_program(struct exec *x, struct elf_image *im, struct elf_image *in)
{
	struct elf_start start = {0};
	unsigned long sp;
	int err = exec_begin(x);

	if (!err)
		err = map_all(x, im, in, &start);
	if (!err)
		err = elf_make_stack(x, &start, &sp);
	if (!err)
		exec_start_thread(start.ip, sp);
	return err;
}

static int
load_elf(struct exec *x)
{
	struct elf_image im = {.file = x->file};
	struct elf_image in = {0};
	int err;

	memcpy(&im.header, x->buf, sizeof(im.header));
	err = image_loadable(&im) ? image_read(&im) : -ENOEXEC;
	if (!err)
		err = interp_open(&im, &in);
	if (!err)
		err = start_program(x, &im, &in);
	/* The file stays mapped; it may be written again, as in Linux. */
	if (in.file)
		file_put_exec(in.file);
	image_free(&in);
	image_free(&im);
	return err;
}

REGISTER(binfmts)
static const struct binfmt elf_format = {
	.name = "elf",
	.load = load_elf,
};
