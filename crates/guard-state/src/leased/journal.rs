//! What a process has in hand and has spent of it, written down before it is acknowledged.
//!
//! A text file of this process' own in a folder that processes of one machine share, held locked as long as the process
//! lives:
//!
//! ```text
//! hexarch-slices 1 <boot id>
//! cell <number> <limit> <key> <window> <drawn of slices settled>     names in hexadecimal, filled up with blanks
//! 0000000000000000017                                                what is drawn of all slices, at a multiple of 32
//! asked <cell's number> <id> <amount>                                about to be reserved at the store
//! held <id>                                                          reserved there: from now on it may be spent
//! closed <id> <actual> <drawn>                                       about to be settled there with so much
//! ```
//!
//! A charge overwrites one number in place. That is a write without a wait for the disk: what the kernel has taken outlives
//! the process, however it ends. It does not outlive the machine: the first line says in which of its lives the file was
//! written, and in another nothing of the numbers is believed.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guard_core::{CellId, DecisionId, ReservationId, StateError, StateUnavailable, Unusable};

/// What the files end with that whoever starts looks through.
const ENDING: &str = "slices";
const HEAD: &str = "hexarch-slices 1 ";
/// Digits of a number that is overwritten, and what they stand at a multiple of: so that none lies on two pages.
const DIGITS: usize = 19;
const ALIGNED: u64 = 32;
/// How long the file grows before it is written anew with what still counts.
const LARGE: u64 = 256 << 10;

