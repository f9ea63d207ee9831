//! What `confirmation` says, put together.

use std::sync::Arc;

use guard_confirm::{Courier, CourierConfig, Desk, DeskConfig, Person, Rules, TerminalConfirmer};
use guard_core::{Clock, Confirmer};
use guard_policy::{Ask, ConfirmationSettings};

use crate::error::BuildError;

/// Who asks, the desk that holds calls, where there is one, and who tells the webhook.
pub(crate) struct Asked {
    pub(crate) confirmer: Arc<dyn Confirmer>,
    pub(crate) desk: Option<Desk>,
    pub(crate) courier: Option<Courier>,
}

/// `before` is the desk of a Guardian that this one takes over from: what is held in memory stays held.
pub(crate) fn asked(
    settings: &ConfirmationSettings,
    clock: Arc<dyn Clock>,
    before: Option<Desk>,
) -> Result<Asked, BuildError> {
    let rules = Rules {
        approvers: settings.approvers().to_vec(),
        four_eyes: settings.four_eyes(),
        approvals: settings.approvals(),
    };
    let config = DeskConfig { rules, expires: settings.expires(), ..DeskConfig::default() };
    if settings.ask() == Ask::Terminal {
        // Whoever runs this program, by the name that the system's session has for them.
        let person = Person::new(std::env::var("USER").unwrap_or_else(|_| "terminal".to_owned()));
        let confirmer = Arc::new(TerminalConfirmer::new(person, config));
        return Ok(Asked { confirmer, desk: None, courier: None });
    }
    let store = match before {
        Some(desk) if settings.store() == "memory:" => Arc::clone(desk.store()),
        _ => guard_confirm::open(settings.store())?,
    };
    let desk = Desk::new(store, clock, config);
    let (desk, courier) = match settings.webhook() {
        None => (desk, None),
        Some(webhook) => {
            let secret = webhook.secret().expose();
            let link = webhook.link().map(str::to_owned);
            let config = CourierConfig { link, ..CourierConfig::new(webhook.url(), secret) };
            let desk = desk.announcing(secret);
            let courier = Courier::start(&desk, config)?;
            (desk, Some(courier))
        }
    };
    Ok(Asked { confirmer: Arc::new(desk.clone()), desk: Some(desk), courier })
}
