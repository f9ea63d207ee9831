package hexarch.windows_test

import data.hexarch.windows

_at(text) := time.parse_rfc3339_ns(text)

_hour_ms := 3600000

test_short_windows_are_numbered_from_the_epoch if {
	windows.of("second", "UTC", 1500000000) == {"id": "1", "reset_ms": 500}
	windows.of("minute", "UTC", 60000000000) == {"id": "1", "reset_ms": 60000}
	windows.of("hour", "UTC", 3599999999999) == {"id": "0", "reset_ms": 1}
}

test_a_day_is_the_timezones_day if {
	windows.of("day", "UTC", _at("2026-03-02T23:30:00Z")) == {"id": "2026-03-02", "reset_ms": 1800000}
	windows.of("day", "Europe/Berlin", _at("2026-03-02T23:30:00Z")).id == "2026-03-03"
	windows.of("day", "UTC", _at("2026-03-02T00:00:00Z")) == {"id": "2026-03-02", "reset_ms": 24 * _hour_ms}
}

test_a_day_with_a_change_of_clocks_ends_at_midnight if {
	# 23 hours in spring, 25 in autumn.
	windows.of("day", "Europe/Berlin", _at("2026-03-28T23:00:00Z")).reset_ms == 23 * _hour_ms
	windows.of("day", "Europe/Berlin", _at("2026-10-24T22:00:00Z")).reset_ms == 25 * _hour_ms

	# After the change the day is like any other.
	windows.of("day", "Europe/Berlin", _at("2026-10-25T12:00:00Z")).reset_ms == 11 * _hour_ms
}

test_a_day_whose_midnight_is_skipped if {
	# In Beirut, 2026-03-28 ends at 24:00 and the 29th begins at 01:00.
	windows.of("day", "Asia/Beirut", _at("2026-03-28T12:00:00Z")).reset_ms == 10 * _hour_ms
}

test_a_week_is_named_after_its_monday if {
	windows.of("week", "UTC", _at("2026-03-01T12:00:00Z")) == {"id": "2026-02-23", "reset_ms": 12 * _hour_ms}
	windows.of("week", "UTC", _at("2026-03-02T00:00:00Z")) == {"id": "2026-03-02", "reset_ms": 168 * _hour_ms}
	windows.of("week", "Europe/Berlin", _at("2026-03-29T21:00:00Z")) == {"id": "2026-03-23", "reset_ms": _hour_ms}
}

test_a_month_ends_with_its_last_day if {
	windows.of("month", "UTC", _at("2024-02-29T23:00:00Z")) == {"id": "2024-02", "reset_ms": _hour_ms}
	windows.of("month", "UTC", _at("2100-02-28T23:00:00Z")) == {"id": "2100-02", "reset_ms": _hour_ms}
	windows.of("month", "UTC", _at("2026-12-31T22:00:00Z")) == {"id": "2026-12", "reset_ms": 2 * _hour_ms}
	windows.of("month", "America/New_York", _at("2026-12-31T22:00:00Z")).reset_ms == 7 * _hour_ms

	# March in Berlin is an hour short.
	windows.of("month", "Europe/Berlin", _at("2026-02-28T23:00:00Z")).reset_ms == ((31 * 24) - 1) * _hour_ms
	windows.of("month", "UTC", _at("2026-04-30T23:00:00Z")).reset_ms == _hour_ms
}

test_total_never_ends if windows.of("total", "UTC", 5) == {"id": "total"}

test_what_is_not_a_moment_has_no_window if {
	every moment in ["5", null, 1.5, true] {
		every period in ["second", "day", "week", "month", "total"] {
			not windows.of(period, "UTC", moment)
		}
	}
	not windows.of("fortnight", "UTC", 5)
	not windows.of("day", "Mars/Olympus", 5)
}
