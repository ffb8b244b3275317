#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The unit and torture tests that run on the host, under the sanitizers: those of lib/, of mm/'s
allocators on a simulated machine, of percpu/ and sync/ on threads.

The makefile's HOST_TESTS says which; it builds what is not there yet.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import tap  # noqa: E402
import vm  # noqa: E402


def command(*words):
    """Runs a program; its status and what it printed."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "MAKEFLAGS": ""})
    return done.returncode, done.stdout


def main():
    t = tap.Tap()
    status, printed = command("make", "-s", "O=" + vm.OUT, "host-tests")
    t.ok(status == 0, "the tests were built", printed[-2000:])
    for path in command("make", "-s", "O=" + vm.OUT, "host-tests-list")[1].split():
        name = os.path.relpath(path, vm.OUT)
        status, printed = command(path)
        # The thread sanitizer cannot take every random placement of programs.
        if "unexpected memory mapping" in printed:
            status, printed = command("setarch", "-R", path)
        seen = t.forward(printed.splitlines(), name + ": ")
        t.ok(status == 0 and seen, name + ": the tests ran and ended", printed[-2000:])
    t.done()


main()
