/* SPDX-License-Identifier: BSD-2-Clause */
/* tracefs: the folder events, and the files that switch events by their names. */
#include "fs/tracefs/tracefs.h"
#include "kernel/trace/trace.h"
#include "lib/string.h"

/* A switch: "0", "1", for folders also "X". */
static int
switch_value(const char *text, bool *on)
{
	if ((text[0] != '0' && text[0] != '1') || text[1])
		return -EINVAL;
	*on = text[0] == '1';
	return 0;
}

/* --- events/SYSTEM/EVENT/ --- */

static int
show_enable(struct seq *s, unsigned long id)
{
	seq_printf(s, "%u\n", READ_ONCE(trace_on[id]));
	return 0;
}

static int
store_enable(char *text, unsigned long id)
{
	bool on;
	int err = switch_value(text, &on);

	return err ? err : trace_events_set(trace_table[id].system, trace_table[id].name, on);
}

static int
show_id(struct seq *s, unsigned long id)
{
	seq_printf(s, "%lu\n", id);
	return 0;
}

static int
show_format(struct seq *s, unsigned long id)
{
	seq_printf(s, "name: %s\nID: %lu\nformat:\n%s", trace_table[id].name, id,
		   trace_table[id].format);
	return 0;
}

static const struct trace_file event_files[] = {
	{"enable", 0640, show_enable, store_enable, NULL},
	{"format", 0440, show_format, NULL, NULL},
	{"id", 0440, show_id, NULL, NULL},
};
/* What is recorded whenever anything is has no switch. */
static const struct trace_file print_files[] = {
	{"format", 0440, show_format, NULL, NULL},
	{"id", 0440, show_id, NULL, NULL},
};

/* --- events/SYSTEM/enable, events/enable; arg: an event of the system, 0: all --- */

static int
show_system(struct seq *s, unsigned long id)
{
	seq_printf(s, "%c\n", trace_events_state(trace_table[id].system));
	return 0;
}

static int
store_system(char *text, unsigned long id)
{
	bool on;
	int err = switch_value(text, &on);

	return err ? err : trace_events_set(trace_table[id].system, NULL, on);
}

static const struct trace_file system_files[] = {
	{"enable", 0640, show_system, store_system, NULL},
};

/* --- set_event, available_events --- */

static int
show_set(struct seq *s, unsigned long arg)
{
	for (unsigned int id = TRACE_NONE + 1; id < TRACE_EVENTS; id++)
		if (READ_ONCE(trace_on[id]))
			seq_printf(s, "%s:%s\n", trace_table[id].system, trace_table[id].name);
	return 0;
}

static int
store_set(char *text, unsigned long arg)
{
	int err = 0;

	while (*text && !err) {
		size_t n = strcspn(text, " \t\n,");
		bool more = text[n];

		text[n] = '\0';
		if (n)
			err = trace_events_parse(text);
		text += n + more;
	}
	return err;
}

static void
truncate_set(unsigned long arg)
{
	(void)!trace_events_set(NULL, NULL, false);
}

static int
show_available(struct seq *s, unsigned long arg)
{
	for (unsigned int id = TRACE_NONE + 1; id < TRACE_EVENTS; id++)
		if (id != TRACE_print)
			seq_printf(s, "%s:%s\n", trace_table[id].system, trace_table[id].name);
	return 0;
}

static const struct trace_file root_files[] = {
	{"available_events", 0440, show_available, NULL, NULL},
	{"set_event", 0640, show_set, store_set, truncate_set},
};

static int
add_event(struct dentry *dir, unsigned int id)
{
	struct dentry *d = tracefs_mkdir(dir, trace_table[id].name);

	if (is_err(d))
		return (int)ptr_err(d);
	if (id == TRACE_print)
		return tracefs_add(d, print_files, ARRAY_SIZE(print_files), id);
	return tracefs_add(d, event_files, ARRAY_SIZE(event_files), id);
}

int
tracefs_fill_events(struct dentry *root)
{
	struct dentry *events = tracefs_mkdir(root, "events"), *dir = NULL;
	const char *system = "";
	int err = tracefs_add(root, root_files, ARRAY_SIZE(root_files), 0);

	if (is_err(events))
		return (int)ptr_err(events);
	if (!err)
		err = tracefs_add(events, system_files, ARRAY_SIZE(system_files), TRACE_NONE);
	/* The table is sorted by system. */
	for (unsigned int id = TRACE_NONE + 1; id < TRACE_EVENTS && !err; id++) {
		if (strcmp(system, trace_table[id].system)) {
			system = trace_table[id].system;
			dir = tracefs_mkdir(events, system);
			if (is_err(dir))
				return (int)ptr_err(dir);
			err = tracefs_add(dir, system_files, ARRAY_SIZE(system_files), id);
		}
		if (!err)
			err = add_event(dir, id);
	}
	return err;
}
