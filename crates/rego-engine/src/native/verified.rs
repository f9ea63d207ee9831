//! A container whose origin is settled.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, VerifyingKey};

use super::WASMTIME;
use super::container::{self, DOMAIN, Header, Parts, Requirements};
use super::cpu;

/// Why machine code is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NativeError {
    /// The bytes are something else.
    #[error("not a precompiled module")]
    NotNative,
    /// The container is in the form of another version.
    #[error("precompiled module is in format {found}, this engine reads format {known}")]
    Format {
        /// The container's version.
        found: u16,
        /// The engine's version.
        known: u16,
    },
    /// The end is missing.
    #[error("precompiled module is truncated: {found} bytes of {expected}")]
    Truncated {
        /// How many bytes there are at least.
        expected: usize,
        /// How many bytes were given.
        found: usize,
    },
    /// Nobody signed it.
    #[error("precompiled module is not signed")]
    Unsigned,
    /// It was signed with a key that is not among those that are trusted.
    #[error("precompiled module is signed with the key {key}, which is not trusted")]
    UntrustedKey {
        /// The public key, in hexadecimal digits.
        key: String,
    },
    /// It is not what was made, or what was signed.
    #[error("precompiled module was altered: its signature or digest does not match")]
    Altered,
    /// Another version of wasmtime compiled it.
    #[error(
        "precompiled module was compiled by wasmtime {found}, this engine runs the code of wasmtime {known}"
    )]
    Wasmtime {
        /// The module's version.
        found: String,
        /// The engine's version.
        known: String,
    },
    /// It is for other machines.
    #[error("precompiled module is for {found}, this machine is {known}")]
    Target {
        /// The module's target.
        found: String,
        /// This machine.
        known: String,
    },
    /// It uses what this processor does not have.
    #[error("precompiled module needs features that this processor does not have: {}", missing.join(", "))]
    CpuFeatures {
        /// Their names.
        missing: Vec<String>,
    },
    /// wasmtime finds that it does not fit this engine.
    #[error("precompiled module does not fit this engine: {message}")]
    Incompatible {
        /// wasmtime's words.
        message: String,
    },
}

/// A key that signatures are checked with: Ed25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key of 32 bytes, as RFC 8032 encodes it. None when they are no key, or one that everything fits.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// The key of a secret.
    #[must_use]
    pub fn of_secret(secret: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(secret).verifying_key())
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }
}

/// As 64 hexadecimal digits.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is no public key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 public key of 64 hexadecimal digits")]
pub struct NoPublicKey;

impl FromStr for PublicKey {
    type Err = NoPublicKey;

    fn from_str(text: &str) -> Result<Self, NoPublicKey> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if !rest.is_empty() || pairs.len() != bytes.len() {
            return Err(NoPublicKey);
        }
        for (byte, digits) in bytes.iter_mut().zip(pairs) {
            let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
            let value = digit(0).zip(digit(1)).map(|(high, low)| high << 4 | low);
            *byte = value.and_then(|value| u8::try_from(value).ok()).ok_or(NoPublicKey)?;
        }
        Self::from_bytes(&bytes).ok_or(NoPublicKey)
    }
}

/// A precompiled module that may be run: its origin is settled and its needs are met here.
#[derive(Clone, Debug)]
pub struct Verified<'b> {
    header: Header,
    sections: &'b [u8],
    code: &'b [u8],
}

impl<'b> Verified<'b> {
    /// Admits a container that bears the signature of one of these keys.
    ///
    /// Whoever has such a key can have any code run in this process; see to it as to a key that signs programs.
    ///
    /// # Errors
    /// See [`NativeError`]. Whether the signature holds is found out before anything but the container's outline is
    /// looked at.
    pub fn by_key(bytes: &'b [u8], keys: &[PublicKey]) -> Result<Self, NativeError> {
        let parts = container::parse(bytes)?;
        let (message, signer, signature) = parts.signature.ok_or(NativeError::Unsigned)?;
        let key = keys.iter().find(|key| key.0.as_bytes() == signer).ok_or_else(|| {
            NativeError::UntrustedKey { key: signer.iter().map(|byte| format!("{byte:02x}")).collect() }
        })?;
        let message = [DOMAIN, message].concat();
        let signature = Signature::from_bytes(signature);
        key.0.verify_strict(&message, &signature).map_err(|_| NativeError::Altered)?;
        Self::admit(parts)
    }

    /// Admits a container for which the caller vouches, signed or not.
    ///
    /// # Errors
    /// See [`NativeError`]. An accident (bytes that were cut or garbled) is found, an attack is not.
    ///
    /// # Safety
    /// The bytes must be what [`Precompiled`](super::Precompiled) gave, unaltered. That is so for bytes that a build
    /// script made and the compiler embedded in this program; for a file it is not, since others may write it.
    #[expect(
        unsafe_code,
        reason = "machine code of unknown origin can do anything; the caller answers for it"
    )]
    pub unsafe fn trusted(bytes: &'b [u8]) -> Result<Self, NativeError> {
        Self::admit(container::parse(bytes)?)
    }

    /// Checks the payload and the needs of a container whose origin is settled.
    fn admit(parts: Parts<'b>) -> Result<Self, NativeError> {
        let Parts { header, payload, .. } = parts;
        if container::digest(payload) != header.payload {
            return Err(NativeError::Altered);
        }
        let sections = usize::try_from(header.sections).map_err(|_| NativeError::Altered)?;
        let (sections, code) = payload.split_at_checked(sections).ok_or(NativeError::Altered)?;
        meet(&header.requirements)?;
        Ok(Self { header, sections, code })
    }

    /// What it needs of this machine, all of which is there.
    #[must_use]
    pub fn requirements(&self) -> &Requirements {
        &self.header.requirements
    }

    /// The SHA-256 digest of the module in WebAssembly that it was made of.
    #[must_use]
    pub fn wasm_digest(&self) -> [u8; 32] {
        self.header.wasm
    }

    /// What its maker noted of the sources (`NativeOptions::sources`).
    #[must_use]
    pub fn sources(&self) -> [u8; 32] {
        self.header.sources
    }

    /// The custom sections that the engine reads, as a module without code.
    pub(crate) fn sections(&self) -> &'b [u8] {
        self.sections
    }

    /// Has wasmtime take the code.
    pub(crate) fn instruct(&self, engine: &wasmtime::Engine) -> Result<wasmtime::Module, NativeError> {
        // SAFETY: this is what wasmtime serialised, for `Precompiled` gives nothing else: the signature says so, or the
        // caller of `trusted` does.
        #[expect(unsafe_code, reason = "the origin of the code is settled, or there would be no `Verified`")]
        let module = unsafe { wasmtime::Module::deserialize(engine, self.code) };
        module.map_err(|error| NativeError::Incompatible { message: format!("{error:#}") })
    }
}

/// Whether this machine has what is needed.
fn meet(needs: &Requirements) -> Result<(), NativeError> {
    if needs.wasmtime != WASMTIME {
        return Err(NativeError::Wasmtime { found: needs.wasmtime.clone(), known: WASMTIME.to_owned() });
    }
    let here = cpu::target();
    if needs.target != here {
        return Err(NativeError::Target { found: needs.target.clone(), known: here });
    }
    let has: Vec<&str> = cpu::features().collect();
    let missing = needs.cpu_features.iter().filter(|name| !has.contains(&name.as_str()));
    let missing: Vec<String> = missing.cloned().collect();
    if missing.is_empty() { Ok(()) } else { Err(NativeError::CpuFeatures { missing }) }
}
