# SPDX-License-Identifier: BSD-2-Clause
"""Turns the text of tracefs's `trace` into a page that shows it over time.

Model: a lane is a row of the picture, with spans (something lasted) and marks (something happened). Each
CPU has a lane of the tasks that ran there and one of its interrupts, page faults and waits for locks;
each task one of where it ran and one of its system calls. Works on Linux's traces too.
"""

import collections
import html
import json
import os
import re

LINE = re.compile(r"^ *(.+)-(\d+) +\[(\d+)\] (\S{4,5}) +(\d+\.\d+): (\w+): ?(.*)$")
SWITCH = re.compile(r"prev_comm=(.*) prev_pid=(\d+) prev_prio=\S+ prev_state=(\S+) ==> "
                    r"next_comm=(.*) next_pid=(\d+) ")
LOST = re.compile(r"^CPU:(\d+) \[LOST (\d+) EVENTS\]")
# Begin of a span -> its end, and what its text is.
PAIRS = {"irq_handler_entry": ("irq_handler_exit", "name"), "softirq_entry": ("softirq_exit", "action"),
         "local_timer_entry": ("local_timer_exit", None), "reschedule_entry": ("reschedule_exit", None),
         "call_function_entry": ("call_function_exit", None),
         "contention_begin": ("contention_end", "flags"),
         "hrtimer_expire_entry": ("hrtimer_expire_exit", "function")}
ENDS = {end: begin for begin, (end, _) in PAIRS.items()}
QUIET = {"sched_switch", "sys_enter", "sys_exit", *PAIRS, *ENDS}
TASKS_SHOWN = 40
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

Event = collections.namedtuple("Event", "task pid cpu flags time name text")


def parse(lines):
    """(events in order of time, events lost)."""
    events, lost = [], 0
    for line in lines:
        found = LINE.match(line)
        if found:
            task, pid, cpu, flags, time, name, text = found.groups()
            events.append(Event(task.strip(), int(pid), int(cpu), flags, float(time), name, text))
        elif LOST.match(line):
            lost += int(LOST.match(line)[2])
    return sorted(events, key=lambda e: e.time), lost


def syscall_names():
    """Number -> name."""
    names = {}
    with open(os.path.join(ROOT, "kernel/syscall/syscalls.list")) as lines:
        for line in lines:
            words = line.split()
            if words and words[0].isdigit():
                names[int(words[0])] = words[1]
    return names


class Lane:
    """A row: spans (begin, end, text), marks (time, text)."""

    def __init__(self, name, kind):
        self.name, self.kind, self.spans, self.marks, self.open = name, kind, [], [], []

    def begin(self, time, text, key=None):
        self.open.append((time, text, key))

    def end(self, time, key=None, more=""):
        """Ends the innermost open span of that key; whatever is open inside it was cut off."""
        for i in range(len(self.open) - 1, -1, -1):
            if self.open[i][2] == key:
                begin, text, _ = self.open[i]
                del self.open[i:]
                self.spans.append((begin, time, text + more))
                return

    def finish(self, time):
        for begin, text, _ in self.open:
            self.spans.append((begin, time, text + " ..."))
        self.open = []


def text_of(event):
    """What a span is called."""
    what = PAIRS[event.name][1]
    found = what and re.search(r"%s=([^\s\])]+)" % what, event.text)
    name = event.name.replace("_entry", "").replace("_begin", "")
    return "%s %s" % (name, found[1]) if found else name


class Picture:
    def __init__(self, events):
        self.cpus, self.work, self.tasks, self.calls = {}, {}, {}, {}
        self.names, self.syscalls = {}, syscall_names()
        # The last name is the program's, the first that of who forked it.
        for event in events:
            self.names[event.pid] = event.task
        for event in events:
            self.take(event)
        last = events[-1].time if events else 0
        for lane in self.all():
            lane.finish(last)

    def all(self):
        return [lane for lanes in (self.cpus, self.work, self.tasks, self.calls)
                for lane in lanes.values()]

    def lane(self, lanes, key, name, kind):
        if key not in lanes:
            lanes[key] = Lane(name, kind)
        return lanes[key]

    def task(self, pid):
        return self.lane(self.tasks, pid, "%s-%d" % (self.names.get(pid, "?"), pid), "task")

    def call(self, pid):
        return self.lane(self.calls, pid, "  calls", "call")

    def take(self, e):
        cpu = self.lane(self.cpus, e.cpu, "CPU %d" % e.cpu, "cpu")
        work = self.lane(self.work, e.cpu, "  interrupts", "irq")
        if e.name == "sched_switch":
            found = SWITCH.search(e.text)
            if found:
                self.switch(e, cpu, *found.groups())
        elif e.name in PAIRS:
            work.begin(e.time, text_of(e), PAIRS[e.name][0])
        elif e.name in ENDS:
            work.end(e.time, e.name)
        elif e.name == "sys_enter":
            number = int(e.text.split()[1])
            # One whose end was not seen; a task makes one call at a time.
            self.call(e.pid).finish(e.time)
            self.call(e.pid).begin(e.time, self.syscalls.get(number, str(number)) +
                                   e.text[e.text.find("("):], number)
        elif e.name == "sys_exit":
            words = e.text.split()
            calls = self.call(e.pid)
            # Linux's sigreturn returns from no call (-1): from whatever is open.
            number = int(words[1]) if words[1] != "-1" else calls.open[-1][2] if calls.open else None
            calls.end(e.time, number, " = " + words[3])
        if e.name not in QUIET:
            lane = self.task(e.pid) if e.pid else work
            lane.marks.append((e.time, "%s: %s" % (e.name, e.text)))

    def switch(self, e, cpu, prev, prev_pid, state, following, pid):
        prev_pid, pid = int(prev_pid), int(pid)
        self.names.setdefault(pid, following)
        cpu.end(e.time)
        if prev_pid:
            self.task(prev_pid).end(e.time, "on", ", then %s" % state)
        if pid:
            cpu.begin(e.time, "%s-%d" % (following, pid))
            self.task(pid).begin(e.time, "CPU %d" % e.cpu, "on")

    def rows(self):
        """All lanes from top to bottom: CPUs, then the tasks with most to show."""
        for cpu in sorted(self.cpus):
            yield self.cpus[cpu]
            yield self.work[cpu]

        def weight(pid):
            lanes = [lanes[pid] for lanes in (self.tasks, self.calls) if pid in lanes]
            return -sum(len(lane.spans) + len(lane.marks) for lane in lanes)

        pids = sorted(set(self.tasks) | set(self.calls), key=weight)[:TASKS_SHOWN]
        for pid in sorted(pids):
            yield self.task(pid)
            if pid in self.calls:
                yield self.calls[pid]


def page(lines, title):
    """The whole page as text."""
    events, lost = parse(lines)
    start = events[0].time if events else 0

    def us(time):
        return round((time - start) * 1e6, 1)

    rows = [{"name": lane.name, "kind": lane.kind,
             "spans": [(us(a), us(b), text) for a, b, text in sorted(lane.spans)],
             "marks": [(us(time), text) for time, text in lane.marks]}
            for lane in Picture(events).rows()]
    end = us(events[-1].time) if events else 1
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "timeline.html")) as file:
        template = file.read()
    data = json.dumps({"rows": rows, "end": end}, separators=(",", ":")).replace("</", "<\\/")
    said = "%d events, %.3f ms, %d lost" % (len(events), end / 1000, lost)
    return template.replace("@TITLE@", html.escape(title)).replace("@SAID@", said).replace("@DATA@", data)
