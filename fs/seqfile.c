/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading text that is made on demand. (fs/seqfile.h tells the model.) */
#include "fs/seqfile.h"
#include "fs/generic.h"
#include "kernel/handle/handle.h"
#include "kernel/uapi/fcntl.h"
#include "lib/string.h"
#include "mm/slab.h"

/* A record larger than this is -ENOMEM; so is a text for seq_collect(). */
#define RECORD_MAX (64UL << 20)
#define WRITE_MAX PAGE_SIZE

__maybe_unused static LOCK_CLASS(seqfile_class, RANK_FILE_POS + 1);

struct seqfile {
	const struct seq_source *src;
	void *data;
	struct mutex mutex;
	/* (mutex)  text that was made and not read yet: seq.buf[from .. seq.len) */
	struct seq seq;
	size_t from;
	/* (mutex)  the record behind it, and the position in the file of seq.buf[from] */
	u64 record;
	u64 pos;
	bool end;
};

static struct seqfile *
seqfile_of(const struct file *f)
{
	return f->private;
}

void *
seqfile_data(struct file *f)
{
	return seqfile_of(f)->data;
}

int
seqfile_open(struct file *f, const struct seq_source *src, void *data)
{
	struct seqfile *sf = kzalloc(sizeof(*sf), GFP_KERNEL);

	if (!sf)
		return -ENOMEM;
	sf->src = src;
	sf->data = data;
	sf->seq.private = data;
	mutex_init(&sf->mutex, &seqfile_class);
	f->private = sf;
	f->ops = &seqfile_ops;
	f->mode |= FMODE_SEEK | FMODE_PREAD | FMODE_PWRITE;
	return 0;
}

static int
grow(struct seq *s, size_t want)
{
	size_t size = max(s->size * 2, PAGE_SIZE);
	char *buf;

	while (size < want)
		size *= 2;
	if (size > RECORD_MAX)
		return -ENOMEM;
	buf = kvmalloc(size, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (s->buf)
		memcpy(buf, s->buf, min(s->len, s->size));
	kvfree(s->buf);
	s->buf = buf;
	s->size = size;
	return 0;
}

/* Makes one record behind what is in s: 0, 1: no more, -Exxx. */
static int
make_record(struct seq *s, int (*show)(struct seq *s, u64 *pos), u64 *record)
{
	size_t start = s->len;

	for (;;) {
		u64 next = *record;
		size_t want;
		int r;

		s->len = start;
		r = show(s, &next);
		want = s->len;
		if (r || want <= s->size) {
			if (r)
				s->len = start;
			*record = next;
			return r;
		}
		s->len = start;
		r = grow(s, want);
		if (r)
			return r;
	}
}

/* Makes text until there is some, and further records while they fit a page. */
static int
fill(struct seqfile *sf)
{
	struct seq *s = &sf->seq;
	int r = 0;

	s->len = 0;
	sf->from = 0;
	while (!sf->end && s->len < PAGE_SIZE / 2) {
		r = make_record(s, sf->src->show, &sf->record);
		if (r)
			break;
	}
	if (r == 1)
		sf->end = true;
	/* An error behind good text is reported by the next read. */
	return r < 0 && !s->len ? r : 0;
}

static int
restart(struct seqfile *sf, u64 pos)
{
	int err;

	sf->record = 0;
	sf->pos = 0;
	sf->end = false;
	sf->seq.len = sf->from = 0;
	while (sf->pos < pos) {
		size_t n;

		err = fill(sf);
		if (err)
			return err;
		if (!sf->seq.len) {
			sf->pos = pos;
			break;
		}
		n = min((u64)sf->seq.len, pos - sf->pos);
		sf->from = n;
		sf->pos += n;
	}
	return 0;
}

static s64
read_locked(struct seqfile *sf, struct iter *to, u64 *pos)
{
	struct seq *s = &sf->seq;
	s64 done = 0;
	int err = 0;

	if (*pos != sf->pos || !*pos)
		err = restart(sf, *pos);
	while (!err && iter_left(to)) {
		size_t n, moved;

		if (sf->from == s->len) {
			/* Whole records only as far as the buffer has room. */
			if (done && sf->end)
				break;
			err = fill(sf);
			if (err || !s->len)
				break;
		}
		n = min(s->len - sf->from, iter_left(to));
		moved = iter_copy_to(to, s->buf + sf->from, n);
		sf->from += moved;
		sf->pos += moved;
		done += moved;
		if (moved < n)
			err = -EFAULT;
	}
	*pos = sf->pos;
	return done ? done : err;
}

static s64
seqfile_read(struct file *f, struct iter *to, u64 *pos)
{
	struct seqfile *sf = seqfile_of(f);
	s64 r;

	if (!sf->src->show)
		return -EINVAL;
	mutex_lock(&sf->mutex);
	r = read_locked(sf, to, pos);
	mutex_unlock(&sf->mutex);
	return r;
}

static s64
seqfile_write(struct file *f, struct iter *from, u64 *pos)
{
	struct seqfile *sf = seqfile_of(f);
	size_t n = min(iter_left(from), WRITE_MAX);
	char *text;
	s64 r;

	if (!sf->src->write)
		return -EIO;
	text = kmalloc(n + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	if (iter_copy_from(text, from, n) != n) {
		kfree(text);
		return -EFAULT;
	}
	text[n] = '\0';
	r = sf->src->write(f, sf->data, text, n);
	kfree(text);
	if (r > 0)
		*pos += r;
	return r;
}

static s64
seqfile_seek(struct file *f, s64 off, int whence)
{
	if (whence == SEEK_END)
		return -EINVAL;
	return seek_simple(f, off, whence, 0, S64_MAX);
}

static u32
seqfile_poll(struct file *f, struct poll_table *pt)
{
	struct seqfile *sf = seqfile_of(f);

	return sf->src->poll ? sf->src->poll(f, sf->data, pt) : POLL_DEFAULT;
}

static void
seqfile_release(struct file *f)
{
	struct seqfile *sf = seqfile_of(f);

	if (sf->src->release)
		sf->src->release(f, sf->data);
	kvfree(sf->seq.buf);
	kfree(sf);
}

const struct file_ops seqfile_ops = {
	.plain = true,
	.name = "seq",
	.read = seqfile_read,
	.write = seqfile_write,
	.seek = seqfile_seek,
	.poll = seqfile_poll,
	.release = seqfile_release,
};

char *
seq_collect(int (*show)(struct seq *s, u64 *pos), void *data, size_t *len)
{
	struct seq s = {.private = data};
	u64 record = 0;
	int r;

	while ((r = make_record(&s, show, &record)) == 0)
		;
	if (r < 0) {
		kvfree(s.buf);
		return err_ptr(r);
	}
	if (s.len == s.size) {
		r = grow(&s, s.len + 1);
		if (r) {
			kvfree(s.buf);
			return err_ptr(r);
		}
	}
	s.buf[s.len] = '\0';
	*len = s.len;
	return s.buf;
}
