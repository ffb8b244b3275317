# SPDX-License-Identifier: BSD-2-Clause
# util-linux: mounts, scheduling, credentials, terminals.

. /tests/tap.sh
mkdir -p /tmp/ul && cd /tmp/ul || exit 1

gives "mount lists" "*proc on /proc type proc*" mount
gives "mount and umount" "tmpfs" 'mkdir m; mount -t tmpfs -o size=1M none m; findmnt -no FSTYPE m; umount m'
gives "mount -o ro" "*Read-only file system*" 'mount -t tmpfs -o ro none m; touch m/x; umount m'
gives "mount --bind" "f" 'mkdir b; touch b/f; mount --bind b m; ls m; umount m'
gives "mount -o remount,ro,bind" "*Read-only file system*" \
	'mount --bind b m; mount -o remount,ro,bind m; touch m/x; umount m'
gives "mount --move" "f" 'mkdir n; mount -t tmpfs x m; touch m/f; mount --make-private m; mount --move m n; ls n; umount n'
gives "mount --make-shared, --make-rslave" "*shared shared*private,slave*" \
	'mount -t tmpfs x m; mount --make-shared m; mkdir m/d; mount --bind m n; echo $(findmnt -no PROPAGATION m) $(findmnt -no PROPAGATION n); mount --make-rslave n; findmnt -no PROPAGATION n; umount n m'
gives "a mount comes to a peer" "yes" \
	'mount -t tmpfs x m; mount --make-shared m; mkdir m/d; mount --bind m n; mount -t tmpfs y m/d; mountpoint -q n/d && echo yes; umount -R m; umount n'
gives "unshare -m" "inside outside" \
	'echo $(unshare -m bash -c "mount -t tmpfs x m; mountpoint -q m && echo inside") $(mountpoint -q m || echo outside)'
gives "unshare -m --propagation shared" "yes" \
	'mount -t tmpfs x m; mount --make-shared m; mkdir m/d; unshare -m --propagation unchanged mount -t tmpfs y m/d; mountpoint -q m/d && echo yes; umount -R m'
gives "nsenter -m" "f" \
	'mkfifo p; unshare -m bash -c "mount -t tmpfs x m; touch m/f; echo >p; read <p" & read <p; nsenter -m -t $! ls /tmp/ul/m; echo >p; wait; rm p'
gives "unshare --mount=file, nsenter --mount=file" "f" \
	'mount -t tmpfs k n; mount --make-private n; touch n/ns; unshare --mount=n/ns bash -c "mount -t tmpfs x m; touch m/f"; nsenter --mount=n/ns ls /tmp/ul/m; umount n/ns n'
gives "lsns -t mnt" "1" 'unshare -m sleep 3 & sleep 0.3; lsns -nt mnt -o COMMAND | grep -c "^sleep 3"; kill $!; wait'
gives "umount of a busy one" "*busy*" 'mount -t tmpfs x m; cd m; umount /tmp/ul/m; cd ..; umount m'
gives "umount -l" "" 'mount -t tmpfs x m; cd m; umount -l /tmp/ul/m; cd /tmp/ul'
gives "a file system that is not there" "*filesystem type*" 'mount -t nosuch x m'
gives "findmnt" "*/proc*" findmnt
gives "findmnt --verify-less target" "/tmp" 'findmnt -no TARGET -T .'
gives "mountpoint" "m is not a mountpoint" 'mountpoint m'
gives "lscpu" "*x86_64*CPU(s):*4*" lscpu
gives "lscpu's online list" "0-3" 'lscpu | sed -n "s/^On-line CPU(s) list: *//p"'
gives "lscpu -e" "5" 'lscpu -e | wc -l'
gives "dmesg" "yes" '[ $(dmesg | wc -l) -gt 5 ] && echo yes'
gives "dmesg --follow-less json" "*{*" 'dmesg -J | head -n 2'
gives "logger-less kmsg" "yes" 'echo hello-from-here >/dev/kmsg; dmesg | grep -q hello-from-here && echo yes'
gives "taskset" "*current affinity mask: f" 'taskset -p $$'
gives "taskset -c" "2,3" 'taskset -c 2,3 bash -c "taskset -cp \$\$" | sed "s/.*: //"'
gives "chrt" "*SCHED_OTHER*" 'chrt -p $$'
gives "chrt -f" "*SCHED_FIFO*5" 'chrt -f 5 bash -c "chrt -p \$\$"'
gives "chrt -r" "*SCHED_RR*7" 'chrt -r 7 bash -c "chrt -p \$\$"'
gives "chrt -i" "*SCHED_IDLE*" 'chrt -i 0 bash -c "chrt -p \$\$"'
gives "chrt -b" "*SCHED_BATCH*" 'chrt -b 0 bash -c "chrt -p \$\$"'
gives "chrt -d" "*SCHED_DEADLINE*" \
	'chrt -d -T 1000000 -D 10000000 -P 20000000 0 bash -c "chrt -p \$\$"'
