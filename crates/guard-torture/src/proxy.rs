//! A small proxy that delays what it passes on, and cuts connections at random instants.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::random::Random;

/// So many chunks are late for each that ends its connection.
const LATE: u64 = 7;

/// A proxy on the loopback address, which stops to accept when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    cuts: Arc<AtomicU64>,
}

impl Proxy {
    /// Listens on a free port for connections to `target`. One chunk in so many ends its connection, and seven times as
    /// many are late.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(target: &str, seed: u64, cut_one_in: u64) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (over, cuts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stop, counted, target) = (Arc::clone(&over), Arc::clone(&cuts), target.to_owned());
        std::thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            for (number, accepted) in (0_u64..).zip(listener.incoming()) {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                // What cannot be connected is cut at once: the caller sees that.
                if let (Ok(near), Ok(far)) = (accepted, TcpStream::connect(&target)) {
                    let _ = join(&near, &far, Random::of(&[seed, number]), cut_one_in, &counted);
                }
            }
        })?;
        Ok(Self { address, over, cuts })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has cut.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Acquire)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // Wakes the listener up, so that it sees.
        let _ = TcpStream::connect(self.address);
    }
}

/// Passes on in both directions, each in a thread.
fn join(
    near: &TcpStream,
    far: &TcpStream,
    random: Random,
    cut_one_in: u64,
    cuts: &Arc<AtomicU64>,
) -> io::Result<()> {
    let mut other = random.clone();
    other.next();
    for (from, to, random) in
        [(near.try_clone()?, far.try_clone()?, random), (far.try_clone()?, near.try_clone()?, other)]
    {
        let cuts = Arc::clone(cuts);
        std::thread::Builder::new().spawn(move || pass(from, to, random, cut_one_in, &cuts))?;
    }
    Ok(())
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut random: Random, cut_one_in: u64, cuts: &AtomicU64) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let length = from.read(&mut buffer).unwrap_or(0);
        if random.below((cut_one_in / LATE).max(1)) == 0 {
            std::thread::sleep(Duration::from_millis(random.below(20)));
        }
        let cut = random.below(cut_one_in) == 0;
        // A cut connection may still pass on a part: the other side has heard half of a sentence.
        let passed = if cut { length / 2 } else { length };
        let written = buffer.get(..passed).map_or(Ok(()), |chunk| to.write_all(chunk));
        if length == 0 || cut || written.is_err() {
            cuts.fetch_add(u64::from(cut), Ordering::AcqRel);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
}
