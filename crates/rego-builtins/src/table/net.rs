//! Rows: net.

use super::{Builtin, arg, result, unnamed};
use crate::implementation::Implementation::{Host, Module};
use crate::types::Type::*;
use crate::{net, network};

pub(super) const ROWS: &[Builtin] = &[
    Builtin::new(
        "net.cidr_contains",
        &[
            arg("cidr", String, "a block of addresses"),
            arg("cidr_or_ip", String, "a block of addresses or an address"),
        ],
        Some(result("result", Boolean)),
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
                "blocks of addresses",
            ),
            arg(
                "cidrs_or_ips",
                AnyOf(&[
                    String,
                    Array(&AnyOf(&[String, Array(&Any)])),
                    Object { fields: &[], dynamic: Some((&String, &AnyOf(&[String, Array(&Any)]))) },
                    Set(&AnyOf(&[String, Array(&Any)])),
                ]),
                "blocks of addresses or addresses",
            ),
        ],
        Some(result("output", Set(&Tuple(&[Any, Any])))),
        Host(net::cidr_contains_matches),
    ),
    Builtin::new(
        "net.cidr_expand",
        &[arg("cidr", String, "a block of addresses")],
        Some(result("hosts", Set(&String))),
        Host(net::cidr_expand),
    ),
    Builtin::new(
        "net.cidr_intersects",
        &[
            arg("cidr1", String, "the first block of addresses"),
            arg("cidr2", String, "the second block of addresses"),
        ],
        Some(result("result", Boolean)),
        Module("bi_net_cidr_intersects"),
    ),
    Builtin::new(
        "net.cidr_is_valid",
        &[arg("cidr", String, "a block of addresses")],
        Some(result("result", Boolean)),
        Host(net::cidr_is_valid),
    ),
    Builtin::new(
        "net.cidr_merge",
        &[arg(
            "addrs",
            AnyOf(&[Array(&AnyOf(&[String])), Set(&String)]),
            "blocks of addresses and addresses",
        )],
        Some(result("output", Set(&String))),
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
        &[arg("name", String, "the name of a host")],
        Some(result("addrs", Set(&String))),
        Host(network::lookup_ip_addr),
    )
    .nondeterministic(),
];
