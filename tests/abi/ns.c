/* SPDX-License-Identifier: BSD-2-Clause */
/* Namespaces by name: /proc/PID/ns, setns(2), ioctl_ns(2); nsfs. */
#include "tests/abi/abi.h"

#include <dirent.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static const struct {
	const char *link, *name;
	unsigned long ino;
	int flag;
} types[] = {
	{"cgroup", "cgroup", 4026531835, CLONE_NEWCGROUP},
	{"ipc", "ipc", 4026531839, CLONE_NEWIPC},
	{"mnt", "mnt", 4026531841, CLONE_NEWNS},
	{"net", "net", 4026531840, CLONE_NEWNET},
	{"pid", "pid", 4026531836, CLONE_NEWPID},
	{"pid_for_children", "pid", 4026531836, CLONE_NEWPID},
	{"time", "time", 4026531834, CLONE_NEWTIME},
	{"time_for_children", "time", 4026531834, CLONE_NEWTIME},
	{"user", "user", 4026531837, CLONE_NEWUSER},
	{"uts", "uts", 4026531838, CLONE_NEWUTS},
};

#define TYPES ((int)(sizeof(types) / sizeof(types[0])))

static int
ns_open(const char *link)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", link);
	return works(open(path, O_RDONLY));
}

static const char *
link_of(const char *path)
{
	static char text[128];
	long n = readlink(path, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

TEST(ns_links)
{
	char path[64], want[64];
	struct stat st, opened, other;

	for (int i = 0; i < TYPES; i++) {
		int fd = ns_open(types[i].link);

		snprintf(path, sizeof(path), "/proc/self/ns/%s", types[i].link);
		snprintf(want, sizeof(want), "%s:[%lu]", types[i].name, types[i].ino);
		same(link_of(path), want);
		works(lstat(path, &st));
		is(st.st_mode, S_IFLNK | 0777);
		works(stat(path, &st));
		is(st.st_ino, types[i].ino);
		is(st.st_mode, S_IFREG | 0444);
		is(st.st_nlink, 1);
		is(st.st_size, 0);
		works(fstat(fd, &opened));
		is(opened.st_ino, types[i].ino);
		is(opened.st_dev, st.st_dev);
		snprintf(path, sizeof(path), "/proc/1/task/1/ns/%s", types[i].link);
		works(stat(path, &other));
		is(other.st_ino, types[i].ino);
		is(other.st_dev, st.st_dev);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		same(link_of(path), want);
		is(ioctl(fd, NS_GET_NSTYPE), types[i].flag);
		close(fd);
	}
	fails(open("/proc/self/ns/none", O_RDONLY), ENOENT);
}

TEST(ns_directory)
{
	DIR *d = opendir("/proc/self/ns");
	struct dirent *e;
	struct stat st;
	int n = 0, links = 0;

	check(d != NULL);
	while ((e = readdir(d)) != NULL) {
		n++;
		for (int i = 0; i < TYPES; i++)
			links += !strcmp(e->d_name, types[i].link) && e->d_type == DT_LNK;
	}
	closedir(d);
	is(n, TYPES + 2);
	is(links, TYPES);
	works(stat("/proc/self/ns", &st));
	is(st.st_mode, S_IFDIR | 0511);
	is(st.st_nlink, 2);
	fails(mkdir("/proc/self/ns/x", 0700), ENOENT);
}

TEST(ns_handle)
{
	int fd = ns_open("uts");
	struct statfs fs;
	char c = 0;

	fails(read(fd, &c, 1), EINVAL);
	fails(pread(fd, &c, 1, 0), EINVAL);
	fails(write(fd, &c, 1), EBADF);
	fails(lseek(fd, 0, SEEK_SET), ESPIPE);
	fails(ioctl(fd, _IO(0xb7, 99)), ENOTTY);
	fails((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	works(fstatfs(fd, &fs));
	is(fs.f_type, 0x6e736673);
	is(fs.f_namelen, 255);
	fails(open("/proc/self/ns/uts/x", O_RDONLY), ENOTDIR);
	fails(ioctl(works(open(".", O_RDONLY)), NS_GET_NSTYPE), ENOTTY);
}

TEST(ns_relations)
{
	unsigned int uid = 77;
	struct stat st;
	int fd, user;

	for (int i = 0; i < TYPES; i++) {
		fd = ns_open(types[i].link);
		if (types[i].flag == CLONE_NEWUSER) {
			/* What lies above the initial one nobody may see. */
			fails(ioctl(fd, NS_GET_USERNS), EPERM);
			fails(ioctl(fd, NS_GET_PARENT), EPERM);
			fails(ioctl(fd, NS_GET_OWNER_UID, 8), EFAULT);
			works(ioctl(fd, NS_GET_OWNER_UID, &uid));
			is(uid, 0);
			close(fd);
			continue;
		}
		user = works(ioctl(fd, NS_GET_USERNS));
		works(fstat(user, &st));
		is(st.st_ino, 4026531837);
		is(fcntl(user, F_GETFD), FD_CLOEXEC);
		is(fcntl(user, F_GETFL) & O_ACCMODE, O_RDONLY);
		fails(ioctl(fd, NS_GET_PARENT), types[i].flag == CLONE_NEWPID ? EPERM : EINVAL);
		fails(ioctl(fd, NS_GET_OWNER_UID, &uid), EINVAL);
		close(user);
		close(fd);
	}
}

TEST(ns_of_others)
{
	in_child
	{
		drop(USER);
		fails(open("/proc/1/ns/uts", O_RDONLY), EACCES);
		fails(readlink("/proc/1/ns/uts", (char[64]){0}, 64), EACCES);
		check(ns_open("uts") >= 0);
	}
}

/* A process that has exited has left all but its user and its number. */
TEST(ns_of_zombie)
{
	char path[64];
	siginfo_t info;
	struct stat st;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	works(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	for (int i = 0; i < TYPES; i++) {
		bool stays = !strcmp(types[i].link, "user") || !strcmp(types[i].link, "pid");

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, types[i].link);
		if (stays)
			works(stat(path, &st));
		else
			fails(stat(path, &st), ENOENT);
	}
	waitpid(pid, NULL, 0);
	fails(stat(path, &st), ENOENT);
}

TEST(setns_to_initial)
{
	char cwd[PATH_MAX];

	for (int i = 0; i < TYPES; i++) {
		int fd = ns_open(types[i].link);

		fails(setns(fd, types[i].flag == CLONE_NEWUTS ? CLONE_NEWIPC : CLONE_NEWUTS),
		      EINVAL);
		fails(setns(fd, types[i].flag | 1), EINVAL);
		if (types[i].flag == CLONE_NEWUSER) {
			fails(setns(fd, 0), EINVAL);
			fails(setns(fd, CLONE_NEWUSER), EINVAL);
		} else {
			is(setns(fd, 0), 0);
			is(setns(fd, types[i].flag), 0);
		}
		close(fd);
	}
	/* That of mounts took us to its root. */
	same(getcwd(cwd, sizeof(cwd)), "/");
	fails(setns(-1, 0), EBADF);
	fails(setns(works(open("/proc/self/ns/uts", O_PATH)), 0), EBADF);
	fails(setns(works(open("/dev/null", O_RDONLY)), 0), EINVAL);
}

TEST(setns_leaves_chroot)
{
	int fd = ns_open("mnt");
	struct stat root, now;

	works(stat("/", &root));
	works(mkdir("jail", 0700));
	works(chroot("jail"));
	works(chdir("/"));
	fails(open("/proc", O_RDONLY), ENOENT);
	is(setns(fd, CLONE_NEWNS), 0);
	works(stat("/", &now));
	is(now.st_ino, root.st_ino);
	is(now.st_dev, root.st_dev);
	works(open("/proc", O_RDONLY));
}

static int
waits(void *arg)
{
	pause();
	return 0;
}

static void *
waits_thread(void *arg)
{
	pause();
	return arg;
}

TEST(setns_shared)
{
	static char stack[65536];
	int mnt = ns_open("mnt"), time = ns_open("time"), uts = ns_open("uts");
	int user = ns_open("user");
	pthread_t t;
	pid_t pid;

	pid = works(clone(waits, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL));
	fails(setns(mnt, 0), EINVAL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	is(setns(mnt, 0), 0);
	pthread_create(&t, NULL, waits_thread, NULL);
	fails(setns(time, 0), EUSERS);
	fails(setns(user, 0), EINVAL);
	fails(setns(mnt, 0), EINVAL);
	is(setns(uts, 0), 0);
}

TEST(setns_rights)
{
	int fd[TYPES];

	for (int i = 0; i < TYPES; i++)
		fd[i] = ns_open(types[i].link);
	in_child
	{
		drop(USER);
		for (int i = 0; i < TYPES; i++)
			fails(setns(fd[i], 0), types[i].flag == CLONE_NEWUSER ? EINVAL : EPERM);
	}
}

#define ALL_BUT_USER                                                                               \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |              \
	 CLONE_NEWNET | CLONE_NEWTIME)

TEST(setns_pidfd)
{
	static char stack[65536];
	pid_t pid = works(clone(waits, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL));
	int fd = works(syscall(SYS_pidfd_open, pid, 0));
	char cwd[PATH_MAX];

	fails(setns(fd, 0), EINVAL);
	fails(setns(fd, CLONE_VM), EINVAL);
	fails(setns(fd, CLONE_NEWUSER), EINVAL);
	fails(setns(fd, CLONE_NEWUSER | CLONE_NEWUTS), EINVAL);
	fails(setns(fd, CLONE_NEWNS), EINVAL);
	is(setns(fd, CLONE_NEWUTS), 0);
	/* With others the place need not be ours alone. */
	is(setns(fd, ALL_BUT_USER), 0);
	same(getcwd(cwd, sizeof(cwd)), "/");
	in_child
	{
		drop(USER);
		fails(setns(fd, CLONE_NEWUTS), EPERM);
	}
	kill(pid, SIGKILL);
	waitid(P_PID, pid, NULL, WEXITED | WNOWAIT);
	fails(setns(fd, CLONE_NEWUTS), ESRCH);
	waitpid(pid, NULL, 0);
	fails(setns(fd, CLONE_NEWUTS), ESRCH);
}

/* The line of /proc/self/mountinfo with `what`; NULL. */
static char *
mount_line(const char *what)
{
	static char line[1024];
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char *found = NULL;

	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, what) ? line : NULL;
	fclose(f);
	return found;
}

/* As `ip netns add` keeps a namespace. */
TEST(ns_bind_mount)
{
	char cwd[PATH_MAX], path[PATH_MAX + 64], want[2 * PATH_MAX];
	struct stat st;
	int fd;

	works(close(works(open("kept", O_CREAT | O_RDONLY, 0600))));
	works(mkdir("folder", 0700));
	getcwd(cwd, sizeof(cwd));
	fails(mount("/proc/self/ns/uts", "folder", NULL, MS_BIND, NULL), ENOTDIR);
	fails(mount("/proc/self/ns/mnt", "kept", NULL, MS_BIND, NULL), EINVAL);
	works(mount("/proc/self/ns/uts", "kept", NULL, MS_BIND, NULL));
	works(stat("kept", &st));
	is(st.st_ino, 4026531838);
	fd = works(open("kept", O_RDONLY));
	is(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWUTS);
	is(setns(fd, CLONE_NEWUTS), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(want, sizeof(want), "%s/kept", cwd);
	same(link_of(path), want);
	snprintf(want, sizeof(want), "0:%u uts:[4026531838] %s/kept rw", minor(st.st_dev), cwd);
	check(mount_line(want) != NULL);
	check(mount_line("- nsfs nsfs rw") != NULL);
	fails(umount("kept"), EBUSY);
	close(fd);
	works(umount("kept"));
	check(mount_line("nsfs") == NULL);
	works(stat("kept", &st));
	is(st.st_size, 0);
	fails(mount("nsfs", "folder", "nsfs", 0, NULL), ENODEV);
}

/* A link that is held open outlives its task; it leads nowhere then. */
TEST(ns_of_task_that_is_gone)
{
	char path[64], text[64];
	pid_t pid = fork();
	int ns, exe;

	if (pid == 0)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", pid);
	ns = works(open(path, O_PATH | O_NOFOLLOW));
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	exe = works(open(path, O_PATH | O_NOFOLLOW));
	check(readlinkat(ns, "", text, sizeof(text)) > 0);
	check(readlinkat(exe, "", text, sizeof(text)) > 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fails(readlinkat(ns, "", text, sizeof(text)), EACCES);
	fails(readlinkat(exe, "", text, sizeof(text)), ENOENT);
}

/* Without a descriptor for it, what was opened is closed, once. */
TEST(no_descriptor_left)
{
	int fd = works(open("/proc/self/ns/net", O_RDONLY));
	struct rlimit r = {fd, fd};

	works(setrlimit(RLIMIT_NOFILE, &r));
	for (int i = 0; i < 20; i++)
		fails(ioctl(fd, NS_GET_USERNS), EMFILE);
	works(fstat(fd, &(struct stat){0}));
}
