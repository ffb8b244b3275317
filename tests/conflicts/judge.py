# SPDX-License-Identifier: BSD-2-Clause
"""Runs the pairs on a kernel under the plugin, and says of each whether it is free of conflicts.

Documentation/conflicts.md defines the words. A line of the kernel's that both CPUs touched, one of
them writing, is *shared*, by its name (tools/conflicts/names.py): `rounds` says in what part of the
single windows, `rate` in what part of the turns of the long one a CPU missed it. It is shared by each
operation when either is more than OFTEN; else now and then. A pair is

    shared      if some line is shared by each operation
    rare        if lines are shared, but each of them now and then
    free        if there is none
    ordered     if POSIX makes its order show, whatever is shared
"""

import collections
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("../lib", "../../tools/conflicts"):
    sys.path.insert(0, os.path.join(HERE, folder))
import initramfs  # noqa: E402
import names  # noqa: E402
import vm  # noqa: E402
import windows  # noqa: E402

# Half: what an operation itself shares is there always, what a tick of the clock or a grace period
# does comes into some windows and turns only, the more the slower the machine.
OFTEN = 1 / 2
WATCHED = (1, 2)
MEMORY = "256M"
# Four-level page tables, as names.py knows the layout; no random base.
CPU, APPEND = "max,la57=off", vm.CONSOLE + " nokaslr"
# Linux does not trust the emulator's TSC; as on hardware, it is to read its clock there.
LINUX_APPEND = " tsc=reliable clocksource=tsc"


class Failure(Exception):
    """The run gave nothing to judge."""


class Shared:
    """A line that a pair shares, with all that did so in its windows."""

    def __init__(self, name):
        self.name, self.rounds, self.rate, self.same_bytes = name, 0, 0.0, False
        # {(cpu, pc): [reads, writes]}
        self.users = collections.defaultdict(lambda: [0, 0])

    def add(self, line):
        self.same_bytes |= line.same_bytes()
        for access in line.accesses:
            self.users[access.cpu, access.pc][access.store] += access.count


class Pair:
    """A pair's result. `shared` has the kernel's lines only, the worst first."""

    def __init__(self, a, b, sharing, reason):
        self.a, self.b, self.sharing, self.reason = a, b, sharing, reason
        self.name = "%s %s %s" % (a, b, sharing)
        self.shared, self.user_lines, self.failed = [], 0, False

    def judge(self, singles, long, turns, namer):
        found = {}
        for window in singles + [long]:
            for cpu in WATCHED:
                if not window.whole or not window.cpus.get(cpu):
                    raise Failure("%s: window %d shows nothing of CPU %d"
                                  % (self.name, window.number, cpu))
            seen = collections.defaultdict(int)
            for line in window.lines:
                name = namer.line(line)
                if name.kind == "user":
                    self.user_lines += 1
                    continue
                shared = found.setdefault(name.text, Shared(name))
                shared.add(line)
                seen[name.text] += line.missed_turns()
            for text, count in seen.items():
                if window is long:
                    found[text].rate += count / turns
                else:
                    found[text].rounds += 1 / len(singles)
        self.shared = sorted(found.values(), key=lambda s: (-max(s.rounds, s.rate), s.name.text))

    def often(self):
        """The lines that each operation shares."""
        return [s for s in self.shared if max(s.rounds, s.rate) > OFTEN]

    @property
    def verdict(self):
        if self.failed:
            return "failed"
        if self.reason:
            return "ordered"
        return "shared" if self.often() else "rare" if self.shared else "free"


def build_archive():
    """The driver as init, and what it executes."""
    programs = vm.OUT + "/tests/conflicts/"
    return initramfs.pack("conflicts", ["dir /dev", "nod /dev/console 600 0 0 c 5 1", "dir /proc",
                                        "dir /sys", "dir /tmp 1777",
                                        "file /init %sdriver 755" % programs,
                                        "file /child %schild 755" % programs])


def run_machine(kernel, arguments, timeout):
    """Boots the driver under the plugin; the console's Result and the path of the plugin's output."""
    lines = "%s/tests/conflicts/lines.%d" % (vm.OUT, os.getpid())
    os.environ["ACCEL"] = "tcg"
    machine = vm.VM(kernel=kernel, initrd=build_archive(), cpus=4, memory=MEMORY, cpu=CPU,
                    append=" ".join([APPEND + LINUX_APPEND * vm.is_linux(kernel), "--",
                                     *arguments]), timeout=timeout,
                    extra=["-plugin", "%s/tools/conflicts.so,out=%s" % (vm.OUT, lines)])
    return machine.run(), lines


def kallsyms(kernel):
    """Linux's symbols, which only it knows: asked once, kept beside the image."""
    path = os.path.join(os.path.dirname(kernel), "kallsyms")
    if not os.path.exists(path):
        archive = initramfs.build("kallsyms", "echo == symbols\n"
                                  "gzip -c /proc/kallsyms | base64\necho == end 0\n")
        result = vm.VM(kernel=kernel, initrd=archive, append=APPEND, cpu=CPU, timeout=120).run()
        text = result.serial.partition("== symbols\n")[2].partition("== end")[0]
        data = subprocess.run("base64 -d | gzip -dc", shell=True, input=text.encode(),
                              capture_output=True, check=True).stdout
        if b" startup_64\n" not in data:
            raise Failure("no symbols: " + result.tail())
        with open(path, "wb") as out:
            out.write(data)
    return path


def namer_for(kernel):
    return names.LinuxNames(kallsyms(kernel)) if vm.is_linux(kernel) else names.TesseraNames(kernel)


def measure(kernel, arguments=(), timeout=300):
    """Runs the pairs; a list of Pair, in the table's order, and the names of their places.

    `arguments` are those of the driver, timeout in seconds.
    """
    namer = namer_for(kernel)
    result, path = run_machine(kernel, arguments, timeout)
    if not result.good or not any(text.startswith("windows ") for text in result.lines):
        raise Failure(result.trouble or result.tail())
    found, pairs, pending = windows.read(path), [], None
    os.unlink(path)

    def settle():
        # The frames that were printed behind a pair's line belong to it.
        if pending:
            pair, first, rounds, turns = pending
            numbers = [found.get(first + i) for i in range(rounds + 1)]
            if None in numbers:
                raise Failure("%s: the plugin has not seen window %d ..." % (pair.name, first))
            pair.judge(numbers[:-1], numbers[-1], turns, namer)

    for text in result.lines:
        words = text.split()
        if not words or words[0] not in ("frames", "percpu", "pair", "FAILED", "windows"):
            continue
        if words[0] in ("frames", "percpu"):
            namer.take(words)
            continue
        settle()
        pending = None
        if words[0] == "windows":
            continue
        pair = Pair(words[1], words[2], words[3], " ".join(words[7:]))
        pair.failed = words[0] == "FAILED"
        pairs.append(pair)
        if not pair.failed:
            pending = (pair, *map(int, words[4:7]))
    namer.resolve({pc for pair in pairs for s in pair.shared for _, pc in s.users})
    return pairs, namer
