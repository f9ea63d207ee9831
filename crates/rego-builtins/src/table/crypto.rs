//! Rows: crypto.

use super::{Builtin, arg, result};
use crate::crypto;
use crate::implementation::Implementation::Host;
use crate::types::Type::*;
use crate::{private_keys, x509};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "crypto.hmac.equal",
        &[arg("mac1", String, "the first code"), arg("mac2", String, "the second code")],
        Some(result("result", Boolean)),
        Host(crypto::hmac_equal),
    ),
    Builtin::new(
        "crypto.hmac.md5",
        &[arg("x", String, "input string"), arg("key", String, "the secret key")],
        Some(result("y", String)),
        Host(crypto::hmac_md5),
    ),
    Builtin::new(
        "crypto.hmac.sha1",
        &[arg("x", String, "input string"), arg("key", String, "the secret key")],
        Some(result("y", String)),
        Host(crypto::hmac_sha1),
    ),
    Builtin::new(
        "crypto.hmac.sha256",
        &[arg("x", String, "input string"), arg("key", String, "the secret key")],
        Some(result("y", String)),
        Host(crypto::hmac_sha256),
    ),
    Builtin::new(
        "crypto.hmac.sha512",
        &[arg("x", String, "input string"), arg("key", String, "the secret key")],
        Some(result("y", String)),
        Host(crypto::hmac_sha512),
    ),
    Builtin::new(
        "crypto.md5",
        &[arg("x", String, "input string")],
        Some(result("y", String)),
        Host(crypto::md5),
    ),
    Builtin::new(
        "crypto.parse_private_keys",
        &[arg("keys", String, "private keys in PEM, or that in base64")],
        Some(result("output", Array(&Object { fields: &[], dynamic: Some((&String, &Any)) }))),
        Host(private_keys::parse_private_keys),
    ),
    Builtin::new(
        "crypto.sha1",
        &[arg("x", String, "input string")],
        Some(result("y", String)),
        Host(crypto::sha1),
    ),
    Builtin::new(
        "crypto.sha256",
        &[arg("x", String, "input string")],
        Some(result("y", String)),
        Host(crypto::sha256),
    ),
    Builtin::new(
        "crypto.x509.parse_and_verify_certificates",
        &[arg("certs", String, "certificates in PEM, or in DER in base64: the root first, the leaf last")],
        Some(result(
            "output",
            Tuple(&[Boolean, Array(&Object { fields: &[], dynamic: Some((&String, &Any)) })]),
        )),
        Host(x509::parse_and_verify_certificates),
    ),
    Builtin::new(
        "crypto.x509.parse_and_verify_certificates_with_options",
        &[
            arg("certs", String, "certificates in PEM, or in DER in base64: the root first, the leaf last"),
            arg(
                "options",
                Object { fields: &[], dynamic: Some((&String, &Any)) },
                "what to verify: `DNSName`, `CurrentTime` (nanoseconds since the epoch), `MaxConstraintComparisons`, `KeyUsages` (an array)",
            ),
        ],
        Some(result(
            "output",
            Tuple(&[Boolean, Array(&Object { fields: &[], dynamic: Some((&String, &Any)) })]),
        )),
        Host(x509::parse_and_verify_certificates_with_options),
    ),
    Builtin::new(
        "crypto.x509.parse_certificate_request",
        &[arg("csr", String, "a request in PEM, or in PEM or DER in base64")],
        Some(result("output", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Host(x509::parse_certificate_request),
    ),
    Builtin::new(
        "crypto.x509.parse_certificates",
        &[arg("certs", String, "certificates in PEM, or in PEM or DER in base64")],
        Some(result("output", Array(&Object { fields: &[], dynamic: Some((&String, &Any)) }))),
        Host(x509::parse_certificates),
    ),
    Builtin::new(
        "crypto.x509.parse_keypair",
        &[
            arg("cert", String, "certificates in PEM, or in DER in base64"),
            arg("pem", String, "the key in PEM, or in DER in base64"),
        ],
        Some(result("output", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Host(private_keys::parse_keypair),
    ),
    Builtin::new(
        "crypto.x509.parse_rsa_private_key",
        &[arg("pem", String, "an RSA key in PEM, or that in base64")],
        Some(result("output", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Host(private_keys::parse_rsa_private_key),
    ),
];
