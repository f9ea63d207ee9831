# METADATA
# title: Traces
# description: |
#   How rules with conditions came to their answers: each condition with its line, what it compares, the value
#   and the answer, and groups with what they are made of. The answers are those of hexarch.conditions.
package hexarch.traces

import data.hexarch.conditions

# METADATA
# description: A condition on a field. `expected` is what it is compared with.
condition(line, field, operator, expected, value, answer) := {
	"line": line,
	"field": field,
	"operator": operator,
	"expected": expected,
	"value": value,
	"answer": answer,
}

# METADATA
# description: A group of which all have to hold.
all_of(line, parts) := {
	"line": line,
	"operator": "all",
	"answer": conditions.all_of([part.answer | some part in parts]),
	"conditions": parts,
}

# METADATA
# description: A group of which one has to hold.
any_of(line, parts) := {
	"line": line,
	"operator": "any",
	"answer": conditions.any_of([part.answer | some part in parts]),
	"conditions": parts,
}

# METADATA
# description: A condition that must not hold.
negated(line, part) := {
	"line": line,
	"operator": "not",
	"answer": conditions.negated(part.answer),
	"conditions": [part],
}
