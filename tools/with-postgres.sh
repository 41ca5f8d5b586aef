#!/usr/bin/env bash
# Runs a command with a PostgreSQL cluster of its own, and ends with the command's exit code:
#   with-postgres.sh [--durable] COMMAND [ARGUMENT...]
# The command finds the cluster in CIPGATE_TEST_POSTGRES (a postgres:// URL of a superuser on a unix socket) and
# CIPGATE_REQUIRE_POSTGRES=1, by which a test that needs PostgreSQL fails where it would skip.
# The cluster lives in a folder that only its user may enter, listens on no network, and is gone afterwards. It may forget what it
# committed if the machine itself dies, which no test does, and so lies in memory where there is room; --durable, for benchmarks, keeps it
# on the disk and makes it flush like one in production.
set -euo pipefail

# A database is hundreds of files, and each test makes and drops one: ext4 then looks for inodes longer than PostgreSQL writes.
place=/tmp
has_room() { # of 4 GiB, which is ten times of what the tests were seen to need at once, and memory for the tests beside it
  [[ $(stat --file-system --format=%T /dev/shm 2>/dev/null) == tmpfs && -w /dev/shm ]] &&
    (($(df --output=avail /dev/shm | tail -n 1) >= 4 << 20)) &&
    awk '/^MemAvailable:/ { exit $2 < 8 * 2 ^ 20 }' /proc/meminfo
}
if has_room; then
  place=/dev/shm
fi
durability=(-c fsync=off -c full_page_writes=off -c max_wal_size=256MB)
if [[ ${1-} == --durable ]]; then
  durability=()
  place=/tmp
  shift
fi
if (($# == 0)); then
  echo 'usage: with-postgres.sh [--durable] COMMAND [ARGUMENT...]' >&2
  exit 2
fi

initdb=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort --version-sort | tail -n 1 || true)
if [[ -z $initdb ]]; then
  echo 'with-postgres: no /usr/lib/postgresql/*/bin/initdb. Install it with tools/setup.sh or: apt-get install postgresql' >&2
  exit 1
fi
bin=$(dirname "$initdb")

# PostgreSQL refuses to run as root. Never TMPDIR: that may be closed to the other user, and a socket's path must be short.
folder=$(mktemp -d "$place/cipgate-postgres.XXXXXX")
as_owner=()
if ((EUID == 0)); then
  chown postgres: "$folder"
  as_owner=(runuser -u postgres --)
fi

# The keeper waits on a pipe that this script holds open and never writes to: when the script goes, killed or not, the kernel
# closes the pipe, and the keeper takes the cluster away. An interrupt at the terminal is for the command alone.
exec {hold}> >(
  trap '' INT TERM HUP
  cat >/dev/null
  (cd / && "${as_owner[@]}" "$bin/pg_ctl" stop --pgdata="$folder/data" --mode=immediate --silent) >/dev/null 2>&1 || true
  rm -rf "$folder"
)
keeper=$!
trap 'exec {hold}>&-; wait "$keeper"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# 256 benchmark clients, or a dozen test binaries with a pool each, fit into 400 connections.
options=(-c listen_addresses= -c "unix_socket_directories='$folder'" -c max_connections=400 "${durability[@]}")
start() {
  "${as_owner[@]}" "$bin/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync &&
    "${as_owner[@]}" "$bin/pg_ctl" start --pgdata="$folder/data" --log="$folder/log" --timeout=120 --wait --options="${options[*]}"
}
if ! words=$(cd / && start 2>&1 </dev/null {hold}>&-); then
  printf '%s\n' "$words" >&2
  cat "$folder/log" >&2 2>/dev/null || true
  echo 'with-postgres: the temporary cluster did not start: its words stand above' >&2
  exit 1
fi
echo "with-postgres: temporary cluster in $folder ($("$bin/postgres" --version)), run by ${as_owner[2]-$(id -un)}"

CIPGATE_TEST_POSTGRES="postgres://postgres@/postgres?host=$folder" CIPGATE_REQUIRE_POSTGRES=1 "$@" {hold}>&-