/// What is written down of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asked,
    Held,
    Closed { actual: i64, drawn: i64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Noted {
    id: ReservationId,
    amount: i64,
    stage: Stage,
}

#[derive(Debug, Clone)]
struct Entry {
    cell: Arc<CellId>,
    /// Where its number stands, and what it is.
    at: u64,
    drawn: i64,
    /// What was drawn of slices that are settled and not listed any more.
    closed: i64,
    slices: Vec<Noted>,
    /// Whether nobody draws from it any more.
    over: bool,
}

/// The file of a process that lives.
pub(super) struct Journal {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    end: u64,
    large: u64,
    /// By the numbers that purses know them by.
    entries: Vec<Option<Entry>>,
    /// Numbers that are nobody's.
    free: Vec<usize>,
    places: HashMap<ReservationId, usize>,
    /// Files that could not be emptied, and stay locked.
    kept: Vec<File>,
    /// Why nothing is written any more.
    broken: Option<String>,
}

impl Journal {
    /// Makes a file in this folder, which is made too where it is missing.
    pub(super) fn open(folder: &Path) -> Result<Self, StateError> {
        let made = std::fs::create_dir_all(folder).and_then(|()| make(folder, head().as_bytes()));
        let (path, file, end) = made.map_err(|error| Unusable {
            store: folder.display().to_string(),
            detail: format!("slices cannot be written down there: {error}"),
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
            file,
            end,
            large: LARGE,
            entries: Vec::new(),
            free: Vec::new(),
            places: HashMap::new(),
            kept: Vec::new(),
            broken: None,
        })
    }

    /// A slice is about to be asked for, of a cell that is known by `number` where it is known.
    pub(super) fn ask(
        &mut self,
        number: &mut Option<usize>,
        cell: &Arc<CellId>,
        id: ReservationId,
        amount: i64,
    ) -> Result<(), StateError> {
        self.tried(|journal| {
            let known = match *number {
                Some(known) => known,
                None => journal.add(cell)?,
            };
            *number = Some(known);
            journal.append(&format!("asked {known} {:032x} {amount}\n", id.0))?;
            if let Some(Some(entry)) = journal.entries.get_mut(known) {
                entry.slices.push(Noted { id, amount, stage: Stage::Asked });
            }
            journal.places.insert(id, known);
            Ok(())
        })
    }

    /// A slice was reserved, and may be spent: from the cell of this number.
    pub(super) fn hold(&mut self, id: ReservationId) -> Result<Option<usize>, StateError> {
        self.tried(|journal| {
            journal.append(&format!("held {:032x}\n", id.0))?;
            journal.stage(id, Stage::Held);
            let number = journal.places.get(&id).copied();
            if let Some(Some(entry)) = number.and_then(|number| journal.entries.get_mut(number)) {
                entry.over = false;
            }
            Ok(number)
        })
    }

    /// A slice is about to be settled with `actual`, and nothing of it is drawn any more; `drawn` was.
    pub(super) fn close(&mut self, id: ReservationId, actual: i64, drawn: i64) -> Result<(), StateError> {
        self.tried(|journal| {
            journal.append(&format!("closed {:032x} {actual} {drawn}\n", id.0))?;
            journal.stage(id, Stage::Closed { actual, drawn });
            Ok(())
        })
    }

    /// The store knows all of a slice that there is to know.
    pub(super) fn done(&mut self, id: ReservationId) {
        let number = self.places.remove(&id);
        let Some(Some(entry)) = number.and_then(|number| self.entries.get_mut(number)) else { return };
        let found = entry.slices.iter().position(|slice| slice.id == id);
        if let Some(slice) = found.map(|place| entry.slices.remove(place))
            && let Stage::Closed { drawn, .. } = slice.stage
        {
            entry.closed = entry.closed.saturating_add(drawn);
        }
        if entry.over {
            self.forget(number);
        }
    }

    /// So much is drawn in all of a cell's slices.
    pub(super) fn draw(&mut self, number: Option<usize>, drawn: i64) -> Result<(), StateError> {
        if let Some(why) = &self.broken {
            return Err(self.unavailable(why));
        }
        let entry = number.and_then(|number| self.entries.get_mut(number)).and_then(Option::as_mut);
        let Some(entry) = entry.filter(|entry| entry.drawn != drawn) else { return Ok(()) };
        // INVARIANT: the digits lie on one page, so that whoever is killed while they are written leaves the old ones or the new.
        match write_at(&self.file, &digits(drawn), entry.at) {
            Ok(()) => {
                entry.drawn = drawn;
                Ok(())
            }
            Err(error) => Err(self.fails(&error)),
        }
    }

    /// Nothing is in hand of a cell any more. What is owed of it is kept.
    pub(super) fn forget(&mut self, number: Option<usize>) {
        let Some(number) = number else { return };
        let Some(place) = self.entries.get_mut(number) else { return };
        let Some(entry) = place else { return };
        entry.over = true;
        if entry.slices.is_empty() {
            *place = None;
            self.free.push(number);
        }
    }

    /// Takes the file away when the store knows everything that stands in it.
    pub(super) fn finish(&self) {
        if self.broken.is_none() && self.places.is_empty() {
            // Left there it is found to hold nothing, and taken away by whoever starts next.
            let _ = std::fs::remove_file(&self.path);
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn stage(&mut self, id: ReservationId, stage: Stage) {
        let number = self.places.get(&id).copied();
        let Some(Some(entry)) = number.and_then(|number| self.entries.get_mut(number)) else { return };
        if let Some(slice) = entry.slices.iter_mut().find(|slice| slice.id == id) {
            slice.stage = stage;
        }
    }

    /// A new cell. A number that is nobody's any more means the cell that stands later in the file.
    fn add(&mut self, cell: &Arc<CellId>) -> io::Result<usize> {
        let number = self.free.last().copied().unwrap_or(self.entries.len());
        let cell = Arc::clone(cell);
        let mut entry = Entry { cell, at: 0, drawn: 0, closed: 0, slices: Vec::new(), over: false };
        let text = entry.text(number, self.end);
        self.append(&text)?;
        match self.free.pop().and_then(|number| self.entries.get_mut(number)) {
            Some(place) => *place = Some(entry),
            None => self.entries.push(Some(entry)),
        }
        Ok(number)
    }

    fn append(&mut self, text: &str) -> io::Result<()> {
        write_at(&self.file, text.as_bytes(), self.end)?;
        self.end = self.end.saturating_add(text.len() as u64);
        Ok(())
    }

    fn tried<T>(&mut self, work: impl FnOnce(&mut Self) -> io::Result<T>) -> Result<T, StateError> {
        if let Some(why) = &self.broken {
            return Err(self.unavailable(why));
        }
        if self.end > self.large && self.renew().is_err() {
            // The old file is as good, and only long.
            self.large = self.end.saturating_mul(2);
        }
        work(self).map_err(|error| self.fails(&error))
    }

    /// What could not be written may stand there by half: nothing is written after it, and nothing acknowledged.
    fn fails(&mut self, error: &io::Error) -> StateError {
        let why = error.to_string();
        let told = self.unavailable(&why);
        self.broken = Some(why);
        told
    }

    fn unavailable(&self, why: &str) -> StateError {
        let detail = format!("what is spent of slices cannot be written down: {why}");
        StateUnavailable { store: self.path.display().to_string(), detail }.into()
    }

    /// Writes what still counts into a file of a new name. Until the old one is gone both say the same.
    fn renew(&mut self) -> io::Result<()> {
        let mut text = head();
        let mut entries = self.entries.clone();
        let known = entries.iter_mut().enumerate();
        for (number, entry) in known.filter_map(|(number, entry)| Some((number, entry.as_mut()?))) {
            let lines = entry.text(number, text.len() as u64);
            text.push_str(&lines);
        }
        let (path, file, end) = make(&self.folder, text.as_bytes())?;
        let old = std::mem::replace(&mut self.path, path);
        let held = std::mem::replace(&mut self.file, file);
        (self.entries, self.end, self.large) = (entries, end, LARGE.max(end.saturating_mul(2)));
        // INVARIANT: whoever has opened the old file finds nothing in it when the lock is gone: what stands there is spent on.
        match held.set_len(0) {
            // Empty it means nothing, wherever it lies.
            Ok(()) => drop(std::fs::remove_file(old)),
            Err(_) => self.kept.push(held),
        }
        Ok(())
    }
}

impl Entry {
    /// Its lines in a file that is so long before.
    fn text(&mut self, number: usize, end: u64) -> String {
        let hex = |name: &str| {
            name.bytes().fold("x".to_owned(), |mut hex, byte| {
                // Writing to a text does not fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        };
        let CellId { limit, key, window } = &*self.cell;
        let (limit, key, window) = (hex(limit), hex(key), hex(window));
        let mut text = format!("cell {number} {limit} {key} {window} {}", self.closed);
        let long = end + text.len() as u64 + 1;
        self.at = long.next_multiple_of(ALIGNED);
        text.extend(std::iter::repeat_n(' ', usize::try_from(self.at - long).unwrap_or(0)));
        let drawn = digits(self.drawn);
        let _ = writeln!(text, "\n{}", String::from_utf8_lossy(&drawn));
        for Noted { id: ReservationId(id), amount, stage } in &self.slices {
            let _ = writeln!(text, "asked {number} {id:032x} {amount}");
            let _ = match stage {
                Stage::Asked => Ok(()),
                Stage::Held => writeln!(text, "held {id:032x}"),
                Stage::Closed { actual, drawn } => writeln!(text, "closed {id:032x} {actual} {drawn}"),
            };
        }
        text
    }
}

fn head() -> String {
    format!("{HEAD}{}\n", boot().unwrap_or_else(|| "-".to_owned()))
}

/// In which of its lives this machine is; where it does not say, none is the same as another.
fn boot() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = text.trim();
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        .then(|| id.to_owned())
}

fn digits(number: i64) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    let mut left = number.max(0);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
    }
    digits
}

/// A file of a fresh name with this in it, locked before anybody finds it.
fn make(folder: &Path, text: &[u8]) -> io::Result<(PathBuf, File, u64)> {
    let name = DecisionId::random();
    let (path, fresh) = (folder.join(format!("{name}.{ENDING}")), folder.join(format!("{name}.new")));
    let mut file = OpenOptions::new().create_new(true).read(true).write(true).open(&fresh)?;
    let locked = file.try_lock().map_err(|error| io::Error::other(error.to_string()));
    let written = locked.and_then(|()| file.write_all(text)).and_then(|()| std::fs::rename(&fresh, &path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&fresh);
        return Err(error);
    }
    Ok((path, file, text.len() as u64))
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

/// What a process has left that is gone, until the lock of its file is let go.
pub(super) struct Left {
    _locked: File,
    path: PathBuf,
    /// What has to be settled: the limit, the reservation, and with how much; all of it where that is not known.
    pub(super) slices: Vec<(String, ReservationId, Option<i64>)>,
}

impl Left {
    /// The store knows all of it.
    pub(super) fn done(self) {
        // Found again it is settled again, which changes nothing.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The files in this folder whose processes are gone.
pub(super) fn left_behind(folder: &Path, own: Option<&Path>) -> Vec<Left> {
    let Ok(names) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = names.flatten().map(|name| name.path());
    let journals = paths.filter(|path| path.extension().is_some_and(|ending| ending == ENDING));
    journals.filter(|path| Some(path.as_path()) != own).filter_map(|path| take_over(&path)).collect()
}

fn take_over(path: &Path) -> Option<Left> {
    let mut file = OpenOptions::new().read(true).write(true).open(path).ok()?;
    // Its process lives, or another one is at it.
    file.try_lock().ok()?;
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut text)).ok()?;
    match slices_of(&String::from_utf8_lossy(&text), boot().as_deref()) {
        Some(slices) => Some(Left { _locked: file, path: path.to_owned(), slices }),
        None => {
            // What it held stays counted until its windows end. It is kept for whoever wants to know.
            let _ = std::fs::rename(path, path.with_extension("damaged"));
            None
        }
    }
}

/// What has to be settled of what stands in a file. `None` where it is none, or damaged elsewhere than at its end, where
/// whoever was killed has left half of a line.
fn slices_of(text: &str, boot: Option<&str>) -> Option<Vec<(String, ReservationId, Option<i64>)>> {
    let Some((whole, _)) = text.rsplit_once('\n') else { return Some(Vec::new()) };
    let mut lines = whole.lines();
    let is_same_life = Some(lines.next()?.strip_prefix(HEAD)?) == boot;
    let mut entries: BTreeMap<usize, Entry> = BTreeMap::new();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let id = |text: &str| u128::from_str_radix(text, 16).ok().map(ReservationId);
        let mut stage = |id: ReservationId, stage: Stage| {
            let mut slices = entries.values_mut().flat_map(|entry| &mut entry.slices);
            slices.find(|slice| slice.id == id).map(|slice| slice.stage = stage)
        };
        match words.as_slice() {
            ["cell", place, limit, key, window, closed] => {
                // Cut off before its number: nothing was asked for of it yet.
                let Some(number) = lines.next() else { break };
                let (limit, key, window) = (name_of(limit)?, name_of(key)?, name_of(window)?);
                let cell = Arc::new(CellId { limit, key, window });
                let (drawn, closed) = (number.parse().ok()?, closed.parse().ok()?);
                let entry = Entry { cell, at: 0, drawn, closed, slices: Vec::new(), over: false };
                entries.insert(place.parse().ok()?, entry);
            }
            ["asked", number, name, amount] => {
                let entry = entries.get_mut(&number.parse::<usize>().ok()?)?;
                let amount = amount.parse().ok()?;
                entry.slices.push(Noted { id: id(name)?, amount, stage: Stage::Asked });
            }
            ["held", name] => stage(id(name)?, Stage::Held)?,
            ["closed", name, actual, drawn] => {
                let (actual, drawn) = (actual.parse().ok()?, drawn.parse().ok()?);
                stage(id(name)?, Stage::Closed { actual, drawn })?;
            }
            _ => return None,
        }
    }
    Some(entries.values().flat_map(|entry| settlements(entry, is_same_life)).collect())
}

fn name_of(hex: &str) -> Option<String> {
    let hex = hex.strip_prefix('x')?.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = hex.chunks(2).map(byte).collect();
    String::from_utf8(bytes?).ok()
}

/// What was drawn and is in no slice that is closed was drawn of those that are held, oldest first: the same whoever asks,
/// and however often.
fn settlements(entry: &Entry, is_same_life: bool) -> Vec<(String, ReservationId, Option<i64>)> {
    let closed = entry.slices.iter().map(|slice| match slice.stage {
        Stage::Closed { drawn, .. } => drawn,
        Stage::Asked | Stage::Held => 0,
    });
    let closed = closed.fold(entry.closed, i64::saturating_add);
    let mut left = entry.drawn.saturating_sub(closed).max(0);
    let actual = |slice: &Noted| match slice.stage {
        Stage::Closed { actual, .. } => Some(actual),
        _ if !is_same_life => None,
        Stage::Asked => Some(0),
        Stage::Held => {
            let of_it = left.min(slice.amount);
            left -= of_it;
            Some(of_it)
        }
    };
    let actuals: Vec<Option<i64>> = entry.slices.iter().map(actual).collect();
    let limit = &entry.cell.limit;
    entry.slices.iter().zip(actuals).map(|(slice, actual)| (limit.clone(), slice.id, actual)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(key: &str) -> Arc<CellId> {
        Arc::new(CellId { limit: "l".into(), key: key.into(), window: String::new() })
    }

    /// What a process would find that is started after this one was killed.
    fn found(journal: &Journal, boot: Option<&str>) -> Vec<(u128, Option<i64>)> {
        let text = std::fs::read_to_string(journal.path()).unwrap();
        let mut slices: Vec<_> =
            slices_of(&text, boot).unwrap().into_iter().map(|(_, id, actual)| (id.0, actual)).collect();
        slices.sort_unstable();
        slices
    }

    fn id(number: u128) -> ReservationId {
        ReservationId(number)
    }

    #[test]
    fn what_is_drawn_is_spread_over_what_is_held() {
        let folder = test_support::Folder::new("slices");
        let mut journal = Journal::open(folder.path()).unwrap();
        let (mut one, mut two) = (None, None);
        for number in 1..=3 {
            journal.ask(&mut one, &cell("a\n\u{e4}"), id(number), 10).unwrap();
        }
        journal.ask(&mut two, &cell(""), id(9), 5).unwrap();
        // The second was answered first; of the first and the last nobody has heard.
        journal.hold(id(2)).unwrap();
        journal.hold(id(3)).unwrap();
        journal.draw(one, 13).unwrap();
        let boot = boot();
        let all = [(1, Some(0)), (2, Some(10)), (3, Some(3)), (9, Some(0))];
        assert_eq!(found(&journal, boot.as_deref()), all);
        // Of another life of the machine nothing is believed, and where it does not say which.
        for other in [Some("another"), None] {
            assert!(found(&journal, other).iter().all(|(_, actual)| actual.is_none()));
        }
        journal.close(id(2), 10, 10).unwrap();
        journal.draw(one, 17).unwrap();
        let all = [(1, Some(0)), (2, Some(10)), (3, Some(7)), (9, Some(0))];
        assert_eq!(found(&journal, boot.as_deref()), all);
        // Written anew it says the same, of what is not done.
        journal.done(id(2));
        let before = journal.path().to_owned();
        journal.renew().unwrap();
        assert!(!before.exists());
        assert_eq!(found(&journal, boot.as_deref()), [(1, Some(0)), (3, Some(7)), (9, Some(0))]);
        journal.draw(one, 18).unwrap();
        journal.draw(two, 1).unwrap();
        assert_eq!(found(&journal, boot.as_deref()), [(1, Some(0)), (3, Some(8)), (9, Some(0))]);
    }

    #[test]
    fn a_file_that_is_cut_off_anywhere_says_no_more_than_it_did() {
        let folder = test_support::Folder::new("slices-cut");
        let mut journal = Journal::open(folder.path()).unwrap();
        let mut number = None;
        journal.ask(&mut number, &cell("k"), id(1), 10).unwrap();
        journal.hold(id(1)).unwrap();
        journal.draw(number, 4).unwrap();
        journal.close(id(1), 4, 4).unwrap();
        let text = std::fs::read_to_string(journal.path()).unwrap();
        let life = boot();
        for end in 0..=text.len() {
            // The beginning is there before anybody finds the file.
            let found =
                slices_of(&text[..end], life.as_deref()).unwrap_or_else(|| panic!("{}", &text[..end]));
            let may_be = [vec![], vec![Some(0)], vec![Some(4)]];
            let actuals: Vec<_> = found.iter().map(|(_, _, actual)| *actual).collect();
            assert!(may_be.contains(&actuals) || life.is_none(), "{actuals:?} of {}", &text[..end]);
        }
        assert_eq!(slices_of("something else\n", None), None);
        assert_eq!(slices_of(&text.replace("asked", "raked"), life.as_deref()), None);
    }

    #[test]
    fn who_lives_is_left_alone_and_who_is_gone_is_found_once() {
        let folder = test_support::Folder::new("slices-left");
        let mut journal = Journal::open(folder.path()).unwrap();
        let mut number = None;
        journal.ask(&mut number, &cell("k"), id(1), 10).unwrap();
        assert!(left_behind(folder.path(), None).is_empty());
        drop(journal);
        std::fs::write(folder.path().join("notes.slices"), "of somebody\n").unwrap();
        let mut left = left_behind(folder.path(), None);
        assert_eq!(left.len(), 1);
        assert!(left_behind(folder.path(), None).is_empty(), "two are at it");
        left.remove(0).done();
        assert!(left_behind(folder.path(), None).is_empty());
        assert!(folder.path().join("notes.damaged").exists());
    }

    #[test]
    fn numbers_are_used_again() {
        let folder = test_support::Folder::new("slices-many");
        let mut journal = Journal::open(folder.path()).unwrap();
        journal.large = 2_000;
        for round in 0..200 {
            let mut number = None;
            journal.ask(&mut number, &cell(&round.to_string()), id(round), 10).unwrap();
            assert_eq!(number, Some(0));
            journal.hold(id(round)).unwrap();
            journal.draw(number, 3).unwrap();
            journal.close(id(round), 3, 3).unwrap();
            journal.forget(number);
            journal.done(id(round));
        }
        assert_eq!(journal.end, std::fs::metadata(journal.path()).unwrap().len());
        assert!(journal.entries.len() == 1 && std::fs::read_dir(folder.path()).unwrap().count() == 1);
        journal.finish();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    /// A disk that is full, as far as it can be told: a file that is not open for writing.
    #[test]
    fn what_cannot_be_written_is_not_acknowledged() {
        let folder = test_support::Folder::new("slices-full");
        let mut journal = Journal::open(folder.path()).unwrap();
        let mut number = None;
        journal.ask(&mut number, &cell("k"), id(1), 10).unwrap();
        journal.file = File::open(journal.path()).unwrap();
        for _ in 0..2 {
            let error = journal.draw(number, 1).unwrap_err();
            assert!(error.to_string().contains("cannot be written down"), "{error}");
        }
        assert!(journal.hold(id(1)).is_err() && journal.ask(&mut number, &cell("k"), id(2), 1).is_err());
        journal.finish();
        assert!(journal.path().exists());
    }
}
