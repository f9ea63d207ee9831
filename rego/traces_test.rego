package hexarch.traces_test

import data.hexarch.traces

_held := traces.condition(2, "operation", "equals", "read", "read", true)

_not := traces.condition(3, "operation", "equals", "write", "read", false)

test_groups_tell_what_they_are_made_of if {
	all := traces.all_of(1, [_held, _not])
	all.answer == false
	all.operator == "all"
	all.conditions[1].line == 3
	traces.any_of(1, [_held, _not]).answer == true
	traces.negated(1, _not).answer == true
}
