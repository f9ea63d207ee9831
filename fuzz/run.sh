#!/bin/sh
# Builds the targets with coverage and runs one: fuzz/run.sh TARGET [SECONDS]
#
# The flags are those that `cargo fuzz` passes, less the sanitizer: all of them are stable, so that the project's own
# compiler will do (the code has no `unsafe` that a sanitizer could watch outside of rego-runtime's memory, which is
# tested natively). With a nightly compiler, `cargo +nightly fuzz run TARGET` works as well.
set -eu
cd "$(dirname "$0")"
target=$1
seconds=${2:-60}
features=
case $target in module | input) features="--features engine" ;; esac
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
# With a target named, the flags are not those of build scripts.
host=$(rustc -vV | sed -n 's/^host: //p')
# shellcheck disable=SC2086
cargo build --release --target "$host" --bin "$target" $features
out=${CARGO_TARGET_DIR:-target}
mkdir -p "$out/corpus/$target"
# What is found new goes into the target folder: the committed corpus stays small and made by hand.
exec "$out/$host/release/$target" "$out/corpus/$target" "corpus/$target" -dict="dictionaries/$target.txt" \
    -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=10 -artifact_prefix="$out/"
