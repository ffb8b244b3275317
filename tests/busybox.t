#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same output as Linux: runs the lines of tests/busybox.list on both kernels and compares.

Model: one initramfs, one boot of each kernel; a section of the console's output is what one line
gave: status, standard output, standard error. What may differ is in VOLATILE, nothing else.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

# Word of the list -> what to take out of the output, and what stands for it.
VOLATILE = {
    "num": (r"\d+", "N"),
    "kernel": (r"\b6\.1\.[-\w.]+", "RELEASE"),
    "space": (r"[ \t]+", " "),
}

INIT = r"""
umask 022
mkdir -p /fixture
cd /fixture
printf 'one\ntwo\ntwo\nthree and more\nhello, world\n' >text
for n in 10 9 100 33 7 1 25; do echo $n; done >num
awk 'BEGIN { for (i = 0; i < 256; i++) printf "%c", i }' >bin
truncate -s 65536 sparse
ln -s text link
printf '#!/bin/sh\necho $0 $#: $*\n' >script
mkdir -p d/sub d/empty d/parts
echo one >d/one
echo two >d/two
echo three >d/sub/three
printf 'one\n2\ntwo\nthree and more\n' >d/other
printf -- '--- text\n+++ text\n@@ -1,3 +1,3 @@\n-one\n+uno\n two\n two\n' >d/fix
printf '2d\n,p\nw\nq\n' >d/edscript
printf '#!/bin/sh\necho part one\n' >d/parts/one
printf '#!/bin/sh\nexit 3\n' >d/parts/two
echo hidden >secret
chmod 755 script d/parts/*
chmod 600 secret
touch -d '2020-01-01 00:00:00' num d/one
n=0
while IFS= read -r line; do
	n=$((n + 1))
	cd /
	rm -rf /tmp/w
	cp -a /fixture /tmp/w
	chmod 777 /tmp/w
	cd /tmp/w
	timeout -s KILL 20 sh -c "$line" </dev/null >/tmp/out 2>/tmp/err
	status=$?
	echo "== $n $status"
	cat -v /tmp/out | sed 's/^/o|/'
	echo
	cat -v /tmp/err | sed 's/^/e|/'
	echo
done </commands
echo "== end"
"""


def commands():
    """(words for VOLATILE, command line) for each line of the list."""
    found = []
    for line in open("tests/busybox.list").read().splitlines():
        if line and not line.startswith("#"):
            words, _, command = line[1:].partition(" ") if line.startswith("@") else ("", "", line)
            found.append((words.split(",") if words else [], command))
    return found


def sections(result):
    """Number of a command -> its section."""
    found, current = {}, None
    for line in result.lines:
        start = re.match(r"== (\d+|end)( \d+)?$", line)
        if start:
            current = found.setdefault(start[1], ["status" + (start[2] or "")])
        elif current is not None and re.match("[oe][|]", line):
            current.append(line)
    return found


def normal(section, words):
    for word in words:
        pattern, stand_in = VOLATILE[word]
        section = [section[0]] + [re.sub(pattern, stand_in, line) for line in section[1:]]
    return section


def main():
    t = tap.Tap()
    table = commands()
    folder = initramfs.scratch("busybox")
    listing = initramfs.write(folder + "/commands", "\n".join(c for _, c in table) + "\n")
    archive = initramfs.build("busybox", INIT, [
        "file /commands %s" % listing, "file /etc/passwd tools/shell/passwd 644",
        "file /etc/group tools/shell/group 644"])
    results = [vm.VM(kernel=kernel, initrd=archive, cpus=2, memory="512M", timeout=400).run()
               for kernel in (vm.linux(), vm.KERNEL)]
    reference, ours = map(sections, results)
    t.ok(len(table) >= 200, "at least 200 command lines")
    for result, name in zip(results, ("Linux", "the kernel under test")):
        t.ok(result.good and "end" in sections(result), name + " got to the end",
             result.trouble or result.tail())
    for number, (words, command) in enumerate(table, 1):
        wanted = normal(reference.get(str(number), ["nothing"]), words)
        got = normal(ours.get(str(number), ["no such section"]), words)
        t.ok(got == wanted, command, "\n".join(["Linux:"] + wanted + ["here:"] + got))
    t.done()


main()
