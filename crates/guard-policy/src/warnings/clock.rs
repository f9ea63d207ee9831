//! The minutes of a week at which a rule lets calls run.

use crate::model::{HourRange, Rule, Weekday};

const DAY: usize = 24 * 60;
const WEEK: usize = 7 * DAY;
const BITS: usize = u64::BITS as usize;

/// A bit for each minute of a week, from Monday.
pub(super) struct Week([u64; WEEK.div_ceil(BITS)]);

impl Week {
    /// When calls of the rule may run, by its hours and days alone.
    pub(super) fn of(rule: &Rule) -> Self {
        let mut open = Self::never();
        if rule.allowed_hours.is_empty() {
            open.set(0, WEEK, true);
        }
        for day in 0..7 {
            open.mark(day, &rule.allowed_hours, true);
        }
        let forbids = !(rule.forbidden_hours.is_empty() && rule.forbidden_days.is_empty());
        if forbids {
            let whole = [HourRange { from: (0, 0), to: (24, 0) }];
            let hours: &[HourRange] =
                if rule.forbidden_hours.is_empty() { &whole } else { &rule.forbidden_hours };
            for (day, name) in Weekday::ALL.iter().enumerate() {
                if rule.forbidden_days.is_empty() || rule.forbidden_days.contains(name) {
                    open.mark(day, hours, false);
                }
            }
        }
        open
    }

    const fn never() -> Self {
        Self([0; WEEK.div_ceil(BITS)])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        let mut both = Self::never();
        for (to, (one, two)) in both.0.iter_mut().zip(self.0.iter().zip(&other.0)) {
            *to = one & two;
        }
        both
    }

    /// Sets the minutes of the ranges that begin on a day; what goes past Sunday is Monday's.
    fn mark(&mut self, day: usize, ranges: &[HourRange], to: bool) {
        let minute = |(hour, minute): (u8, u8)| usize::from(hour) * 60 + usize::from(minute);
        for range in ranges {
            let (from, end) = (minute(range.from), minute(range.to));
            let end = if end <= from { end + DAY } else { end };
            let (from, end) = (day * DAY + from, day * DAY + end);
            self.set(from, end.min(WEEK), to);
            self.set(0, end.saturating_sub(WEEK), to);
        }
    }

    /// Sets the minutes from one to before the other.
    fn set(&mut self, from: usize, end: usize, to: bool) {
        for (position, bits) in self.0.iter_mut().enumerate().take(end.div_ceil(BITS)).skip(from / BITS) {
            let begin = position * BITS;
            let (first, last) = (from.saturating_sub(begin), (end - begin).min(BITS));
            let below = |bit: usize| if bit >= BITS { u64::MAX } else { (1 << bit) - 1 };
            let mask = below(last) & !below(first);
            *bits = if to { *bits | mask } else { *bits & !mask };
        }
    }
}

/// Whether the hours leave no minute of a day out.
pub(super) fn whole_day(hours: &[HourRange]) -> bool {
    let (mut shown, mut whole) = (Week::never(), Week::never());
    for day in 0..7 {
        shown.mark(day, hours, true);
    }
    whole.set(0, WEEK, true);
    shown.0 == whole.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The minutes, one by one.
    fn minutes(week: &Week) -> Vec<usize> {
        let open =
            |minute: &usize| week.0.get(minute / BITS).is_some_and(|bits| bits >> (minute % BITS) & 1 == 1);
        (0..WEEK).filter(open).collect()
    }

    #[test]
    fn ranges_are_set_to_the_minute() {
        for (from, end) in
            [(0, 0), (0, 1), (3, 64), (63, 65), (64, 128), (60, 300), (10_000, WEEK), (0, WEEK)]
        {
            let mut week = Week::never();
            week.set(from, end, true);
            assert_eq!(minutes(&week), (from..end).collect::<Vec<_>>(), "{from}..{end}");
            week.set(from + 1, end, false);
            assert_eq!(minutes(&week), (from..end.min(from + 1)).collect::<Vec<_>>(), "{from}..{end}");
        }
    }

    #[test]
    fn what_goes_past_sunday_is_mondays() {
        let mut week = Week::never();
        week.mark(6, &[HourRange { from: (23, 59), to: (0, 2) }], true);
        assert_eq!(minutes(&week), [0, 1, WEEK - 1]);
        assert!(whole_day(&[
            HourRange { from: (22, 0), to: (6, 0) },
            HourRange { from: (6, 0), to: (22, 0) }
        ]));
        assert!(!whole_day(&[
            HourRange { from: (22, 0), to: (6, 0) },
            HourRange { from: (6, 1), to: (22, 0) }
        ]));
    }
}
