//! The extensions that Go reads.

use std::collections::HashSet;

use super::certificate::Extension;
use super::mailbox;
use crate::asn1::{Der, Oid, is_ia5, oid, oid_text, tag};
use crate::gofmt::quote;
use crate::url::Url;

/// What the extensions of a certificate say. `None` is Go's nil: nothing was said.
#[derive(Clone, Default)]
pub(super) struct Details {
    /// Bits from the lowest.
    pub(super) key_usage: i64,
    pub(super) unhandled_critical: Vec<Oid>,
    /// By Go's numbers.
    pub(super) ext_key_usage: Vec<i64>,
    pub(super) unknown_ext_key_usage: Vec<Oid>,
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) subject_key_id: Option<Vec<u8>>,
    pub(super) authority_key_id: Option<Vec<u8>>,
    pub(super) ocsp_servers: Vec<Vec<u8>>,
    pub(super) issuing_urls: Vec<Vec<u8>>,
    pub(super) names: AlternativeNames,
    pub(super) has_name_constraints: bool,
    pub(super) name_constraints_critical: bool,
    pub(super) permitted: Subtrees,
    pub(super) excluded: Subtrees,
    pub(super) crl_points: Vec<Vec<u8>>,
    pub(super) policies: Option<Vec<Vec<u8>>>,
    pub(super) inhibit_any_policy: Option<i64>,
    pub(super) inhibit_policy_mapping: Option<i64>,
    pub(super) require_explicit_policy: Option<i64>,
    /// From the issuer's domain to the subject's.
    pub(super) policy_mappings: Vec<(Vec<u8>, Vec<u8>)>,
}

#[derive(Clone, Copy)]
pub(super) struct BasicConstraints {
    pub(super) is_ca: bool,
    /// -1 where there is no limit.
    pub(super) max_path: i64,
}

/// Subject alternative names.
#[derive(Clone, Default)]
pub(super) struct AlternativeNames {
    pub(super) dns: Vec<String>,
    pub(super) emails: Vec<String>,
    /// Four or sixteen bytes each.
    pub(super) ips: Vec<Vec<u8>>,
    pub(super) uris: Vec<Url>,
}

impl AlternativeNames {
    fn is_empty(&self) -> bool {
        self.dns.is_empty() && self.emails.is_empty() && self.ips.is_empty() && self.uris.is_empty()
    }
}

/// The names that a constraint permits or excludes.
#[derive(Clone, Default)]
pub(super) struct Subtrees {
    pub(super) dns: Vec<String>,
    pub(super) emails: Vec<String>,
    /// Addresses with masks of equal length.
    pub(super) ips: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) uris: Vec<String>,
}

type Read<T> = Result<T, String>;

impl Details {
    pub(super) fn parse(extensions: &[Extension]) -> Read<Self> {
        let mut details = Self::default();
        for extension in extensions {
            let handled = details.take(extension)?;
            if extension.critical && !handled {
                details.unhandled_critical.push(extension.id.clone());
            }
        }
        Ok(details)
    }

