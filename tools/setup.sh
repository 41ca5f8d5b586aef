#!/usr/bin/env bash
# Installs what `make test` needs and this machine lacks: Debian packages, then the JOSE client from npm.
# Prints each thing with its reason; prints nothing and changes nothing where all is there.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf 'setup: %s\n' "$*"; }

# wanted holds the Debian packages to install.
wanted=()
want() { # want PACKAGES REASON
  say "installs $1 (Debian): $2"
  read -ra packages <<<"$1"
  wanted+=("${packages[@]}")
}

# Each probe asks for the ability, not for the package: a compiler, a server or a Node of another origin serves as well.
compiles() { printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | gcc -x c -o /dev/null - 2>/dev/null; }
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
has_jwcrypto() { [[ -x /usr/bin/python3 ]] && /usr/bin/python3 -c 'import jwcrypto' 2>/dev/null; }
has_aiosmtpd() { [[ -x /usr/bin/python3 ]] && /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null; }

compiles || want 'gcc libc6-dev' "go test's race detector links C"
has_postgres || want postgresql 'every storage test runs on it as well as on SQLite (the cluster that Debian creates with it stays untouched)'
[[ -e /etc/ssl/certs/ca-certificates.crt ]] || want ca-certificates 'npm checks whom it downloads from'
command -v node >/dev/null || want nodejs 'runs the JOSE client from npm, which pushes statements that our code did not sign'
command -v npm >/dev/null || want npm 'installs that client'
command -v jose >/dev/null || want jose 'a second client that is not ours'
command -v curl >/dev/null || want curl "pushes what Debian's jose signed"
has_jwcrypto || want python3-jwcrypto 'a third client that is not ours'
has_aiosmtpd || want python3-aiosmtpd 'a mail server that takes what the gateway mails'
command -v chromium >/dev/null || want chromium "the browser in which a reseller's contact opens the link of a mail"

if ((${#wanted[@]})); then
  as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      say "needs root for that, and there is no sudo. As root, run: apt-get install --no-install-recommends ${wanted[*]}" >&2
      exit 1
    fi
    as_root=(sudo)
  fi
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1; }
  # An index that can't be fetched is not yet a failure: the packages may be in the one that is there.
  apt update || say 'apt-get update failed; goes on with the package index that is there'
  if ! apt install --yes --no-install-recommends "${wanted[@]}"; then
    cat "$log" >&2
    say "apt-get could not install ${wanted[*]}: its words stand above" >&2
    exit 1
  fi
fi

# npm ci once for each lock file: the copy beside what it installed tells which one that was.
if ! cmp -s e2e/package-lock.json e2e/node_modules/.installed-lock.json; then
  say 'installs the packages of tools/e2e/package-lock.json (npm): jose, the first client that is not ours'
  (cd e2e && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >/dev/null)
  cp e2e/package-lock.json e2e/node_modules/.installed-lock.json
fi
