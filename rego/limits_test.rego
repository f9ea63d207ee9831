package hexarch.limits_test

import data.hexarch.limits

_budget := {
	"rule": "rule_1",
	"id": "api.rule_1.monthly_budget",
	"kind": "budget",
	"window": {"period": "month", "timezone": "UTC"},
	"name": "monthly budget of $10.00",
	"max": 10000000,
	"warn_at": [80],
	"action": "block",
}

_rate := {
	"rule": "rule_1",
	"id": "api.rule_1.requests_per_minute",
	"kind": "rate",
	"window": {"period": "minute", "timezone": "UTC"},
	"name": "limit of 3 calls per minute",
	"max": 3,
	"action": "throttle",
}

# The last hour of March 2026.
_now := time.parse_rfc3339_ns("2026-03-31T23:00:00Z")

_costing(dollars) := {"time_ns": _now, "cost": dollars}

_spent(cells) := {_budget.id: {"all": {"2026-03": cells}}}

_counted(cells) := {_rate.id: {"all": {sprintf("%d", [_now / 60000000000]): cells}}}

test_a_call_within_the_budget_is_charged if {
	finding := limits.check(_budget) with input as _costing(2) with data.hexarch.state as {}
	finding == {
		"action": "allow",
		"within": _budget,
		"total": 2000000,
		"charge": {
			"limit": "api.rule_1.monthly_budget",
			"key": "all",
			"window": "2026-03",
			"amount": 2000000,
			"max": 10000000,
			"kind": "budget",
			"reset_ms": 3600000,
		},
	}
}

# With the windows at hand and without thresholds a budget has a shorter way, which leads to the same.
test_a_plain_budget_is_judged_as_others_are if {
	plain := object.remove(_budget, ["warn_at"])
	other := object.union(_budget, {"warn_at": []})
	calendar := {"UTC": {"month": {"id": "2026-03", "from_ms": 0, "until_ms": (_now / 1000000) + 3600000}}}
	states := array.concat([{}], [_spent(cells) | some cells in [{}, {"a": 1}, {"a": 4000000, "b": 5500000}, {"a": "x"}, [5], 7]])
	every state in states {
		every cost in [0, 0.0000005, 2, 10, 10.000001, -0.0000001, "2", null] {
			short := limits.check(plain) with input as _costing(cost) with data.hexarch.state as state with data.hexarch.calendar as calendar
			short == limits.check_budget(plain) with input as _costing(cost) with data.hexarch.state as state with data.hexarch.calendar as calendar
			long := limits.check(other) with input as _costing(cost) with data.hexarch.state as state with data.hexarch.calendar as calendar
			object.remove(short, ["within"]) == object.remove(long, ["within"])
			object.get(short, "within", plain) == plain
		}
	}
}

# Whoever asks may have counted the micro-dollars; what is no such number is made of the dollars.
test_micro_dollars_are_taken_as_they_are_told if {
	told := limits.check(_budget) with input as {"time_ns": _now, "cost_micros": 3, "cost": 0.0000021} with data.hexarch.state as {}
	told.charge.amount == 3
	alone := limits.check(_budget) with input as {"time_ns": _now, "cost_micros": 0} with data.hexarch.state as {}
	alone.charge.amount == 0
	every micros in [-1, 0.5, "3", null, [3]] {
		call := {"time_ns": _now, "cost_micros": micros, "cost": 0.000004}
		counted := limits.check(_budget) with input as call with data.hexarch.state as {}
		counted.action == "allow"
		counted.charge.amount == 4
		refused := limits.check(_budget) with input as {"time_ns": _now, "cost_micros": micros}
		refused.action == "block"
	}
}

test_the_cells_of_all_replicas_are_summed if {
	state := _spent({"a": 4000000, "b": 5500000})
	finding := limits.check(_budget) with input as _costing(0.5) with data.hexarch.state as state
	finding.total == 10000000
	refused := limits.check(_budget) with input as _costing(0.500001) with data.hexarch.state as state
	refused.action == "block"
	refused.remaining == 500000
	refused.retry_after_ms == 3600000
	refused.reason == "the monthly budget of $10.00 is exceeded: $9.50 is used and the call costs $0.500001"
	not refused.charge
}

