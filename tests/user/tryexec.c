/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executes each of its arguments in a child and prints what came of it, a line each:
 *
 *	NAME errno N	execve failed with it
 *	NAME exit N	it ran and exited
 *	NAME signal N	it ran, or the kernel gave up half-way, and a signal ended it
 *
 * A child that hangs gets SIGALRM after five seconds.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
try_one(const char *path)
{
	char *argv[] = { (char *)path, NULL }, *envp[] = { NULL };
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	int ends[2], error = 0, status = 0;
	pid_t pid;

	if (pipe(ends))
		return;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		if (dup2(ends[1], 100) == 100)
			close(ends[1]);
		alarm(5);
		execve(path, argv, envp);
		error = errno;
		if (write(100, &error, sizeof(error)) != sizeof(error))
			_exit(98);
		_exit(99);
	}
	close(ends[1]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 99 &&
	    read(ends[0], &error, sizeof(error)) == sizeof(error))
		printf("%s errno %d\n", name, error);
	else if (WIFEXITED(status))
		printf("%s exit %d\n", name, WEXITSTATUS(status));
	else
		printf("%s signal %d\n", name, WTERMSIG(status));
	close(ends[0]);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		try_one(argv[i]);
	fflush(stdout);
	return 0;
}
