package hexarch.parameters_test

import data.hexarch.parameters

_call(value) := {"context": {"amount": value}}

test_the_bounds_belong_to_the_range if {
	every value in [1, 50, 100, 1.0, 99.999] {
		parameters.within("amount", 1, 100) with input as _call(value)
	}
	every value in [0.999, 0, -1, 100.001, 1e9] {
		not parameters.within("amount", 1, 100) with input as _call(value)
	}
}

test_a_bound_may_be_missing if {
	parameters.within("amount", null, 100) with input as _call(-1000000)
	parameters.within("amount", -5, null) with input as _call(1000000)
	not parameters.within("amount", -5, null) with input as _call(-6)
}

test_what_is_no_number_is_not_within if {
	every value in ["50", null, true, [50], {"amount": 50}] {
		not parameters.within("amount", 1, 100) with input as _call(value)
	}
	not parameters.within("amount", 1, 100) with input as {"context": {}}
	not parameters.within("amount", 1, 100) with input as {}
}

test_length_is_in_characters_and_items if {
	every value in ["", "abc", "äöü", [1, 2, 3], []] {
		parameters.short("amount", 3) with input as _call(value)
	}
	every value in ["abcd", "äöüß", [1, 2, 3, 4], 123, null, {"a": 1}, true] {
		not parameters.short("amount", 3) with input as _call(value)
	}
	not parameters.short("amount", 3) with input as {}
}
