# METADATA
# title: Conditions
# description: |
#   What rules with conditions ask of a call, and what follows from the answers. The answer of a condition is
#   `true` (it held), `false` (it did not), or, where nobody can say, the list of what is in the way: fields
#   that the call does not say, and values of another type than the condition compares. `null` is not said.
#   A list never counts as an answer: where one decides, the call is blocked.
package hexarch.conditions

import data.hexarch.calls

# METADATA
# description: Every condition holds. One that does not hold settles it, whatever the others say.
all_of(answers) := false if {
	false in answers
} else := trouble if {
	trouble := _trouble(answers)
	count(trouble) > 0
} else := true

# METADATA
# description: At least one condition holds. One that does settles it, whatever the others say.
any_of(answers) if {
	true in answers
} else := trouble if {
	trouble := _trouble(answers)
	count(trouble) > 0
} else := false

# METADATA
# description: The opposite. What nobody can say stays so.
negated(answer) := answer == false if {
	is_boolean(answer)
} else := answer

_trouble(answers) := [one |
	some answer in answers
	is_array(answer)
	some one in answer
]

# METADATA
# description: The value is what is expected, which is a text, a number or a truth.
equals(field, value, expected) := value == expected if {
	type_name(value) == type_name(expected)
} else := _unclear(field, value, [type_name(expected)])

# METADATA
# description: The value is another one.
not_equals(field, value, expected) := negated(equals(field, value, expected))

# METADATA
# description: The value is in the list, whose items are all of one type.
one_of(field, value, items) := value in items if {
	type_name(value) == type_name(items[0])
} else := _unclear(field, value, [type_name(items[0])])

# METADATA
# description: The value is not in the list.
none_of(field, value, items) := negated(one_of(field, value, items))

# METADATA
# description: The value is a number above the bound.
greater_than(field, value, bound) := value > bound if {
	is_number(value)
} else := _unclear(field, value, ["number"])

# METADATA
# description: The value is a number, and the bound or above it.
at_least(field, value, bound) := value >= bound if {
	is_number(value)
} else := _unclear(field, value, ["number"])

# METADATA
# description: The value is a number below the bound.
less_than(field, value, bound) := value < bound if {
	is_number(value)
} else := _unclear(field, value, ["number"])

# METADATA
# description: The value is a number, and the bound or below it.
at_most(field, value, bound) := value <= bound if {
	is_number(value)
} else := _unclear(field, value, ["number"])

# METADATA
# description: The value is a number between the bounds, or one of them.
between(field, value, low, high) := all_of([value >= low, value <= high]) if {
	is_number(value)
} else := _unclear(field, value, ["number"])

# METADATA
# description: The value is a text with this text in it, or a list with this item, whose items are of the item's type.
includes(field, value, expected) := contains(value, expected) if {
	is_string(value)
	is_string(expected)
} else := expected in value if {
	is_array(value)
	every item in value {
		type_name(item) == type_name(expected)
	}
} else := [{
	"field": field,
	"kind": "error",
	"reason": sprintf("`%s` is a list with items other than %ss", [field, type_name(expected)]),
}] if {
	is_array(value)
} else := _unclear(field, value, _holders(expected))

_holders(expected) := ["string", "array"] if {
	is_string(expected)
} else := ["array"]

# METADATA
# description: The value is a text without this text in it, or a list without this item.
excludes(field, value, expected) := negated(includes(field, value, expected))

# METADATA
# description: The value is a text that begins so.
starts_with(field, value, beginning) := startswith(value, beginning) if {
	is_string(value)
} else := _unclear(field, value, ["string"])

# METADATA
# description: The value is a text that ends so.
ends_with(field, value, end) := endswith(value, end) if {
	is_string(value)
} else := _unclear(field, value, ["string"])

# METADATA
# description: The value is a text in which the expression matches somewhere.
matches(field, value, expression) := regex.match(expression, value) if {
	is_string(value)
} else := _unclear(field, value, ["string"])

# METADATA
# description: The call says a value. The one condition that a missing field answers.
exists(value) := is_null(value) == false

# METADATA
# description: The value is `true`, and not `false`.
is_true(field, value) := value if {
	is_boolean(value)
} else := _unclear(field, value, ["boolean"])

# METADATA
# description: The value is `false`, and not `true`.
is_false(field, value) := negated(is_true(field, value))

# METADATA
# description: What a function of the author's own answers about the value. It gets a list of its answers, which is empty where it has none.
answered(field, value, name, answers) := answers[0] if {
	not is_null(value)
	count(answers) == 1
	is_boolean(answers[0])
} else := [{
	"field": field,
	"kind": "error",
	"reason": sprintf("the function `%s` says neither true nor false of `%s`", [name, field]),
}] if {
	not is_null(value)
} else := _unclear(field, value, [])

# What is in the way of comparing the value.
_unclear(field, null, _) := [{
	"field": field,
	"kind": "missing",
	"reason": sprintf("the call does not say `%s`", [field]),
}]

_unclear(field, value, types) := [{
	"field": field,
	"kind": "error",
	"reason": sprintf("`%s` is %s, and %s is compared", [field, _named[type_name(value)], concat(" or ", names)]),
}] if {
	not is_null(value)
	names := [_named[type] | some type in types]
}

_named := {
	"array": "a list",
	"boolean": "true or false",
	"null": "nothing",
	"number": "a number",
	"object": "a mapping",
	"string": "a text",
}

# METADATA
# description: |
#   The findings of rules that are asked one after the other. Each has its `actions`, the `reason` of them, its
#   `metadata` and the `answer` of its condition. The first rule that allows, that blocks, that asks for a
#   confirmation which is not there, or whose condition nobody can answer, ends it; `otherwise` is what happens
#   where none does. `order` is the order of the first finding, and `confirm` what a confirmation is told.
findings(confirm, order, rules, otherwise) := array.concat(
	[object.union(_finding(confirm, rule), {"order": order + position}) |
		some position, rule in rules
		position <= end
	],
	[{"order": order + end, "action": "block", "reason": "no rule allows it"} |
		end == count(rules)
		otherwise == "block"
	],
) if {
	end := min({position | some position, rule in rules; _ends(rule)} | {count(rules)})
}

_ends(rule) if is_array(rule.answer)

_ends(rule) if {
	rule.answer == true
	some action in rule.actions
	action in {"allow", "block"}
}

_ends(rule) if {
	rule.answer == true
	_asks(rule)
}

_asks(rule) if {
	"require_confirmation" in rule.actions
	not calls.confirmed
}

_finding(confirm, rule) := {
	"action": "block",
	"reason": sprintf("rule `%s` has no answer: %s", [rule.metadata.rule, concat(", ", reasons)]),
	"metadata": object.union(rule.metadata, {"undecided": fields}),
} if {
	is_array(rule.answer)
	reasons := {one.reason | some one in rule.answer}
	fields := {one.field | some one in rule.answer}
} else := {"action": "block", "reason": rule.reason, "metadata": rule.metadata} if {
	rule.answer == true
	"block" in rule.actions
} else := {
	"action": "require_confirmation",
	"reason": rule.reason,
	"metadata": rule.metadata,
	"confirm": object.union_n([confirm, {"rule": rule.metadata.rule}, object.get(rule, "confirm", {})]),
} if {
	rule.answer == true
	_asks(rule)
} else := {"action": action, "reason": rule.reason, "metadata": rule.metadata} if {
	rule.answer == true
	some action in ["warn", "allow"]
	action in rule.actions
	not _lighter(action, rule.actions)
}

# Of both, the warning is told.
_lighter("allow", actions) if "warn" in actions
