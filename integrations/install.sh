#!/bin/sh
# Puts `regreen` into the folder $1 (default: ./regreen-bin), from the release $REGREEN_VERSION, if the archive has the
# SHA-256 in $REGREEN_SHA256. For CI systems that have no way of their own.
#
# Where it can't be had (no network, no such release, no program for this machine) a warning says so, and what lies there then runs
# the command of `regreen run … -- COMMAND` as it is: no job fails for Regreen's sake. Only where something else came than what was
# meant this ends badly.
set -eu
: "${REGREEN_VERSION:?a release, e.g. 0.1.0}" "${REGREEN_SHA256:?the SHA-256 of the archive, in hex}"
folder="${1:-regreen-bin}"
archive="regreen-$REGREEN_VERSION-linux-$(uname -m).tar.gz"
mkdir -p "$folder"

without() { # why
  why="$1: commands run without it, and nothing is diagnosed"
  echo "regreen: warning: $why" >&2
  if [ -n "${TF_BUILD:-}" ]; then echo "##vso[task.logissue type=warning]regreen: $why"; fi
  if [ -n "${BUILDKITE:-}" ]; then buildkite-agent annotate --style warning --context regreen "regreen: $why" || true; fi
  rm -f "$folder/$archive" "$folder/regreen"
  cat >"$folder/regreen" <<'STANDS_IN'
#!/bin/sh
# Stands in for Regreen, which could not be had.
if [ "${1:-}" = run ]; then
  while [ $# -gt 1 ]; do
    if [ "$1" = -- ]; then shift && exec "$@"; fi
    shift
  done
fi
echo "regreen: it could not be had" >&2
exit 5
STANDS_IN
  chmod 755 "$folder/regreen"
  exit 0
}

[ "$(uname -s)" = Linux ] || without "there is no release for $(uname -s)"
from="https://github.com/regreen/regreen/releases/download/v$REGREEN_VERSION/$archive"
for tool in curl sha256sum; do
  command -v "$tool" >/dev/null || without "there is no $tool to fetch it"
done
curl --fail --silent --show-error --location --proto =https --retry 3 --output "$folder/$archive" "$from" ||
  without "$from could not be fetched"
echo "$REGREEN_SHA256  $folder/$archive" | sha256sum -c - >/dev/null
tar -xzOf "$folder/$archive" "${archive%.tar.gz}/bin/regreen" >"$folder/regreen" || without "it could not be unpacked"
chmod 755 "$folder/regreen"
rm "$folder/$archive"
"$folder/regreen" --version >/dev/null || without "it does not start on this machine"
