//! Making containers.

use ed25519_dalek::{Signer, SigningKey};

use super::WASMTIME;
use super::container::{self, DOMAIN, Header, Requirements, Sum};
use super::cpu;
use crate::Config;
use crate::config::settings;
use crate::error::ModuleError;
use crate::layout;

/// The processors that a precompiled module runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cpu {
    /// Those that have every feature of this one that the compiler makes use of.
    #[default]
    Host,
    /// All of this architecture.
    Baseline,
}

/// How a module is compiled ahead of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NativeOptions {
    /// The processors that it is to run on.
    pub cpu: Cpu,
    /// A digest of what the module was made of, for whoever loads it to compare ([`Verified::sources`]).
    ///
    /// [`Verified::sources`]: super::Verified::sources
    pub sources: Sum,
}

/// A module that was compiled here to machine code, for this operating system and this or other processors.
#[derive(Clone, Debug)]
pub struct Precompiled {
    header: Header,
    payload: Vec<u8>,
}

impl Precompiled {
    /// Compiles a module.
    ///
    /// # Errors
    /// Bytes that are no module; a machine that wasmtime has no compiler for.
    pub fn compile(wasm: &[u8], options: &NativeOptions) -> Result<Self, ModuleError> {
        let invalid = |error: wasmtime::Error| ModuleError::Invalid { message: format!("{error:#}") };
        let mut settings = settings(&Config::default());
        let cpu_features = match options.cpu {
            Cpu::Host => cpu::features().map(str::to_owned).collect(),
            Cpu::Baseline => {
                settings.target(&triple()).map_err(invalid)?;
                Vec::new()
            }
        };
        let engine = wasmtime::Engine::new(&settings).map_err(invalid)?;
        let code = engine.precompile_module(wasm).map_err(invalid)?;
        let mut payload = layout::of_engine(wasm);
        let sections = payload.len();
        payload.extend(&code);
        let header = Header {
            requirements: Requirements { wasmtime: WASMTIME.to_owned(), target: cpu::target(), cpu_features },
            wasm: container::digest(wasm),
            sources: options.sources,
            sections: sections as u64,
            code: code.len() as u64,
            payload: container::digest(&payload),
        };
        Ok(Self { header, payload })
    }

    /// What it needs of a machine that is to run it.
    #[must_use]
    pub fn requirements(&self) -> &Requirements {
        &self.header.requirements
    }

    /// The container, signed with this secret: 32 bytes, an Ed25519 seed.
    #[must_use]
    pub fn sign(self, secret: &[u8; 32]) -> Vec<u8> {
        let key = SigningKey::from_bytes(secret);
        let front = self.header.front(true);
        let signature = key.sign(&[DOMAIN, &front].concat());
        [front.as_slice(), key.verifying_key().as_bytes(), &signature.to_bytes(), &self.payload].concat()
    }

    /// The container without a signature, to be embedded in the program that will run it.
    #[must_use]
    pub fn into_unsigned(self) -> Vec<u8> {
        let mut out = self.header.front(false);
        out.extend(self.payload);
        out
    }
}

/// The name of this machine for a compiler that is not to look at its processor.
fn triple() -> String {
    let arch = std::env::consts::ARCH;
    match std::env::consts::OS {
        "linux" => format!("{arch}-unknown-linux-gnu"),
        "macos" => format!("{arch}-apple-darwin"),
        "windows" => format!("{arch}-pc-windows-msvc"),
        other => format!("{arch}-unknown-{other}"),
    }
}
