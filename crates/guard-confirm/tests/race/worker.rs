//! One process of the race: STORE SIGNED PRIZES SEED PROCESS THREADS START LOG.

mod fight;

use std::path::Path;

use fight::{Plan, Prize, fight};

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, signed, prizes, seed, process, threads, start, log] = arguments.as_slice() else {
        return Err("STORE SIGNED PRIZES SEED PROCESS THREADS START LOG".to_owned());
    };
    let number = |text: &String| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
    let text = std::fs::read_to_string(prizes).map_err(|error| error.to_string())?;
    let prize = |line: &str| {
        let (handle, token) = line.split_once(' ')?;
        Some(Prize { handle: handle.to_owned(), token: token.to_owned() })
    };
    let prizes: Vec<Prize> = text.lines().filter_map(prize).collect();
    let store = guard_confirm::open(store).map_err(|error| error.to_string())?;
    let [seed, process, threads, start_ms] =
        [number(seed)?, number(process)?, number(threads)?, number(start)?];
    let plan = Plan { signed: signed == "true", seed, process, threads, start_ms };
    fight(&store, &prizes, &plan, Path::new(log)).map_err(|error| error.to_string())
}
