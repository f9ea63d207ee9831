//! A process that asks, says the id, and waits to be killed: FILE URL, with a courier where there is a URL.

use std::sync::Arc;
use std::time::Duration;

use guard_confirm::{Courier, CourierConfig, Desk, DeskConfig, SqliteStore};
use guard_core::{ConfirmRequest, DecisionId, Request, SystemClock};

const SECRET: &[u8] = b"a secret for tests only";

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, url] = arguments.as_slice() else { return Err("FILE URL".to_owned()) };
    let store = SqliteStore::open(file).map_err(|error| error.to_string())?;
    let desk =
        Desk::new(Arc::new(store), Arc::new(SystemClock::new()), DeskConfig::default()).announcing(SECRET);
    let (request, reason, details) = (Request::new("p"), String::new(), None);
    let question = ConfirmRequest { decision_id: DecisionId::from_u128(0), request, reason, details };
    let asked = desk.ask(&question).wait().map_err(|error| error.to_string())?;
    println!("{}", asked.entry.id);
    let config = CourierConfig { timeout: Duration::from_secs(2), ..CourierConfig::new(url, SECRET) };
    let courier = if url.is_empty() { None } else { Some(Courier::start(&desk, config)) };
    std::thread::sleep(Duration::from_secs(600));
    drop(courier);
    Ok(())
}
