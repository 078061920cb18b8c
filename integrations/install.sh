#!/bin/sh
# Puts `regreen` into the folder $1 (default: ./regreen-bin), from the release $REGREEN_VERSION, if the archive has the
# SHA-256 in $REGREEN_SHA256. For CI systems that have no way of their own.
set -eu
: "${REGREEN_VERSION:?a release, e.g. 0.1.0}" "${REGREEN_SHA256:?the SHA-256 of the archive, in hex}"
folder="${1:-regreen-bin}"
archive="regreen-$REGREEN_VERSION-linux-$(uname -m).tar.gz"
mkdir -p "$folder"
curl --fail --silent --show-error --location --proto =https --retry 3 --output "$folder/$archive" \
  "https://github.com/regreen/regreen/releases/download/v$REGREEN_VERSION/$archive"
echo "$REGREEN_SHA256  $folder/$archive" | sha256sum -c - >/dev/null
tar -xzOf "$folder/$archive" "${archive%.tar.gz}/bin/regreen" >"$folder/regreen"
chmod 755 "$folder/regreen"
rm "$folder/$archive"
