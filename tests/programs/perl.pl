# SPDX-License-Identifier: BSD-2-Clause
# Debian's perl as a user of the kernel: TAP.

use strict;
use warnings;
use Fcntl qw(:DEFAULT :flock :mode :seek);
use IO::Handle;
use IO::Select;
use IPC::Open3;
use POSIX qw(:sys_wait_h :signal_h :errno_h :termios_h ttyname);
use Socket;

my $count = 0;

sub ok
{
	my ($good, $name) = @_;
	$count++;
	print $good ? "" : "not ", "ok $count - $name\n";
}

$| = 1;
mkdir "/tmp/perl";
chdir "/tmp/perl" or die;

ok($] >= 5.036, "version");
ok(`echo hello` eq "hello\n", "backquotes");
ok(system("exit 3;") >> 8 == 3, "system");
ok(system("kill -9 \$\$") == 9, "system: killed");
{
	no warnings;
	ok(!exec({ "/no/such" } "x") && $! == ENOENT, "exec of nothing");
}

my $pid = fork;
exit 5 if !$pid;
ok(waitpid($pid, 0) == $pid && $? >> 8 == 5, "fork and waitpid");
ok(waitpid(-1, WNOHANG) == -1 && $! == ECHILD, "no child is left");

my @pids = map { my $p = fork; exit $_ if !$p; $p } 1 .. 50;
my %left = map { $_ => 1 } @pids;
my $sum = 0;
while ((my $p = wait) > 0) {
	delete $left{$p};
	$sum += $? >> 8;
}
ok(!%left && $sum == 1275, "fifty children");

pipe(my $r, my $w);
if (!fork) {
	close $r;
	print $w "line $_\n" for 1 .. 10000;
	exit 0;
}
close $w;
my $lines = 0;
$lines++ while <$r>;
wait;
ok($lines == 10000, "a pipe");

open(my $to, "|-", "sort -n >sorted") or die;
print $to "$_\n" for reverse 1 .. 1000;
close $to;
open(my $in, "<", "sorted") or die;
my @sorted = <$in>;
ok(@sorted == 1000 && $sorted[0] == 1, "a pipe to a program");

my $ppid = open3(my $cin, my $cout, undef, "tr", "a-z", "A-Z");
print $cin "shout";
close $cin;
ok(<$cout> eq "SHOUT", "open3");
waitpid $ppid, 0;

my $got = 0;
$SIG{USR1} = sub { $got++ };
kill USR1 => $$;
ok($got == 1, "a signal handler");
$SIG{ALRM} = sub { die "alarm\n" };
eval { alarm 1; select undef, undef, undef, 10; };
ok($@ eq "alarm\n", "alarm");
my $set = POSIX::SigSet->new(SIGUSR1);
sigprocmask(SIG_BLOCK, $set);
kill USR1 => $$;
my $pending = POSIX::SigSet->new;
sigpending($pending);
ok($got == 1 && $pending->ismember(SIGUSR1), "a blocked signal");
sigprocmask(SIG_UNBLOCK, $set);
ok($got == 2, "and then it comes");
local $SIG{CHLD} = "IGNORE";
$pid = fork;
exit 0 if !$pid;
ok(waitpid($pid, 0) == -1 && $! == ECHILD, "ignored SIGCHLD leaves no zombie");
$SIG{CHLD} = "DEFAULT";

open(my $f, "+>", "file") or die;
print $f "0123456789";
$f->flush;
ok(-s "file" == 10, "a file's size");
seek $f, 3, SEEK_SET;
read $f, my $some, 4;
ok($some eq "3456", "seek and read");
truncate $f, 5;
ok(-s "file" == 5, "truncate");
ok(flock($f, LOCK_EX | LOCK_NB), "flock");
open(my $g, "<", "file") or die;
ok(!flock($g, LOCK_SH | LOCK_NB) && $! == EWOULDBLOCK, "flock is seen by others");
ok(chmod(0640, "file") && ((stat "file")[2] & 07777) == 0640, "chmod");
ok(utime(1, 2, "file") && (stat "file")[9] == 2, "utime");
ok(link("file", "hard") && (stat "hard")[3] == 2, "link");
ok(symlink("file", "soft") && readlink("soft") eq "file" && -l "soft", "symlink");
ok(rename("hard", "moved") && !-e "hard" && -e "moved", "rename");
mkdir "folder", 0700;
sysopen(my $new, "folder/x", O_CREAT | O_EXCL | O_WRONLY) or die;
ok(!rmdir("folder") && $! == ENOTEMPTY, "rmdir of a full folder");
ok(unlink("folder/x") && rmdir("folder"), "unlink and rmdir");
my @names = sort glob "*";
ok("@names" eq "file moved soft sorted", "glob");
ok(-p STDIN || -c STDIN || -f STDIN, "standard input is something");
ok(-c "/dev/null" && -d "/proc" && S_ISDIR((stat "/")[2]), "file tests");

socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
$a->autoflush(1);
$b->autoflush(1);
print $a "ping\n";
ok(<$b> eq "ping\n", "a socket pair");
my $select = IO::Select->new($a, $b);
print $b "pong\n";
my @ready = $select->can_read(1);
ok(@ready == 1 && $ready[0] == $a, "select");
<$a>;
ok(!$select->can_read(0.05), "select with a time limit");
socket(my $listener, AF_UNIX, SOCK_STREAM, 0) or die;
bind $listener, pack_sockaddr_un("/tmp/perl/socket") or die;
listen $listener, 5;
if (!fork) {
	socket(my $s, AF_UNIX, SOCK_STREAM, 0);
	connect $s, pack_sockaddr_un("/tmp/perl/socket") or exit 1;
	syswrite $s, "through the socket";
	exit 0;
}
accept my $conn, $listener;
sysread $conn, my $text, 100;
wait;
ok($text eq "through the socket" && $? == 0, "a listening socket");

my ($user, $system, $cuser, $csystem) = times;
ok($user >= 0 && $cuser + $csystem > 0, "times");
ok(time - $^T < 600 && time > 1.7e9, "time");
ok(scalar(getpwnam "root") == 0, "getpwnam");
ok($< == 0 && $> == 0, "user ids");
$pid = fork;
if (!$pid) {
	$) = "1000 1000";
	$( = 1000;
	($<, $>) = (1000, 1000);
	exit(open(my $x, ">", "/root/x") ? 1 : $! == EACCES ? 7 : 2);
}
waitpid $pid, 0;
ok($? >> 8 == 7, "another user may not");
$pid = fork;
if (!$pid) {
	POSIX::setsid();
	exit(getpgrp == $$ ? 4 : 0);
}
waitpid $pid, 0;
ok($? >> 8 == 4, "setsid");
ok((POSIX::uname())[0] eq "Linux", "uname");
ok(POSIX::sysconf(POSIX::_SC_NPROCESSORS_ONLN()) == 4, "sysconf") if POSIX->can("_SC_NPROCESSORS_ONLN");
ok(eval { syscall(39) } == $$, "syscall");
my $big = "x" x (64 << 20);
ok(length $big == 64 << 20, "64 MiB");
$0 = "renamed";
open(my $cmd, "<", "/proc/$$/cmdline") or die;
ok(<$cmd> =~ /^renamed/, "\$0 shows in /proc");
print "1..$count\n";