test_another_window_does_not_count if {
	finding := limits.check(_budget) with input as _costing(1)
		with data.hexarch.state as {_budget.id: {"all": {"2026-02": {"a": 10000000}}}}
	finding.total == 1000000
}

test_a_warning_begins_at_its_percentage if {
	silent := limits.check(_budget) with input as _costing(7.999999) with data.hexarch.state as {}
	silent.action == "allow"
	loud := limits.check(_budget) with input as _costing(8) with data.hexarch.state as {}
	loud.action == "warn"
	loud.reason == "80% of the monthly budget of $10.00 is used"
	loud.charge.amount == 8000000
}

test_a_percentage_is_warned_about_once if {
	two := object.union(_budget, {"warn_at": [80, 95]})
	after := limits.check(two) with input as _costing(0.5) with data.hexarch.state as _spent({"a": 8000000})
	after.action == "allow"
	again := limits.check(two) with input as _costing(1.5) with data.hexarch.state as _spent({"a": 8000000})
	again.action == "warn"
	again.reason == "95% of the monthly budget of $10.00 is used"
	beyond := limits.check(two) with input as _costing(0.1) with data.hexarch.state as _spent({"a": 9500000})
	beyond.action == "allow"
	both := limits.check(two) with input as _costing(10) with data.hexarch.state as {}
	both.reason == "100% of the monthly budget of $10.00 is used"
}

test_what_never_fits_is_not_worth_waiting_for if {
	finding := limits.check(_budget) with input as _costing(10.000001) with data.hexarch.state as {}
	finding.action == "block"
	not finding.retry_after_ms
}

test_a_cost_that_cannot_be_counted_is_blocked if {
	every cost in ["1", -0.01, null, true, [1]] {
		finding := limits.check(_budget) with input as _costing(cost)
		finding.action == "block"
	}
	unsaid := limits.check(_budget) with input as {"time_ns": _now}
	unsaid.reason == "the call does not say its cost, which this policy counts"
	free := limits.check(_budget) with input as _costing(0)
	free.action == "allow"
}

test_a_time_or_a_state_that_cannot_be_read_is_blocked if {
	every now in ["now", 1.5, null] {
		finding := limits.check(_rate) with input as {"time_ns": now}
		finding.action == "block"
	}
	every cells in [{"a": "1"}, {"a": null}, "none", 3, [1]] {
		finding := limits.check(_rate) with input as {"time_ns": _now} with data.hexarch.state as _counted(cells)
		finding.action == "block"
		finding.reason == "the limit of 3 calls per minute cannot be checked: the time or the state is malformed"
	}
}

test_a_rate_counts_calls if {
	last := limits.check(_rate) with input as {"time_ns": _now} with data.hexarch.state as _counted({"a": 2})
	last.action == "allow"
	last.charge.amount == 1
	more := limits.check(_rate) with input as {"time_ns": _now} with data.hexarch.state as _counted({"a": 2, "b": 1})
	more.action == "throttle"
	more.reason == "the limit of 3 calls per minute is reached"
	more.retry_after_ms == 60000
}

test_a_limit_that_only_warns_is_charged_with_no_ceiling_to_speak_of if {
	soft := object.union(_budget, {"action": "warn"})
	within := limits.check(soft) with input as _costing(0.000001) with data.hexarch.state as {}
	within.charge.max == 9007199254740991
	beyond := limits.check(soft) with input as _costing(0.000002) with data.hexarch.state as _spent({"a": 9999999})
	beyond.action == "warn"
	beyond.remaining == 0
	beyond.charge.amount == 2
	beyond.charge.max == 9007199254740991
}

test_a_confirmation_lifts_a_limit_for_one_call if {
	asking := object.union(_budget, {"action": "require_confirmation"})
	full := _spent({"a": 10000000})
	unconfirmed := limits.check(asking) with input as _costing(0.000002) with data.hexarch.state as full
	unconfirmed.action == "require_confirmation"
	not unconfirmed.charge
	call := object.union(_costing(0.000002), {"confirmed": true})
	confirmed := limits.check(asking) with input as call with data.hexarch.state as full
	confirmed.action == "allow"
	confirmed.charge.max == 9007199254740991
}

