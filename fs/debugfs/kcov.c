/* SPDX-License-Identifier: BSD-2-Clause */
/* debugfs: kcov, by which a task asks what code it runs (kernel/check/kcov.c tells the model). */
#include "kernel/check/kcov.h"

#include "fs/debugfs/debugfs.h"
#include "fs/memfd.h"
#include "kernel/signal/signal.h"
#include "kernel/uapi/fcntl.h"
#include "mm/slab.h"

/* _IOR('c', 1, unsigned long), _IO('c', 100), _IO('c', 101) */
#define IOC_INIT_TRACE 0x80086301u
#define IOC_ENABLE 0x6364u
#define IOC_DISABLE 0x6365u

/* Arguments of KCOV_ENABLE. */
#define ARG_TRACE_PC 0
#define ARG_TRACE_CMP 1

#define SIZE_MIN 2u
#define SIZE_MAX_WORDS (INT32_MAX / sizeof(u64))

/* All pages of the memory, which stay where they are; NULL: no memory. */
static u64 **
pages_get(struct file *memory, size_t n)
{
	u64 **words = kvmalloc(n * sizeof(*words), GFP_KERNEL);

	if (!words)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct page *p = pagecache_get(memory->cache, i);

		if (is_err(p) || fatal_signal_pending()) {
			if (!is_err(p))
				page_put(p);
			kcov_pages_put(words, i);
			return NULL;
		}
		words[i] = page_to_virt(p);
	}
	return words;
}

static long
init_trace(struct kcov *k, unsigned long size)
{
	size_t bytes, n;
	struct file *memory;
	u64 **words;
	long err;

	if (size < SIZE_MIN || size > SIZE_MAX_WORDS)
		return -EINVAL;
	bytes = size * sizeof(u64);
	n = div_round_up(bytes, (size_t)PAGE_SIZE);
	if (n > pages_total())
		return -ENOMEM;
	memory = memfd_file("kcov", n * PAGE_SIZE, F_SEAL_SEAL);
	if (is_err(memory))
		return ptr_err(memory);
	words = pages_get(memory, n);
	if (!words) {
		file_put(memory);
		return -ENOMEM;
	}
	err = kcov_init_trace(k, memory, words, (u32)size);
	if (err) {
		kcov_pages_put(words, n);
		file_put(memory);
	}
	return err;
}

static long
kcov_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct kcov *k = f->private;

	switch (cmd) {
	case IOC_INIT_TRACE:
		return init_trace(k, arg);
	case IOC_ENABLE:
		if (arg > ARG_TRACE_CMP)
			return -EINVAL;
		return kcov_enable(k, arg == ARG_TRACE_PC ? KCOV_TRACE_PC : KCOV_TRACE_CMP);
	case IOC_DISABLE:
		return arg ? -EINVAL : kcov_disable(k);
	default:
		return -ENOTTY;
	}
}

/* The whole memory, or nothing. */
static int
kcov_mmap(struct file *f, struct map_request *req)
{
	u32 size;
	struct file *memory = kcov_memory(f->private, &size);

	if (!memory || req->offset != 0 ||
	    align_up(req->len, (size_t)PAGE_SIZE) != size * sizeof(u64))
		return -EINVAL;
	req->cache = memory->cache;
	return 0;
}

static void
kcov_release(struct file *f)
{
	kcov_put(f->private);
}

static const struct file_ops kcov_fops = {
	.name = "kcov",
	.ioctl = kcov_ioctl,
	.mmap = kcov_mmap,
	.release = kcov_release,
};

static int
kcov_open(struct inode *i, struct file *f)
{
	struct kcov *k = kcov_alloc();

	if (!k)
		return -ENOMEM;
	f->private = k;
	f->ops = &kcov_fops;
	f->mode &= ~(FMODE_SEEK | FMODE_ATOMIC_POS);
	return 0;
}

static int
kcov_setattr(struct dentry *d, struct iattr *a)
{
	return pseudo_file_ops.setattr(d, a);
}

static const struct inode_ops kcov_ops = {.open = kcov_open, .setattr = kcov_setattr};

REGISTER(debugfs_entries)
static const struct debugfs_entry kcov_entry = {"kcov", 0600, &kcov_ops};
