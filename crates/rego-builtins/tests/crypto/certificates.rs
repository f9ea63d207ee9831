//! Certificates and requests made anew, with all that Go looks at, right and wrong.

use crate::der::{bits, boolean, element, integer, mostly, mutated, octets, of, oid, sequence, small};
use crate::keys::{Key, keys};
use test_support::Random;

/// What a certificate is to be.
pub(crate) struct Plan<'a> {
    pub(crate) subject: &'a str,
    pub(crate) issuer: &'a str,
    pub(crate) key: &'a Key,
    pub(crate) signer: &'a Key,
    pub(crate) extensions: Vec<Vec<u8>>,
}

fn attribute(kind: &str, tag: u8, text: &str) -> Vec<u8> {
    of(0x31, &[sequence(&[oid(kind), element(tag, text.as_bytes())])])
}

fn name(common: &str, random: &mut Random) -> Vec<u8> {
    let mut parts = Vec::new();
    let extra = [
        ("2.5.4.6", 0x13, "DE"),
        ("2.5.4.10", 0x0c, "Örg & Co"),
        ("2.5.4.11", 0x13, "Unit"),
        ("2.5.4.11", 0x14, "T61"),
        ("2.5.4.7", 0x1e, "\0C\0i"),
        ("2.5.4.8", 0x16, "Prov"),
        ("2.5.4.9", 0x0c, "Street 1"),
        ("2.5.4.17", 0x12, "123 4"),
        ("2.5.4.5", 0x13, "77"),
        ("1.2.840.113549.1.9.1", 0x16, "a@b.org"),
        ("2.5.4.10", 0x13, "bad_"),
        ("2.5.4.10", 0x04, "octets"),
    ];
    if random.one_in(3) {
        for _ in 0..random.below(4) {
            // The last two are wrong.
            let (kind, tag, text) = *mostly(&extra, 10, random);
            parts.push(attribute(kind, tag, text));
        }
    }
    parts.push(attribute("2.5.4.3", 0x0c, common));
    sequence(&parts)
}

fn time(text: &str) -> Vec<u8> {
    element(if text.len() > 13 { 0x18 } else { 0x17 }, text.as_bytes())
}

pub(crate) fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![oid(id)];
    if critical {
        parts.push(boolean(true));
    }
    parts.push(octets(value));
    sequence(&parts)
}

pub(crate) fn basic_constraints(is_ca: bool, length: Option<u8>) -> Vec<u8> {
    let mut parts = Vec::new();
    if is_ca {
        parts.push(boolean(true));
    }
    parts.extend(length.map(small));
    extension("2.5.29.19", true, &sequence(&parts))
}

fn general_name(random: &mut Random) -> Vec<u8> {
    let dns = ["a.example.org", "*.example.org", "example.com", "a..b", "", "x.internal", "é.org"];
    let uris = [
        "https://a.example.org/x?y#z",
        "spiffe://cluster.local/ns/a%2Fb",
        "urn:a:b",
        "http://u:p@example.com:8080/",
        "http://bad host/",
        "http://[::1]/",
        "mailto:a@b",
        "http://a.b./",
        "//x/%zz",
        "http://h?",
    ];
    let mails = ["a@example.org", "\"q r\"@example.org", "x", "a@sub.example.org", "é@x"];
    let ips: [&[u8]; 5] = [&[10, 0, 0, 1], &[192, 168, 1, 1], &[0; 16], &[1, 2, 3], &[0x20; 16]];
    match random.below(9) {
        0..=3 => element(0x82, mostly(&dns, 3, random).as_bytes()),
        4 | 5 => element(0x86, mostly(&uris, 4, random).as_bytes()),
        6 => element(0x81, mostly(&mails, 2, random).as_bytes()),
        7 => element(0x87, mostly::<&[u8]>(&ips, 3, random)),
        _ => element(0x88, &[0x2a, 3]),
    }
}

pub(crate) fn alternative_names(random: &mut Random) -> Vec<u8> {
    let names: Vec<Vec<u8>> = (0..random.below(4)).map(|_| general_name(random)).collect();
    extension("2.5.29.17", random.one_in(4), &sequence(&names))
}

pub(crate) fn dns_names(names: &[&str]) -> Vec<u8> {
    let names: Vec<Vec<u8>> = names.iter().map(|name| element(0x82, name.as_bytes())).collect();
    extension("2.5.29.17", false, &sequence(&names))
}

