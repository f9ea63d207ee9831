package hexarch.loops_test

import data.hexarch.loops

_call(started) := {"time_ns": 100, "session": {"id": "s", "started_ns": started}}

test_the_bound_belongs_to_it if {
	loops.running_within(60) with input as _call(40)
	not loops.running_within(60) with input as _call(39)
	loops.running_within(60) with input as _call(100)
}

test_what_begins_in_the_future_is_not_running if not loops.running_within(60) with input as _call(101)

test_without_a_session_nothing_is_known if {
	every call in [
		{"time_ns": 100},
		{"time_ns": 100, "session": {"id": "", "started_ns": 90}},
		{"time_ns": 100, "session": {"started_ns": 90}},
		{"time_ns": 100, "session": {"id": "s", "started_ns": "90"}},
		{"time_ns": 100, "session": {"id": "s"}},
		{"session": {"id": "s", "started_ns": 90}},
	] {
		not loops.running_within(60) with input as call
	}
}