_tokens := object.union(_budget, {
	"id": "api.rule_1.max_tokens_per_hour",
	"kind": "tokens",
	"window": {"period": "hour", "timezone": "UTC"},
	"name": "limit of 1000 tokens per hour",
	"max": 1000,
})

test_tokens_are_counted_as_the_call_says if {
	finding := limits.check(_tokens) with input as {"time_ns": _now, "tokens": 400} with data.hexarch.state as {}
	finding.charge.amount == 400
	finding.charge.kind == "budget"
	finding.total == 400
	spent := {_tokens.id: {"all": {sprintf("%d", [_now / 3600000000000]): {"a": 700}}}}
	refused := limits.check(_tokens) with input as {"time_ns": _now, "tokens": 301} with data.hexarch.state as spent
	refused.action == "block"
	refused.reason == "the limit of 1000 tokens per hour is exceeded: 700 are used and the call takes 301"
}

test_tokens_that_cannot_be_counted_are_blocked if {
	every tokens in ["1", -1, 0.5, null, [1]] {
		finding := limits.check(_tokens) with input as {"time_ns": _now, "tokens": tokens}
		finding.action == "block"
		finding.reason == "the call's tokens are not a whole number, zero or more"
	}
	unsaid := limits.check(_tokens) with input as {"time_ns": _now}
	unsaid.reason == "the call does not say its tokens, which this policy counts"
}

_iterations := object.union(_rate, {
	"id": "api.rule_1.max_iterations",
	"kind": "iterations",
	"window": {"period": "session"},
	"name": "limit of 3 iterations",
})

test_iterations_are_counted_by_session if {
	call := {"time_ns": _now, "session": {"id": "a", "started_ns": _now}}
	first := limits.check(_iterations) with input as call with data.hexarch.state as {}
	first.charge == {
		"limit": "api.rule_1.max_iterations",
		"key": "a",
		"window": "session",
		"amount": 1,
		"max": 3,
		"kind": "rate",
		"reset_ms": 86400000,
	}
	full := {_iterations.id: {"a": {"session": {"r": 3}}}}
	fourth := limits.check(_iterations) with input as call with data.hexarch.state as full
	fourth.reason == "the limit of 3 iterations is reached"
	not fourth.retry_after_ms
	other := object.union(call, {"session": {"id": "b", "started_ns": _now}})
	allowed := limits.check(_iterations) with input as other with data.hexarch.state as full
	allowed.action == "allow"
	unsaid := limits.check(_iterations) with input as {"time_ns": _now}
	unsaid.action == "block"
	unsaid.reason == "the call does not say its session, which this policy counts by"
	every started in [_now + 1, _now - 86400000000000, null, "now"] {
		old := limits.check(_iterations) with input as {"time_ns": _now, "session": {"id": "a", "started_ns": started}}
		old.action == "block"
		old.reason == "the session did not begin within the last day, or the call does not say when"
	}
	later := {"time_ns": _now + 1000000000, "session": {"id": "a", "started_ns": _now}}
	second := limits.check(_iterations) with input as later with data.hexarch.state as {}
	second.charge.reset_ms == 86399000
}

test_total_has_no_end if {
	total := object.union(_budget, {"window": {"period": "total"}})
	finding := limits.check(total) with input as _costing(0.000001) with data.hexarch.state as {}
	finding.charge.window == "total"
	not finding.charge.reset_ms
	full := {_budget.id: {"all": {"total": {"a": 10000000}}}}
	refused := limits.check(total) with input as _costing(0.000001) with data.hexarch.state as full
	refused.action == "block"
	not refused.retry_after_ms
}

test_dollars if {
	limits.dollars(0) == "$0.00"
	limits.dollars(12340000) == "$12.34"
	limits.dollars(1000) == "$0.001000"
	limits.dollars(1000000000000) == "$1000000.00"
}

