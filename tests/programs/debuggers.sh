# SPDX-License-Identifier: BSD-2-Clause
# strace and gdb, which use ptrace(2) as nothing else does. Run by tests/debuggers.t.

. /tests/tap.sh
PROGRAM=/tests/debuggee
cd /tmp

# debug ARGUMENT COMMAND...: gdb's answer to its commands, one a word, of the program with that argument.
debug()
{
	local argument=$1 commands=()
	shift
	for command; do commands+=(-ex "$command"); done
	timeout 60 gdb -nx -nh -batch -ex "set confirm off" -ex "set style enabled off" \
		-ex "set startup-with-shell off" "${commands[@]}" --args $PROGRAM $argument 2>&1
}

# --- strace ---

gives "strace of a command" "*execve(\"/bin/true\"*exit_group(0)*+++ exited with 0 +++" \
	"strace /bin/true"
gives "strace -e" "*write(1, \"hello*" "strace -e trace=write echo hello"
gives "strace -e of files" "*openat(AT_FDCWD, \"/nowhere\", *ENOENT*+++ exited with 1 +++" \
	"strace -e trace=openat cat /nowhere"
gives "strace -f of a pipeline" "yes" \
	"strace -f -o out bash -c 'echo one two | tr a-z A-Z | cat >/dev/null' &&
	[ \$(grep -c 'exited with 0' out) = 4 ] && grep -q 'ONE TWO' out && echo yes"
gives "strace -ff" "3" "strace -ff -o each bash -c 'true | /bin/true'; ls each.* | wc -l"
gives "strace -c" "*calls*execve*total*" "strace -c /bin/true"
gives "strace -fc" "*total*" "strace -f -c bash -c '/bin/true; /bin/true'"
gives "strace by a filter" "yes" \
	"strace -f --seccomp-bpf -e trace=execve -o out bash -c '/bin/true; echo x | cat >/dev/null' &&
	[ \$(grep -c execve out) = 3 ] && [ \$(grep -c 'exited with 0' out) = 4 ] && echo yes"
gives "strace by a filter, two calls" "*getppid()*" \
	"strace -f --seccomp-bpf -e trace=execve,getppid bash -c :"
gives "strace shows signals" "*--- SIGUSR1 {si_signo=SIGUSR1*+++ killed by SIGUSR1 +++*" \
	"strace bash -c 'kill -USR1 \$\$'"
gives "strace -p" "*attached*resuming*detached*" \
	"sleep 100 & p=\$!; sleep 0.3; timeout -s INT 2 strace -p \$p; kill \$p"
gives "what was attached to goes on" "*yes" \
	"sleep 2 & p=\$!; sleep 0.3; timeout -s INT 1 strace -o /dev/null -p \$p; wait \$p && echo yes"
gives "strace of threads" "yes" \
	"strace -f -e trace=none $PROGRAM threads 2>&1 | grep -c 'attached' | grep -qx 3 && echo yes"
gives "strace makes a call fail" "*EPERM (Operation not permitted) (INJECTED)*" \
	"strace -e inject=chdir:error=EPERM bash -c 'cd /'"
gives "the status is passed on" "3" "strace -o /dev/null bash -c 'exit 3'; echo \$?"
gives "strace of a group stop" "*--- stopped by SIGSTOP ---*SIGCONT*" \
	"strace -o out bash -c 'kill -STOP \$\$' & while kill -0 \$! 2>/dev/null; do sleep 0.3; pkill -CONT -f 'kill -STOP'; done; cat out"

# --- gdb ---

gives "breakpoint and backtrace" "*Breakpoint 1, add*#0*add*#1*count*#4*count*#5*main*" \
	"debug count 'break add' run backtrace kill"
gives "arguments and variables" '*$1 = 10*$2 = 1*$3 = 0.5*' \
	"debug count 'break add if n == 10' run 'print n' 'print total' 'print ratio' kill"
gives "next, step, finish" "*21*count (depth=0)*Value returned is*1*" \
	"debug count 'break add' run next finish kill"
gives "a hardware watchpoint" "*Hardware watchpoint*Old value = 0*New value = 1*Old value = 1*New value = 11*" \
	"debug count 'break main' run 'watch total' continue continue kill"
gives "a read watchpoint" "*Hardware read watchpoint*Value = 0*" \
	"debug count 'break main' run 'rwatch total' continue kill"
gives "a hardware breakpoint" "*Hardware assisted breakpoint*add*" \
	"debug count 'break main' run 'hbreak add' continue kill"
gives "it ends as it would" "*exited with code 0157*" "debug count run"
gives "all threads' backtraces" "*Thread 4*worker*Thread 3*worker*Thread 2*worker*Thread 1*all_started*" \
	"debug threads 'break all_started' run 'thread apply all bt' kill"
gives "catch fork" "*Catchpoint 1 (forked process*family*" "debug fork 'catch fork' run bt kill"
gives "follow the child" "*add*5*" \
	"debug fork 'set follow-fork-mode child' 'break add' run 'print n' kill"
gives "catch exec" "*Catchpoint 1 (exec'd*debuggee)*Breakpoint 2, *add*" \
	"debug exec 'catch exec' run 'break add' continue kill"
gives "catch syscall" "*[(]call to syscall write*[(]returned from syscall write*" \
	"debug count 'catch syscall write' run continue kill"
gives "a call in the program" '*$1 = 43*$2 = 43*' \
	"debug count 'break main' run 'print add(43)' 'print total' kill"
gives "a variable is set" "*total 111*" \
	"debug count 'break add if n == 10' run 'set var total = 1' continue"
gives "attach and detach" "*main*detached*" \
	"$PROGRAM wait & p=\$!; sleep 0.3; timeout 60 gdb -nx -nh -batch -p \$p -ex bt -ex detach 2>&1; kill \$p"
gives "registers" "*rip*0x*main*" "debug count 'break main' run 'info registers rip' kill"
gives "vector registers" "*v4_float*" "debug count 'break main' run 'info registers xmm0' kill"
gives "signals" "*SIGSEGV*crasher*" "debug crash run bt kill"
gives "generate-core-file" "*Saved corefile*" "debug count 'break add' run 'generate-core-file made' kill"
gives "its core file" "*#0*add*count*main*" \
	"timeout 60 gdb -nx -nh -batch $PROGRAM made -ex bt 2>&1"
core() {
	timeout 60 gdb -nx -nh -batch "$PROGRAM" "$@" 2>&1
}
gives "a core file of the kernel" "*SIGSEGV*#0*crasher*" \
	"ulimit -c unlimited; $PROGRAM crash; core core -ex bt"
gives "each thread's stack in it" "crasher main worker worker " \
	"core core -ex 'thread apply all bt' | grep -o '\(crasher\|main\|worker\) (arg[^)]*)' | grep -o '^[a-z]*' | tail -n +2 | sort | tr '\n' ' '"
gives "vector registers in it" "*v4_float*v8_float*" \
	"core core -ex 'thread 2' -ex 'info registers xmm0 ymm0' | tr -d '\n'; grep -q avx /proc/cpuinfo || echo v4_float v8_float"
gives "its mappings" "*debuggee*" "core core -ex 'info proc mappings'"
gives "what it was" "*debuggee crash*" "core core -ex 'info proc cmdline'"
gives "a core file by a pipe" "*#0*crasher*" \
	"echo '|/bin/dd of=/tmp/piped.%p' >/proc/sys/kernel/core_pattern; $PROGRAM crash & wait \$!; sleep 1; echo core >/proc/sys/kernel/core_pattern; core /tmp/piped.\$! -ex bt"
plan
