//! `hexarch-ctl confirm serve`: the server of the page that the links of confirmations lead to.

mod listen;
mod people;
mod site;

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use guard_confirm::page::FormKey;
use guard_confirm::{Courier, CourierConfig, Desk, DeskConfig, Filter};
use guard_core::SystemClock;
use guard_policy::PolicyFile;
use url::Url;

use self::listen::Address;
use self::people::People;
use self::site::Site;
use crate::commands::policy;
use crate::failure::Failure;

/// What is served, where, and to whom.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    kept: super::Kept,
    /// Where to listen: `ADDRESS:PORT` (port 0: any that is free), or `unix:PATH`.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8182")]
    listen: Address,
    /// What links begin with, such as `https://app.example.com/confirm`; its path is the one that is served. Without it,
    /// `confirmation.webhook.link` of hexarch.yaml.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    #[command(flatten)]
    people: people::Flags,
}

/// Serves until it is told to end, with SIGTERM or SIGINT.
pub(super) fn run(arguments: &Arguments, config: Option<&Path>) -> Result<(), Failure> {
    let people = People::of(&arguments.people, &arguments.listen).map_err(wrong_usage)?;
    let opened = open(arguments, config)?;
    let link = arguments.link.clone().or(opened.link).ok_or_else(|| {
        wrong_usage(
            "what do links begin with? Give --link, or `link` under `confirmation.webhook`".to_owned(),
        )
    })?;
    let link = prefix(&link).map_err(wrong_usage)?;
    // A store that is not there is told now, and not to the first who opens a link.
    opened.desk.list(&Filter { state: None, limit: 1 }).wait().map_err(Failure::of)?;
    if is_readable_on_the_way(&link) {
        eprintln!(
            "hexarch-ctl: warning: links begin with http://: whoever listens on the way can answer by them"
        );
    }
    let courier = opened.courier.map(|config| Courier::start(&opened.desk, config));
    let courier = courier.transpose().map_err(Failure::of)?;
    let site = Site::new(opened.desk, link.path(), people, opened.form);
    let served = listen::serve(&arguments.listen, site, &link);
    drop(courier);
    served
}

/// What is served.
struct Opened {
    desk: Desk,
    /// What forms are sealed with.
    form: FormKey,
    /// What links begin with, by the file.
    link: Option<String>,
    /// Who tells the webhook. A program that asks and ends at once, as `hexarch-ctl run` does, has no time to.
    courier: Option<CourierConfig>,
}

fn open(arguments: &Arguments, config: Option<&Path>) -> Result<Opened, Failure> {
    let clock = Arc::new(SystemClock::new());
    let random = || FormKey::random().map_err(Failure::of);
    if let Some(store) = &arguments.kept.store {
        if store.starts_with("memory") {
            return Err(Failure::Failed(
                "--store: nobody else sees what is kept in this process' memory".to_owned(),
            ));
        }
        let store = guard_confirm::open(store).map_err(Failure::of)?;
        let desk = Desk::new(store, clock, DeskConfig::default());
        return Ok(Opened { desk, form: random()?, link: None, courier: None });
    }
    let file: PolicyFile = policy::load(config)?;
    let desk = super::desk_of(&file, clock)?;
    let Some(webhook) = file.settings().confirmation().and_then(|settings| settings.webhook()) else {
        return Ok(Opened { desk, form: random()?, link: None, courier: None });
    };
    let secret = webhook.secret().expose();
    if webhook.url().starts_with("https:") && !cfg!(feature = "tls") {
        eprintln!(
            "hexarch-ctl: warning: this program was built without the feature `tls`: the webhook is not told from here"
        );
    }
    let link = webhook.link().map(str::to_owned);
    let courier = CourierConfig { link: link.clone(), ..CourierConfig::new(webhook.url(), secret) };
    // With the key that made the links, one that was used is told from one that never was.
    let (desk, form) = (desk.announcing(secret), FormKey::of(secret));
    Ok(Opened { desk, form, link, courier: Some(courier) })
}

fn wrong_usage(why: String) -> Failure {
    Failure::Exit(2, format!("hexarch-ctl: {why}"))
}

/// What links begin with, without a slash at its end.
fn prefix(link: &str) -> Result<Url, String> {
    let help = "--link takes an address such as https://app.example.com/confirm";
    let mut url = Url::parse(link).map_err(|error| format!("`{link}`: {error}; {help}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("`{link}` begins neither with https:// nor with http://; {help}"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{link}` has a `?` or a `#`, and links go on behind it; {help}"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn is_readable_on_the_way(link: &Url) -> bool {
    let here = match link.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    link.scheme() == "http" && !here
}
