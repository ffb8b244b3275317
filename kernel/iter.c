/* SPDX-License-Identifier: BSD-2-Clause */
/* Moving bytes between handles and their callers' memory (iter.h). */
#include "kernel/iter.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

int
iter_init_user(struct iter *it, void __user *buf, size_t n)
{
	if (!user_range_ok(buf, 0))
		return -EFAULT;
	/* What lies beyond user space faults when it is reached. */
	n = min(min(n, IO_MAX), USER_END - (unsigned long __force)buf);
	it->kernel = false;
	it->nowait = false;
	it->left = n;
	it->offset = 0;
	it->one.base = buf;
	it->one.len = n;
	it->iov = &it->one;
	it->nr = 1;
	return 0;
}

void
iter_init_kernel(struct iter *it, void *buf, size_t n)
{
	it->kernel = true;
	it->nowait = false;
	it->left = n;
	it->offset = 0;
	it->one.base = (void __user __force *)buf;
	it->one.len = n;
	it->iov = &it->one;
	it->nr = 1;
}

/* Checks each range and cuts the total at IO_MAX. */
static int
iov_check(struct iter *it, struct iovec *iov, unsigned long n)
{
	size_t total = 0;
	unsigned long i;

	for (i = 0; i < n; i++) {
		if ((s64)iov[i].len < 0)
			return -EINVAL;
		if (!user_range_ok(iov[i].base, iov[i].len))
			return -EFAULT;
		iov[i].len = min(iov[i].len, IO_MAX - total);
		total += iov[i].len;
	}
	it->kernel = false;
	it->nowait = false;
	it->left = total;
	it->offset = 0;
	it->iov = iov;
	it->nr = (u32)n;
	return 0;
}

int
iter_init_user_iov(struct iter *it, const struct iovec __user *uiov, unsigned long n,
		   struct iovec *fast, struct iovec **to_free)
{
	struct iovec *iov = fast;
	int err;

	*to_free = NULL;
	if (n > IOV_MAX)
		return -EINVAL;
	if (n > IOV_FAST) {
		iov = kcalloc(n, sizeof(*iov), GFP_KERNEL);
		if (!iov)
			return -ENOMEM;
		*to_free = iov;
	}
	err = copy_from_user(iov, uiov, n * sizeof(*iov));
	if (!err)
		err = iov_check(it, iov, n);
	if (err) {
		kfree(*to_free);
		*to_free = NULL;
	}
	return err;
}

/* The longest run from here that one copy can serve; 0 at the end. */
static size_t
iter_run(struct iter *it, void __user **p, size_t n)
{
	while (it->nr && it->offset == it->iov->len) {
		it->iov++;
		it->nr--;
		it->offset = 0;
	}
	if (!it->nr)
		return 0;
	*p = (char __user *)it->iov->base + it->offset;
	return min(min(n, it->left), it->iov->len - it->offset);
}

static void
iter_advance(struct iter *it, size_t n)
{
	it->offset += n;
	it->left -= n;
}

size_t
iter_copy_to(struct iter *to, const void *src, size_t n)
{
	size_t done = 0, run, missed = 0;
	void __user *p;

	while (done < n && !missed && (run = iter_run(to, &p, n - done)) > 0) {
		if (to->kernel)
			memcpy((void __force *)p, (const char *)src + done, run);
		else
			missed = copy_to_user_partial(p, (const char *)src + done, run);
		iter_advance(to, run - missed);
		done += run - missed;
	}
	return done;
}

size_t
iter_copy_from(void *dst, struct iter *from, size_t n)
{
	size_t done = 0, run, missed = 0;
	void __user *p;

	while (done < n && !missed && (run = iter_run(from, &p, n - done)) > 0) {
		if (from->kernel)
			memcpy((char *)dst + done, (void __force *)p, run);
		else
			missed = copy_from_user_partial((char *)dst + done, p, run);
		iter_advance(from, run - missed);
		done += run - missed;
	}
	return done;
}

size_t
iter_zero(struct iter *to, size_t n)
{
	size_t done = 0, run;
	void __user *p;

	while (done < n && (run = iter_run(to, &p, n - done)) > 0) {
		if (to->kernel)
			memset((void __force *)p, 0, run);
		else if (clear_user(p, run))
			break;
		iter_advance(to, run);
		done += run;
	}
	return done;
}

void
iter_revert(struct iter *it, size_t n)
{
	it->left += n;
	while (n > it->offset) {
		n -= it->offset;
		it->iov--;
		it->nr++;
		it->offset = it->iov->len;
	}
	it->offset -= n;
}

int
iter_fault_in(struct iter *it, size_t n)
{
	void __user *p;
	size_t run = iter_run(it, &p, n), at;
	u8 byte;

	if (it->kernel || run == 0)
		return 0;
	for (at = 0; at < run; at += PAGE_SIZE)
		if (get_user(byte, (u8 __user *)p + at))
			return -EFAULT;
	return get_user(byte, (u8 __user *)p + run - 1);
}
