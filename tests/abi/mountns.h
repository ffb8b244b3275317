/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of mounts: a namespace of one's own, and what /proc/self/mountinfo says of a place. */
#ifndef TESTS_ABI_MOUNTNS_H
#define TESTS_ABI_MOUNTNS_H

#include "tests/abi/abi.h"

/* What of a line of mountinfo the tests look at. */
struct info {
	long id, parent;
	char root[256], opts[256], fields[256], type[64], source[64];
};

/* The last line of `file` for a place (a name in the working directory, or a whole path). */
ABI_FN bool
info_in(const char *file, const char *place, struct info *in)
{
	static char buf[262144];
	char want[PATH_MAX + 300], point[1024], *save = NULL;
	bool found = false;

	if (place[0] == '/') {
		snprintf(want, sizeof(want), "%s", place);
	} else {
		char cwd[PATH_MAX];

		if (!getcwd(cwd, sizeof(cwd)))
			return false;
		snprintf(want, sizeof(want), "%s/%s", cwd, place);
	}
	get(file, buf, sizeof(buf));
	for (char *l = strtok_r(buf, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct info x = {0};
		int at = 0;
		char *dash = strstr(l, " - ");

		if (!dash || sscanf(l, "%ld %ld %*s %255s %1023s %255s%n", &x.id, &x.parent, x.root,
				    point, x.opts, &at) < 5)
			continue;
		if (strcmp(point, want))
			continue;
		snprintf(x.fields, sizeof(x.fields), "%.*s", (int)(dash - l - at), l + at);
		sscanf(dash, " - %63s %63s", x.type, x.source);
		*in = x;
		found = true;
	}
	return found;
}

/* The optional fields of a place, each with a space in front; NULL: nothing is mounted there. */
ABI_FN const char *
fields_of(const char *place)
{
	static struct info in[4];
	static int next;
	struct info *x = &in[next++ % 4];

	return info_in("/proc/self/mountinfo", place, x) ? x->fields : NULL;
}

ABI_FN bool
is_mounted(const char *place)
{
	return fields_of(place) != NULL;
}

/* The number behind a key of the optional fields; 0: it is not there. */
ABI_FN long
group_of(const char *place, const char *key)
{
	const char *f = fields_of(place);
	const char *at = f ? strstr(f, key) : NULL;

	return at ? atol(at + strlen(key)) : 0;
}

/* How many lines. */
ABI_FN int
mounts_in(const char *file)
{
	static char buf[262144];
	int n = 0;

	get(file, buf, sizeof(buf));
	for (char *p = buf; *p; p++)
		n += *p == '\n';
	return n;
}

/* A namespace whose mounts nobody else sees, with a file system of our own as directory. */
ABI_FN void
own_mounts(void)
{
	works(unshare(CLONE_NEWNS));
	works(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	works(mkdir("own", 0755));
	works(mount("own", "own", "tmpfs", 0, NULL));
	works(chdir("own"));
}

ABI_FN unsigned long
ns_number(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

#endif
