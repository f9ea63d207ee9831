# METADATA
# title: Parameters
# description: |
#   The arguments of a call, which stand in its context by their names. The functions read `input`
#   themselves, so that a policy that negates them holds its guard up when an argument is missing or is of
#   another type.
package hexarch.parameters

# METADATA
# description: The argument is a number, and neither below the least nor above the most; null sets no bound.
within(name, least, most) if {
	value := input.context[name]
	is_number(value)
	_at_least(value, least)
	_at_most(value, most)
}

# METADATA
# description: The argument is a text of at most so many characters, or a list of at most so many items.
short(name, most) if {
	value := input.context[name]
	_countable(value)
	count(value) <= most
}

_at_least(_, least) if is_null(least)

_at_least(value, least) if {
	is_number(least)
	value >= least
}

_at_most(_, most) if is_null(most)

_at_most(value, most) if {
	is_number(most)
	value <= most
}

_countable(value) if is_string(value)

_countable(value) if is_array(value)
