//! Certificates as Go's JSON has them.

use rego_value::Value;

use super::certificate::{Certificate, Extension};
use super::extensions::{AlternativeNames, BasicConstraints, Details, Subtrees};
use crate::asn1::{Oid, oid_text};
use crate::base64::STANDARD;
use crate::encoding::lossy;
use crate::keys::{PublicKey, number};
use crate::url::Url;

pub(super) use crate::keys::object;

/// Bytes, which Go's JSON has in base64.
pub(super) fn bytes(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}

/// A list, which is null while nothing was ever put into it.
pub(super) fn list<T>(items: &[T], show: impl Fn(&T) -> Value) -> Value {
    if items.is_empty() { Value::Null } else { Value::array(items.iter().map(show)) }
}

pub(super) fn strings(items: &[String]) -> Value {
    list(items, |item| item.as_str().into())
}

/// Text of which nobody has checked that it is UTF-8: each byte that is not becomes U+FFFD.
fn texts(items: &[Vec<u8>]) -> Value {
    list(items, |item| lossy(item).into())
}

pub(super) fn public_key(key: Option<&PublicKey>) -> Value {
    key.map_or(Value::Null, PublicKey::to_value)
}

pub(super) fn extensions(extensions: &[Extension]) -> Value {
    list(extensions, |extension| {
        object([
            ("Id", extension.id.to_value()),
            ("Critical", extension.critical.into()),
            ("Value", bytes(&extension.value)),
        ])
    })
}

fn address(ip: &[u8]) -> Value {
    use std::net::IpAddr;
    let v4 = <[u8; 4]>::try_from(ip).map(IpAddr::from);
    let v6 = <[u8; 16]>::try_from(ip).map(|ip| IpAddr::from(ip).to_canonical());
    v4.or(v6).map(|address| address.to_string()).unwrap_or_default().into()
}

fn networks(networks: &[(Vec<u8>, Vec<u8>)]) -> Value {
    list(networks, |(ip, mask)| object([("IP", address(ip)), ("Mask", bytes(mask))]))
}

fn policy(id: &[u8]) -> Value {
    oid_text(id).unwrap_or_default().into()
}

