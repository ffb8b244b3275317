# SPDX-License-Identifier: BSD-2-Clause
"""Reads what the plugin writes (plugin.c tells the format)."""

import collections

# One way in which a CPU touched a line: `count` times, `size` bytes at `physical`.
Access = collections.namedtuple("Access", "cpu store count pc virtual physical size")


class Line:
    """A cache line that two CPUs touched, one of them writing."""

    def __init__(self, physical):
        self.physical, self.accesses = physical, []
        # {CPU: (turns in which it touched the line, in which it missed it)}
        self.turns = {}

    def missed_turns(self):
        """In how many turns the CPU that missed it more often missed it."""
        return max(missed for _, missed in self.turns.values())

    def same_bytes(self):
        """Whether some byte was written by one CPU and touched by another; else they only lie close."""
        writers, users = collections.defaultdict(set), collections.defaultdict(set)
        for access in self.accesses:
            for byte in range(access.physical, access.physical + access.size):
                users[byte].add(access.cpu)
                if access.store:
                    writers[byte].add(access.cpu)
        return any(writers[byte] and len(cpus) > 1 for byte, cpus in users.items())


class Window:
    """What the CPUs shared in one window: `lines`; `cpus` says how many accesses each made."""

    def __init__(self, number):
        self.number, self.cpus, self.lines, self.whole = number, {}, [], False


def read(path):
    """The windows of a run, by number; of the last one the end may be missing (not `whole`)."""
    windows, window = {}, None
    with open(path) as lines:
        for text in lines:
            words = text.split()
            if words[0] == "window":
                window = windows[int(words[1])] = Window(int(words[1]))
            elif words[0] == "cpu":
                window.cpus[int(words[1])] = int(words[2])
            elif words[0] == "line":
                window.lines.append(Line(int(words[1], 16)))
            elif words[0] == "turns":
                window.lines[-1].turns[int(words[1])] = (int(words[2]), int(words[3]))
            elif words[0] == "end":
                window.whole = True
            elif len(words) == 7:
                window.lines[-1].accesses.append(Access(
                    int(words[0]), words[1] == "w", int(words[2]), int(words[3], 16),
                    int(words[4], 16), int(words[5], 16), int(words[6])))
    return windows