gives "chrt -m" "*SCHED_FIFO*1/99*" 'chrt -m'
gives "renice" "*old priority 0, new priority 4" 'sleep 5 & renice 4 $!; kill $!'
gives "prlimit" "*NOFILE*" prlimit
gives "prlimit sets" "123" 'sleep 5 & prlimit --pid $! --nofile=123; prlimit --pid $! --nofile -o SOFT --noheadings | tr -d " "; kill $!'
gives "setpriv" "1000" 'setpriv --reuid 1000 --clear-groups id -u'
gives "setpriv --no-new-privs" "1" 'setpriv --no-new-privs grep NoNewPrivs /proc/self/status | cut -f2'
gives "setsid" "yes" 'setsid -w bash -c "[ \$(ps -o sid= -p \$\$) = \$\$ ] && echo yes"'
gives "flock" "1" 'touch l; (flock -n 9; flock -n l true; echo $?) 9<l'
gives "flock waits" "got" 'flock l sleep 0.3 & sleep 0.1; flock l echo got; wait'
gives "flock -w" "1" 'flock l sleep 1 & sleep 0.2; flock -w 0.2 l true; echo $?; wait'
gives "lslocks" "*FLOCK*" 'flock l sleep 3 & sleep 1; lslocks; wait'
gives "fallocate --collapse-range says no" "*Operation not supported*" 'fallocate -l 1M fa; fallocate -c -o 0 -l 4096 fa'
gives "script" "hello*" 'script -qec "echo hello" /dev/null </dev/null'
gives "script's status" "7" 'script -qec "exit 7" /dev/null </dev/null >/dev/null; echo $?'
gives "a terminal of its own" "/dev/pts/*" 'script -qc tty /dev/null </dev/null'
gives "getopt" " -a -b 'x' -- 'y'" 'getopt -o ab: -- -a -bx y'
gives "hexdump" "*0000000*" 'echo | hexdump'
gives "rev, column" "cba" 'echo abc | rev'
gives "uuidgen" "????????-????-4???-????-????????????" 'uuidgen -r'
gives "mcookie" "????????????????????????????????" mcookie
gives "namei" "*d tmp*" 'namei -m /tmp/ul | sed "s/drwx[-rwxt]* /d /"'
gives "whereis" "ls: */bin/ls*" 'whereis ls'
gives "swapon --show" "" 'swapon --show'
gives "lsns" "*mnt*" 'lsns'
gives "ipcmk, ipcs -m" "*root 600 5000 0*" 'ipcmk -M 5000 -p 0600 && ipcs -m | tr -s " "'
gives "ipcmk, ipcs -s" "*root 640 3*" 'ipcmk -S 3 -p 0640 && ipcs -s | tr -s " "'
gives "ipcmk, ipcs -q" "*root 644 0 0*" 'ipcmk -Q && ipcs -q | tr -s " "'
gives "ipcs -l" "*max number of segments = 4096*max ops per semop call = 500*" 'ipcs -q -l; ipcs -m -l; ipcs -s -l'
gives "ipcs -u" "*segments allocated 1*" 'ipcs -m -u'
gives "ipcs -i" "*uid=0*cuid=0*" 'ipcs -m -i $(ipcs -m | sed -n "s/^0x[0-9a-f]* *\\([0-9]*\\).*/\\1/p")'
gives "lsipc" "*SHMMNI*4096*" 'lsipc'
gives "ipcrm -a" "0" 'ipcrm -a; ipcs | grep -c ^0x'
cd /; rm -rf /tmp/ul
plan
