# SPDX-License-Identifier: BSD-2-Clause
# procps reads /proc as no other package does.

. /tests/tap.sh
sleep 1000 & sleeper=$!
bash -c 'exec -a named sleep 1000' & named=$!

gives "ps of one process" "*$sleeper*sleep*" "ps -p $sleeper"
gives "ps -o" "sleep S 1000" "ps -o comm=,stat=,args= -p $sleeper | awk '{ print \$1, substr(\$2, 1, 1), \$4 }'"
gives "ps -ef" "yes" "[ \$(ps -ef | grep -c .) -gt 5 ] && echo yes"
gives "ps aux sees init" "*init*" "ps aux"
gives "ps -eLf counts threads" "yes" "[ \$(ps -eLf | wc -l) -ge \$(ps -ef | wc -l) ] && echo yes"
gives "ps --forest" "*\\_ *" "ps --forest -e"
gives "ps -C" "$sleeper" "ps -C sleep -o pid= | tr -d ' ' | grep -x $sleeper"
gives "argv[0]" "named 1000" "ps -o args= -p $named"
gives "start times and CPU times" "00:00:00" "ps -o time= -p $sleeper"
gives "parent, group, session" "$$" "ps -o ppid= -p $sleeper | tr -d ' '"
gives "nice and priority" "0" "ps -o ni= -p $sleeper | tr -d ' '"
gives "scheduling class" "TS" "ps -o cls= -p $sleeper | tr -d ' '"
gives "processor of a process" "[0-3]" "ps -o psr= -p $sleeper | tr -d ' '"
gives "memory of a process" "yes" "[ \$(ps -o rss= -p $sleeper) -gt 100 ] && echo yes"
gives "signals of a process" "*0000000000*" "ps s -p $sleeper"
gives "pgrep" "$sleeper" "pgrep -f '^sleep 1000\$'"
gives "pgrep by parent" "yes" "pgrep -P $$ | grep -qx $sleeper && echo yes"
gives "pidof" "yes" "pidof sleep | grep -qw $sleeper && echo yes"
gives "pkill" "143" "sleep 77 & p=\$!; pkill -f 'sleep 7''7'; wait \$p; echo \$?"
gives "pwdx" "$sleeper: /tmp" "pwdx $sleeper"
gives "free" "*total*used*free*shared*available*Mem:*Swap:*" free
gives "free adds up" "yes" "free | awk '/^Mem/ { print (\$3 <= \$2 && \$4 <= \$2 ? \"yes\" : \$0) }'"
gives "vmstat" "*procs*memory*swap*io*system*cpu*" vmstat
gives "vmstat -s" "*total memory*forks*" "vmstat -s"
gives "vmstat twice" "4" "vmstat 1 2 | wc -l"
gives "top -b" "*top - *Tasks: *%Cpu(s): *PID USER*" "top -b -n 1 | head -n 20"
gives "top's tasks" "yes" "top -b -n 1 | awk '/^Tasks/ { print (\$2 > 3 ? \"yes\" : \$0) }'"
gives "uptime -s" "20*" "uptime -s"
gives "uptime -p" "up *" "uptime -p"
gives "w" "*USER*" w
gives "pmap" "*total*" "pmap $sleeper"
gives "pmap finds the program" "*sleep*" "pmap $sleeper"
gives "pmap -x" "*total kB*" "pmap -x $sleeper"
gives "pmap -X" "*Pss*" "pmap -X $sleeper"
gives "slabtop" "*Active / Total Objects*" "slabtop -o"
gives "sysctl" "kernel.ostype = Linux" "sysctl kernel.ostype"
gives "sysctl writes" "kernel.hostname = abc" "sysctl -w kernel.hostname=abc"
gives "kill" "gone" "/bin/kill -TERM $named; sleep 0.3; ps -p $named >/dev/null || echo gone"
gives "skill" "yes" "sleep 55 & p=\$!; skill -KILL -p \$p 2>/dev/null || kill -9 \$p; wait \$p; echo yes"
gives "snice" "5" "snice +5 -p $sleeper >/dev/null; ps -o ni= -p $sleeper | tr -d ' '"
kill $sleeper
check "sysctl drops caches" 'sysctl -q -w vm.drop_caches=3'
gives "sysctl drops nothing else" "*Invalid argument*" 'sysctl -w vm.drop_caches=9'
plan