test_dollars_become_whole_micro_dollars if {
	every dollars, micros in {0: 0, 0.1: 100000, 0.29: 290000, 1.1: 1100000, 4.35: 4350000, 1e-6: 1, 123456.789012: 123456789012} {
		limits.micro_dollars(dollars) == micros
	}
}

test_what_lies_below_a_micro_dollar_is_rounded_up if {
	every dollars, micros in {0.0000001: 1, 0.0000009: 1, 0.1000001: 100001, 0.1000009: 100001, 2.00000005: 2000001} {
		limits.micro_dollars(dollars) == micros
	}
}

test_what_slides_or_leaks_is_left_to_the_store if {
	sliding := object.union(_rate, {"algorithm": "sliding", "span_ms": 60000})
	every state in [{}, _counted({"a": 99}), {sliding.id: {"all": {"sliding": {"a": 99}}}}, {sliding.id: 7}] {
		finding := limits.check(sliding) with input as {"time_ns": _now} with data.hexarch.state as state
		finding.action == "allow"
		not finding.remaining
		finding.charge == {
			"limit": sliding.id,
			"key": "all",
			"window": "sliding",
			"amount": 1,
			"max": 3,
			"kind": "rate",
			"algorithm": "sliding",
			"span_ms": 60000,
		}
	}
}

_now_in_minutes := format_int(_now / 60000000000, 10)

test_a_limit_is_counted_apart_for_each_value if {
	call := {"time_ns": _now, "user": {"id": "ann@example.com"}, "context": {"tenant": "all"}}
	state := {_rate.id: {"ann@example.com": {_now_in_minutes: {"a": 2}}, "ben": {_now_in_minutes: {"a": 3}}}}
	finding := limits.check_per("user.id", _rate) with input as call with data.hexarch.state as state
	finding.total == 3
	finding.charge == {
		"limit": _rate.id,
		"key": "ann@example.com",
		"window": _now_in_minutes,
		"amount": 1,
		"max": 3,
		"kind": "rate",
		"reset_ms": 60000,
	}
	other := object.union(call, {"user": {"id": "ben"}})
	refused := limits.check_per("user.id", _rate) with input as other with data.hexarch.state as state
	refused.reason == "the limit of 3 calls per minute is reached"
	tenant := limits.check_per("context.tenant", _rate) with input as call with data.hexarch.state as state
	tenant.charge.key == "all"
	sliding := object.union(_rate, {"algorithm": "sliding", "span_ms": 60000})
	left := limits.check_per("user.id", sliding) with input as call with data.hexarch.state as state
	left.charge.key == "ann@example.com"
	round := limits.check_per("context.tenant", _iterations) with input.user as {"id": "ann"}
		with input.session as {"id": "s", "started_ns": _now}
		with input.time_ns as _now
		with input.context.tenant as "t"
	round.charge.key == "t"
}

test_a_call_that_does_not_say_what_a_limit_is_counted_by_is_blocked if {
	every call in [{}, {"user": "ann"}, {"user": {"id": ""}}, {"user": {"id": 7}}, {"user": {"id": null}}, [], "user"] {
		finding := limits.check_per("user.id", _rate) with input as call with input.time_ns as _now
		finding.action == "block"
		finding.reason == "the call does not say its `user.id`, which this policy counts by"
	}
	every path in ["", ".", "user", "user.id.name", 7, null, ["user", "id"]] {
		call := {"time_ns": _now, "user": {"id": "ann"}}
		finding := limits.check_per(path, _rate) with input as call
		finding.action == "block"
	}
}

test_a_limit_without_a_member_never_lets_a_call_pass_beyond_it if {
	every name in object.keys(_budget) - {"warn_at"} {
		limit := object.remove(_budget, [name])
		finding := limits.check(limit) with input as _costing(1) with data.hexarch.state as _spent({"a": 10000000})
		finding.action == "block"
	}
	nameless := object.remove(_budget, ["name"])
	finding := limits.check(nameless) with input as _costing(1) with data.hexarch.state as _spent({"a": 10000000})
	finding == {"action": "block", "reason": "a limit of this policy has no `rule`, no `id` or no `name`"}
}
