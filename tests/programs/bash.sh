# SPDX-License-Identifier: BSD-2-Clause
# Debian's bash: expansions, redirections, jobs, signals, coprocesses, terminals.

. /tests/tap.sh
mkdir -p /tmp/bash && cd /tmp/bash || exit 1

gives "version" "5.*" 'echo $BASH_VERSION'
gives "arithmetic" "1099511627776 -1 3" 'echo $((1 << 40)) $((-7 / 4)) $((0x0f & 3))'
gives "arrays" "c b a 3" 'a=(a b c); echo ${a[2]} ${a[1]} ${a[0]} ${#a[@]}'
gives "associative arrays" "two" 'declare -A m=([one]=1 [x y]=two); echo ${m[x y]}'
gives "here-string" "word" 'cat <<<word'
gives "here-document of 100 kB" "100000" 'x=$(printf %099999d 7); cat <<E | wc -c
$x
E'
gives "process substitution" "2c2*" 'diff <(printf "a\nb\n") <(printf "a\nc\n")'
gives "many process substitutions" "a b c d" 'echo $(cat <(echo a) <(echo b) <(echo c) <(echo d))'
gives "pipe status" "1 0 3" 'false | true | (exit 3); echo ${PIPESTATUS[*]}'
gives "a pipeline of ten" "1000" 'seq 1000 | cat | cat | cat | cat | cat | cat | cat | cat | wc -l'
gives "coprocess" "HELLO" 'coproc tr { tr a-z A-Z; }; echo hello >&${tr[1]}; exec {tr[1]}>&-; cat <&${tr[0]}'
gives "read with a time limit" "142" '{ sleep 5; } | read -t 0.2 x; echo ${PIPESTATUS[1]}'
gives "wait for one of many" "7" '(sleep 0.3; exit 5) & (sleep 0.05; exit 7) & wait -n; echo $?'
gives "exit status of a background job" "9" '(exit 9) & wait $!; echo $?'
gives "killed by a signal" "143" 'sleep 9 & kill $!; wait $! 2>/dev/null; echo $?'
gives "a trap on EXIT" "1 2" '(trap "echo 2" EXIT; echo -n "1 ")'
gives "a trap on a signal during wait" "got 138" \
	'trap "echo -n \"got \"" USR1; me=$BASHPID; (sleep 0.2; kill -USR1 $me) & sleep 2 & wait $!; echo $?'
gives "ignored signals pass to children" "ok" '(trap "" TERM; bash -c "kill \$\$; echo ok")'
gives "traps do not pass to children" "143" '(trap : TERM; bash -c "kill \$\$; echo no") 2>/dev/null; echo $?'
gives "exec replaces the shell" "same" 'bash -c "a=\$\$; exec bash -c \"[ \$a = \\\$\\\$ ] && echo same\""'
gives "subshells" "1 2 1" 'x=1; echo -n "$x "; (x=2; echo -n "$x "); echo $x'
gives "SHLVL and ppid" "yes" 'bash -c "[ \$PPID = $BASHPID ] && echo yes"'
gives "globs" "a1 a2 b1" 'touch a1 a2 b1; echo [ab]?; rm a1 a2 b1'
gives "globstar" "d d/e d/e/f" 'shopt -s globstar; mkdir -p d/e/f; echo d/** | sed "s,d/ ,d ,"'
gives "redirect to a descriptor in a variable" "text" 'exec {fd}>out; echo text >&$fd; exec {fd}>&-; cat out'
gives "redirect both" "2" '{ echo a; echo b >&2; } &>both; wc -l <both'
gives "append both" "4" '{ echo a; echo b >&2; } &>>both; wc -l <both'
gives "noclobber" "*cannot overwrite existing file*1" 'set -C; echo x >both; echo $?'
gives "umask" "600" 'umask 077; : >masked; stat -c %a masked'
gives "ulimit on open files" "*Too many open files*" 'ulimit -n 10; exec 3<. 4<. 5<. 6<. 7<. 8<. 9<. 20<.; : 11<. ; eval "exec {a}<. {b}<. {c}<. {d}<. {e}<. {f}<."'
gives "time" "*real*user*sys*" 'time sleep 0.01'
gives "times" "*m*s *m*s*" times
# A subshell never asks for stopped children.
cat >job <<'E'
set -m
bash -c 'kill -STOP $$' &
for i in {1..50}; do
	sleep 0.1
	[[ $(jobs) == *Stopped* ]] && break
done
jobs
kill -KILL %1
wait
E
gives "job control" "*Stopped*" 'bash job'
gives "process groups of jobs" "yes" 'set -m; sleep 1 & [ $(ps -o pgid= -p $!) = $! ] && echo yes; kill $!'
gives "disown" "0" 'set -m; sleep 0.1 & disown; jobs | wc -l'
gives "a shell with a terminal" "*readline: on*" \
	'script -qc "bash -ic \"[[ \\\$- == *i* ]] && echo readline: on\"" /dev/null'
gives "completion of a thousand loops" "1000" 'n=0; for ((i = 0; i < 1000; i++)); do ((n++)); done; echo $n'
gives "two hundred forks" "200" 'n=0; for i in {1..200}; do (:) && ((++n)); done; echo $n'
gives "a hundred jobs at once" "100" 'for i in {1..100}; do (echo x >>many) & done; wait; wc -l <many'
gives "deep recursion" "500" 'f() { (($1 >= 500)) && echo $1 || f $(($1 + 1)); }; f 0'
gives "a long argument" "100000" 'printf %0100000d 1 | xargs -n1 printf %s | wc -c'
gives "E2BIG" "126" 'a=$(printf %0200000d 1); /bin/true $a 2>/dev/null; echo $?'
gives "random numbers" "yes" '[ $RANDOM$RANDOM$RANDOM != $RANDOM$RANDOM$RANDOM ] && echo yes'
gives "the clock" "yes" 'a=$EPOCHREALTIME; sleep 0.01; b=$EPOCHREALTIME; [[ $b > $a ]] && echo yes'
gives "mapfile" "3 two" 'mapfile -t l < <(printf "one\ntwo\nthree\n"); echo ${#l[@]} ${l[1]}'
gives "regular expressions" "2024" '[[ at-2024-now =~ -([0-9]+)- ]] && echo ${BASH_REMATCH[1]}'
gives "strace-less syntax error" "*syntax error*" 'bash -c "if"'
gives "set -e" "1" 'bash -ec "false; echo no"; echo $?'
gives "set -u" "*unbound variable*" 'bash -uc "echo \$nope"'
gives "#! with an argument" "x" 'printf "#!/bin/bash -e\nfalse || echo x\n" >s; chmod +x s; ./s'
gives "not executable" "126" 'chmod -x s; ./s 2>/dev/null; echo $?'
gives "/dev/fd" "via fd" 'cat /dev/fd/9 9<<<"via fd"'
gives "/dev/stdin" "in" 'echo in | cat /dev/stdin'
gives "a FIFO" "through" 'mkfifo p; echo through >p & cat p; rm p'
gives "SIGPIPE" "141" 'yes | head -n 1 >/dev/null; echo ${PIPESTATUS[0]}'
plan
