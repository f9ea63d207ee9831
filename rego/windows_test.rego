package hexarch.windows_test

import data.hexarch.windows

_at(text) := time.parse_rfc3339_ns(text)

_hour_ms := 3600000

test_short_windows_are_numbered_from_the_epoch if {
	windows.at("second", "UTC", 1500000000) == {"id": "1", "reset_ms": 500}
	windows.at("minute", "UTC", 60000000000) == {"id": "1", "reset_ms": 60000}
	windows.at("hour", "UTC", 3599999999999) == {"id": "0", "reset_ms": 1}
}

test_a_day_is_the_timezones_day if {
	windows.at("day", "UTC", _at("2026-03-02T23:30:00Z")) == {"id": "2026-03-02", "reset_ms": 1800000}
	windows.at("day", "Europe/Berlin", _at("2026-03-02T23:30:00Z")).id == "2026-03-03"
	windows.at("day", "UTC", _at("2026-03-02T00:00:00Z")) == {"id": "2026-03-02", "reset_ms": 24 * _hour_ms}
}

test_a_day_with_a_change_of_clocks_ends_at_midnight if {
	# 23 hours in spring, 25 in autumn.
	windows.at("day", "Europe/Berlin", _at("2026-03-28T23:00:00Z")).reset_ms == 23 * _hour_ms
	windows.at("day", "Europe/Berlin", _at("2026-10-24T22:00:00Z")).reset_ms == 25 * _hour_ms

	# After the change the day is like any other.
	windows.at("day", "Europe/Berlin", _at("2026-10-25T12:00:00Z")).reset_ms == 11 * _hour_ms
}

test_a_day_whose_midnight_is_skipped if {
	# In Beirut, 2026-03-28 ends at 24:00 and the 29th begins at 01:00.
	windows.at("day", "Asia/Beirut", _at("2026-03-28T12:00:00Z")).reset_ms == 10 * _hour_ms
}

test_a_week_is_named_after_its_monday if {
	windows.at("week", "UTC", _at("2026-03-01T12:00:00Z")) == {"id": "2026-02-23", "reset_ms": 12 * _hour_ms}
	windows.at("week", "UTC", _at("2026-03-02T00:00:00Z")) == {"id": "2026-03-02", "reset_ms": 168 * _hour_ms}
	windows.at("week", "Europe/Berlin", _at("2026-03-29T21:00:00Z")) == {"id": "2026-03-23", "reset_ms": _hour_ms}
}

test_a_month_ends_with_its_last_day if {
	windows.at("month", "UTC", _at("2024-02-29T23:00:00Z")) == {"id": "2024-02", "reset_ms": _hour_ms}
	windows.at("month", "UTC", _at("2100-02-28T23:00:00Z")) == {"id": "2100-02", "reset_ms": _hour_ms}
	windows.at("month", "UTC", _at("2026-12-31T22:00:00Z")) == {"id": "2026-12", "reset_ms": 2 * _hour_ms}
	windows.at("month", "America/New_York", _at("2026-12-31T22:00:00Z")).reset_ms == 7 * _hour_ms

	# March in Berlin is an hour short.
	windows.at("month", "Europe/Berlin", _at("2026-02-28T23:00:00Z")).reset_ms == ((31 * 24) - 1) * _hour_ms
	windows.at("month", "UTC", _at("2026-04-30T23:00:00Z")).reset_ms == _hour_ms
}

test_total_never_ends if windows.at("total", "UTC", 5) == {"id": "total"}

test_what_is_not_a_moment_has_no_window if {
	every moment in ["5", null, 1.5, true] {
		every period in ["second", "day", "week", "month", "total"] {
			not windows.at(period, "UTC", moment)
		}
	}
	not windows.at("fortnight", "UTC", 5)
	not windows.at("day", "Mars/Olympus", 5)
}

_kept := {"UTC": {"day": {"id": "kept", "from_ms": 1000, "until_ms": 5000}}}

test_a_window_that_is_kept_is_taken_until_it_ends if {
	first := windows.of("day", "UTC") with data.hexarch.calendar as _kept with input.time_ns as 1000000000
	first == {"id": "kept", "reset_ms": 4000}
	last := windows.of("day", "UTC") with data.hexarch.calendar as _kept with input.time_ns as 4999999999
	last == {"id": "kept", "reset_ms": 1}
	every moment in [999999999, 5000000000] {
		window := windows.of("day", "UTC") with data.hexarch.calendar as _kept with input.time_ns as moment
		window.id == "1970-01-01"
	}
	other := windows.of("week", "UTC") with data.hexarch.calendar as _kept with input.time_ns as 4999999999
	other.id == "1969-12-29"
	not windows.of("day", "UTC") with data.hexarch.calendar as _kept with input.time_ns as 1000000000.5
	not windows.of("day", "UTC") with data.hexarch.calendar as _kept with input.time_ns as "now"
	before := windows.of("day", "UTC") with data.hexarch.calendar as _kept with input.time_ns as -1000000
	before.id == "1969-12-31"
}

test_a_calendar_that_is_malformed_is_not_used if {
	every kept in [7, {"id": "x"}, {"id": "x", "from_ms": 0, "until_ms": "z"}, {"id": "x", "from_ms": "a", "until_ms": 9}] {
		window := windows.of("day", "UTC") with data.hexarch.calendar as {"UTC": {"day": kept}}
			with input.time_ns as 1000000
		window.id == "1970-01-01"
	}
}

test_what_is_kept_tells_what_is_computed if {
	zones := ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Beirut"]
	every time_ns in [_at("2026-03-28T12:34:56.789012345Z"), _at("2026-10-25T00:30:00Z"), 0] {
		every timezone in zones {
			every period in ["hour", "day", "week", "month"] {
				kept := windows.kept(period, timezone) with input.time_ns as time_ns
				every later in [0, 1, 999999, 1000000, 1500000] {
					moment := time_ns + later
					taken := windows.of(period, timezone) with input.time_ns as moment
						with data.hexarch.calendar as {timezone: {period: kept}}
					taken == windows.at(period, timezone, moment)
				}
			}
		}
	}
}
