//! The minutes of a week at which a rule lets calls run.

use crate::model::{HourRange, Rule, Weekday};

const DAY: usize = 24 * 60;
const WEEK: usize = 7 * DAY;

/// The minutes of a week, from Monday.
pub(super) struct Week(Vec<bool>);

impl Week {
    /// When calls of the rule may run, by its hours and days alone.
    pub(super) fn of(rule: &Rule) -> Self {
        let mut open = vec![rule.allowed_hours.is_empty(); WEEK];
        for day in 0..7 {
            mark(&mut open, day, &rule.allowed_hours, true);
        }
        let forbids = !(rule.forbidden_hours.is_empty() && rule.forbidden_days.is_empty());
        if forbids {
            let whole = [HourRange { from: (0, 0), to: (24, 0) }];
            let hours: &[HourRange] =
                if rule.forbidden_hours.is_empty() { &whole } else { &rule.forbidden_hours };
            for (day, name) in Weekday::ALL.iter().enumerate() {
                if rule.forbidden_days.is_empty() || rule.forbidden_days.contains(name) {
                    mark(&mut open, day, hours, false);
                }
            }
        }
        Self(open)
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, two)| *one && *two).collect())
    }
}

/// Whether the hours leave no minute of a day out.
pub(super) fn whole_day(hours: &[HourRange]) -> bool {
    let mut shown = vec![false; WEEK];
    for day in 0..7 {
        mark(&mut shown, day, hours, true);
    }
    !shown.contains(&false)
}

/// Sets the minutes of the ranges that begin on a day; what goes past Sunday is Monday's.
fn mark(week: &mut [bool], day: usize, ranges: &[HourRange], to: bool) {
    let minute = |(hour, minute): (u8, u8)| usize::from(hour) * 60 + usize::from(minute);
    for range in ranges {
        let (from, end) = (minute(range.from), minute(range.to));
        let end = if end <= from { end + DAY } else { end };
        for at in from..end {
            if let Some(shown) = week.get_mut((day * DAY + at) % WEEK) {
                *shown = to;
            }
        }
    }
}
