#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The pairs of tests/conflicts/free.list are conflict-free (Documentation/conflicts.md).

A pair that is not is measured again, alone: a line that it shares only in one of the two runs was
shared by chance (interrupts, grace periods), not by the pair. Arguments choose pairs: A,B,SHARING.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE + "/lib", HERE + "/conflicts"]
import judge  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

LIST = "tests/conflicts/free.list"
# What must be seen to share, or the instrument sees nothing.
SHARING = ("pipe-write pipe-write same-handle", "append append same-file")
AGAIN = 40


def listed():
    with open(LIST) as lines:
        return [line.strip() for line in lines if line.strip() and line[0] != "#"]


def again(pairs):
    """Measures pairs a second time: {name: names of the lines shared often}."""
    chosen = ["only=" + pair.name.replace(" ", ",") for pair in pairs[:AGAIN]]
    measured, _ = judge.measure(vm.KERNEL, chosen, 200)
    return {pair.name: {shared.name.text for shared in pair.often()} for pair in measured}


def report(shared, namer):
    users = sorted(shared.users.items(), key=lambda item: -sum(item[1]))[:8]
    return "\n".join(["shares " + shared.name.text] + [
        "  CPU %d, %d reads, %d writes: %s" % (cpu, reads, writes, namer.place(pc))
        for (cpu, pc), (reads, writes) in users])


def main():
    t = tap.Tap()
    if vm.is_linux():
        t.skip("pairs without conflicts", "the list is Tessera's")
        t.done()
    only = ["only=" + argument for argument in sys.argv[1:]]
    try:
        pairs, namer = judge.measure(vm.KERNEL, only, 400)
        by_name = {pair.name: pair for pair in pairs}
        names = [name for name in listed() if name in by_name or not only]
        bad = [by_name[name] for name in names if name in by_name and by_name[name].often()]
        second = again(bad) if bad else {}
    except judge.Failure as failure:
        t.ok(False, "the pairs are measured", failure)
        t.done()
    for name in SHARING:
        if name in by_name:
            t.ok(by_name[name].often(), name + " is seen to share", by_name[name].verdict)
    for name in names:
        pair = by_name.get(name)
        if pair is None or pair.failed:
            t.ok(False, name, "no such pair" if pair is None else "did not run to its end")
            continue
        kept = [s for s in pair.often() if name not in second or s.name.text in second[name]]
        t.ok(not kept, name, "\n".join(report(shared, namer) for shared in kept))
    missing = [pair.name for pair in pairs if pair.verdict in ("free", "rare") and pair.name not in names]
    if missing:
        t.note("free and not in %s: %s" % (LIST, ", ".join(missing)))
    t.done()


main()
