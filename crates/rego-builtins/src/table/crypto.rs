//! Rows: crypto.

use super::{Builtin, arg};
use crate::crypto;
use crate::implementation::Implementation::Host;
use crate::types::Type::*;
use crate::{private_keys, x509};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "crypto.hmac.equal",
        &[arg("mac1", String), arg("mac2", String)],
        Some(arg("result", Boolean)),
        Host(crypto::hmac_equal),
    ),
    Builtin::new(
        "crypto.hmac.md5",
        &[arg("x", String), arg("key", String)],
        Some(arg("y", String)),
        Host(crypto::hmac_md5),
    ),
    Builtin::new(
        "crypto.hmac.sha1",
        &[arg("x", String), arg("key", String)],
        Some(arg("y", String)),
        Host(crypto::hmac_sha1),
    ),
    Builtin::new(
        "crypto.hmac.sha256",
        &[arg("x", String), arg("key", String)],
        Some(arg("y", String)),
        Host(crypto::hmac_sha256),
    ),
    Builtin::new(
        "crypto.hmac.sha512",
        &[arg("x", String), arg("key", String)],
        Some(arg("y", String)),
        Host(crypto::hmac_sha512),
    ),
    Builtin::new("crypto.md5", &[arg("x", String)], Some(arg("y", String)), Host(crypto::md5)),
    Builtin::new(
        "crypto.parse_private_keys",
        &[arg("keys", String)],
        Some(arg("output", Array(&Object { fields: &[], dynamic: Some((&String, &Any)) }))),
        Host(private_keys::parse_private_keys),
    ),
    Builtin::new("crypto.sha1", &[arg("x", String)], Some(arg("y", String)), Host(crypto::sha1)),
    Builtin::new("crypto.sha256", &[arg("x", String)], Some(arg("y", String)), Host(crypto::sha256)),
    Builtin::new(
        "crypto.x509.parse_and_verify_certificates",
        &[arg("certs", String)],
        Some(arg(
            "output",
            Tuple(&[Boolean, Array(&Object { fields: &[], dynamic: Some((&String, &Any)) })]),
        )),
        Host(x509::parse_and_verify_certificates),
    ),
    Builtin::new(
        "crypto.x509.parse_and_verify_certificates_with_options",
        &[arg("certs", String), arg("options", Object { fields: &[], dynamic: Some((&String, &Any)) })],
        Some(arg(
            "output",
            Tuple(&[Boolean, Array(&Object { fields: &[], dynamic: Some((&String, &Any)) })]),
        )),
        Host(x509::parse_and_verify_certificates_with_options),
    ),
    Builtin::new(
        "crypto.x509.parse_certificate_request",
        &[arg("csr", String)],
        Some(arg("output", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Host(x509::parse_certificate_request),
    ),
    Builtin::new(
        "crypto.x509.parse_certificates",
        &[arg("certs", String)],
        Some(arg("output", Array(&Object { fields: &[], dynamic: Some((&String, &Any)) }))),
        Host(x509::parse_certificates),
    ),
    Builtin::new(
        "crypto.x509.parse_keypair",
        &[arg("cert", String), arg("pem", String)],
        Some(arg("output", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Host(private_keys::parse_keypair),
    ),
    Builtin::new(
        "crypto.x509.parse_rsa_private_key",
        &[arg("pem", String)],
        Some(arg("output", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Host(private_keys::parse_rsa_private_key),
    ),
];
