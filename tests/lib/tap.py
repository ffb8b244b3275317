# SPDX-License-Identifier: BSD-2-Clause
"""A producer of TAP version 13, and a reader that forwards what a guest printed."""

import os
import re
import sys

RESULT = re.compile(r"(not )?ok\b\s*(\d+)?\s*-?\s*(.*)")
PLAN = re.compile(r"1\.\.(\d+)")


class Tap:
    """Numbers the results of one test file. done() ends the program."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, detail=""):
        """Reports one result; `detail` explains a bad one, on standard error. Returns `good`."""
        self.count += 1
        self.failed += not good
        name = name.replace("#", "\\#")
        print("%sok %d - %s" % ("" if good else "not ", self.count, name), flush=True)
        if not good:
            print("# not ok %d - %s (%s)" % (self.count, name, os.path.basename(sys.argv[0])),
                  *str(detail).splitlines(), sep="\n#   ", file=sys.stderr, flush=True)
        return good

    def same(self, got, wanted, name):
        """ok() for an equality."""
        return self.ok(got == wanted, name, "got    %r\nwanted %r" % (got, wanted))

    def skip(self, name, reason):
        """Reports a result that this kernel or machine cannot give, and why."""
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, reason), flush=True)

    def note(self, text):
        """Explains; never a result."""
        for line in str(text).splitlines():
            print("# " + line, flush=True)

    def forward(self, lines, prefix=""):
        """Reports the results found in `lines` as ours; returns how many there were.

        A plan that does not match and `Bail out!` are failures: the guest stopped early.
        """
        seen, planned, notes = 0, None, []
        for line in lines:
            result, plan = RESULT.match(line), PLAN.match(line)
            if result:
                seen += 1
                name, _, directive = result[3].partition(" # ")
                good = not result[1] or directive.upper().startswith("TODO")
                if directive.upper().startswith("SKIP"):
                    self.skip(prefix + name, directive[4:].strip())
                else:
                    self.ok(good, prefix + name, "\n".join(notes))
                notes = []
            elif plan:
                planned = int(plan[1])
            elif line.startswith("Bail out!"):
                self.ok(False, prefix + line)
            else:
                notes = notes[-30:] + [line]
        if planned != seen:
            self.ok(False, prefix + "as many results as planned",
                    "\n".join(["planned %s, seen %d" % (planned, seen)] + notes))
        return seen

    def done(self):
        """Prints the plan and ends the program with the verdict."""
        print("1..%d" % self.count, flush=True)
        sys.exit(1 if self.failed or not self.count else 0)


class Quiet(Tap):
    """Prints nothing: for a run that has to fail. `bad` are the names of its bad results."""

    def __init__(self):
        super().__init__()
        self.bad = []

    def ok(self, good, name, detail=""):
        self.count += 1
        self.failed += not good
        self.bad += [] if good else [name]
        return good

    def skip(self, name, reason):
        self.count += 1

    def note(self, text):
        pass


def program():
    """The running test's name: that of its file, without .t."""
    return os.path.basename(sys.argv[0]).partition(".")[0]


def section(lines, name):
    """What a guest printed between `== NAME` and `== end STATUS`, and that status.

    The status is None when the end never came.
    """
    start = lines.index("== " + name) + 1 if "== " + name in lines else len(lines)
    for end in range(start, len(lines)):
        if lines[end].startswith("== end "):
            return lines[start:end], lines[end][7:]
    return lines[start:], None


def blocks(lines):
    """The TAP streams in `lines`: from each `TAP version 13` to its plan or the next one."""
    block = None
    for line in lines:
        if line.startswith("TAP version 13"):
            if block is not None:
                yield block
            block = []
        elif block is not None:
            block.append(line)
    if block is not None:
        yield block
