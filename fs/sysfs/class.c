/* SPDX-License-Identifier: BSD-2-Clause */
/* /sys/class and /sys/dev/char: the character devices that exist when sysfs is first mounted. */
#include "fs/sysfs/sysfs.h"

#include "fs/device_impl.h"
#include "kernel/console.h"
#include "kernel/dev/tty.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define DEVICES_MAX 128
#define CONSOLES_MAX 8

/* Filled in by sysfs_fill_class(), which runs once. */
static struct dev_desc devices[DEVICES_MAX];
static u32 n_devices;

static void
note(const struct dev_desc *d)
{
	if (d->name && d->count <= 1 && n_devices < DEVICES_MAX)
		devices[n_devices++] = *d;
}

static const char *
class_of(u32 major)
{
	switch (major) {
	case 1:
		return "mem";
	case 4:
	case 5:
		return "tty";
	default:
		return "misc";
	}
}

static int
show_dev(struct seq *s, unsigned long i)
{
	seq_printf(s, "%u:%u\n", devices[i].major, devices[i].minor);
	return 0;
}

static int
show_uevent(struct seq *s, unsigned long i)
{
	seq_printf(s, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", devices[i].major, devices[i].minor,
		   devices[i].name);
	if (devices[i].mode & 0777)
		seq_printf(s, "DEVMODE=0%o\n", devices[i].mode & 0777);
	return 0;
}

/* The consoles that show the log, /dev/console last. */
static int
show_consoles(struct seq *s, unsigned long i)
{
	const struct console *all[CONSOLES_MAX], *c = NULL;
	u32 n = 0;

	while (n < CONSOLES_MAX && (c = console_next(c)))
		all[n++] = c;
	if (!n)
		seq_printf(s, "%s\n", tty_console_name());
	while (n--)
		seq_printf(s, "%s%c", all[n]->name, n ? ' ' : '\n');
	return 0;
}

/* Of the virtual terminals there is one. */
static int
show_foreground(struct seq *s, unsigned long i)
{
	seq_puts(s, "tty1\n");
	return 0;
}

static const struct sysfs_attr device_files[] = {{"dev", show_dev}, {"uevent", show_uevent}};
static const struct sysfs_attr consoles_file = {"active", show_consoles};
static const struct sysfs_attr foreground_file = {"active", show_foreground};

static int
add_device(struct dentry *root, u32 i)
{
	const struct dev_desc *d = &devices[i];
	const char *class = class_of(d->major), *base = strrchr(d->name, '/');
	char path[128], name[32];
	struct dentry *dir;
	int err;

	base = base ? base + 1 : d->name;
	scnprintf(path, sizeof(path), "devices/virtual/%s/%s", class, base);
	dir = sysfs_dir(root, path);
	if (is_err(dir))
		return (int)ptr_err(dir);
	err = sysfs_files(dir, device_files, ARRAY_SIZE(device_files), i);
	if (!err && str_equal(d->name, "console"))
		err = sysfs_file(dir, &consoles_file, i);
	if (!err && str_equal(d->name, "tty0"))
		err = sysfs_file(dir, &foreground_file, i);
	scnprintf(path, sizeof(path), "class/%s", class);
	dir = sysfs_dir(root, path);
	if (err || is_err(dir))
		return err ? err : (int)ptr_err(dir);
	scnprintf(path, sizeof(path), "../../devices/virtual/%s/%s", class, base);
	err = sysfs_link(dir, base, path);
	dir = sysfs_dir(root, "dev/char");
	if (err || is_err(dir))
		return err ? err : (int)ptr_err(dir);
	scnprintf(name, sizeof(name), "%u:%u", d->major, d->minor);
	return sysfs_link(dir, name, path);
}

int
sysfs_fill_class(struct dentry *root)
{
	int err = 0;

	rcu_read_lock();
	device_for_each(note);
	rcu_read_unlock();
	for (u32 i = 0; i < n_devices && !err; i++) {
		err = add_device(root, i);
		/* Two nodes of one name: the first is shown. */
		if (err == -EEXIST)
			err = 0;
	}
	return err;
}
