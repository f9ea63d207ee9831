//! Networks, as Go's `net` package sees them: an IPv4 address in IPv6 form is an IPv4 address.

use super::operands::string;
use crate::error::{Failure, Outcome};
use crate::value::Value;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses that begin with the same bits.
#[derive(Clone, Copy)]
struct Network {
    first: Address,
    prefix: u32,
    /// The bits of an address in the notation of the text: 32 or 128.
    bits: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Address {
    V4(u32),
    V6(u128),
}

fn canonical(address: IpAddr) -> Address {
    match address {
        IpAddr::V4(v4) => Address::V4(v4.to_bits()),
        IpAddr::V6(v6) => {
            v6.to_ipv4_mapped().map_or(Address::V6(v6.to_bits()), |v4| Address::V4(v4.to_bits()))
        }
    }
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = text.split_once('/')?;
        if prefix.is_empty() || prefix.len() > 9 || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let prefix: u32 = prefix.parse().ok()?;
        let (first, bits) = match address.parse().ok()? {
            IpAddr::V4(v4) => (IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask(prefix, 32)? as u32)), 32),
            IpAddr::V6(v6) => (IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask(prefix, 128)?)), 128),
        };
        let first = canonical(first);
        // An IPv4 network in IPv6 notation has its prefix counted from the end of the common 96 bits.
        let prefix =
            if matches!(first, Address::V4(_)) && bits == 128 { prefix.saturating_sub(96) } else { prefix };
        Some(Network { first, prefix, bits })
    }

    fn contains(&self, address: Address) -> bool {
        match (self.first, address) {
            (Address::V4(first), Address::V4(address)) => {
                mask(self.prefix, 32).is_some_and(|mask| address & mask as u32 == first & mask as u32)
            }
            (Address::V6(first), Address::V6(address)) => {
                mask(self.prefix, 128).is_some_and(|mask| address & mask == first & mask)
            }
            _ => false,
        }
    }

    fn last(&self) -> Address {
        match self.first {
            Address::V4(first) => Address::V4(first | !(mask(self.prefix, 32).unwrap_or(0) as u32)),
            Address::V6(first) => {
                canonical(IpAddr::V6(Ipv6Addr::from_bits(first | !mask(self.prefix, 128).unwrap_or(0))))
            }
        }
    }

    fn is_plain_v6(&self) -> bool {
        matches!(self.first, Address::V6(_)) && self.bits == 128
    }
}

/// So many ones at the top of `bits` bits.
fn mask(prefix: u32, bits: u32) -> Option<u128> {
    let all = u128::MAX >> (128 - bits);
    match prefix {
        0 => Some(0),
        prefix if prefix <= bits => Some(all << (bits - prefix) & all),
        _ => None,
    }
}

fn network(value: Value) -> Result<Network, Failure> {
    let text = string(value, 1)?;
    Network::parse(text).ok_or_else(|| Failure::builtin(&["invalid CIDR address: ", text]))
}

pub(super) fn cidr_contains(a: Value, b: Value) -> Outcome {
    let outer = network(a)?;
    let text = string(b, 1)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Value::bool(outer.contains(canonical(address))));
    }
    let Some(inner) = Network::parse(text) else {
        return Err(Failure::builtin(&[
            "not a valid textual representation of an IP address or CIDR: ",
            text,
        ]));
    };
    if outer.is_plain_v6() && inner.is_plain_v6() {
        return Ok(Value::bool(outer.prefix <= inner.prefix && outer.contains(inner.first)));
    }
    Ok(Value::bool(outer.contains(inner.first) && outer.contains(inner.last())))
}

pub(super) fn cidr_intersects(a: Value, b: Value) -> Outcome {
    let (a, b) = (network(a)?, network(b)?);
    Ok(Value::bool(a.contains(b.first) || b.contains(a.first)))
}
