/* SPDX-License-Identifier: BSD-2-Clause */
/* /dev/null, zero, full, random, urandom. There is no /dev/mem and no /dev/port. */
#include "kernel/file.h"

#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/init.h"
#include "kernel/port_fs.h"
#include "kernel/random.h"
#include "kernel/signal/signal.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

#define RNDGETENTCNT 0x80045200
#define RNDADDTOENTCNT 0x40045201
#define RNDADDENTROPY 0x40085203
#define RNDZAPENTCNT 0x5204
#define RNDCLEARPOOL 0x5206
#define RNDRESEEDCRNG 0x5207

/* Bits that the generator has once it is seeded. */
#define POOL_BITS 256

/* Bytes moved before a signal is looked for. */
#define SIGNAL_STEP 4096u

static s64
null_read(struct file *f, struct iter *to, u64 *pos)
{
	return 0;
}

/* Memory is not even looked at. */
static s64
null_write(struct file *f, struct iter *from, u64 *pos)
{
	return (s64)iter_left(from);
}

static s64
null_seek(struct file *f, s64 offset, int whence)
{
	f->pos = 0;
	return 0;
}

static s64
zero_read(struct file *f, struct iter *to, u64 *pos)
{
	s64 done = 0;

	while (iter_left(to)) {
		size_t want = min(iter_left(to), (size_t)SIGNAL_STEP), n = iter_zero(to, want);

		done += (s64)n;
		if (n < want)
			return done ? done : -EFAULT;
		if (signal_pending())
			break;
	}
	return done;
}

/* Private or shared, it is anonymous memory. */
static int
zero_mmap(struct file *f, struct map_request *req)
{
	return 0;
}

static s64
full_write(struct file *f, struct iter *from, u64 *pos)
{
	return -ENOSPC;
}

/* --- random --- */

static s64
random_read(struct file *f, struct iter *to, u64 *pos)
{
	u8 buf[256];
	s64 done = 0;

	while (iter_left(to)) {
		size_t want = min(iter_left(to), sizeof(buf)), n;

		random_bytes(buf, want);
		n = iter_copy_to(to, buf, want);
		done += (s64)n;
		if (n < want) {
			done = done ? done : -EFAULT;
			break;
		}
		if (done % SIGNAL_STEP == 0 && signal_pending())
			break;
	}
	mem_wipe(buf, sizeof(buf));
	return done;
}

static s64
random_write(struct file *f, struct iter *from, u64 *pos)
{
	u8 buf[256];
	s64 done = 0;

	while (iter_left(from)) {
		size_t want = min(iter_left(from), sizeof(buf)),
		       n = iter_copy_from(buf, from, want);

		random_add(buf, n);
		done += (s64)n;
		if (n < want) {
			done = done ? done : -EFAULT;
			break;
		}
		if (done % SIGNAL_STEP == 0 && signal_pending())
			break;
	}
	mem_wipe(buf, sizeof(buf));
	return done;
}

static s64
random_seek(struct file *f, s64 offset, int whence)
{
	return (s64)f->pos;
}

/* struct rand_pool_info: bits of entropy, size, bytes. */
static long
add_entropy(struct file *f, const int __user *u)
{
	struct iter it;
	int bits, size, err;
	s64 n;

	if (get_user(bits, u) || get_user(size, u + 1))
		return -EFAULT;
	if (bits < 0)
		return -EINVAL;
	err = iter_init_user(&it, (void __user *)(u + 2), (size_t)max(size, 0));
	if (err)
		return err;
	n = random_write(f, &it, NULL);
	return n < 0 ? n : n == size ? 0 : -EFAULT;
}

static long
add_count(const int __user *u)
{
	int bits;

	if (get_user(bits, u))
		return -EFAULT;
	return bits < 0 ? -EINVAL : 0;
}

static long
random_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	int __user *u = (int __user *)arg;

	if (cmd == RNDGETENTCNT)
		return put_user(POOL_BITS, u);
	switch (cmd) {
	case RNDADDTOENTCNT:
	case RNDADDENTROPY:
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
	case RNDRESEEDCRNG:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		break;
	default:
		return -EINVAL;
	}
	if (cmd == RNDADDENTROPY)
		return add_entropy(f, u);
	/* The count of bits never falls once the generator is seeded (Linux since 5.18). */
	return cmd == RNDADDTOENTCNT ? add_count(u) : 0;
}

static u32
random_poll(struct file *f, struct poll_table *pt)
{
	return POLLIN | POLLRDNORM;
}

static const struct file_ops null_ops = {
	.name = "null",
	.read = null_read,
	.write = null_write,
	.seek = null_seek,
};
static const struct file_ops zero_ops = {
	.name = "zero",
	.read = zero_read,
	.write = null_write,
	.seek = null_seek,
	.mmap = zero_mmap,
};
static const struct file_ops full_ops = {
	.name = "full",
	.read = zero_read,
	.write = full_write,
	.seek = null_seek,
};
static const struct file_ops random_ops = {
	.name = "random",
	.read = random_read,
	.write = random_write,
	.seek = random_seek,
	.poll = random_poll,
	.ioctl = random_ioctl,
};
static const struct file_ops urandom_ops = {
	.name = "urandom",
	.read = random_read,
	.write = random_write,
	.seek = random_seek,
	.ioctl = random_ioctl,
};

#define MEM_MAJOR 1

static int
mem_init(void)
{
	static const struct {
		const char *name;
		u32 minor;
		const struct file_ops *ops;
	} devices[] = {
		{"null", 3, &null_ops},	    {"zero", 5, &zero_ops},	  {"full", 7, &full_ops},
		{"random", 8, &random_ops}, {"urandom", 9, &urandom_ops},
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(devices) && !err; i++)
		err = dev_register(devices[i].name, 0666, MEM_MAJOR, devices[i].minor,
				   devices[i].ops);
	return err;
}
INITCALL(INIT_DRIVER, mem_init);
