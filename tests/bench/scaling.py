# SPDX-License-Identifier: BSD-2-Clause
"""Parts of the benchmark about many CPUs: speed-up, fairness, wake-up latency, idling.

Each adds its samples to a Bench (tests/bench/run), which has the kernels take turns.
"""

import os
import re
import statistics
import subprocess

import initramfs
import vm

LOAD = "stress-ng --cpu 4 --switch 4 --fork 2 --vm 2 --vm-bytes 16M --pipe 2 --timer 2 -t %d >/dev/null 2>&1 &\n"
CPUS = (1, 2, 4)
# tcc has no atomic built-ins: they are calls of functions, which nobody links.
ORDERS = ["-D__ATOMIC_%s=%d" % order for order in
          (("RELAXED", 0), ("ACQUIRE", 2), ("RELEASE", 3), ("SEQ_CST", 5))]
# The tree that is built: its files, compiled one by one by jobs that make starts.
MAKEFILE = """
SOURCES := $(wildcard /tests/abi/*.c)
all: $(patsubst /tests/abi/%%.c,/tmp/build/%%.o,$(SOURCES))
/tmp/build/%%.o: /tests/abi/%%.c
	@tcc -w -c -I/ %s -o $@ $<
""" % " ".join(ORDERS)


def root():
    """Debian's programs for the guest, and the manifest's lines for them."""
    folder = initramfs.tree("bench", ("rt-tests", "stress-ng", "tcc", "make", "libc6-dev"),
                            ("libgl1-mesa-dri", "libegl-mesa0", "python3"))
    lines = ["elf /usr/bin/%s =usr/bin/%s" % (name, name)
             for name in ("hackbench", "cyclictest", "stress-ng", "tcc", "make")]
    lines += ["tree /usr/include =usr/include",
              "tree /usr/lib/x86_64-linux-gnu/tcc =usr/lib/x86_64-linux-gnu/tcc"]
    return folder, lines


def run(bench, what, name, machine):
    """Boots; the Result, or None when it failed."""
    result = machine.run()
    if result.good and "done" in result.lines:
        return result
    bench.fail(name, what, result.trouble or result.tail(8))
    return None


