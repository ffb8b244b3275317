/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages on their way, of both kinds of queues. */
#include "ipc/message.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

struct message *
message_alloc(size_t n)
{
	struct message *m = kvmalloc(sizeof(*m) + n, GFP_KERNEL);

	if (!m)
		return NULL;
	m->size = n;
	return m;
}

struct message *
message_load(const void __user *text, size_t n)
{
	struct message *m = message_alloc(n);

	if (!m)
		return err_ptr(-ENOMEM);
	if (copy_from_user(m->text, text, n)) {
		message_free(m);
		return err_ptr(-EFAULT);
	}
	return m;
}

struct message *
message_copy(struct message *to, const struct message *from)
{
	if (from->size > to->size)
		return err_ptr(-EINVAL);
	to->type = from->type;
	to->size = from->size;
	memcpy(to->text, from->text, from->size);
	return to;
}

void
message_free(struct message *m)
{
	kvfree(m);
}