fn subtrees(random: &mut Random) -> Vec<u8> {
    let dns = ["example.org", ".example.org", "a.example.org", "com", "", "a..b"];
    let trees: Vec<Vec<u8>> = (0..=random.below(2))
        .map(|_| {
            sequence(&[match random.below(8) {
                0..=3 => element(0x82, mostly(&dns, 4, random).as_bytes()),
                4 => element(0x87, &[10, 0, 0, 0, 255, 0, 0, 0]),
                5 => element(0x87, &[10, 0, 0, 0, 255, 0, if random.one_in(4) { 255 } else { 0 }, 0]),
                6 => element(0x81, random.pick::<&str>(&["example.org", "a@example.org", "@"]).as_bytes()),
                _ => element(0x86, random.pick::<&str>(&["example.org", ".local", "10.0.0.1"]).as_bytes()),
            }])
        })
        .collect();
    of(0, &trees)[1..].to_vec()
}

pub(crate) fn name_constraints(random: &mut Random) -> Vec<u8> {
    let mut parts = Vec::new();
    for tag in [0xa0, 0xa1] {
        if random.one_in(2) {
            parts.push([vec![tag], subtrees(random)].concat());
        }
    }
    extension("2.5.29.30", random.one_in(2), &sequence(&parts))
}

fn policies(random: &mut Random) -> Vec<u8> {
    let ids = ["2.5.29.32.0", "1.2.3", "1.2.4", "2.23.140.1.2.1", "1.2.99999999999"];
    let list: Vec<Vec<u8>> =
        (0..=random.below(2)).map(|_| sequence(&[oid(random.pick::<&str>(&ids))])).collect();
    extension("2.5.29.32", false, &sequence(&list))
}

fn usages(random: &mut Random) -> Vec<u8> {
    let ids = [
        "2.5.29.37.0",
        "1.3.6.1.5.5.7.3.1",
        "1.3.6.1.5.5.7.3.2",
        "1.3.6.1.5.5.7.3.9",
        "1.3.6.1.4.1.311.10.3.3",
        "1.2.3.4",
    ];
    let list: Vec<Vec<u8>> = (0..=random.below(2)).map(|_| oid(random.pick::<&str>(&ids))).collect();
    extension("2.5.29.37", false, &sequence(&list))
}

/// Any extension that Go reads, or not.
pub(crate) fn any_extension(random: &mut Random) -> Vec<u8> {
    let uri = |tag: u8, text: &str| element(tag, text.as_bytes());
    match random.below(14) {
        0 => alternative_names(random),
        1 => basic_constraints(random.one_in(2), [None, Some(0), Some(3)][random.below(3)]),
        2 => extension("2.5.29.15", true, &element(3, &[1, 0x06])),
        3 => usages(random),
        4 => extension("2.5.29.14", random.one_in(10), &octets(&[1, 2, 3])),
        5 => extension("2.5.29.35", random.one_in(10), &sequence(&[element(0x80, &[1, 2, 3])])),
        6 => name_constraints(random),
        7 => {
            let name = element(0xa0, &element(0xa0, &uri(0x86, "http://crl.example.org/x")));
            extension("2.5.29.31", false, &sequence(&[sequence(&[name])]))
        }
        8 => policies(random),
        9 => {
            let skips = [element(0x80, &[u8::try_from(random.below(3)).unwrap()]), element(0x81, &[0])];
            extension("2.5.29.36", true, &sequence(&skips[random.below(2)..]))
        }
        10 => extension("2.5.29.54", true, &small(u8::try_from(random.below(3)).unwrap())),
        11 => {
            let pair = sequence(&[oid("1.2.3"), oid(random.pick::<&str>(&["1.2.4", "2.5.29.32.0"]))]);
            extension("2.5.29.33", false, &sequence(&[pair]))
        }
        12 => {
            let place = |method: &str, text: &str| sequence(&[oid(method), uri(0x86, text)]);
            let list = [
                place("1.3.6.1.5.5.7.48.1", "http://ocsp.example.org"),
                place("1.3.6.1.5.5.7.48.2", "http://ca.example.org/\u{e9}"),
            ];
            extension("1.3.6.1.5.5.7.1.1", random.one_in(10), &sequence(&list))
        }
        _ => extension("1.2.3.4", random.one_in(3), &[5, 0]),
    }
}

