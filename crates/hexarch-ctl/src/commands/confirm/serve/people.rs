//! Who is there: whoever a proxy says, or one person.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use clap::{ArgGroup, Args};
use guard_confirm::Person;
use hyper::header::{HeaderMap, HeaderName};

use super::listen::Address;

/// The longest name of a person or a role, in bytes.
const LONGEST: usize = 256;

/// Who answers.
#[derive(Args)]
#[command(group = ArgGroup::new("who").required(true).args(["person", "identity_header"]))]
pub(super) struct Flags {
    /// Whoever has a link answers as this user: for one person's links.
    #[arg(long = "as", value_name = "USER", value_parser = crate::commands::confirm::person)]
    person: Option<String>,
    /// A role of theirs, without `@`; may be given several times.
    #[arg(long = "role", value_name = "ROLE", requires = "person")]
    roles: Vec<String>,
    /// The header by which a proxy that knows people says who is there, such as `X-Forwarded-User`. The proxy must take
    /// away what its callers say in it.
    #[arg(long, value_name = "NAME")]
    identity_header: Option<HeaderName>,
    /// The header by which it says their roles, with commas between them.
    #[arg(long, value_name = "NAME", requires = "identity_header")]
    roles_header: Option<HeaderName>,
    /// The proxy's address, or its network as ADDRESS/BITS: nobody else is answered. May be given several times; needed
    /// unless the proxy comes over a Unix socket.
    #[arg(long = "trusted-proxy", value_name = "ADDRESS", requires = "identity_header")]
    proxies: Vec<Network>,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Peer {
    /// The Unix socket: whoever may open it.
    Socket,
    /// An address.
    Address(SocketAddr),
}

/// Who is there.
pub(super) enum People {
    /// Always the same person.
    One(Person),
    /// Whoever the proxy says.
    Told { identity: HeaderName, roles: Option<HeaderName>, proxies: Vec<Network> },
}

impl People {
    pub(super) fn of(flags: &Flags, listen: &Address) -> Result<Self, String> {
        if let Some(identity) = &flags.identity_header {
            if flags.proxies.is_empty() && !matches!(listen, Address::Socket(_)) {
                let why = "whoever can reach the address could say who they are: name the proxy with --trusted-proxy";
                return Err(format!("--identity-header: {why}, or listen on unix:PATH"));
            }
            return Ok(Self::Told {
                identity: identity.clone(),
                roles: flags.roles_header.clone(),
                proxies: flags.proxies.clone(),
            });
        }
        let id = flags.person.clone().ok_or("nobody is said to answer: name them with --as")?;
        Ok(Self::One(Person { id, roles: flags.roles.clone() }))
    }

    /// Whether those who come are known one from another, so that a confirmation can be answered without a secret.
    pub(super) const fn are_known(&self) -> bool {
        matches!(self, Self::Told { .. })
    }

    /// Who is there, or why that is not known.
    pub(super) fn who(&self, peer: Peer, headers: &HeaderMap) -> Result<Person, &'static str> {
        let (identity, roles, proxies) = match self {
            Self::One(person) => return Ok(person.clone()),
            Self::Told { identity, roles, proxies } => (identity, roles.as_ref(), proxies),
        };
        if let Peer::Address(address) = peer
            && !proxies.iter().any(|network| network.has(address.ip()))
        {
            return Err("This address is only for the proxy that knows who you are.");
        }
        let mut said = headers.get_all(identity).iter();
        let (Some(id), None) = (said.next(), said.next()) else {
            return Err("The proxy has not said who you are.");
        };
        let id =
            name(id.as_bytes()).ok_or("The proxy has not said who you are in a way that is understood.")?;
        let told = roles.into_iter().flat_map(|header| headers.get_all(header));
        let roles = told.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).filter_map(name);
        Ok(Person { id, roles: roles.collect() })
    }
}

fn name(bytes: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(bytes).ok()?.trim();
    (!name.is_empty() && name.len() <= LONGEST).then(|| name.to_owned())
}

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    bits: u32,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let wrong = || format!("`{text}` is no address such as 10.0.0.7, and no network such as 10.0.0.0/24");
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?,
        };
        Ok(Self { address, bits })
    }
}

impl Network {
    fn has(self, address: IpAddr) -> bool {
        // An IPv4 address that comes over an IPv6 socket is that address.
        let (differ, width) = match (self.address, address.to_canonical()) {
            (IpAddr::V4(one), IpAddr::V4(other)) => (u128::from(one.to_bits() ^ other.to_bits()), 32),
            (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits(), 128),
            _ => return false,
        };
        differ.checked_shr(width - self.bits).unwrap_or(0) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_what_begins_with_its_bits() {
        let has =
            |network: &str, address: &str| network.parse::<Network>().unwrap().has(address.parse().unwrap());
        assert!(has("10.0.0.7", "10.0.0.7") && !has("10.0.0.7", "10.0.0.8"));
        assert!(has("10.0.0.0/24", "10.0.0.255") && !has("10.0.0.0/24", "10.0.1.0"));
        assert!(has("0.0.0.0/0", "203.0.113.9") && !has("0.0.0.0/0", "::1"));
        assert!(has("10.0.0.0/24", "::ffff:10.0.0.9"));
        assert!(has("fd00::/8", "fdff::1") && !has("fd00::/8", "fe00::1") && has("::/0", "::1"));
        for wrong in ["", "10.0.0", "10.0.0.0/33", "::1/129", "localhost", "10.0.0.0/-1", "10.0.0.0/"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_the_proxy_says_who_is_there() {
        let people = People::Told {
            identity: HeaderName::from_static("x-user"),
            roles: Some(HeaderName::from_static("x-roles")),
            proxies: vec!["127.0.0.1".parse().unwrap()],
        };
        let proxy = Peer::Address("127.0.0.1:9".parse().unwrap());
        let mut headers = HeaderMap::new();
        assert!(people.who(proxy, &headers).is_err());
        headers.insert("x-user", "grace".parse().unwrap());
        headers.insert("x-roles", "lead, , ops".parse().unwrap());
        let roles = ["lead", "ops"].map(str::to_owned).to_vec();
        assert_eq!(people.who(proxy, &headers), Ok(Person { id: "grace".to_owned(), roles }));
        assert!(people.who(Peer::Socket, &headers).is_ok());
        assert!(people.who(Peer::Address("127.0.0.2:9".parse().unwrap()), &headers).is_err());
        headers.append("x-user", "mallory".parse().unwrap());
        assert!(people.who(proxy, &headers).is_err(), "two names");
        headers.insert("x-user", " ".parse().unwrap());
        assert!(people.who(proxy, &headers).is_err(), "no name");
    }
}
