#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""CPUs plugged into the running machine and pulled out of it (QEMU's device_add and device_del).

Model: the guest's script waits for what it shall see, says so by a line, and the test acts on that
line over QMP. QEMU's emulator does not survive for long when a CPU was pulled out, so that comes
last. Linux numbers CPUs as they come, thus they come in order.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import qmp  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

SCRIPT = """
cd /sys/devices/system/cpu
masks()
{
	echo "$1: possible $(cat possible) present $(cat present) online $(cat online)" \
		"folders $(echo cpu[0-9]*) nproc $(nproc)"
}
await()
{
	tries=0
	until eval "$1"; do
		sleep 0.1
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { echo "in vain: $1"; poweroff -f; }
	done
}
masks start
echo "please: add 1"
await '[ -e cpu1/online ]'
masks plugged
echo 1 >cpu1/online
masks started
taskset -c 1 awk '{ print "ran on", $39 }' /proc/self/stat
echo "siblings $(sort -u /proc/cpuinfo | grep siblings | tr -d '\\t')"
for load in 1 2 3 4; do
	taskset -c 1 sh -c 'while :; do :; done' &
done
echo "please: add 2"
await '[ -d cpu2 ]'
echo "please: add 3"
await '[ -e cpu2/online ] && [ -e cpu3/online ]'
echo 1 >cpu2/online
echo 1 >cpu3/online
masks all
echo "please: del 1"
await '[ ! -d cpu1 ]'
masks pulled
awk '{ print "busy task is", $3, "not on 1:", $39 != 1 }' /proc/$!/stat
sleep 2
"""
EXPECTED = [
    "start: possible 0-3 present 0 online 0 folders cpu0 nproc 1",
    "plugged: possible 0-3 present 0-1 online 0 folders cpu0 cpu1 nproc 1",
    "started: possible 0-3 present 0-1 online 0-1 folders cpu0 cpu1 nproc 2",
    "ran on 1",
    "siblings siblings: 2",
    "all: possible 0-3 present 0-3 online 0-3 folders cpu0 cpu1 cpu2 cpu3 nproc 4",
    "pulled: possible 0-3 present 0,2-3 online 0,2-3 folders cpu0 cpu2 cpu3 nproc 3",
    "busy task is R not on 1: 1",
]


# _OST's answers: to what, and 0 for success.
CAME, EJECTED = {"source": 1, "status": 0}, {"source": 3, "status": 0}


def serve(control, terminal, model):
    """Does what the guest asks for until it has ended; whether QEMU got each answer."""
    seen = []
    while True:
        wish = terminal.expect(r"^please: (add|del) (\d)$|^busy task |^in vain", 60)
        if not wish or not wish[1]:
            return seen
        core = int(wish[2])
        if wish[1] == "add":
            control.command("device_add", driver=model + "-x86_64-cpu", id="core%d" % core,
                            **{"socket-id": 0, "core-id": core, "thread-id": 0})
            seen.append(control.wait_ost(CAME))
        else:
            at = next(cpu["qom-path"] for cpu in control.command("query-hotpluggable-cpus")
                      if cpu["props"]["core-id"] == core)
            control.command("device_del", id=at)
            seen.append(control.wait_ost(EJECTED))


def plug(t, machine, model):
    """The whole script on one kind of machine."""
    name = "%s, %s" % (machine, model)
    archive = initramfs.build("plug", SCRIPT)
    box = vm.VM(initrd=archive, machine=machine, cpu=model, cpus="1,maxcpus=4", timeout=240)
    control = qmp.Control(box, initramfs.scratch("plug"))
    terminal = vm.Terminal(box)
    control.connect(terminal)
    answers = []
    try:
        answers = serve(control, terminal, model)
    except (OSError, EOFError, RuntimeError) as error:
        t.note("%s; events: %s" % (error, control.events))
    result = terminal.finish()
    for line in EXPECTED:
        t.ok(line in result.lines, "%s: %s" % (name, line), result.tail())
    t.ok(answers == [True] * 4, name + ": QEMU was told what came of each", repr(answers))
    t.ok(result.good, name + ": nothing complained", result.trouble or result.tail())


def main():
    t = tap.Tap()
    plug(t, "q35", "max")
    plug(t, "pc", "qemu64")
    t.done()


main()
