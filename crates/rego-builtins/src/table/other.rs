//! Rows: other.

use super::{Builtin, arg, result, unnamed};
use crate::implementation::Implementation::{Compiled, Host, Module};
use crate::types::Type::*;
use crate::{aws, environment, graphql, parse_module};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "graphql.is_valid",
        &[
            arg(
                "query",
                AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]),
                "a GraphQL query: text or a syntax tree",
            ),
            arg(
                "schema",
                AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]),
                "a GraphQL schema: text or a syntax tree",
            ),
        ],
        Some(result("output", Boolean)),
        Host(graphql::is_valid),
    ),
    Builtin::new(
        "graphql.parse",
        &[
            arg(
                "query",
                AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]),
                "a GraphQL query: text or a syntax tree",
            ),
            arg(
                "schema",
                AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]),
                "a GraphQL schema: text or a syntax tree",
            ),
        ],
        Some(result(
            "output",
            Tuple(&[
                Object { fields: &[], dynamic: Some((&Any, &Any)) },
                Object { fields: &[], dynamic: Some((&Any, &Any)) },
            ]),
        )),
        Host(graphql::parse),
    ),
    Builtin::new(
        "graphql.parse_and_verify",
        &[
            arg(
                "query",
                AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]),
                "a GraphQL query: text or a syntax tree",
            ),
            arg(
                "schema",
                AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]),
                "a GraphQL schema: text or a syntax tree",
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
        Host(graphql::parse_and_verify),
    ),
    Builtin::new(
        "graphql.parse_query",
        &[arg("query", String, "the text of a GraphQL query")],
        Some(result("output", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Host(graphql::parse_query),
    ),
    Builtin::new(
        "graphql.parse_schema",
        &[arg("schema", String, "the text of a GraphQL schema")],
        Some(result("output", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Host(graphql::parse_schema),
    ),
    Builtin::new(
        "graphql.schema_is_valid",
        &[arg(
            "schema",
            AnyOf(&[String, Object { fields: &[], dynamic: Some((&Any, &Any)) }]),
            "a GraphQL schema: text or a syntax tree",
        )],
        Some(result("output", Boolean)),
        Host(graphql::schema_is_valid),
    ),
    Builtin::new(
        "http.send",
        &[arg(
            "request",
            Object { fields: &[], dynamic: Some((&String, &Any)) },
            "the request: `method`, `url` and what else it takes",
        )],
        Some(result("response", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Host(crate::network::send),
    )
    .nondeterministic(),
    Builtin::new(
        "internal.member_2",
        &[unnamed(Any), unnamed(Any)],
        Some(unnamed(Boolean)),
        Module("bi_internal_member_2"),
    )
    .infix("in"),
    Builtin::new(
        "internal.member_3",
        &[unnamed(Any), unnamed(Any), unnamed(Any)],
        Some(unnamed(Boolean)),
        Module("bi_internal_member_3"),
    )
    .infix("in"),
    Builtin::new("internal.print", &[unnamed(Array(&Set(&Any)))], None, Host(environment::print)),
    Builtin::new(
        "internal.template_string",
        &[unnamed(Array(&Any))],
        Some(unnamed(String)),
        Module("bi_internal_template_string"),
    ),
    Builtin::new("internal.test_case", &[unnamed(Array(&Any))], None, Host(environment::test_case)),
    Builtin::new(
        "opa.runtime",
        &[],
        Some(result("output", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Host(environment::runtime),
    )
    .nondeterministic(),
    Builtin::new("print", &[], None, Compiled).variadic(Any),
    Builtin::new(
        "providers.aws.sign_req",
        &[
            arg(
                "request",
                Object { fields: &[], dynamic: Some((&String, &Any)) },
                "the request, as `http.send` takes it",
            ),
            arg(
                "aws_config",
                Object { fields: &[], dynamic: Some((&String, &Any)) },
                "the credentials, the service and the region",
            ),
            arg("time_ns", Number, "when it is signed, in nanoseconds since the epoch"),
        ],
        Some(result("signed_request", Object { fields: &[], dynamic: Some((&Any, &Any)) })),
        Host(aws::sign_req),
    ),
    Builtin::new("rego.metadata.chain", &[], Some(result("chain", Array(&Any))), Compiled),
    Builtin::new("rego.metadata.rule", &[], Some(result("output", Any)), Compiled),
    Builtin::new(
        "rego.parse_module",
        &[
            arg("filename", String, "the name of the file, for places"),
            arg("rego", String, "the text of a module"),
        ],
        Some(result("output", Object { fields: &[], dynamic: Some((&String, &Any)) })),
        Host(parse_module::parse_module),
    ),
    Builtin::new(
        "trace",
        &[arg("note", String, "the note to take")],
        Some(result("result", Boolean)),
        Host(environment::trace),
    ),
];
