#!/usr/bin/env bash
# Writes a module to standard output with the custom section `rego-runtime`: two lines, the digest of the sources and the
# version of the compiler.
#
#   stamp.sh MODULE VERSION      stamp.sh --digest      (the digest alone)
#
# The digest is the SHA-256 of the lines `sha256  path` of every source file, in the order of their paths, and of the
# locked versions of the dependencies.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
digest() {
  cd "$here/.."
  {
    {
      find rego-value/src rego-regex/src rego-runtime/src -type f -name '*.rs'
      echo rego-value/Cargo.toml
      echo rego-regex/Cargo.toml
      echo rego-regex/build.rs
      echo rego-runtime/Cargo.toml
      echo rego-runtime/build-wasm.sh
    } | LC_ALL=C sort | xargs sha256sum
    # The dependencies, as they are locked.
    grep -A 3 -E '^name = "(num-(bigint|integer|traits)|autocfg|regex-syntax)"' ../Cargo.lock
  } | sha256sum | cut -d' ' -f1
}
if [ "${1:-}" = --digest ]; then digest; exit; fi
module=$1
payload=$(printf '%s\n%s' "$(digest)" "$2")
# A custom section: id 0, its size, the length of its name, the name, the content. All sizes fit one LEB128 byte or two.
leb() { if [ "$1" -lt 128 ]; then printf "\\x$(printf %02x "$1")"; else printf "\\x$(printf %02x $(($1 % 128 + 128)))\\x$(printf %02x $(($1 / 128)))"; fi; }
name=rego-runtime
cat "$module"
printf '\0'
leb $((1 + ${#name} + ${#payload}))
leb ${#name}
printf '%s%s' "$name" "$payload"
