# METADATA
# title: Windows of time
# description: |
#   The window in which a limit counts, for a moment and a timezone. Seconds, minutes and hours are
#   numbered from the epoch; days, weeks and months are those of the timezone's calendar, so that a
#   month's budget begins anew at local midnight, also where the clocks change.
package hexarch.windows

# METADATA
# description: |
#   The window of a period that the call's moment lies in, as `at` tells it. It is taken from
#   `data.hexarch.calendar[timezone][period]` where whoever asks has kept it there, until it ends.
of(period, timezone) := {"id": kept.id, "reset_ms": reset_ms} if {
	kept := data.hexarch.calendar[timezone][period]
	kept.from_ms <= now_ms
	reset_ms := kept.until_ms - now_ms
	reset_ms > 0
} else := at(period, timezone, input.time_ns)

# METADATA
# description: |
#   What may be kept of the window that the call's moment lies in: its `id`, and from when until when it is
#   the window, in milliseconds since the epoch. Windows end with a whole millisecond.
kept(period, timezone) := {"id": window.id, "from_ms": now_ms, "until_ms": now_ms + window.reset_ms} if {
	window := at(period, timezone, input.time_ns)
}

# METADATA
# description: The call's moment in milliseconds since the epoch, rounded down.
now_ms := (input.time_ns - (input.time_ns % 1000000)) / 1000000 if input.time_ns >= 0

# METADATA
# description: |
#   The window of a period that a moment lies in: its `id`, and `reset_ms`, the milliseconds until it
#   ends (absent for `total`, which never does). Undefined for an unknown period or timezone, and for a
#   moment that is not a whole number of nanoseconds.
at(period, timezone, time_ns) := window if {
	period in {"second", "minute", "hour"}
	length := _lengths[period]
	elapsed := time_ns % length
	timezone != ""
	window := {
		"id": format_int((time_ns - elapsed) / length, 10),
		"reset_ms": _milliseconds(length - elapsed),
	}
}

at(period, timezone, time_ns) := window if {
	period == "day"
	[year, month, day] := time.date([time_ns, timezone])
	window := {
		"id": concat("-", [format_int(year, 10), _two_digits[month], _two_digits[day]]),
		"reset_ms": _until_midnight(1, timezone, time_ns),
	}
}

# A week is named after its Monday. Noon stands for that day: a change of the clocks in between cannot
# move noon into another day.
at(period, timezone, time_ns) := window if {
	period == "week"
	passed := _days_since_monday[time.weekday([time_ns, timezone])]
	noon := ((time_ns - _since_midnight(timezone, time_ns)) - (passed * _day)) + (_day / 2)
	[year, month, day] := time.date([noon, timezone])
	window := {
		"id": concat("-", [format_int(year, 10), _two_digits[month], _two_digits[day]]),
		"reset_ms": _until_midnight(7 - passed, timezone, time_ns),
	}
}

at(period, timezone, time_ns) := window if {
	period == "month"
	[year, month, day] := time.date([time_ns, timezone])
	window := {
		"id": concat("-", [format_int(year, 10), _two_digits[month]]),
		"reset_ms": _until_midnight((_days_in(year, month) - day) + 1, timezone, time_ns),
	}
}

at(period, timezone, time_ns) := {"id": "total"} if {
	period == "total"
	timezone != ""
	time_ns % 1 == 0
}

# A session is forgotten a day after it began, so that the state does not grow with every loop.
at(period, timezone, time_ns) := window if {
	period == "session"
	timezone != ""
	began := input.session.started_ns
	elapsed := time_ns - began
	elapsed >= 0
	elapsed < _day
	window := {"id": "session", "reset_ms": _milliseconds(_day - elapsed)}
}

# What runs is counted whenever it began.
at(period, timezone, time_ns) := {"id": "running"} if {
	period == "running"
	timezone != ""
	time_ns % 1 == 0
}

_second := 1000000000

_day := 86400000000000

_lengths := {
	"second": _second,
	"minute": 60000000000,
	"hour": 3600000000000,
}

_days_since_monday := {
	"Monday": 0,
	"Tuesday": 1,
	"Wednesday": 2,
	"Thursday": 3,
	"Friday": 4,
	"Saturday": 5,
	"Sunday": 6,
}

# Of months and days.
_two_digits := [
	"00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10",
	"11", "12", "13", "14", "15", "16", "17", "18", "19", "20",
	"21", "22", "23", "24", "25", "26", "27", "28", "29", "30",
	"31",
]

# Rounded up: whoever waits that long is past the end of the window.
_milliseconds(ns) := (rounded - (rounded % 1000000)) / 1000000 if rounded := ns + 999999

# What the local clock shows, in nanoseconds since midnight.
_since_midnight(timezone, time_ns) := ((time_ns % _day) + _day) % _day if {
	timezone == "UTC"
} else := shown if {
	[hour, minute, second] := time.clock([time_ns, timezone])
	shown := ((((hour * 3600) + (minute * 60)) + second) * _second) + (time_ns % _second)
}

_until_midnight(days, timezone, time_ns) := _milliseconds(midnight - time_ns) if {
	guess := (time_ns + (days * _day)) - _since_midnight(timezone, time_ns)
	midnight := _midnight_near(guess, timezone)
}

# The guess takes every day for 24 hours. Where the clocks changed on the way it is off by what the
# local clock shows at that moment.
_midnight_near(guess, timezone) := guess if {
	_since_midnight(timezone, guess) == 0
} else := midnight if {
	midnight := guess - _offset(_since_midnight(timezone, guess))
	_since_midnight(timezone, midnight) == 0
} else := guess

_offset(shown) := shown if {
	shown <= _day / 2
} else := shown - _day

_days_in(_, month) := 31 if month in {1, 3, 5, 7, 8, 10, 12}

_days_in(_, month) := 30 if month in {4, 6, 9, 11}

_days_in(year, month) := 29 if {
	month == 2
	_leap(year)
}

_days_in(year, month) := 28 if {
	month == 2
	not _leap(year)
}

_leap(year) if {
	year % 4 == 0
	year % 100 != 0
}

_leap(year) if year % 400 == 0
