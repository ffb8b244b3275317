# SPDX-License-Identifier: BSD-2-Clause
"""Debian's python3 as a user of the kernel: each function test_* is one TAP result."""

import asyncio
import concurrent.futures
import ctypes
import errno
import fcntl
import io
import mmap
import multiprocessing
import os
import pty
import queue
import resource
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

PAGE = mmap.PAGESIZE


def child(function, *arguments):
    """The status of a forked child that runs function(*arguments): its result is its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = function(*arguments) or 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def refused(number, function, *arguments):
    """Asserts that the call fails with errno `number`."""
    try:
        function(*arguments)
    except OSError as error:
        assert error.errno == number, error
    else:
        raise AssertionError("it worked")


def test_threads_share_memory():
    numbers, lock = [0], threading.Lock()

    def work():
        for _ in range(1000):
            with lock:
                numbers[0] += 1
    threads = [threading.Thread(target=work) for _ in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert numbers[0] == 16000


def test_two_hundred_threads():
    barrier = threading.Barrier(201)
    threads = [threading.Thread(target=barrier.wait) for _ in range(200)]
    [t.start() for t in threads]
    assert len(os.listdir("/proc/self/task")) == 201
    barrier.wait()
    [t.join() for t in threads]


def test_threads_have_identities():
    found = queue.Queue()
    thread = threading.Thread(target=lambda: found.put((os.getpid(), threading.get_native_id())))
    thread.start()
    thread.join()
    pid, tid = found.get()
    assert pid == os.getpid() and tid != pid


def test_conditions_and_events():
    condition, order = threading.Condition(), []

    def take():
        with condition:
            condition.wait_for(lambda: order, 10)
            order.append("taken")
    thread = threading.Thread(target=take)
    thread.start()
    with condition:
        order.append("given")
        condition.notify()
    thread.join()
    assert order == ["given", "taken"]
    assert not threading.Event().wait(0.05)


def test_a_lock_with_a_time_limit():
    lock = threading.Lock()
    lock.acquire()
    start = time.monotonic()
    assert not lock.acquire(timeout=0.1)
    assert 0.09 < time.monotonic() - start < 5


def test_thread_pool():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda n: n * n, range(200))) == 2646700


def test_process_pool():
    with concurrent.futures.ProcessPoolExecutor(4) as pool:
        assert list(pool.map(abs, range(-20, 0))) == list(range(20, 0, -1))


def test_multiprocessing_queue():
    def put(where):
        where.put(os.getpid())
    where = multiprocessing.Queue()
    process = multiprocessing.Process(target=put, args=(where,))
    process.start()
    assert where.get(timeout=20) == process.pid
    process.join()
    assert process.exitcode == 0


def test_multiprocessing_shared_memory():
    from multiprocessing import shared_memory
    block = shared_memory.SharedMemory(create=True, size=PAGE)
    try:
        def write():
            block.buf[7] = 42
        assert child(write) == 0
        assert block.buf[7] == 42
    finally:
        block.close()
        block.unlink()


def test_multiprocessing_semaphore():
    semaphore = multiprocessing.Semaphore(0)
    process = multiprocessing.Process(target=semaphore.release)
    process.start()
    assert semaphore.acquire(timeout=20)
    process.join()


def test_fork_copies_memory():
    value = bytearray(4 << 20)

    def change():
        value[0] = value[-1] = 1
        return 0
    assert child(change) == 0
    assert value[0] == value[-1] == 0


def test_fork_in_threads():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: os.waitstatus_to_exitcode(child(lambda: n)), range(32))) == \
            list(range(32))


def test_a_tree_of_forks():
    def grow(depth):
        if depth:
            return sum(os.waitstatus_to_exitcode(child(grow, depth - 1)) for _ in range(2))
        return 1
    assert grow(5) == 32


def test_wait_statuses():
    assert os.WEXITSTATUS(child(lambda: 5)) == 5
    status = child(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    refused(errno.ECHILD, os.waitpid, os.getpid(), 0)


def test_waitid_and_pidfd():
    pid = os.fork()
    if pid == 0:
        time.sleep(0.1)
        os._exit(6)
    descriptor = os.pidfd_open(pid)
    assert select.select([descriptor], [], [], 10)[0]
    info = os.waitid(os.P_PIDFD, descriptor, os.WEXITED)
    assert (info.si_pid, info.si_status, info.si_code) == (pid, 6, os.CLD_EXITED)
    os.close(descriptor)


def test_subprocess():
    done = subprocess.run(["tr", "a-z", "A-Z"], input=b"hello", stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"HELLO"
    assert subprocess.run("exit 3", shell=True).returncode == 3
    assert subprocess.run(["sleep", "0"], close_fds=False).returncode == 0
    refused(errno.ENOENT, subprocess.run, ["/no/such/program"])
    refused(errno.EACCES, subprocess.run, ["/etc/passwd"])


def test_subprocess_pipes_hold_much():
    data = os.urandom(3 << 20)
    assert subprocess.run(["cat"], input=data, stdout=subprocess.PIPE).stdout == data


def test_subprocess_time_limit():
    try:
        subprocess.run(["sleep", "60"], timeout=0.2)
    except subprocess.TimeoutExpired:
        return
    raise AssertionError


def test_subprocess_options():
    done = subprocess.run(["sh", "-c", "pwd; umask; echo $A; ps -o sid= -p $$"], cwd="/proc",
                          umask=0o77,
                          env={"A": "b", "PATH": os.environ["PATH"]}, start_new_session=True,
                          stdout=subprocess.PIPE, text=True)
    lines = done.stdout.split()
    assert lines[:3] == ["/proc", "0077", "b"] and lines[3] != str(os.getsid(0))


def test_subprocess_as_another_user():
    done = subprocess.run(["id", "-u"], user=1000, group=1000, extra_groups=[],
                          stdout=subprocess.PIPE)
    assert done.stdout == b"1000\n"


def test_a_hundred_children_at_once():
    children = [subprocess.Popen(["cat"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE) for _ in range(100)]
    for number, process in enumerate(children):
        assert process.communicate(b"%d" % number)[0] == b"%d" % number
    assert all(process.returncode == 0 for process in children)


def test_posix_spawn():
    reader, writer = os.pipe()
    pid = os.posix_spawn("/bin/echo", ["echo", "spawned"], os.environ,
                         file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)])
    os.close(writer)
    assert os.read(reader, 100) == b"spawned\n" and os.waitpid(pid, 0)[1] == 0
    os.close(reader)


def test_signals_reach_handlers():
    got = []
    old = signal.signal(signal.SIGUSR1, lambda number, frame: got.append(number))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.raise_signal(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, old)
    assert got == [signal.SIGUSR1] * 2


def test_signals_wait_while_blocked():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    os.kill(os.getpid(), signal.SIGUSR1)
    assert signal.SIGUSR1 in signal.sigpending()
    assert signal.sigwait([signal.SIGUSR1]) == signal.SIGUSR1
    assert signal.sigtimedwait([signal.SIGUSR1], 0.05) is None
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])


def test_a_signal_to_a_thread():
    got, ready = [], threading.Event()

    def wait():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        ready.set()
        got.append(signal.sigwaitinfo([signal.SIGUSR2]).si_pid)
    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait()
    signal.pthread_kill(thread.ident, signal.SIGUSR2)
    thread.join()
    assert got == [os.getpid()]


def test_an_interrupted_call_goes_on():
    old = signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    start = time.monotonic()
    time.sleep(0.3)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, old)
    assert time.monotonic() - start >= 0.3


def test_wakeup_descriptor():
    one, two = socket.socketpair()
    two.setblocking(False)
    old = signal.signal(signal.SIGUSR1, lambda number, frame: None)
    signal.set_wakeup_fd(two.fileno())
    os.kill(os.getpid(), signal.SIGUSR1)
    assert one.recv(1) == bytes([signal.SIGUSR1])
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGUSR1, old)
    one.close()
    two.close()


def test_a_fault_is_a_signal():
    status = child(lambda: ctypes.string_at(8))
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSEGV


def test_profiling_timer():
    hits = []
    old = signal.signal(signal.SIGPROF, lambda number, frame: hits.append(1))
    signal.setitimer(signal.ITIMER_PROF, 0.02, 0.02)
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, old)
    assert len(hits) >= 3


def test_mmap_of_a_file():
    with tempfile.TemporaryFile() as file:
        file.truncate(10 * PAGE)
        with mmap.mmap(file.fileno(), 10 * PAGE) as memory:
            memory[5 * PAGE:5 * PAGE + 5] = b"hello"
            memory.flush()
            file.seek(5 * PAGE)
            assert file.read(5) == b"hello"
            file.seek(0)
            file.write(b"there")
            file.flush()
            assert memory[:5] == b"there"


def test_mmap_private():
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * PAGE)
        file.flush()
        with mmap.mmap(file.fileno(), PAGE, flags=mmap.MAP_PRIVATE) as memory:
            memory[0:1] = b"y"
            file.seek(0)
            assert file.read(1) == b"x" and memory[:1] == b"y"


def test_mmap_shared_with_a_child():
    with mmap.mmap(-1, 64 * PAGE) as memory:
        assert child(lambda: memory.write(b"z" * (64 * PAGE)) * 0) == 0
        assert memory[:] == b"z" * (64 * PAGE)


def test_mmap_resize_and_advise():
    # Shared anonymous memory does not grow with its mapping.
    memory = mmap.mmap(-1, 16 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[:] = b"q" * len(memory)
    memory.madvise(mmap.MADV_DONTNEED, 0, 4 * PAGE)
    memory.resize(64 * PAGE)
    assert memory[20 * PAGE:20 * PAGE + 4] == b"\0" * 4
    memory.close()


def test_mmap_beyond_the_end():
    with tempfile.TemporaryFile() as file:
        file.truncate(2 * PAGE)
        memory = mmap.mmap(file.fileno(), 2 * PAGE)
        file.truncate(PAGE)
        status = child(lambda: memory[PAGE + 1])
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGBUS


def test_big_memory():
    memory = mmap.mmap(-1, 256 << 20)
    for offset in range(0, 256 << 20, 1 << 20):
        memory[offset] = offset >> 20 & 255
    assert all(memory[o] == o >> 20 & 255 for o in range(0, 256 << 20, 1 << 20))
    memory.close()


async def pipe_ends():
    """A pipe as (reader, writer) of asyncio."""
    one, two = os.pipe()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(one, "rb"))
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin,
                                                        os.fdopen(two, "wb"))
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def test_asyncio_over_pipes():
    async def talk(number):
        reader, writer = await pipe_ends()
        for i in range(50):
            writer.write(b"%d %d\n" % (number, i))
            await writer.drain()
            assert await reader.readline() == b"%d %d\n" % (number, i)
        writer.close()
        assert await reader.read() == b""

    async def all_of_them():
        await asyncio.gather(*(talk(n) for n in range(20)))
    asyncio.run(all_of_them())


def test_asyncio_much_through_a_pipe():
    async def work():
        reader, writer = await pipe_ends()

        async def send():
            for _ in range(64):
                writer.write(b"x" * 65536)
                await writer.drain()
            writer.close()
        task = asyncio.create_task(send())
        assert len(await reader.read()) == 64 * 65536
        await task
    asyncio.run(work())


def test_asyncio_subprocesses():
    async def one(number):
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", "read x; echo $x; exit %d" % number, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate(b"%d\n" % number)
        assert int(out) == number and process.returncode == number

    async def all_of_them():
        await asyncio.gather(*(one(n) for n in range(20)))
    asyncio.run(all_of_them())


def test_asyncio_timers_and_signals():
    async def work():
        loop, got = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, got.set)
        loop.call_later(0.05, os.kill, os.getpid(), signal.SIGUSR1)
        await asyncio.wait_for(got.wait(), 10)
        loop.remove_signal_handler(signal.SIGUSR1)
        start = loop.time()
        await asyncio.gather(*(asyncio.sleep(0.2) for _ in range(500)))
        assert 0.19 < loop.time() - start < 10
    asyncio.run(work())


def test_asyncio_unix_server():
    async def work():
        async def echo(reader, writer):
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()
        server = await asyncio.start_unix_server(echo, "/tmp/python.socket")
        for n in range(20):
            reader, writer = await asyncio.open_unix_connection("/tmp/python.socket")
            writer.write(b"%d\n" % n)
            assert await reader.readline() == b"%d\n" % n
            writer.close()
        server.close()
        await server.wait_closed()
        os.unlink("/tmp/python.socket")
    asyncio.run(work())


def test_unix_sockets_pass_descriptors():
    one, two = socket.socketpair()
    reader, writer = os.pipe()
    socket.send_fds(one, [b"take it"], [writer])
    data, descriptors, _, _ = socket.recv_fds(two, 100, 4)
    os.write(descriptors[0], b"passed")
    assert data == b"take it" and os.read(reader, 100) == b"passed"
    for descriptor in (reader, writer, descriptors[0]):
        os.close(descriptor)
    one.close()
    two.close()


def test_poll_and_epoll():
    reader, writer = os.pipe()
    poll, epoll = select.poll(), select.epoll()
    poll.register(reader, select.POLLIN)
    epoll.register(reader, select.EPOLLIN | select.EPOLLET)
    assert poll.poll(10) == [] and epoll.poll(0.01) == []
    os.write(writer, b"x")
    assert poll.poll() == [(reader, select.POLLIN)] and epoll.poll() == [(reader, select.EPOLLIN)]
    assert epoll.poll(0.01) == []
    os.close(writer)
    assert poll.poll()[0][1] & select.POLLHUP
    epoll.close()
    os.close(reader)


def test_selectors_with_many_pipes():
    pipes = [os.pipe() for _ in range(300)]
    with selectors.DefaultSelector() as selector:
        for reader, _ in pipes:
            selector.register(reader, selectors.EVENT_READ)
        for _, writer in pipes[::7]:
            os.write(writer, b"!")
        ready = sorted(key.fd for key, _ in selector.select(1))
        assert ready == sorted(reader for reader, _ in pipes[::7])
    for ends in pipes:
        os.close(ends[0])
        os.close(ends[1])


def test_eventfd():
    event = os.eventfd(3, os.EFD_NONBLOCK)
    assert os.eventfd_read(event) == 3
    refused(errno.EAGAIN, os.eventfd_read, event)
    os.eventfd_write(event, 7)
    os.eventfd_write(event, 8)
    assert os.eventfd_read(event) == 15
    os.close(event)


def test_memfd():
    descriptor = os.memfd_create("name", os.MFD_ALLOW_SEALING)
    os.write(descriptor, b"sealed")
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW)
    refused(errno.EPERM, os.write, descriptor, b"more")
    assert os.readlink("/proc/self/fd/%d" % descriptor) == "/memfd:name (deleted)"
    os.close(descriptor)


def test_files():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/file"
        with open(path, "wb") as file:
            assert file.write(b"abc" * 1000) == 3000
        assert os.stat(path).st_size == 3000
        os.rename(path, path + "2")
        os.symlink("file2", path)
        assert os.readlink(path) == "file2" and open(path, "rb").read(3) == b"abc"
        os.utime(path, ns=(1, 1234567891))
        assert os.stat(path).st_mtime_ns == 1234567891
        assert sorted(entry.name for entry in os.scandir(folder)) == ["file", "file2"]
        os.link(path + "2", path + "3")
        assert os.stat(path + "3").st_nlink == 2
        refused(errno.EEXIST, os.open, path, os.O_CREAT | os.O_EXCL)
        refused(errno.ENOTDIR, os.stat, path + "/x")
        refused(errno.ENOTEMPTY, os.rmdir, folder)


def test_positions():
    with tempfile.TemporaryFile() as file:
        descriptor = file.fileno()
        os.pwrite(descriptor, b"end", 1 << 20)
        assert os.pread(descriptor, 10, 1 << 20) == b"end"
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0
        assert os.lseek(descriptor, 0, os.SEEK_DATA) <= 1 << 20
        assert os.lseek(descriptor, 0, os.SEEK_HOLE) == 0
        assert os.writev(descriptor, [b"a", b"bc"]) == 3
        assert os.preadv(descriptor, [bytearray(2), bytearray(1)], 0) == 3


def test_copies_inside_the_kernel():
    with tempfile.TemporaryFile() as one, tempfile.TemporaryFile() as two:
        data = os.urandom(300000)
        one.write(data)
        one.flush()
        assert os.sendfile(two.fileno(), one.fileno(), 0, 100000) == 100000
        assert os.copy_file_range(one.fileno(), two.fileno(), 200000, 100000, 100000) == 200000
        two.seek(0)
        assert two.read() == data
        reader, writer = os.pipe()
        assert os.splice(one.fileno(), writer, 5000, offset_src=10) == 5000
        assert os.read(reader, 5000) == data[10:5010]
        os.close(reader)
        os.close(writer)


def test_locks_on_files():
    with tempfile.NamedTemporaryFile() as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 10, 0)

        def other():
            with open(file.name, "r+b") as same:
                fcntl.lockf(same, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 10)
                refused(errno.EAGAIN, fcntl.lockf, same, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 5)
            return 0
        assert child(other) == 0
        fcntl.flock(file, fcntl.LOCK_EX)
        with open(file.name, "rb") as same:
            refused(errno.EAGAIN, fcntl.flock, same, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_extended_attributes():
    with tempfile.NamedTemporaryFile() as file:
        os.setxattr(file.name, "trusted.plum", b"blue")
        assert os.listxattr(file.name) == ["trusted.plum"]
        assert os.getxattr(file.name, "trusted.plum") == b"blue"
        refused(errno.ENODATA, os.getxattr, file.name, "trusted.pear")
        refused(errno.EEXIST, os.setxattr, file.name, "trusted.plum", b"", os.XATTR_CREATE)
        os.removexattr(file.name, "trusted.plum")
        assert os.listxattr(file.name) == []


def test_pipes():
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    size = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    assert size == 65536 and os.write(writer, bytes(size + 1)) == size
    refused(errno.EAGAIN, os.write, writer, b"x")
    assert fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20) == 1 << 20
    assert os.write(writer, bytes(1000)) == 1000
    os.close(reader)
    refused(errno.EPIPE, os.write, writer, b"x")
    os.close(writer)


def test_pseudo_terminals():
    pid, master = pty.fork()
    if pid == 0:
        os.execvp("sh", ["sh", "-c", "tty; read x; echo got $x; stty size; kill -INT $$; sleep 9"])
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    os.write(master, b"typed\n")
    text = b""
    while b"33 77" not in text:
        text += os.read(master, 1000)
    assert b"/dev/pts/" in text and b"got typed" in text
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGINT
    try:
        while os.read(master, 1000):
            pass
    except OSError as error:
        assert error.errno == errno.EIO
    os.close(master)


def test_terminal_modes():
    master, slave = pty.openpty()
    modes = termios.tcgetattr(slave)
    modes[3] &= ~(termios.ICANON | termios.ECHO)
    modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    os.write(master, b"raw")
    assert os.read(slave, 10) == b"raw"
    os.write(slave, b"line\n")
    assert os.read(master, 10) == b"line\r\n"
    os.close(master)
    os.close(slave)


def test_limits():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (20, hard))
    opened = []
    try:
        refused(errno.EMFILE, lambda: [opened.append(os.open("/dev/null", 0)) for _ in range(30)])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        [os.close(descriptor) for descriptor in opened]

    def hungry():
        resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))
        try:
            bytearray(1 << 30)
        except MemoryError:
            return 7
    assert os.WEXITSTATUS(child(hungry)) == 7

    def busy():
        resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
        while True:
            pass
    assert os.WTERMSIG(child(busy)) == signal.SIGXCPU


def test_usage():
    before = resource.getrusage(resource.RUSAGE_SELF)
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime > 0.1
    assert after.ru_maxrss > 1000 and after.ru_minflt > 0


def test_clocks():
    for clock in (time.CLOCK_REALTIME, time.CLOCK_MONOTONIC, time.CLOCK_MONOTONIC_RAW,
                  time.CLOCK_BOOTTIME,
                  time.CLOCK_PROCESS_CPUTIME_ID, time.CLOCK_THREAD_CPUTIME_ID, time.CLOCK_TAI):
        values = [time.clock_gettime_ns(clock) for _ in range(1000)]
        assert values == sorted(values), clock
    assert time.clock_getres(time.CLOCK_MONOTONIC) == 1e-9
    assert time.time() > 1.7e9


def test_clock_never_steps_back_between_cpus():
    newest, lock, bad = [0], threading.Lock(), []

    def look():
        for _ in range(2000):
            with lock:
                now = time.monotonic_ns()
                if now < newest[0]:
                    bad.append(newest[0] - now)
                newest[0] = now
    threads = [threading.Thread(target=look) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not bad, bad


def test_affinity_and_policies():
    everything = os.sched_getaffinity(0)
    assert len(everything) == os.cpu_count() == 4
    for cpu in everything:
        os.sched_setaffinity(0, [cpu])
        assert os.sched_getaffinity(0) == {cpu}
    os.sched_setaffinity(0, everything)
    refused(errno.EINVAL, os.sched_setaffinity, 0, [4000])
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
    assert os.sched_get_priority_max(os.SCHED_FIFO) == 99

    def real_time():
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
        return 0 if os.sched_getscheduler(0) == os.SCHED_FIFO else 1
    assert child(real_time) == 0


def test_credentials():
    def lower():
        os.setgroups([5, 6])
        os.setresgid(1000, 1000, 1000)
        os.setresuid(1000, 1001, 1000)
        assert os.getresuid() == (1000, 1001, 1000) and sorted(os.getgroups()) == [5, 6]
        os.seteuid(1000)
        os.setuid(1000)
        refused(errno.EPERM, os.setuid, 0)
        refused(errno.EPERM, os.kill, 1, 0)
        refused(errno.EACCES, os.open, "/root/x", os.O_CREAT)
        refused(errno.EPERM, os.nice, -5)
        return 0
    assert child(lower) == 0


def test_process_groups():
    def lead():
        os.setsid()
        assert os.getsid(0) == os.getpgrp() == os.getpid()
        refused(errno.EPERM, os.setsid)
        refused(errno.ENXIO, os.open, "/dev/tty", os.O_RDWR)
        return 0
    assert child(lead) == 0
    refused(errno.ESRCH, os.killpg, 4194303, 0)


def test_random():
    assert os.getrandom(32) != os.getrandom(32) and len(os.urandom(100000)) == 100000


def test_libraries():
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.syscall(39) == os.getpid()
    assert libc.syscall(9999) == -1 and ctypes.get_errno() == errno.ENOSYS
    assert ctypes.CDLL("libm.so.6").abs(-3) == 3


def test_floating_point_survives_switches():
    def sums(seed):
        total = seed
        for i in range(1, 20000):
            total += 1.0 / (i * seed)
        return total
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(sums, [1.5, 2.5] * 16))
    assert results == [sums(1.5), sums(2.5)] * 16


def test_uname():
    names = os.uname()
    assert names.sysname == "Linux" and names.machine == "x86_64"
    assert names.release.startswith("6.1.")


def test_orphans_go_to_the_subreaper():
    libc = ctypes.CDLL(None)

    def reap():
        libc.prctl(36, 1)
        reader, writer = os.pipe()
        if os.fork() == 0:
            if os.fork() == 0:
                time.sleep(0.1)
                os.write(writer, b"%d" % os.getppid())
                os._exit(8)
            os._exit(0)
        statuses = sorted(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(2))
        assert int(os.read(reader, 20)) == os.getpid() and statuses == [0, 8]
        return 0
    assert child(reap) == 0


def main():
    tests = [(name, f) for name, f in globals().items() if name.startswith("test_")]
    for number, (name, function) in enumerate(tests, 1):
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        start = time.monotonic()
        try:
            function()
            print("ok %d - %s" % (number, name[5:].replace("_", " ")), flush=True)
            print("# %.2f s" % (time.monotonic() - start), flush=True)
        except BaseException as error:
            import traceback
            trace = io.StringIO()
            traceback.print_exception(error, file=trace)
            print("".join("# %s\n" % line for line in trace.getvalue().splitlines()), end="")
            print("not ok %d - %s" % (number, name[5:].replace("_", " ")), flush=True)
    print("1..%d" % (len(sys.argv[1:]) or len(tests)), flush=True)


if __name__ == "__main__":
    main()
