# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# logplay.bash: what the tests of the logger alone share: it runs under a guardian that is a test program, whose commands
# stand in tests/programs/logger_guardian.c.

setup() {
	local root
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	OUT=${O:-build}
	[[ $OUT == /* ]] || OUT=$root/$OUT
	LOGGER=$OUT/libexec/supervisord/logger
	GUARDIAN=$OUT/tests/programs/logger_guardian
	WRITER=$OUT/tests/programs/logger_writer
	T=$(mktemp -d "${TMPDIR:-/tmp}/logger.XXXXXX")
	MOUNTED=
}

teardown() {
	[ -z "$MOUNTED" ] || umount "$MOUNTED"
	rm -rf "$T"
}

# Run a script of guardian commands from stdin.
play() {
	"$GUARDIAN" "$LOGGER" 3>&- 4>&- >"$T/out" 2>"$T/err" || {
		cat "$T/out" "$T/err"
		return 1
	}
}

# The archives of a log, oldest first, one a line.
archives() {
	find "${1%/*}" -name "${1##*/}.????????T??????.??????Z*" | sort
}

# Its sizes on one line: archives, oldest first, and the log.
sizes() {
	archives "$1" | xargs -r stat -c %s | tr '\n' ' '
	stat -c %s "$1"
}

# The log with all its archives, oldest first.
whole() {
	archives "$1" | while read -r file; do
		case $file in
		*.gz) gzip -dc "$file" ;;
		*.zst) zstd -dcq "$file" ;;
		*) cat "$file" ;;
		esac
	done
	cat "$1"
}

# Are these exactly the numbered lines 0 … $2 - 1 of $3 bytes, each file a number of whole lines?
complete() {
	local file
	for file in "$1"*; do
		case $file in *.gz | *.zst) continue ;; esac
		[ ! -s "$file" ] || [ "$(tail -c 1 "$file" | od -An -c | tr -d ' ')" = '\n' ] || {
			echo "$file does not end at a line end"
			return 1
		}
	done
	whole "$1" | awk -v count="$2" -v width="$3" '
		$1 + 0 != NR - 1 || length($0) != width - 1 { print "line " NR " is " substr($0, 1, 40); bad = 1; exit 1 }
		END { if (!bad && NR != count) { print NR " lines of " count; exit 1 } }'
}

has_lines() {
	[ "$(cat "$1" 2>/dev/null)" = "$(printf '%s\n' "${@:2}")" ] || {
		echo "$1 is:"
		cat "$1"
		return 1
	}
}
