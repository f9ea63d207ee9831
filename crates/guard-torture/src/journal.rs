//! The log of what was tried and acknowledged, independent of the store.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A process' log. A line is one write, so that a process that is killed leaves whole lines: what the kernel has taken
/// survives the process.
#[derive(Debug)]
pub(crate) struct Journal(File);

impl Journal {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(Self)
    }

    pub(crate) fn write(&self, id: u128, entry: &Entry) -> io::Result<()> {
        let mut file = &self.0;
        file.write_all(format!("{id:032x} {}\n", entry.to_text()).as_bytes())
    }
}

/// What happened to a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It is about to be asked for: which user and team, how much, and whether it is spent at once.
    Try {
        user: u64,
        team: u64,
        amount: i64,
        at_once: bool,
    },
    /// It was acknowledged.
    Made,
    /// It was refused.
    Refused,
    /// It is about to be settled with this.
    TrySettle {
        actual: i64,
    },
    /// That was acknowledged; after its lease, where it is `late`, or maybe.
    Settled {
        late: bool,
    },
    /// It is about to be given back, or was.
    TryRefund,
    Refunded,
}

impl Entry {
    fn to_text(&self) -> String {
        match self {
            Self::Try { user, team, amount, at_once } => format!("try {user} {team} {amount} {at_once}"),
            Self::Made => "made".to_owned(),
            Self::Refused => "refused".to_owned(),
            Self::TrySettle { actual } => format!("try-settle {actual}"),
            Self::Settled { late } => format!("settled {late}"),
            Self::TryRefund => "try-refund".to_owned(),
            Self::Refunded => "refunded".to_owned(),
        }
    }

    fn of_text(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        Some(match words.as_slice() {
            ["try", user, team, amount, at_once] => Self::Try {
                user: user.parse().ok()?,
                team: team.parse().ok()?,
                amount: amount.parse().ok()?,
                at_once: at_once.parse().ok()?,
            },
            ["made"] => Self::Made,
            ["refused"] => Self::Refused,
            ["try-settle", actual] => Self::TrySettle { actual: actual.parse().ok()? },
            ["settled", late] => Self::Settled { late: late.parse().ok()? },
            ["try-refund"] => Self::TryRefund,
            ["refunded"] => Self::Refunded,
            _ => return None,
        })
    }
}

/// What the logs of a run say of one reservation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Story {
    pub(crate) user: u64,
    pub(crate) team: u64,
    pub(crate) amount: i64,
    pub(crate) at_once: bool,
    pub(crate) made: bool,
    pub(crate) refused: bool,
    pub(crate) actual: Option<i64>,
    /// Whether it was late.
    pub(crate) settled: Option<bool>,
    pub(crate) refunded: bool,
}

/// Reads the logs. A last line that was cut off was never acted upon.
pub(crate) fn read(paths: &[impl AsRef<Path>]) -> io::Result<BTreeMap<u128, Story>> {
    let mut stories: BTreeMap<u128, Story> = BTreeMap::new();
    for path in paths {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            // Killed before its first line.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for line in text.lines() {
            let parsed = line
                .split_once(' ')
                .and_then(|(id, entry)| Some((u128::from_str_radix(id, 16).ok()?, Entry::of_text(entry)?)));
            let Some((id, entry)) = parsed else { continue };
            let story = stories.entry(id).or_default();
            match entry {
                Entry::Try { user, team, amount, at_once } => {
                    (story.user, story.team, story.amount, story.at_once) = (user, team, amount, at_once);
                }
                Entry::Made => story.made = true,
                Entry::Refused => story.refused = true,
                Entry::TrySettle { actual } => story.actual = Some(actual),
                Entry::Settled { late } => story.settled = Some(late),
                Entry::TryRefund => {}
                Entry::Refunded => story.refunded = true,
            }
        }
    }
    Ok(stories)
}
