package hexarch.decisions_test

import data.hexarch.decisions

_finding(order, action) := {"action": action, "reason": sprintf("finding %d", [order])}

_permits := {"allow": true, "warn": true, "queue": false, "throttle": false, "require_confirmation": false, "block": false}

test_without_findings_the_call_is_allowed if {
	decisions.decide("p", {}) == {
		"allowed": true,
		"action": "allow",
		"reason": "policy `p` has nothing against this call",
		"charges": [],
	}
}

test_the_heaviest_action_wins if {
	actions := ["allow", "warn", "queue", "throttle", "require_confirmation", "block"]
	every heavy, action in actions {
		findings := {5 - order: _finding(5 - order, lighter) | some order, lighter in actions; order <= heavy}
		decision := decisions.decide("p", findings)
		decision.action == action
		decision.allowed == _permits[action]
	}
}

test_the_first_of_equals_speaks if {
	decision := decisions.decide("p", {3: _finding(3, "block"), 2: _finding(2, "block"), 1: _finding(1, "warn")})
	decision.reason == "finding 2"
}

test_an_allowed_call_is_charged_to_every_limit_in_order if {
	first := object.union(_finding(2, "allow"), {"charge": {"limit": "a"}})
	second := object.union(_finding(10, "warn"), {"charge": {"limit": "b"}, "limit": "b", "remaining": 4, "rule": "r"})
	decision := decisions.decide("p", {10: second, 2: first})
	decision.charges == [{"limit": "a"}, {"limit": "b"}]
	decision.limit == "b"
	decision.remaining == 4
	decision.metadata == {"rule": "r"}
}

_month := {"rule": "r1", "id": "p.r1.month", "name": "monthly budget of $10.00", "max": 10}

_within(limit, total) := {"action": "allow", "within": limit, "total": total, "charge": {"limit": limit.id}}

_told := {
	"allowed": true,
	"action": "allow",
	"reason": "within the monthly budget of $10.00",
	"limit": "p.r1.month",
	"remaining": 3,
	"metadata": {"rule": "r1"},
}

test_the_first_limit_speaks_for_a_call_within_all_of_them if {
	day := object.union(_month, {"id": "p.r2.day"})
	decision := decisions.decide("p", {10: _within(day, 9), 2: _within(_month, 7)})
	decision == object.union(_told, {"charges": [{"limit": "p.r1.month"}, {"limit": "p.r2.day"}]})
}

test_a_limit_is_told_of_as_well_where_other_rules_allow_the_call if {
	decision := decisions.decide("p", {1: _within(_month, 7), 2: _finding(2, "allow")})
	decision == object.union(_told, {"charges": [{"limit": "p.r1.month"}]})
	other := decisions.decide("p", {1: _finding(1, "allow"), 2: _within(_month, 7)})
	other.reason == "finding 1"
	other.charges == [{"limit": "p.r1.month"}]
	warned := decisions.decide("p", {1: _within(_month, 7), 2: _finding(2, "warn")})
	warned.action == "warn"
	warned.charges == [{"limit": "p.r1.month"}]
}

test_a_denied_call_is_not_charged if {
	charged := object.union(_finding(1, "allow"), {"charge": {"limit": "a"}})
	refused := object.union(_finding(2, "throttle"), {"limit": "b", "remaining": 0, "retry_after_ms": 7})
	decisions.decide("p", {1: charged, 2: refused}) == {
		"allowed": false,
		"action": "throttle",
		"reason": "finding 2",
		"limit": "b",
		"remaining": 0,
		"retry_after_ms": 7,
	}
}

test_what_to_confirm_is_passed_on if {
	asked := object.union(_finding(1, "require_confirmation"), {"confirm": {"policy": "p", "rule": "r"}})
	decisions.decide("p", {1: asked}).confirm == {"policy": "p", "rule": "r"}
}

test_an_unknown_action_is_no_decision if not decisions.decide("p", {1: _finding(1, "shrug")})
