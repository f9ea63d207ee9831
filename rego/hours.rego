# METADATA
# title: Hours and days
# description: |
#   Whether the call's moment lies within hours of the day. Hours are written `{"from": [22, 0],
#   "to": [6, 0]}`, an hour and a minute; `from` belongs to the range and `to` does not. A range whose end
#   is before its beginning goes on past midnight. The functions read `input.time_ns` themselves, so that a
#   policy that negates them holds its guard up when the time is missing.
package hexarch.hours

# METADATA
# description: Every day of the week, for ranges that hold daily.
every_day := {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

# METADATA
# description: The one range that is a whole day, for days that are meant from midnight to midnight.
whole_day := [{"from": [0, 0], "to": [24, 0]}]

# METADATA
# description: True when the moment is known to lie within one of the ranges.
during(ranges, timezone) if {
	[hour, minute, _] := time.clock([input.time_ns, timezone])
	now := [hour, minute]
	some range in ranges
	_shown(range, now)
}

# METADATA
# description: |
#   True when the moment is known to lie outside all the ranges of all the days. What a range covers past
#   midnight counts to the day on which it began.
outside(days, ranges, timezone) if {
	[hour, minute, _] := time.clock([input.time_ns, timezone])
	now := [hour, minute]
	today := time.weekday([input.time_ns, timezone])
	every range in ranges {
		not _begun(days, range, today, now)
	}
}

_shown(range, now) if {
	range.from < range.to
	range.from <= now
	now < range.to
}

_shown(range, now) if {
	range.from > range.to
	range.from <= now
}

_shown(range, now) if {
	range.from > range.to
	now < range.to
}

_begun(days, range, today, now) if {
	today in days
	range.from < range.to
	range.from <= now
	now < range.to
}

_begun(days, range, today, now) if {
	today in days
	range.from > range.to
	range.from <= now
}

_begun(days, range, today, now) if {
	_day_before[today] in days
	range.from > range.to
	now < range.to
}

_day_before := {
	"Monday": "Sunday",
	"Tuesday": "Monday",
	"Wednesday": "Tuesday",
	"Thursday": "Wednesday",
	"Friday": "Thursday",
	"Saturday": "Friday",
	"Sunday": "Saturday",
}
