//! Random bytes for blinding and salts.

use std::convert::Infallible;

use rsa::rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};

/// A generator seeded with the secret key, the message, and the evaluation's own random number: an evaluation
/// that is repeated makes the same signature, and who does not know the key cannot predict a byte.
pub(crate) struct Random {
    seed: [u8; 32],
    blocks: u64,
    left: Vec<u8>,
}

impl Random {
    pub(crate) fn new(secret: &[u8], message: &[u8], number: u64) -> Self {
        let seed = Sha256::new()
            .chain_update(b"signature\0")
            .chain_update(Sha256::digest(secret))
            .chain_update(Sha256::digest(message))
            .chain_update(number.to_be_bytes())
            .finalize();
        Self { seed: seed.into(), blocks: 0, left: Vec::new() }
    }

    fn byte(&mut self) -> u8 {
        loop {
            if let Some(byte) = self.left.pop() {
                return byte;
            }
            let counter = self.blocks.to_be_bytes();
            self.blocks += 1;
            self.left = Sha256::new().chain_update(self.seed).chain_update(counter).finalize().to_vec();
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }
}

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes(self.bytes()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.fill_with(|| self.byte());
        Ok(())
    }
}

impl TryCryptoRng for Random {}
