/* SPDX-License-Identifier: BSD-2-Clause */
/* timerfd: relative, absolute, periodic, reading and polling. */
#include "tests/abi/abi.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#define MS 1000000L

static struct itimerspec
spec(long first, long every)
{
	return (struct itimerspec){
		.it_value = { first / NSEC, first % NSEC },
		.it_interval = { every / NSEC, every % NSEC },
	};
}

static int
set(int fd, int flags, long first, long every)
{
	struct itimerspec s = spec(first, every);

	return timerfd_settime(fd, flags, &s, NULL);
}

TEST(create_errors)
{
	struct itimerspec s = spec(MS, 0);
	int fd = works(timerfd_create(CLOCK_MONOTONIC,
				      TFD_CLOEXEC | TFD_NONBLOCK));

	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	is(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	works(timerfd_create(CLOCK_REALTIME, 0));
	works(timerfd_create(CLOCK_BOOTTIME, 0));
	works(timerfd_create(CLOCK_REALTIME_ALARM, 0));
	works(timerfd_create(CLOCK_BOOTTIME_ALARM, 0));
	fails(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	fails(timerfd_create(99, 0), EINVAL);
	fails(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	fails(timerfd_settime(fd, 8, &s, NULL), EINVAL);
	fails(timerfd_settime(-1, 0, &s, NULL), EBADF);
	fails(timerfd_settime(open("/dev/null", O_RDONLY), 0, &s, NULL), EINVAL);
	fails(timerfd_settime(fd, 0, BAD, NULL), EFAULT);
	s.it_value.tv_nsec = NSEC;
	fails(timerfd_settime(fd, 0, &s, NULL), EINVAL);
	s.it_value.tv_nsec = -1;
	fails(timerfd_settime(fd, 0, &s, NULL), EINVAL);
	s = spec(MS, 0);
	s.it_interval.tv_sec = -1;
	fails(timerfd_settime(fd, 0, &s, NULL), EINVAL);
	fails(timerfd_gettime(-1, &s), EBADF);
	fails(timerfd_gettime(fd, BAD), EFAULT);
}

TEST(one_shot)
{
	struct itimerspec s;
	uint64_t n = 0;
	int fd = works(timerfd_create(CLOCK_MONOTONIC, 0));
	long t = now_ns();

	is(set(fd, 0, 30 * MS, 0), 0);
	is(timerfd_gettime(fd, &s), 0);
	check(s.it_value.tv_sec == 0 && s.it_value.tv_nsec > 0 &&
	      s.it_value.tv_nsec <= 30 * MS);
	is(read(fd, &n, 8), 8);
	check(now_ns() - t >= 30 * MS);
	is(n, 1);
	is(timerfd_gettime(fd, &s), 0);
	is(s.it_value.tv_sec, 0);
	is(s.it_value.tv_nsec, 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	fails(read(fd, &n, 8), EAGAIN);
	is(set(fd, 0, 30 * MS, 0), 0);
	is(set(fd, 0, 0, 0), 0);
	msleep(50);
	fails(read(fd, &n, 8), EAGAIN);
	fails(read(fd, &n, 7), EINVAL);
	fails(write(fd, &n, 8), EINVAL);
}

TEST(periodic)
{
	struct itimerspec s, old;
	uint64_t n = 0;
	int fd = works(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));

	is(set(fd, 0, 10 * MS, 10 * MS), 0);
	msleep(105);
	is(read(fd, &n, 8), 8);
	check(n >= 10);
	is(set(fd, 0, 0, 0), 0);
	fails(read(fd, &n, 8), EAGAIN);
	is(set(fd, 0, 10 * MS, 10 * MS), 0);
	s = spec(5 * NSEC, 7 * NSEC);
	is(timerfd_settime(fd, 0, &s, &old), 0);
	is(old.it_interval.tv_nsec, 10 * MS);
	check(old.it_value.tv_nsec >= 0 && old.it_value.tv_nsec <= 10 * MS);
	is(timerfd_gettime(fd, &s), 0);
	is(s.it_interval.tv_sec, 7);
	check(s.it_value.tv_sec == 4);
}

TEST(absolute)
{
	struct timespec ts;
	uint64_t n = 0;
	long half;
	int fd;

	fd = works(timerfd_create(CLOCK_MONOTONIC, 0));
	is(set(fd, TFD_TIMER_ABSTIME, now_ns() + 30 * MS, 0), 0);
	is(read(fd, &n, 8), 8);
	is(n, 1);
	is(set(fd, TFD_TIMER_ABSTIME, 1, 0), 0);
	is(read(fd, &n, 8), 8);
	is(n, 1);
	/* Periods that passed before it was set are counted. */
	half = now_ns() / 2;
	is(set(fd, TFD_TIMER_ABSTIME, half, half / 10), 0);
	is(read(fd, &n, 8), 8);
	check(n >= 11 && n < 1000);
	fd = works(timerfd_create(CLOCK_REALTIME, 0));
	clock_gettime(CLOCK_REALTIME, &ts);
	is(set(fd, TFD_TIMER_ABSTIME,
	       ts.tv_sec * NSEC + ts.tv_nsec + 20 * MS, 0), 0);
	is(read(fd, &n, 8), 8);
	is(n, 1);
}

TEST(polling)
{
	struct pollfd f;
	uint64_t n;
	int fd = works(timerfd_create(CLOCK_MONOTONIC, 0));
	pid_t c;

	f = (struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT };
	is(poll(&f, 1, 0), 0);
	is(set(fd, 0, 20 * MS, 0), 0);
	is(poll(&f, 1, 5000), 1);
	is(f.revents, POLLIN);
	is(poll(&f, 1, 0), 1);
	is(read(fd, &n, 8), 8);
	is(poll(&f, 1, 0), 0);
	c = fork();
	if (!c)
		_exit(poll(&f, 1, -1) == 1 ? 7 : 1);
	check(until_asleep(c));
	is(set(fd, 0, MS, 0), 0);
	is(reap(c), 7);
	/* Setting it again forgets an expiry that nobody read. */
	is(set(fd, 0, 1000 * NSEC, 0), 0);
	is(poll(&f, 1, 0), 0);
}

/* Setting the clock cancels a timer that asked for it. */
TEST(cancel_on_set)
{
	struct timespec ts;
	uint64_t n;
	int fd = works(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));

	clock_gettime(CLOCK_REALTIME, &ts);
	is(set(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
	       (ts.tv_sec + 1000) * NSEC, 0), 0);
	fails(read(fd, &n, 8), EAGAIN);
	clock_gettime(CLOCK_REALTIME, &ts);
	is(clock_settime(CLOCK_REALTIME, &ts), 0);
	fails(read(fd, &n, 8), ECANCELED);
	is(set(fd, 0, 1000 * NSEC, 0), 0);
	clock_gettime(CLOCK_REALTIME, &ts);
	is(clock_settime(CLOCK_REALTIME, &ts), 0);
	fails(read(fd, &n, 8), EAGAIN);
}
