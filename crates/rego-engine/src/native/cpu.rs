//! The processor that this program runs on, in the names that containers use.

/// Where this program runs, such as `x86_64-linux`.
pub(super) fn target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

macro_rules! detected {
    ($detect:ident: $($name:tt)*) => { [$(($name, std::arch::$detect!($name))),*] };
}

/// The features that compiled code may use, and whether this processor has them.
#[cfg(target_arch = "x86_64")]
fn known() -> impl IntoIterator<Item = (&'static str, bool)> {
    detected!(is_x86_feature_detected:
        "cmpxchg16b" "sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "avx" "avx2" "fma" "bmi1" "bmi2" "lzcnt" "avxvnni"
        "avx512bitalg" "avx512dq" "avx512f" "avx512vl" "avx512vbmi" "avx512vnni"
    )
}

/// The features that compiled code may use, and whether this processor has them.
#[cfg(target_arch = "aarch64")]
fn known() -> impl IntoIterator<Item = (&'static str, bool)> {
    detected!(is_aarch64_feature_detected: "lse" "paca" "fp16" "dotprod" "i8mm")
}

/// For other processors wasmtime's own check has to do.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn known() -> impl IntoIterator<Item = (&'static str, bool)> {
    []
}

/// The features of this processor that compiled code may use.
pub(super) fn features() -> impl Iterator<Item = &'static str> {
    known().into_iter().filter_map(|(name, has)| has.then_some(name))
}
