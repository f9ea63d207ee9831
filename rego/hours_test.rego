package hexarch.hours_test

import data.hexarch.hours

_at(text) := {"time_ns": time.parse_rfc3339_ns(text)}

_office := [{"from": [9, 0], "to": [17, 0]}]

_night := [{"from": [22, 0], "to": [6, 0]}]

test_the_beginning_belongs_to_a_range_and_the_end_does_not if {
	hours.during(_office, "UTC") with input as _at("2026-03-02T09:00:00Z")
	hours.during(_office, "UTC") with input as _at("2026-03-02T16:59:59Z")
	not hours.during(_office, "UTC") with input as _at("2026-03-02T17:00:00Z")
	not hours.during(_office, "UTC") with input as _at("2026-03-02T08:59:59Z")
}

test_a_range_may_go_past_midnight if {
	every moment in ["2026-03-02T22:00:00Z", "2026-03-02T23:59:59Z", "2026-03-02T00:00:00Z", "2026-03-02T05:59:59Z"] {
		hours.during(_night, "UTC") with input as _at(moment)
		not hours.outside(hours.every_day, _night, "UTC") with input as _at(moment)
	}
	every moment in ["2026-03-02T06:00:00Z", "2026-03-02T21:59:59Z"] {
		not hours.during(_night, "UTC") with input as _at(moment)
		hours.outside(hours.every_day, _night, "UTC") with input as _at(moment)
	}
}

test_hours_are_those_of_the_timezone if {
	hours.during(_office, "Europe/Berlin") with input as _at("2026-07-01T07:00:00Z")
	not hours.during(_office, "Europe/Berlin") with input as _at("2026-01-15T07:00:00Z")
	hours.during(_office, "Asia/Kolkata") with input as _at("2026-03-02T03:30:00Z")
}

test_a_day_can_be_meant_whole if {
	weekend := {"Saturday", "Sunday"}
	not hours.outside(weekend, hours.whole_day, "UTC") with input as _at("2026-03-07T00:00:00Z")
	not hours.outside(weekend, hours.whole_day, "UTC") with input as _at("2026-03-08T23:59:59Z")
	hours.outside(weekend, hours.whole_day, "UTC") with input as _at("2026-03-09T00:00:00Z")
}

test_past_midnight_counts_to_the_day_on_which_the_range_began if {
	friday := {"Friday"}
	not hours.outside(friday, _night, "UTC") with input as _at("2026-03-06T22:00:00Z")
	not hours.outside(friday, _night, "UTC") with input as _at("2026-03-07T05:00:00Z")
	hours.outside(friday, _night, "UTC") with input as _at("2026-03-06T05:00:00Z")
	hours.outside(friday, _night, "UTC") with input as _at("2026-03-07T22:00:00Z")
}

test_without_a_readable_time_nothing_is_known if {
	every call in [{}, {"time_ns": "5"}, {"time_ns": null}] {
		not hours.during([{"from": [0, 0], "to": [24, 0]}], "UTC") with input as call
		not hours.outside(hours.every_day, _night, "UTC") with input as call
	}
}
