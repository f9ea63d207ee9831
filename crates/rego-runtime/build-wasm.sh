#!/usr/bin/env bash
# Builds runtime.wasm from this crate and writes it beside this script.
#
#   crates/rego-runtime/build-wasm.sh [OUTPUT]
#
# Uses rustup's wasm32-unknown-unknown where it is installed; otherwise Debian's rustc-web, cargo-web, rust-web-src and
# lld-14, which build core and alloc for the target themselves. The output depends on the compiler, so its version is
# recorded in the module beside the digest of the sources (see tests/blob.rs, which compares both). RUNTIME_RUSTC=/usr/bin/rustc
# chooses the second way where both are there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
output=${1:-$here/runtime.wasm}
target=wasm32-unknown-unknown

flags=(
  -Cpanic=abort
  -Clink-arg=--import-memory -Clink-arg=--stack-first -Clink-arg=-zstack-size=65536
  -Clink-arg=--export=__heap_base -Clink-arg=--no-entry -Clink-arg=--emit-relocs -Clink-arg=--no-merge-data-segments
  -Ctarget-feature=+bulk-memory,+sign-ext,+mutable-globals
  "--remap-path-prefix=$root=." "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
)
cargo_args=()
if [ "${RUNTIME_RUSTC:-}" != /usr/bin/rustc ] && rustup target list --installed 2>/dev/null | grep -qx "$target"; then
  cargo=cargo rustc=rustc
else
  cargo=/usr/bin/cargo rustc=/usr/bin/rustc
  for tool in "$cargo" "$rustc" /usr/bin/wasm-ld-14; do
    if [ ! -x "$tool" ]; then
      echo "no way to build for $target: run 'rustup target add $target', or on Debian" >&2
      echo "'apt-get install rustc-web cargo-web rust-web-src lld-14'" >&2
      exit 3
    fi
  done
  export RUSTC="$rustc" RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=/usr/bin/wasm-ld-14
  unset RUSTUP_TOOLCHAIN
  flags+=(-Clinker-flavor=wasm-ld -Zunstable-options -Cpanic=immediate-abort "--remap-path-prefix=$("$rustc" --print sysroot)=sysroot")
  cargo_args+=(-Zbuild-std=core,alloc,compiler_builtins -Zbuild-std-features=compiler-builtins-mem)
fi
version=$("$rustc" --version)

# The build's own folder: no other build's flags, no other build's leftovers.
build=${RUNTIME_BUILD_DIR:-$root/target/runtime-wasm}
env -u RUSTFLAGS -u CARGO_TARGET_DIR \
  CARGO_ENCODED_RUSTFLAGS="$(IFS=$'\x1f'; echo "${flags[*]}")" \
  CARGO_PROFILE_RELEASE_OPT_LEVEL=2 CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
  CARGO_PROFILE_RELEASE_PANIC=abort CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=false \
  "$cargo" rustc --manifest-path "$here/Cargo.toml" --target-dir "$build" --target "$target" --release --lib \
  --crate-type cdylib "${cargo_args[@]}" >&2

module=$build/$target/release/rego_runtime.wasm
"$here/stamp.sh" "$module" "$version" > "$output.new"
mv "$output.new" "$output"
echo "$output: $(wc -c < "$output") bytes, $version" >&2
