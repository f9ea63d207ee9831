//! Category net: networks in CIDR notation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rego_value::Value;

use crate::args::{Args, elements};
use crate::bounds::{MOST_VALUES, too_many};
use crate::context::Context;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

/// An address of 32 or 128 bits as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Address {
    /// 32 or 128.
    bits: u32,
    number: u128,
}

impl Address {
    /// An IPv4 address, also one that is mapped into IPv6, has 32 bits.
    fn unmapped(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self { bits: 32, number: u128::from(ip.to_bits()) },
            IpAddr::V6(ip) => Self { bits: 128, number: ip.to_bits() },
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match u32::try_from(self.number) {
            Ok(number) if self.bits == 32 => Ipv4Addr::from_bits(number).fmt(f),
            _ => Ipv6Addr::from_bits(self.number).fmt(f),
        }
    }
}

/// A network: its first address as written, and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: Address,
    prefix: u32,
    /// Written as IPv6 and no IPv4 in disguise.
    plain_v6: bool,
}

impl Network {
    /// `address/length`, the address cut to the prefix.
    fn parse(text: &str) -> Result<Self, BuiltinError> {
        let invalid = || BuiltinError::new(format!("invalid CIDR address: {text}"));
        let (ip, length) = text.split_once('/').ok_or_else(invalid)?;
        let ip: IpAddr = ip.parse().map_err(|_| invalid())?;
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let length: u32 = length.parse().map_err(|_| invalid())?;
        let written_bits = if ip.is_ipv4() { 32 } else { 128 };
        if length > written_bits {
            return Err(invalid());
        }
        // Cut first: an address is mapped only as long as its prefix says so.
        let address = match ip {
            IpAddr::V4(_) => Address::unmapped(ip),
            IpAddr::V6(ip) => {
                let cut = cut(ip.to_bits(), 128, length);
                Address::unmapped(IpAddr::V6(Ipv6Addr::from_bits(cut)))
            }
        };
        let prefix = if written_bits == address.bits { length } else { length.saturating_sub(96) };
        let address = Address { number: cut(address.number, address.bits, prefix), ..address };
        Ok(Self { address, prefix, plain_v6: address.bits == 128 })
    }

    fn first(self) -> u128 {
        cut(self.address.number, self.address.bits, self.prefix)
    }

    fn last(self) -> u128 {
        self.first() | host_mask(self.address.bits, self.prefix)
    }

    fn contains(self, address: Address) -> bool {
        self.address.bits == address.bits && cut(address.number, address.bits, self.prefix) == self.first()
    }
}

/// The ones of the part of an address that is not the prefix.
fn host_mask(bits: u32, prefix: u32) -> u128 {
    1u128.checked_shl(bits.saturating_sub(prefix)).map_or(u128::MAX, |size| size - 1)
}

fn cut(number: u128, bits: u32, prefix: u32) -> u128 {
    number & !host_mask(bits, prefix)
}

/// Whether a network contains an address or another network.
fn contains_text(network: Network, text: &str) -> Result<bool, BuiltinError> {
    if let Ok(ip) = text.parse() {
        return Ok(network.contains(Address::unmapped(ip)));
    }
    let other = Network::parse(text).map_err(|_| {
        BuiltinError::new(format!("not a valid textual representation of an IP address or CIDR: {text}"))
    })?;
    if network.plain_v6 && other.plain_v6 {
        return Ok(network.prefix <= other.prefix && network.contains(other.address));
    }
    let last = Address { number: other.last(), ..other.address };
    Ok(network.contains(other.address) && network.contains(last))
}

/// Whether one operand's network contains another operand's.
fn contains(network: &Value, other: &Value) -> Result<bool, BuiltinError> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.to_string()),
        other => Err(crate::args::wrong_type(1, other, &["string"])),
    };
    contains_text(Network::parse(&text(network)?)?, &text(other)?)
}

/// `net.cidr_is_valid`
pub(crate) fn cidr_is_valid(_: &mut Context, args: &[Value]) -> Outcome {
    Ok(Some(Args(args).string(1).is_ok_and(|text| Network::parse(text).is_ok()).into()))
}

/// `net.cidr_expand`
pub(crate) fn cidr_expand(_: &mut Context, args: &[Value]) -> Outcome {
    let network = Network::parse(Args(args).string(1)?)?;
    let count = network.last() - network.first();
    if count >= MOST_VALUES as u128 {
        return Err(too_many());
    }
    let addresses = (network.first()..=network.last())
        .map(|number| Value::from(Address { number, ..network.address }.to_string()));
    Ok(Some(Value::set(addresses)))
}