def tcc_takes(folder, path):
    """Does tcc compile this source? It lacks some of GCC's language, headers and assembly."""
    lib = folder + "/usr/lib/x86_64-linux-gnu"
    done = subprocess.run([folder + "/usr/bin/tcc", "-B" + lib + "/tcc", "-nostdinc", "-w", "-c", "-I.", *ORDERS,
                           "-I%s/tcc/include" % lib, "-I%s/usr/include" % folder,
                           "-I%s/usr/include/x86_64-linux-gnu" % folder,
                           "-o", initramfs.scratch("bench-scale") + "/tried.o", path],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def scale(bench, compiled):
    """Time of the same work on 1, 2 and 4 vCPUs; the rows are made of it by ratios()."""
    folder, lines = root()
    lines = lines + ["file /bench-scale %s 755" % compiled("bench-scale"),
                     "file /Makefile %s 644" % initramfs.write(initramfs.scratch("bench-scale") + "/Makefile",
                                                               MAKEFILE)]
    lines += ["file /tests/abi/%s tests/abi/%s 644" % (name, name) for name in sorted(os.listdir("tests/abi"))
              if name.endswith(".h") or tcc_takes(folder, "tests/abi/" + name)]
    for cpus in CPUS:
        archive = initramfs.build("bench-scale-%d" % cpus, """
/bench-scale %d 3
for round in 1 2 3; do
	hackbench -g 2 -l 300 | sed -n 's/^Time: /seconds hackbench, processes: /p'
	hackbench -g 2 -l 300 -T | sed -n 's/^Time: /seconds hackbench, threads: /p'
	rm -rf /tmp/build; mkdir /tmp/build
	start=$(cut -d' ' -f1 /proc/uptime)
	make -s -k -j %d -f /Makefile || broken=1
	echo "seconds build: $(echo "$(cut -d' ' -f1 /proc/uptime) $start" | awk '{ print $1 - $2 }')"
done
[ "$broken" ] || echo done
""" % (cpus, 2 * cpus), lines, sysroot=folder)
        for name, kernel in bench.turns(1 if bench.quick else 3):
            machine = vm.VM(kernel=kernel, initrd=archive, append="quiet panic=-1 console=ttyS0", cpus=cpus,
                            memory="1G", timeout=600)
            result = run(bench, "scale, %d vCPUs" % cpus, name, machine)
            for row, value in re.findall(r"^(?:scale|seconds) (.*): ([\d.]+)$", result.serial, re.M) if result else ():
                bench.add("scale", (row, cpus), name, float(value))


def ratios(bench, make_row, names):
    """Rows of `scale`: the part of one vCPU's time that more of them take."""
    samples = bench.rows["scale"]
    for row in dict.fromkeys(row for row, _cpus in samples):
        for cpus in CPUS[1:]:
            values = {}
            for name in names:
                one = samples.get((row, 1), {}).get(name)
                values[name] = [value / statistics.median(one) for value in
                                samples.get((row, cpus), {}).get(name, ())] if one else []
            if any(values.values()):
                yield make_row("%s, %d vCPUs" % (row, cpus), values, "", 1.0)


def fair(bench, compiled):
    """Per mille by which a task's CPU time is off its share."""
    archive = initramfs.build("bench-fair", "/bench-fair equal 10 64\n/bench-fair nice 10\necho done\n",
                              ["file /bench-fair %s 755" % compiled("bench-fair")])
    for name, kernel in bench.turns(1 if bench.quick else 3):
        machine = vm.VM(kernel=kernel, initrd=archive, append="quiet panic=-1 console=ttyS0", cpus=4,
                        memory="512M", timeout=200)
        result = run(bench, "fairness", name, machine)
        for row, value in re.findall(r"^fair (.*): ([\d.]+)$", result.serial, re.M) if result else ():
            bench.add("fair", row, name, float(value))


def latency(bench, compiled):
    """Microseconds until a FIFO task runs, under load: cyclictest's worst of a minute."""
    folder, lines = root()
    seconds = 20 if bench.quick else 60
    archive = initramfs.build("bench-latency", LOAD % (seconds + 20) + """
sleep 5
cyclictest -m -q -t 4 -p 80 -i 1000 -D %d 2>&1 | grep Max:
echo done
""" % seconds, lines, sysroot=folder)
    for name, kernel in bench.turns(1 if bench.quick else 3):
        machine = vm.VM(kernel=kernel, initrd=archive, append="quiet panic=-1 console=ttyS0", cpus=4,
                        memory="1G", timeout=240)
        result = run(bench, "latency", name, machine)
        found = re.findall(r"Avg:\s*(\d+) Max:\s*(\d+)", result.serial) if result else []
        if found:
            bench.add("latency", "worst", name, max(int(worst) for _average, worst in found))
            bench.add("latency", "average", name, statistics.mean(int(average) for average, _worst in found))


def idle(bench, plugin):
    """Guest instructions that 64 vCPUs execute in a second while nothing is to be done."""
    counts = initramfs.scratch("bench-idle") + "/counts"
    archive = initramfs.build("bench-idle", "echo idle\nsleep 30\necho done\n")
    for name, kernel in bench.turns(1 if bench.quick else 3):
        machine = vm.VM(kernel=kernel, initrd=archive, append="quiet panic=-1 console=ttyS0", cpus=64,
                        memory="1G", timeout=400, extra=["-plugin", "%s,out=%s" % (plugin, counts)])
        if run(bench, "idle", name, machine):
            with open(counts, encoding="ascii") as lines:
                bench.add("idle", "64 vCPUs", name, statistics.mean([int(line) for line in lines][-22:-2]))


def count_plugin():
    """tools/count/plugin.c, compiled; its path."""
    out = vm.OUT + "/tools/count.so"
    os.makedirs(os.path.dirname(out), exist_ok=True)
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-I.", "-fPIC", "-fvisibility=hidden", "-shared", "-o",
                    out, "tools/count/plugin.c"], check=True)
    return out
