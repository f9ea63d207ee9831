package hexarch.conditions_test

import data.hexarch.conditions

_missing := conditions.equals("context.a", null, 5)

_error := conditions.equals("context.b", "5", 5)

_kinds(answer) := {one.kind | some one in answer}

test_a_condition_on_nothing_has_no_answer if {
	every answer in [
		_missing,
		conditions.not_equals("f", null, "a"),
		conditions.one_of("f", null, ["a"]),
		conditions.none_of("f", null, ["a"]),
		conditions.greater_than("f", null, 1),
		conditions.at_least("f", null, 1),
		conditions.less_than("f", null, 1),
		conditions.at_most("f", null, 1),
		conditions.between("f", null, 1, 2),
		conditions.includes("f", null, "a"),
		conditions.excludes("f", null, "a"),
		conditions.starts_with("f", null, "a"),
		conditions.ends_with("f", null, "a"),
		conditions.matches("f", null, "a"),
		conditions.is_true("f", null),
		conditions.is_false("f", null),
		conditions.answered("f", null, "g", [true]),
	] {
		_kinds(answer) == {"missing"}
	}
	conditions.exists(null) == false
	conditions.exists(false)
}

test_a_value_of_another_type_is_an_error if {
	every answer in [
		_error,
		conditions.not_equals("f", 5, "5"),
		conditions.one_of("f", true, ["true"]),
		conditions.none_of("f", {}, ["a"]),
		conditions.greater_than("f", "2", 1),
		conditions.at_least("f", [2], 1),
		conditions.less_than("f", false, 1),
		conditions.at_most("f", {"a": 1}, 1),
		conditions.between("f", "1", 1, 2),
		conditions.includes("f", 5, "a"),
		conditions.includes("f", "5", 5),
		conditions.excludes("f", ["a", 5], "a"),
		conditions.starts_with("f", ["a"], "a"),
		conditions.ends_with("f", 5, "a"),
		conditions.matches("f", 5, "5"),
		conditions.is_true("f", "true"),
		conditions.is_false("f", 0),
		conditions.answered("f", 5, "g", []),
		conditions.answered("f", 5, "g", ["yes"]),
	] {
		_kinds(answer) == {"error"}
	}
}

# Held, not held, missing, error: the rows and columns of the tables.
_answers := [true, false, _missing, _error]

_short(answer) := "H" if answer == true

_short(answer) := "N" if answer == false

_short(answer) := "M" if _kinds(answer) == {"missing"}

_short(answer) := "E" if "error" in _kinds(answer)

test_what_all_of_makes_of_two_answers if {
	table := [[_short(conditions.all_of([a, b])) | some b in _answers] | some a in _answers]
	table == [
		["H", "N", "M", "E"],
		["N", "N", "N", "N"],
		["M", "N", "M", "E"],
		["E", "N", "E", "E"],
	]
}

test_what_any_of_makes_of_two_answers if {
	table := [[_short(conditions.any_of([a, b])) | some b in _answers] | some a in _answers]
	table == [
		["H", "H", "H", "H"],
		["H", "N", "M", "E"],
		["H", "M", "M", "E"],
		["H", "E", "E", "E"],
	]
}

test_what_is_made_of_the_opposite if {
	[_short(conditions.negated(a)) | some a in _answers] == ["N", "H", "M", "E"]
}

test_everything_in_the_way_is_told if {
	[one.field | some one in conditions.all_of([_missing, true, _error])] == ["context.a", "context.b"]
}

_rule(id, actions, answer) := {"actions": actions, "reason": id, "metadata": {"rule": id}, "answer": answer}

_summary(rules, otherwise) := [[finding.order, finding.action, finding.reason] |
	some finding in conditions.findings({"policy": "p"}, 3, rules, otherwise)
]

test_the_first_rule_that_settles_it_ends_it if {
	held := _rule("held", ["block"], true)
	_summary([_rule("not", ["block"], false), held, held], "allow") == [[4, "block", "held"]]
	_summary([_rule("ok", ["allow"], true), held], "block") == [[3, "allow", "ok"]]
	_summary([_rule("ok", ["allow"], true), _rule("none", ["block"], _missing)], "allow") == [[3, "allow", "ok"]]
}

test_a_warning_is_told_along if {
	warned := _rule("w", ["warn"], true)
	_summary([warned, _rule("b", ["block"], true)], "allow") == [[3, "warn", "w"], [4, "block", "b"]]
	_summary([warned, _rule("a", ["warn", "allow"], true), warned], "allow") == [[3, "warn", "w"], [4, "warn", "a"]]
}

test_otherwise_where_nothing_ended_it if {
	_summary([_rule("w", ["warn"], true)], "block") == [[3, "warn", "w"], [4, "block", "no rule allows it"]]
	_summary([], "block") == [[3, "block", "no rule allows it"]]
	_summary([], "allow") == []
}

test_a_confirmation_lets_the_next_rule_speak if {
	rules := [_rule("c", ["require_confirmation", "warn"], true), _rule("b", ["block"], true)]
	_summary(rules, "allow") == [[3, "require_confirmation", "c"]] with input as {}
	_summary(rules, "allow") == [[3, "warn", "c"], [4, "block", "b"]] with input as {"confirmed": true}
}

test_a_rule_says_who_approves_in_place_of_the_policy if {
	asks := _rule("c", ["require_confirmation"], true)
	rules := [object.union(asks, {"confirm": {"approvers": ["ann"], "four_eyes": true}})]
	[finding] := conditions.findings({"policy": "p", "approvers": ["bob"], "approvals": 2}, 1, rules, "allow") with input as {}
	finding.confirm == {
		"policy": "p",
		"rule": "c",
		"approvers": ["ann"],
		"four_eyes": true,
		"approvals": 2,
	}
}

test_a_rule_without_an_answer_blocks_whatever_it_does if {
	every action in ["allow", "block", "require_confirmation", "warn"] {
		[finding] := conditions.findings({"policy": "p"}, 1, [_rule("r", [action], _missing)], "allow")
		finding.action == "block"
		finding.reason == "rule `r` has no answer: the call does not say `context.a`"
		finding.metadata == {"rule": "r", "undecided": {"context.a"}}
	}
}
