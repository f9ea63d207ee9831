//! What `confirmation` says, put together.

use std::sync::Arc;

use guard_confirm::{
    Courier, CourierConfig, Desk, DeskConfig, Key, Keyring, Person, Rules, TerminalConfirmer,
};
use guard_core::{Clock, Confirmer};
use guard_policy::{Ask, ConfirmationSettings, KeyMaterial, PolicyFile, SigningKey};

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
    let desk = signing(Desk::new(store, clock, config), settings)?;
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

/// Opens the desk that `confirmation` of this file describes, for tools that answer beside a Guardian: none where nothing
/// waits, because the file has no `confirmation` or has the terminal asked. It sends no messages.
///
/// # Errors
/// When the store is not built in or cannot be opened.
pub fn open_desk(file: &PolicyFile, clock: Arc<dyn Clock>) -> Result<Option<Desk>, BuildError> {
    let settings = file.settings().confirmation().filter(|settings| settings.ask() == Ask::Token);
    let Some(settings) = settings else { return Ok(None) };
    let store = guard_confirm::open(settings.store())?;
    signing(Desk::new(store, clock, DeskConfig::default()), settings).map(Some)
}

fn signing(desk: Desk, settings: &ConfirmationSettings) -> Result<Desk, BuildError> {
    let mut keyring: Option<Keyring> = None;
    for SigningKey { id, key } in settings.signed() {
        let key = match key {
            KeyMaterial::Hmac(secret) => Key::Hmac(secret.expose().as_bytes().to_vec()),
            KeyMaterial::Ed25519(seed) => Key::ed25519(&seed_of(seed.expose())),
        };
        keyring = Some(match keyring {
            None => Keyring::new(id, key)?,
            Some(keys) => keys.with(id, key)?,
        });
    }
    Ok(match keyring {
        Some(keys) => desk.signed(keys),
        None => desk,
    })
}

/// The bytes of 64 hexadecimal digits, which the file was found to have.
fn seed_of(digits: &str) -> [u8; 32] {
    let digit =
        |at: usize| digits.as_bytes().get(at).and_then(|byte| char::from(*byte).to_digit(16)).unwrap_or(0);
    std::array::from_fn(|at| u8::try_from(digit(2 * at) << 4 | digit(2 * at + 1)).unwrap_or_default())
}