/// The members that stand in certificates and in requests for them.
pub(super) fn alternative_names(names: &AlternativeNames) -> [(&'static str, Value); 4] {
    [
        ("DNSNames", strings(&names.dns)),
        ("EmailAddresses", strings(&names.emails)),
        ("IPAddresses", list(&names.ips, |ip| address(ip))),
        ("URIs", list(&names.uris, Url::to_value)),
    ]
}

impl Certificate {
    pub(crate) fn to_value(&self) -> Value {
        Value::object(self.members().into_iter().map(|(name, value)| (name.into(), value)))
    }

    /// With the URIs as texts besides, as OPA adds them to certificates, though not everywhere.
    pub(super) fn to_extended_value(&self) -> Value {
        let mut members = self.members();
        let uris = list(&self.details.names.uris, |uri| uri.to_text().into());
        members.push(("URIStrings", uris));
        Value::object(members.into_iter().map(|(name, value)| (name.into(), value)))
    }

    fn members(&self) -> Vec<(&'static str, Value)> {
        let mut members = vec![
            ("Raw", bytes(&self.raw)),
            ("RawTBSCertificate", bytes(&self.raw_tbs)),
            ("RawSubjectPublicKeyInfo", bytes(&self.raw_key_info)),
            ("RawSubject", bytes(&self.raw_subject)),
            ("RawIssuer", bytes(&self.raw_issuer)),
            ("Signature", bytes(&self.signature)),
            ("SignatureAlgorithm", self.signature_algorithm.0.into()),
            ("PublicKeyAlgorithm", self.key_algorithm.into()),
            ("PublicKey", public_key(self.public_key.as_ref())),
            ("Version", self.version.into()),
            ("SerialNumber", number(self.serial.clone())),
            ("Issuer", self.issuer.to_value()),
            ("Subject", self.subject.to_value()),
            ("NotBefore", self.not_before.to_text().into()),
            ("NotAfter", self.not_after.to_text().into()),
            ("Extensions", extensions(&self.extensions)),
            ("ExtraExtensions", Value::Null),
        ];
        members.extend(self.details.members());
        members.extend(alternative_names(&self.details.names));
        members
    }
}

impl Details {
    fn members(&self) -> Vec<(&'static str, Value)> {
        let optional = |id: &Option<Vec<u8>>| id.as_deref().map_or(Value::Null, bytes);
        let count = |count: Option<i64>| Value::from(count.unwrap_or_default());
        let is_zero = |count: Option<i64>| Value::from(count == Some(0));
        let basic = self.basic_constraints.unwrap_or(BasicConstraints { is_ca: false, max_path: 0 });
        let has_basic = self.basic_constraints.is_some();
        let mut members = vec![
            ("KeyUsage", self.key_usage.into()),
            ("UnhandledCriticalExtensions", list(&self.unhandled_critical, Oid::to_value)),
            ("ExtKeyUsage", list(&self.ext_key_usage, |usage| (*usage).into())),
            ("UnknownExtKeyUsage", list(&self.unknown_ext_key_usage, Oid::to_value)),
            ("BasicConstraintsValid", has_basic.into()),
            ("IsCA", basic.is_ca.into()),
            ("MaxPathLen", basic.max_path.into()),
            ("MaxPathLenZero", (has_basic && basic.max_path == 0).into()),
            ("SubjectKeyId", optional(&self.subject_key_id)),
            ("AuthorityKeyId", optional(&self.authority_key_id)),
            ("OCSPServer", texts(&self.ocsp_servers)),
            ("IssuingCertificateURL", texts(&self.issuing_urls)),
            ("CRLDistributionPoints", texts(&self.crl_points)),
            ("PermittedDNSDomainsCritical", self.name_constraints_critical.into()),
            ("PolicyIdentifiers", self.policy_identifiers()),
            ("Policies", list(self.policies.as_deref().unwrap_or_default(), |id| policy(id))),
            ("InhibitAnyPolicy", count(self.inhibit_any_policy)),
            ("InhibitAnyPolicyZero", is_zero(self.inhibit_any_policy)),
            ("InhibitPolicyMapping", count(self.inhibit_policy_mapping)),
            ("InhibitPolicyMappingZero", is_zero(self.inhibit_policy_mapping)),
            ("RequireExplicitPolicy", count(self.require_explicit_policy)),
            ("RequireExplicitPolicyZero", is_zero(self.require_explicit_policy)),
            (
                "PolicyMappings",
                list(&self.policy_mappings, |(from, to)| {
                    object([("IssuerDomainPolicy", policy(from)), ("SubjectDomainPolicy", policy(to))])
                }),
            ),
        ];
        members.extend(self.subtrees());
        members
    }

    fn subtrees(&self) -> [(&'static str, Value); 8] {
        let Subtrees { dns, emails, ips, uris } = &self.permitted;
        let excluded = &self.excluded;
        [
            ("PermittedDNSDomains", strings(dns)),
            ("ExcludedDNSDomains", strings(&excluded.dns)),
            ("PermittedIPRanges", networks(ips)),
            ("ExcludedIPRanges", networks(&excluded.ips)),
            ("PermittedEmailAddresses", strings(emails)),
            ("ExcludedEmailAddresses", strings(&excluded.emails)),
            ("PermittedURIDomains", strings(uris)),
            ("ExcludedURIDomains", strings(&excluded.uris)),
        ]
    }

    /// The policies whose arcs are small; an empty list where there is the extension and nothing in it.
    fn policy_identifiers(&self) -> Value {
        let Some(policies) = &self.policies else { return Value::Null };
        Value::array(policies.iter().filter_map(|id| Oid::decode(id)).map(|id| id.to_value()))
    }
}