    /// Reads an extension; false where it is unknown.
    fn take(&mut self, extension: &Extension) -> Read<bool> {
        let der = Der(&extension.value);
        match extension.id.arcs() {
            [2, 5, 29, 14] => self.subject_key_id = Some(subject_key_id(extension)?),
            [2, 5, 29, 15] => self.key_usage = key_usage(der)?,
            [2, 5, 29, 17] => {
                self.names = alternative_names(der)?;
                return Ok(!self.names.is_empty());
            }
            [2, 5, 29, 19] => self.basic_constraints = Some(basic_constraints(der)?),
            [2, 5, 29, 30] => return self.name_constraints(extension),
            [2, 5, 29, 31] => self.crl_points = crl_points(der)?,
            [2, 5, 29, 32] => self.policies = Some(policies(der)?),
            [2, 5, 29, 33] => self.policy_mappings = policy_mappings(der)?,
            [2, 5, 29, 35] => self.authority_key_id = authority_key_id(extension)?,
            [2, 5, 29, 36] => self.policy_constraints(der)?,
            [2, 5, 29, 37] => self.extended_key_usage(der)?,
            [2, 5, 29, 54] => {
                let skip = Der(&extension.value).integer();
                self.inhibit_any_policy = Some(skip.ok_or("x509: invalid inhibit any policy extension")?);
            }
            oid::AUTHORITY_INFO_ACCESS => self.authority_info_access(extension)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn extended_key_usage(&mut self, mut der: Der<'_>) -> Read<()> {
        let invalid = "x509: invalid extended key usages";
        let mut usages = der.contents(tag::SEQUENCE).ok_or(invalid)?;
        while !usages.is_empty() {
            let usage = usages.oid().ok_or(invalid)?;
            match ext_key_usage(&usage) {
                Some(number) => self.ext_key_usage.push(number),
                None => self.unknown_ext_key_usage.push(usage),
            }
        }
        Ok(())
    }

    fn policy_constraints(&mut self, mut der: Der<'_>) -> Read<()> {
        let invalid = "x509: invalid policy constraints extension";
        let mut inside = der.contents(tag::SEQUENCE).ok_or(invalid)?;
        let mut skip = |number: u8| {
            let tag = tag::context(number);
            if inside.peek(tag) { inside.tagged_integer(tag).ok_or(invalid).map(Some) } else { Ok(None) }
        };
        self.require_explicit_policy = skip(0)?;
        self.inhibit_policy_mapping = skip(1)?;
        Ok(())
    }

    fn authority_info_access(&mut self, extension: &Extension) -> Read<()> {
        if extension.critical {
            return Err("x509: authority info access incorrectly marked critical".to_owned());
        }
        let invalid = "x509: invalid authority info access";
        let mut list = Der(&extension.value).contents(tag::SEQUENCE).ok_or(invalid)?;
        while !list.is_empty() {
            let mut access = list.contents(tag::SEQUENCE).ok_or(invalid)?;
            let method = access.oid().ok_or(invalid)?;
            if !access.peek(tag::context(6)) {
                continue;
            }
            let place = access.contents(tag::context(6)).ok_or(invalid)?.0.to_vec();
            match method.arcs() {
                oid::ACCESS_OCSP => self.ocsp_servers.push(place),
                oid::ACCESS_ISSUERS => self.issuing_urls.push(place),
                _ => {}
            }
        }
        Ok(())
    }

    /// False where there are constraints on names of other kinds.
    fn name_constraints(&mut self, extension: &Extension) -> Read<bool> {
        let invalid = "x509: invalid NameConstraints extension";
        let mut outer = Der(&extension.value);
        let mut inside = outer.contents(tag::SEQUENCE).filter(|_| outer.is_empty()).ok_or(invalid)?;
        let permitted = inside.optional(tag::constructed(0)).ok_or(invalid)?;
        let excluded = inside.optional(tag::constructed(1)).ok_or(invalid)?;
        if !inside.is_empty() {
            return Err(invalid.to_owned());
        }
        if permitted.or(excluded).is_none()
            || permitted.is_none_or(|der| der.is_empty()) && excluded.is_none_or(|der| der.is_empty())
        {
            return Err("x509: empty name constraints extension".to_owned());
        }
        let mut handled = true;
        self.permitted = subtrees(permitted.unwrap_or(Der(&[])), &mut handled)?;
        self.excluded = subtrees(excluded.unwrap_or(Der(&[])), &mut handled)?;
        self.has_name_constraints = true;
        self.name_constraints_critical = extension.critical;
        Ok(handled)
    }
}

fn subject_key_id(extension: &Extension) -> Read<Vec<u8>> {
    if extension.critical {
        return Err("x509: subject key identifier incorrectly marked critical".to_owned());
    }
    let id = Der(&extension.value).contents(tag::OCTET_STRING);
    Ok(id.ok_or("x509: invalid subject key identifier")?.0.to_vec())
}

fn authority_key_id(extension: &Extension) -> Read<Option<Vec<u8>>> {
    if extension.critical {
        return Err("x509: authority key identifier incorrectly marked critical".to_owned());
    }
    let invalid = "x509: invalid authority key identifier";
    let mut inside = Der(&extension.value).contents(tag::SEQUENCE).ok_or(invalid)?;
    Ok(inside.optional(tag::context(0)).ok_or(invalid)?.map(|id| id.0.to_vec()))
}

fn key_usage(mut der: Der<'_>) -> Read<i64> {
    let bits = der.bit_string().ok_or("x509: invalid key usage")?;
    Ok((0..9).filter(|position| bits.bit(*position)).map(|position| 1 << position).sum())
}

fn basic_constraints(mut der: Der<'_>) -> Read<BasicConstraints> {
    let invalid = "x509: invalid basic constraints";
    let mut inside = der.contents(tag::SEQUENCE).ok_or(invalid)?;
    let is_ca = if inside.peek(tag::BOOLEAN) { inside.boolean().ok_or(invalid)? } else { false };
    let max_path = if inside.peek(tag::INTEGER) {
        inside.integer().filter(|length| *length >= 0).ok_or(invalid)?
    } else {
        -1
    };
    Ok(BasicConstraints { is_ca, max_path })
}

/// Go's number of a usage.
fn ext_key_usage(oid: &Oid) -> Option<i64> {
    match oid.arcs() {
        [2, 5, 29, 37, 0] => Some(0),
        [1, 3, 6, 1, 5, 5, 7, 3, number @ 1..=9] => Some(i64::from(*number)),
        [1, 3, 6, 1, 4, 1, 311, 10, 3, 3] => Some(10),
        [2, 16, 840, 1, 113_730, 4, 1] => Some(11),
        [1, 3, 6, 1, 4, 1, 311, 2, 1, 22] => Some(12),
        [1, 3, 6, 1, 4, 1, 311, 61, 1, 1] => Some(13),
        _ => None,
    }
}

fn ia5(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().filter(|_| is_ia5(bytes)).map(str::to_owned)
}

/// Subject alternative names; also those that a certificate request asks for.
pub(super) fn alternative_names(mut der: Der<'_>) -> Read<AlternativeNames> {
    let mut list = der.contents(tag::SEQUENCE).ok_or("x509: invalid subject alternative names")?;
    let mut names = AlternativeNames::default();
    while !list.is_empty() {
        let (tag, _, contents) = list.any().ok_or("x509: invalid subject alternative name")?;
        match tag ^ 0x80 {
            1 => names.emails.push(ia5(contents).ok_or("x509: SAN rfc822Name is malformed")?),
            2 => names.dns.push(ia5(contents).ok_or("x509: SAN dNSName is malformed")?),
            6 => {
                let text = ia5(contents).ok_or("x509: SAN uniformResourceIdentifier is malformed")?;
                names.uris.push(uri(&text)?);
            }
            7 if matches!(contents.len(), 4 | 16) => names.ips.push(contents.to_vec()),
            7 => return Err(format!("x509: cannot parse IP address of length {}", contents.len())),
            _ => {}
        }
    }
    Ok(names)
}

fn uri(text: &str) -> Read<Url> {
    let failed = |problem: &str| format!("x509: cannot parse URI {}: {problem}", quote(text));
    let url = Url::parse(text).map_err(|problem| failed(&problem))?;
    let host = String::from_utf8_lossy(&url.host);
    if !host.is_empty() && !mailbox::is_domain(&host, false) {
        return Err(failed("invalid domain"));
    }
    Ok(url)
}

fn crl_points(mut der: Der<'_>) -> Read<Vec<Vec<u8>>> {
    let invalid = "x509: invalid CRL distribution point";
    let mut list = der.contents(tag::SEQUENCE).ok_or("x509: invalid CRL distribution points")?;
    let mut points = Vec::new();
    while !list.is_empty() {
        let mut point = list.contents(tag::SEQUENCE).ok_or(invalid)?;
        let Some(mut name) = point.optional(tag::constructed(0)).ok_or(invalid)? else { continue };
        let mut full = name.contents(tag::constructed(0)).ok_or(invalid)?;
        while full.peek(tag::context(6)) {
            points.push(full.contents(tag::context(6)).ok_or(invalid)?.0.to_vec());
        }
    }
    Ok(points)
}

fn policies(mut der: Der<'_>) -> Read<Vec<Vec<u8>>> {
    let invalid = "x509: invalid certificate policies";
    let mut list = der.contents(tag::SEQUENCE).ok_or(invalid)?;
    let mut seen = HashSet::new();
    let mut policies = Vec::new();
    while !list.is_empty() {
        let id = list.contents(tag::SEQUENCE).and_then(|mut policy| policy.contents(tag::OID));
        let id = id.ok_or(invalid)?.0;
        if !seen.insert(id) || oid_text(id).is_none() {
            return Err(invalid.to_owned());
        }
        policies.push(id.to_vec());
    }
    Ok(policies)
}

fn policy_mappings(mut der: Der<'_>) -> Read<Vec<(Vec<u8>, Vec<u8>)>> {
    let invalid = "x509: invalid policy mappings extension";
    let mut list = der.contents(tag::SEQUENCE).ok_or(invalid)?;
    let mut mappings = Vec::new();
    while !list.is_empty() {
        let mut mapping = list.contents(tag::SEQUENCE).ok_or(invalid)?;
        let mut side = || mapping.contents(tag::OID).map(|id| id.0.to_vec()).ok_or(invalid);
        mappings.push((side()?, side()?));
    }
    Ok(mappings)
}

fn subtrees(mut list: Der<'_>, handled: &mut bool) -> Read<Subtrees> {
    let invalid = "x509: invalid NameConstraints extension";
    let mut found = Subtrees::default();
    while !list.is_empty() {
        let base = list.contents(tag::SEQUENCE).and_then(|mut subtree| subtree.any());
        let (tag, _, value) = base.ok_or(invalid)?;
        let text = || {
            let shown = || quote(&String::from_utf8_lossy(value));
            let wrong = || {
                format!("x509: invalid constraint value: x509: {} cannot be encoded as an IA5String", shown())
            };
            ia5(value).ok_or_else(wrong)
        };
        match tag {
            0x82 => found.dns.push(domain("dnsName", text()?)?),
            0x87 => found.ips.push(network(value)?),
            0x81 => found.emails.push(mail(text()?)?),
            0x86 => {
                let name = text()?;
                if name.parse::<std::net::IpAddr>().is_ok() {
                    let shown = quote(&name);
                    return Err(format!(
                        "x509: failed to parse URI constraint {shown}: cannot be IP address"
                    ));
                }
                found.uris.push(domain("URI", name)?);
            }
            _ => *handled = false,
        }
    }
    Ok(found)
}

fn domain(kind: &str, name: String) -> Read<String> {
    if mailbox::is_domain(&name, true) {
        return Ok(name);
    }
    Err(format!("x509: failed to parse {kind} constraint {}", quote(&name)))
}

fn mail(name: String) -> Read<String> {
    if name.contains('@') && mailbox::parse(&name).is_some() {
        return Ok(name);
    }
    if name.contains('@') {
        return Err(format!("x509: failed to parse rfc822Name constraint {}", quote(&name)));
    }
    domain("rfc822Name", name)
}

/// An address and its mask.
fn network(value: &[u8]) -> Read<(Vec<u8>, Vec<u8>)> {
    if !matches!(value.len(), 8 | 32) {
        return Err(format!("x509: IP constraint contained value of length {}", value.len()));
    }
    let (address, mask) = value.split_at(value.len() / 2);
    let ones: u32 = mask.iter().map(|byte| byte.leading_ones()).take_while(|ones| *ones == 8).sum();
    let full = usize::try_from(ones / 8).unwrap_or_default();
    let mut rest = mask.iter().skip(full);
    let partial_is_mask = rest.next().is_none_or(|byte| byte.leading_ones() + byte.trailing_zeros() >= 8);
    if !partial_is_mask || rest.any(|byte| *byte != 0) {
        let shown = crate::encoding::hex(mask);
        return Err(format!("x509: IP constraint contained invalid mask {shown}"));
    }
    Ok((address.to_vec(), mask.to_vec()))
}
