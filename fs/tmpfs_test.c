/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of tmpfs: data, holes, sizes, limits; text that is made on demand. */
#include "fs/attr.h"
#include "fs/generic.h"
#include "fs/memfd.h"
#include "fs/namei.h"
#include "fs/seqfile.h"
#include "fs/tmpfs.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"

TEST(tmpfs_data_and_holes)
{
	struct file *f = memfd_file("test", 0, 0);
	char buf[64];
	u64 pos = 3 * PAGE_SIZE - 2;

	ASSERT_TRUE(!is_err(f));
	EXPECT_EQ(file_write_kernel(f, "abcd", 4, &pos), 4);
	EXPECT_EQ(f->inode->size, 3 * PAGE_SIZE + 2);
	EXPECT_EQ(f->inode->pages->nr_pages, 2u);
	memset(buf, 1, sizeof(buf));
	EXPECT_EQ(file_read_kernel(f, buf, 8, 3 * PAGE_SIZE - 6), 8);
	EXPECT(!memcmp(buf, "\0\0\0\0abcd", 8));
	EXPECT_EQ(file_read_kernel(f, buf, 8, 0), 8);
	EXPECT(!memchr_inv(buf, 0, 8));
	EXPECT_EQ(generic_seek(f, 0, SEEK_DATA), (s64)(2 * PAGE_SIZE));
	EXPECT_EQ(generic_seek(f, 0, SEEK_HOLE), 0);
	EXPECT_EQ(path_truncate(&f->path, 3 * PAGE_SIZE - 1, ATTR_FILE), 0);
	EXPECT_EQ(f->inode->pages->nr_pages, 1u);
	EXPECT_EQ(path_truncate(&f->path, 4 * PAGE_SIZE, ATTR_FILE), 0);
	EXPECT_EQ(file_read_kernel(f, buf, 4, 3 * PAGE_SIZE - 2), 4);
	EXPECT(!memcmp(buf, "a\0\0\0", 4));
	file_put(f);
}

TEST(tmpfs_fallocate)
{
	struct file *f = memfd_file("test", 0, 0);
	u64 pos = 0;
	char c = 1;

	ASSERT_TRUE(!is_err(f));
	EXPECT_EQ(tmpfs_fallocate(f, 0, 0, 4 * PAGE_SIZE), 0);
	EXPECT_EQ(f->inode->pages->nr_pages, 4u);
	EXPECT_EQ(file_write_kernel(f, "xyz", 3, &pos), 3);
	EXPECT_EQ(tmpfs_fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1, PAGE_SIZE), 0);
	EXPECT_EQ(f->inode->pages->nr_pages, 4u);
	EXPECT_EQ(file_read_kernel(f, &c, 1, 1), 1);
	EXPECT_EQ(c, 0);
	EXPECT_EQ(tmpfs_fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE_SIZE,
				  2 * PAGE_SIZE),
		  0);
	EXPECT_EQ(f->inode->pages->nr_pages, 2u);
	EXPECT_EQ(tmpfs_fallocate(f, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE_SIZE), -EOPNOTSUPP);
	file_put(f);
}

TEST(tmpfs_seals)
{
	struct file *f = memfd_file("test", PAGE_SIZE, 0);
	u64 pos = 0;

	ASSERT_TRUE(!is_err(f));
	EXPECT_EQ(memfd_add_seals(f, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	EXPECT_EQ(path_truncate(&f->path, 0, ATTR_FILE), -EPERM);
	EXPECT_EQ(path_truncate(&f->path, 2 * PAGE_SIZE, ATTR_FILE), -EPERM);
	EXPECT_EQ(file_write_kernel(f, "x", 1, &pos), 1);
	EXPECT_EQ(memfd_add_seals(f, F_SEAL_WRITE | F_SEAL_SEAL), 0);
	EXPECT_EQ(file_write_kernel(f, "x", 1, &pos), -EPERM);
	EXPECT_EQ(memfd_add_seals(f, F_SEAL_GROW), -EPERM);
	EXPECT_EQ(memfd_get_seals(f),
		  (long)(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL));
	file_put(f);
}

TEST(tmpfs_xattrs)
{
	struct file *f = memfd_file("test", 0, 0);
	struct inode *i = f->inode;
	char buf[64];

	EXPECT_EQ(tmpfs_set_xattr(i, "user.a", "1234", 4, 0), 0);
	EXPECT_EQ(tmpfs_get_xattr(i, "user.a", buf, sizeof(buf)), 4);
	EXPECT_EQ(tmpfs_get_xattr(i, "user.a", buf, 3), -ERANGE);
	EXPECT_EQ(tmpfs_get_xattr(i, "user.b", buf, 3), -ENODATA);
	EXPECT_EQ(tmpfs_get_xattr(i, "system.b", buf, 3), -EOPNOTSUPP);
	EXPECT_EQ(tmpfs_list_xattr(i, NULL, 0, true), 7);
	EXPECT_EQ(tmpfs_set_xattr(i, "user.a", NULL, 0, 0), 0);
	EXPECT_EQ(tmpfs_list_xattr(i, buf, sizeof(buf), true), 0);
	file_put(f);
}

/* --- text on demand --- */

static int
show_lines(struct seq *s, u64 *pos)
{
	if (*pos >= 1000)
		return 1;
	seq_printf(s, "line %lu\n", *pos);
	++*pos;
	return 0;
}

static int
show_large(struct seq *s, u64 *pos)
{
	if (*pos)
		return 1;
	for (u32 i = 0; i < 10000; i++)
		seq_printf(s, "%u,", i);
	*pos = 1;
	return 0;
}

TEST(seq_collects)
{
	size_t len;
	char *text = seq_collect(show_lines, NULL, &len);

	ASSERT_TRUE(!is_err(text));
	EXPECT_EQ(len, strlen(text));
	EXPECT(str_after_prefix(text, "line 0\nline 1\n") != NULL);
	EXPECT(strstr(text, "line 999\n") != NULL);
	kvfree(text);
	text = seq_collect(show_large, NULL, &len);
	ASSERT_TRUE(!is_err(text));
	EXPECT(strstr(text, "9998,9999,") != NULL);
	kvfree(text);
}

TEST(seq_formats)
{
	char buf[64];
	struct seq s = {.buf = buf, .size = sizeof(buf)};

	seq_escape(&s, "a b\tc\\", "c");
	seq_pad(&s, 20);
	seq_putc(&s, '|');
	seq_putc(&s, '\0');
	EXPECT_STR(buf, "a\\040b\\011\\143\\134  |");
	s.size = 4;
	s.len = 0;
	seq_puts(&s, "longer than that");
	EXPECT_EQ(s.len, 16u);
}