/// A certificate that was good from 2020 to 2049, or in some other years.
pub(crate) fn certificate(plan: &Plan<'_>, random: &mut Random) -> Vec<u8> {
    let (algorithm, _) = plan.signer.sign_certificate(b"");
    let (from, to) = *random.pick(&[
        ("200101000000Z", "491231235959Z"),
        ("200101000000Z", "491231235959Z"),
        ("200101000000Z", "491231235959Z"),
        ("20200101000000Z", "99991231235959Z"),
        ("2001010000Z", "490101000000+0130"),
        ("500101000000Z", "210101000000Z"),
    ]);
    let (issuer, subject) = (
        if random.one_in(10) {
            name(plan.issuer, random)
        } else {
            sequence(&[attribute("2.5.4.3", 12, plan.issuer)])
        },
        if random.one_in(10) {
            name(plan.subject, random)
        } else {
            sequence(&[attribute("2.5.4.3", 12, plan.subject)])
        },
    );
    let serial: Vec<u8> = (0..=random.below(19)).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
    let version = if random.one_in(12) { 0 } else { 2 };
    let mut parts = vec![
        element(0xa0, &small(version)),
        integer(&serial),
        algorithm.clone(),
        issuer,
        sequence(&[time(from), time(to)]),
        subject,
        plan.key.public_info(),
    ];
    if !plan.extensions.is_empty() {
        parts.push(element(0xa3, &sequence(&plan.extensions)));
    }
    let mut tbs = sequence(&parts);
    if random.one_in(30) {
        tbs = mutated(&tbs, random);
    }
    let (_, signature) = plan.signer.sign_certificate(&tbs);
    sequence(&[tbs, algorithm, bits(&signature)])
}

/// A certificate with a few extensions of any kind.
pub(crate) fn any_certificate(random: &mut Random) -> Vec<u8> {
    let key = random.pick(keys());
    let extensions = (0..random.below(5)).map(|_| any_extension(random)).collect();
    let plan = Plan { subject: "leaf", issuer: "root", key, signer: key, extensions };
    let der = certificate(&plan, random);
    if random.one_in(8) { mutated(&der, random) } else { der }
}

/// Root, perhaps intermediates, leaf.
pub(crate) fn chain(random: &mut Random) -> Vec<Vec<u8>> {
    let names = ["root", "one", "two", "leaf"];
    let length = 2 + random.below(3);
    let certs = keys();
    let chosen: Vec<&Key> = (0..length).map(|_| random.pick(certs)).collect();
    let mut chain = Vec::new();
    for at in 0..length {
        let is_leaf = at + 1 == length;
        let mut extensions = Vec::new();
        if is_leaf {
            extensions.push(dns_names(&["a.example.org", "*.example.com"]));
        } else {
            let limit = if random.one_in(3) { Some(u8::try_from(random.below(3)).unwrap()) } else { None };
            extensions.push(basic_constraints(!random.one_in(20), limit));
        }
        if random.one_in(3) {
            let extra = any_extension(random);
            // A second one of the same kind would make the certificate unreadable, which others do already.
            if !extra.windows(3).any(|window| window == [0x55, 0x1d, 0x13] || window == [0x55, 0x1d, 0x11]) {
                extensions.push(extra);
            }
        }
        let above = at.saturating_sub(1);
        let subject = if is_leaf { "leaf" } else { names[at] };
        let signer = if random.one_in(25) { random.pick(certs) } else { chosen[above] };
        let plan = Plan { subject, issuer: names[above], key: chosen[at], signer, extensions };
        chain.push(certificate(&plan, random));
    }
    if random.one_in(12) {
        chain.swap(0, length - 1);
    }
    chain
}

/// A request for a certificate.
pub(crate) fn request(random: &mut Random) -> Vec<u8> {
    let key = random.pick(keys());
    let (algorithm, _) = key.sign_certificate(b"");
    let mut attributes = Vec::new();
    for _ in 0..random.below(3) {
        attributes.push(match random.below(3) {
            0 => sequence(&[oid("1.2.840.113549.1.9.7"), of(0x31, &[element(0x0c, b"secret")])]),
            _ => {
                let extensions: Vec<Vec<u8>> = (0..random.below(3)).map(|_| any_extension(random)).collect();
                sequence(&[oid("1.2.840.113549.1.9.14"), of(0x31, &[sequence(&extensions)])])
            }
        });
    }
    let info = sequence(&[small(0), name("requested", random), key.public_info(), of(0xa0, &attributes)]);
    let (_, signature) = key.sign_certificate(&info);
    let der = sequence(&[info, algorithm, bits(&signature)]);
    if random.one_in(3) { mutated(&der, random) } else { der }
}
