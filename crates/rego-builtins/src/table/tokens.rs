//! Rows: tokens.

use super::{Builtin, arg, result};
use crate::implementation::Implementation::Host;
use crate::jwt;
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "io.jwt.decode",
        &[arg("jwt", String, "a token")],
        Some(result(
            "output",
            Tuple(&[
                Object { fields: &[], dynamic: Some((&Any, &Any)) },
                Object { fields: &[], dynamic: Some((&Any, &Any)) },
                String,
            ]),
        )),
        Host(jwt::decode),
    ),
    Builtin::new(
        "io.jwt.decode_verify",
        &[
            arg("jwt", String, "a token"),
            arg(
                "constraints",
                Object { fields: &[], dynamic: Some((&String, &Any)) },
                "what its signature and its claims must satisfy",
            ),
        ],
        Some(result(
            "output",
            Tuple(&[
                Boolean,
                Object { fields: &[], dynamic: Some((&Any, &Any)) },
                Object { fields: &[], dynamic: Some((&Any, &Any)) },
            ]),
        )),
        Host(jwt::decode_verify),
    )
    .nondeterministic(),
    Builtin::new(
        "io.jwt.encode_sign",
        &[
            arg("headers", Object { fields: &[], dynamic: Some((&String, &Any)) }, "the protected header"),
            arg("payload", Object { fields: &[], dynamic: Some((&String, &Any)) }, "the payload"),
            arg("key", Object { fields: &[], dynamic: Some((&String, &Any)) }, "the key, a JSON Web Key"),
        ],
        Some(result("output", String)),
        Host(jwt::encode_sign),
    )
    .nondeterministic(),
    Builtin::new(
        "io.jwt.encode_sign_raw",
        &[
            arg("headers", String, "the protected header"),
            arg("payload", String, "the payload"),
            arg("key", String, "the key, a JSON Web Key"),
        ],
        Some(result("output", String)),
        Host(jwt::encode_sign_raw),
    )
    .nondeterministic(),
    Builtin::new(
        "io.jwt.verify_eddsa",
        &[
            arg("jwt", String, "a signed token"),
            arg("certificate", String, "a certificate or public key in PEM, or a JSON Web Key (set)"),
        ],
        Some(result("result", Boolean)),
        Host(jwt::verify_eddsa),
    ),
    Builtin::new(
        "io.jwt.verify_es256",
        &[
            arg("jwt", String, "a signed token"),
            arg("certificate", String, "a certificate or public key in PEM, or a JSON Web Key (set)"),
        ],
        Some(result("result", Boolean)),
        Host(jwt::verify_es256),
    ),
    Builtin::new(
        "io.jwt.verify_es384",
        &[
            arg("jwt", String, "a signed token"),
            arg("certificate", String, "a certificate or public key in PEM, or a JSON Web Key (set)"),
        ],
        Some(result("result", Boolean)),
        Host(jwt::verify_es384),
    ),
    Builtin::new(
        "io.jwt.verify_es512",
        &[
            arg("jwt", String, "a signed token"),
            arg("certificate", String, "a certificate or public key in PEM, or a JSON Web Key (set)"),
        ],
        Some(result("result", Boolean)),
        Host(jwt::verify_es512),
    ),
    Builtin::new(
        "io.jwt.verify_hs256",
        &[arg("jwt", String, "a signed token"), arg("secret", String, "the shared secret as text")],
        Some(result("result", Boolean)),
        Host(jwt::verify_hs256),
    ),
    Builtin::new(
        "io.jwt.verify_hs384",
        &[arg("jwt", String, "a signed token"), arg("secret", String, "the shared secret as text")],
        Some(result("result", Boolean)),
        Host(jwt::verify_hs384),
    ),
    Builtin::new(
        "io.jwt.verify_hs512",
        &[arg("jwt", String, "a signed token"), arg("secret", String, "the shared secret as text")],
        Some(result("result", Boolean)),
        Host(jwt::verify_hs512),
    ),
    Builtin::new(
        "io.jwt.verify_ps256",
        &[
            arg("jwt", String, "a signed token"),
            arg("certificate", String, "a certificate or public key in PEM, or a JSON Web Key (set)"),
        ],
        Some(result("result", Boolean)),
        Host(jwt::verify_ps256),
    ),
    Builtin::new(
        "io.jwt.verify_ps384",
        &[
            arg("jwt", String, "a signed token"),
            arg("certificate", String, "a certificate or public key in PEM, or a JSON Web Key (set)"),
        ],
        Some(result("result", Boolean)),
        Host(jwt::verify_ps384),
    ),
    Builtin::new(
        "io.jwt.verify_ps512",
        &[
            arg("jwt", String, "a signed token"),
            arg("certificate", String, "a certificate or public key in PEM, or a JSON Web Key (set)"),
        ],
        Some(result("result", Boolean)),
        Host(jwt::verify_ps512),
    ),
    Builtin::new(
        "io.jwt.verify_rs256",
        &[
            arg("jwt", String, "a signed token"),
            arg("certificate", String, "a certificate or public key in PEM, or a JSON Web Key (set)"),
        ],
        Some(result("result", Boolean)),
        Host(jwt::verify_rs256),
    ),
    Builtin::new(
        "io.jwt.verify_rs384",
        &[
            arg("jwt", String, "a signed token"),
            arg("certificate", String, "a certificate or public key in PEM, or a JSON Web Key (set)"),
        ],
        Some(result("result", Boolean)),
        Host(jwt::verify_rs384),
    ),
    Builtin::new(
        "io.jwt.verify_rs512",
        &[
            arg("jwt", String, "a signed token"),
            arg("certificate", String, "a certificate or public key in PEM, or a JSON Web Key (set)"),
        ],
        Some(result("result", Boolean)),
        Host(jwt::verify_rs512),
    ),
];
