//! Rows: tokens.

use super::{Builtin, arg};
use crate::implementation::Implementation::Host;
use crate::jwt;
use crate::types::Type::*;

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "io.jwt.decode",
        &[arg("jwt", String)],
        Some(arg(
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
        &[arg("jwt", String), arg("constraints", Object { fields: &[], dynamic: Some((&String, &Any)) })],
        Some(arg(
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
            arg("headers", Object { fields: &[], dynamic: Some((&String, &Any)) }),
            arg("payload", Object { fields: &[], dynamic: Some((&String, &Any)) }),
            arg("key", Object { fields: &[], dynamic: Some((&String, &Any)) }),
        ],
        Some(arg("output", String)),
        Host(jwt::encode_sign),
    )
    .nondeterministic(),
    Builtin::new(
        "io.jwt.encode_sign_raw",
        &[arg("headers", String), arg("payload", String), arg("key", String)],
        Some(arg("output", String)),
        Host(jwt::encode_sign_raw),
    )
    .nondeterministic(),
    Builtin::new(
        "io.jwt.verify_eddsa",
        &[arg("jwt", String), arg("certificate", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_eddsa),
    ),
    Builtin::new(
        "io.jwt.verify_es256",
        &[arg("jwt", String), arg("certificate", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_es256),
    ),
    Builtin::new(
        "io.jwt.verify_es384",
        &[arg("jwt", String), arg("certificate", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_es384),
    ),
    Builtin::new(
        "io.jwt.verify_es512",
        &[arg("jwt", String), arg("certificate", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_es512),
    ),
    Builtin::new(
        "io.jwt.verify_hs256",
        &[arg("jwt", String), arg("secret", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_hs256),
    ),
    Builtin::new(
        "io.jwt.verify_hs384",
        &[arg("jwt", String), arg("secret", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_hs384),
    ),
    Builtin::new(
        "io.jwt.verify_hs512",
        &[arg("jwt", String), arg("secret", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_hs512),
    ),
    Builtin::new(
        "io.jwt.verify_ps256",
        &[arg("jwt", String), arg("certificate", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_ps256),
    ),
    Builtin::new(
        "io.jwt.verify_ps384",
        &[arg("jwt", String), arg("certificate", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_ps384),
    ),
    Builtin::new(
        "io.jwt.verify_ps512",
        &[arg("jwt", String), arg("certificate", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_ps512),
    ),
    Builtin::new(
        "io.jwt.verify_rs256",
        &[arg("jwt", String), arg("certificate", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_rs256),
    ),
    Builtin::new(
        "io.jwt.verify_rs384",
        &[arg("jwt", String), arg("certificate", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_rs384),
    ),
    Builtin::new(
        "io.jwt.verify_rs512",
        &[arg("jwt", String), arg("certificate", String)],
        Some(arg("result", Boolean)),
        Host(jwt::verify_rs512),
    ),
];