/// An operand of `net.cidr_contains_matches`: elements, each with what stands for it in the answer.
fn indexed(operand: &Value) -> Vec<(&Value, Value)> {
    match operand {
        Value::String(_) => vec![(operand, operand.clone())],
        Value::Array(items) => (0i64..).zip(items.iter()).map(|(i, item)| (item, Value::from(i))).collect(),
        Value::Set(items) => items.iter().map(|item| (item, item.clone())).collect(),
        Value::Object(members) => members.iter().map(|(key, item)| (item, key.clone())).collect(),
        _ => Vec::new(),
    }
}

/// The network of an element: itself, or the first of an array.
fn element_network(position: usize, item: &Value) -> Result<&Value, BuiltinError> {
    let network = match item {
        Value::String(_) => Some(item),
        Value::Array(parts) => parts.first(),
        _ => None,
    };
    network.ok_or_else(|| {
        BuiltinError::new(format!("operand {position}: element must be string or non-empty array"))
    })
}

/// `net.cidr_contains_matches`
pub(crate) fn cidr_contains_matches(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let mut found = Vec::new();
    let inner = args.value(2)?;
    for (outer, outer_index) in indexed(args.value(1)?) {
        let outer = element_network(1, outer)?;
        for (inner, inner_index) in indexed(inner) {
            if contains(outer, element_network(2, inner)?)? {
                found.push(Value::array([outer_index.clone(), inner_index]));
            }
        }
    }
    Ok(Some(Value::set(found)))
}

/// An element of `net.cidr_merge`. A bare IPv4 address stands for its class's network.
fn merge_operand(item: &Value) -> Result<Network, BuiltinError> {
    let text = item.as_str().ok_or_else(|| BuiltinError::new("element must be string"))?;
    let Ok(ip) = text.parse::<IpAddr>() else { return Network::parse(text) };
    let address = Address::unmapped(ip);
    if address.bits == 128 {
        return Err(BuiltinError::new("IPv6 invalid: needs prefix length"));
    }
    let prefix = match address.number >> 24 {
        0..0x80 => 8,
        0x80..0xc0 => 16,
        _ => 24,
    };
    Ok(Network { address, prefix, plain_v6: false })
}

/// `net.cidr_merge`: the fewest networks that make up the same addresses.
pub(crate) fn cidr_merge(_: &mut Context, args: &[Value]) -> Outcome {
    let items =
        elements(Args(args).value(1)?).ok_or_else(|| BuiltinError::new("operand must be an array"))?;
    let networks: Vec<Network> = items.into_iter().map(merge_operand).collect::<Result<_, _>>()?;
    let mut merged = Vec::new();
    for bits in [32, 128] {
        let mut ranges: Vec<(u128, u128, Option<Network>)> = networks
            .iter()
            .filter(|network| network.address.bits == bits)
            .map(|network| (network.first(), network.last(), Some(*network)))
            .collect();
        ranges.sort_by_key(|(first, last, _)| (*last, *first));
        for (first, last) in joined(&mut ranges, &mut merged) {
            cover(first, last, bits, &mut merged);
        }
    }
    Ok(Some(Value::set(merged.into_iter().map(Value::from))))
}

/// Joins ranges that touch or overlap. Those that stay alone are written as they were given.
fn joined(ranges: &mut Vec<(u128, u128, Option<Network>)>, alone: &mut Vec<String>) -> Vec<(u128, u128)> {
    let mut at = ranges.len();
    while at > 1 {
        at -= 1;
        let (Some(previous), Some(current)) = (ranges.get(at - 1).copied(), ranges.get(at).copied()) else {
            break;
        };
        if current.0.saturating_sub(1) <= previous.1 {
            ranges.remove(at);
            if let Some(slot) = ranges.get_mut(at - 1) {
                *slot = (previous.0.min(current.0), current.1, None);
            }
        }
    }
    let mut wide = Vec::new();
    for (first, last, network) in ranges.iter() {
        match network {
            Some(network) => alone.push(format!("{}/{}", network.address, network.prefix)),
            None => wide.push((*first, *last)),
        }
    }
    wide
}

/// The networks that make up a range, from its beginning.
fn cover(mut first: u128, last: u128, bits: u32, out: &mut Vec<String>) {
    loop {
        let mut size = first.trailing_zeros().min(bits);
        while host_mask(size, 0) > last - first {
            size -= 1;
        }
        out.push(format!("{}/{}", Address { bits, number: first }, bits - size));
        let end = first | host_mask(size, 0);
        if end >= last {
            return;
        }
        first = end + 1;
    }
}
