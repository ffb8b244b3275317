#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Linux's own kernel selftests: what passes on Debian's Linux in the same VM passes here.

Model: both kernels boot the same archive and run each program of tools/kselftests. A result is a
TAP line, a line with [OK] or [FAIL], or the exit status of a program that prints neither. Each that is
good on Linux must be good here; tests/all/kselftests.list names what is not, with a reason, and what is not
run. Arguments choose programs by regular expressions. The results are kept in the build folder.
"""

import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

FOLDER = "build/kselftests"
PACKAGES = ("bash", "coreutils", "grep", "libasan8", "libc6", "libcap-ng0", "libcap2", "libcap2-bin", "libnuma1",
            "libpopt0", "procps", "sed", "util-linux")
EXCEPT = ("usr/share/doc* usr/share/locale* usr/share/man* usr/share/info* usr/include* "
          "usr/lib/x86_64-linux-gnu/gconv*")
LIST = "tests/all/kselftests.list"
SECONDS = 45
# Programs of one boot, so that one that hangs takes few with it.
BATCH = 30


def exceptions():
    """PROGRAM [SUBTEST] # REASON lines: {program: {subtest or '': reason}}; `skip` instead: not run."""
    known = {}
    for line in open(LIST):
        text, _, reason = line.partition("#")
        words = text.split(None, 1)
        if words:
            known.setdefault(words[0], {})[words[1].strip() if len(words) > 1 else ""] = reason.strip()
    return known


def programs(known):
    """Paths below bin/ of all programs, without those that are not to be run."""
    found = []
    for path in sorted(glob.glob(FOLDER + "/bin/**", recursive=True)):
        name = path[len(FOLDER) + 5:]
        if os.path.isfile(path) and os.access(path, os.X_OK) and not re.search(r"\.(o|so|sh|py)$", name):
            if "skip" not in known.get(name, {}):
                found.append(name)
    return [n for n in found if not sys.argv[1:] or any(re.search(a, n) for a in sys.argv[1:])]


def boot(kernel, names, number):
    """Runs the programs; their lines by name, with the exit status last."""
    script = "export LD_LIBRARY_PATH=/ks/rseq\n"
    for name in names:
        script += ('echo "== %s"\ncd /ks/%s\ntimeout -s KILL %d ./%s </dev/null 2>&1\necho "== end $?"\n'
                   % (name, os.path.dirname(name), SECONDS * vm.SCALE, os.path.basename(name)))
    root = initramfs.tree("kselftests", PACKAGES)
    lines = ["tree / %s %s" % (root, EXCEPT), "slink /bin/sh bash", "tree /ks %s/bin" % FOLDER,
             "file /etc/passwd tools/shell/passwd 644", "file /etc/group tools/shell/group 644"]
    archive = initramfs.build("kselftests-%d" % number, script, lines, sysroot=root)
    return vm.VM(kernel=kernel, initrd=archive, cpus=4, memory="2G", timeout=SECONDS * len(names) + 60).run()


def results(result, name):
    """{subtest: good} of a program, as far as it got."""
    printed, status = tap.section(result.lines, name)
    found = {}
    for line in printed:
        line = re.sub(r"\b(\d{2,}|0x[0-9a-f]+)\b", "N", line)
        m = re.match(r"(not )?ok \d+ ?(.*)", line) or re.match(r"\[(?:OK|(FAIL))\]\s*(.*)", line)
        if m and "# SKIP" not in line:
            key, n = m[2].strip(), 1
            while (key if n == 1 else "%s (%d)" % (key, n)) in found:
                n += 1
            found[key if n == 1 else "%s (%d)" % (key, n)] = not m[1]
    found[""] = status == "0"
    return found


def compare(t, name, ours, theirs, known):
    """One result for a program: what Linux passes and we do not, without what is known."""
    missed = [s or "exit status" for s, good in theirs.items()
              if good and not ours.get(s) and s not in known and (s or not known)]
    late = [s for s in known if s and ours.get(s)]
    t.ok(not missed and not late, "%s: %d of %d that pass on Linux" % (
        name, sum(1 for s, good in theirs.items() if good and ours.get(s)), sum(theirs.values())),
        "\n".join(["missed: " + s for s in missed] + ["passes now, listed: " + s for s in late]))


def main():
    t = tap.Tap()
    subprocess.run(["tools/kselftests", "-o", FOLDER], check=True)
    subprocess.run(["tools/linux-image"], check=True)
    known = exceptions()
    names = programs(known)
    for at in range(0, len(names), BATCH):
        part = names[at:at + BATCH]
        theirs, ours = (boot(kernel, part, at // BATCH) for kernel in (vm.LINUX, vm.KERNEL))
        for name in part:
            compare(t, name, results(ours, name), results(theirs, name), known.get(name, {}))
        t.ok(ours.good, "the machine was switched off and nothing complained", ours.trouble or ours.tail())
    t.done()


main()
