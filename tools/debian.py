# SPDX-License-Identifier: BSD-2-Clause
"""Fetches Debian packages without installing them; used by tools/debs and tools/linux-image.

Model: a closure is a set of package names over PreDepends and Depends (of alternatives the first
that exists), less the names to skip. Archives are cached by file name; what is cached is never
fetched again.
"""

import fcntl
import os
import re
import subprocess
import sys

class Failure(Exception):
    """What went wrong, in one line for the person who ran the tool."""


def run(*command, **options):
    """Runs `command`; its standard output as text. Raises Failure with its complaint."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **options)
    if done.returncode:
        complaint = (done.stderr.strip() or "exit status %d" % done.returncode).splitlines()[-1]
        raise Failure("%s: %s" % (" ".join(command[:3]), complaint))
    return done.stdout


def update():
    """Fetches the package lists; needs root or sudo."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    print("%s: fetching the package lists (apt-get update)" % sys.argv[0], file=sys.stderr)
    run(*sudo, "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "update")


def depends_of(names):
    """Package name -> list of its alternatives lists, for all `names` that apt knows."""
    known, package, alternatives = {}, None, None
    for line in run("apt-cache", "depends", "--no-recommends", "--no-suggests", "--no-conflicts",
                    "--no-breaks", "--no-replaces", "--no-enhances", *names).splitlines():
        field = re.match(r"\s+(\|?)(?:Pre)?Depends: (\S+)", line)
        if field:
            alternatives = alternatives or []
            alternatives.append(field[2].replace(":any", ""))
            if not field[1]:
                known[package].append(alternatives)
                alternatives = None
        elif line and not line[0].isspace():
            package = line.strip()
            known[package] = []
    return known


def closure(names, skip=()):
    """Sorted names of `names` and all that they depend on."""
    done, todo = set(), set(names)
    while todo:
        known = depends_of(sorted(todo))
        done |= todo & set(known)
        wanted = set()
        for alternatives in (a for package in known for a in known[package]):
            if not set(alternatives) & (done | set(skip)):
                wanted.add(next((a for a in alternatives if not a.startswith("<")), None))
        todo = wanted - done - set(skip) - {None}
    return sorted(done)


def download(names, folder):
    """Fetches the archives of `names` into `folder`; the list of their paths."""
    os.makedirs(folder, exist_ok=True)
    paths, missing = [], []
    for line in run("apt-get", "download", "--print-uris", *names).splitlines():
        name = line.split()[1]
        paths.append(os.path.join(folder, name))
        if not os.path.exists(paths[-1]):
            missing.append(name.split("_")[0])
    if missing:
        print("%s: downloading %s" % (sys.argv[0], " ".join(missing)), file=sys.stderr)
        run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3",
            "download", *missing, cwd=folder)
    return paths


def fetch(names, folder, find=lambda names: names):
    """download(find(names)), with fresh package lists when the ones here do not serve."""
    try:
        return download(find(names), folder)
    except Failure:
        update()
    try:
        return download(find(names), folder)
    except Failure as failure:
        raise Failure("%s (is there a network?)" % failure) from None


def locked(folder):
    """Makes `folder` and holds a lock on it until the program ends: tests run side by side."""
    os.makedirs(folder, exist_ok=True)
    lock = open(os.path.join(folder, ".lock"), "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main(work):
    """Runs work(); a Failure becomes one line on standard error and exit status 1."""
    try:
        work()
    except Failure as failure:
        sys.exit("%s: %s" % (sys.argv[0], failure))
