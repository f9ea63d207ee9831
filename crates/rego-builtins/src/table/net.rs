//! Rows: net.

use super::{Builtin, arg, unnamed};
use crate::implementation::Implementation::{Host, Module};
use crate::types::Type::*;
use crate::{net, network};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "net.cidr_contains",
        &[arg("cidr", String), arg("cidr_or_ip", String)],
        Some(arg("result", Boolean)),
        Module("bi_net_cidr_contains"),
    ),
    Builtin::new(
        "net.cidr_contains_matches",
        &[
            arg(
                "cidrs",
                AnyOf(&[
                    String,
                    Array(&AnyOf(&[String, Array(&Any)])),
                    Object { fields: &[], dynamic: Some((&String, &AnyOf(&[String, Array(&Any)]))) },
                    Set(&AnyOf(&[String, Array(&Any)])),
                ]),
            ),
            arg(
                "cidrs_or_ips",
                AnyOf(&[
                    String,
                    Array(&AnyOf(&[String, Array(&Any)])),
                    Object { fields: &[], dynamic: Some((&String, &AnyOf(&[String, Array(&Any)]))) },
                    Set(&AnyOf(&[String, Array(&Any)])),
                ]),
            ),
        ],
        Some(arg("output", Set(&Tuple(&[Any, Any])))),
        Host(net::cidr_contains_matches),
    ),
    Builtin::new(
        "net.cidr_expand",
        &[arg("cidr", String)],
        Some(arg("hosts", Set(&String))),
        Host(net::cidr_expand),
    ),
    Builtin::new(
        "net.cidr_intersects",
        &[arg("cidr1", String), arg("cidr2", String)],
        Some(arg("result", Boolean)),
        Module("bi_net_cidr_intersects"),
    ),
    Builtin::new(
        "net.cidr_is_valid",
        &[arg("cidr", String)],
        Some(arg("result", Boolean)),
        Host(net::cidr_is_valid),
    ),
    Builtin::new(
        "net.cidr_merge",
        &[arg("addrs", AnyOf(&[Array(&AnyOf(&[String])), Set(&String)]))],
        Some(arg("output", Set(&String))),
        Host(net::cidr_merge),
    ),
    Builtin::new(
        "net.cidr_overlap",
        &[unnamed(String), unnamed(String)],
        Some(unnamed(Boolean)),
        Module("bi_net_cidr_overlap"),
    )
    .deprecated(),
    Builtin::new(
        "net.lookup_ip_addr",
        &[arg("name", String)],
        Some(arg("addrs", Set(&String))),
        Host(network::lookup_ip_addr),
    )
    .nondeterministic(),
];
