# SPDX-License-Identifier: BSD-2-Clause
# TAP for the shell scripts beside it: `check NAME COMMAND...`, `gives NAME PATTERN COMMAND...`, `plan`.

count=0

# report STATUS NAME: prints one result.
report()
{
	count=$((count + 1))
	[[ $1 == 0 ]] && echo "ok $count - $2" || echo "not ok $count - $2"
}

# check NAME COMMAND...: the command, evaluated by the shell, succeeds.
check()
{
	local name=$1 output status
	shift
	output=$(eval "$*" 2>&1)
	status=$?
	[[ $status == 0 ]] || printf '%s\n' "$output" "status $status of: $*" | sed 's/^/# /'
	report $status "$name"
}

# gives NAME PATTERN COMMAND...: what the command prints, all of it, matches the bash pattern.
gives()
{
	local name=$1 pattern=$2 output status=0
	shift 2
	output=$(eval "$*" 2>&1)
	[[ $output == $pattern ]] || {
		status=1
		printf '%s\n' "$output" "from: $*" "not: $pattern" | sed 's/^/# /'
	}
	report $status "$name"
}

plan()
{
	echo "1..$count"
}
