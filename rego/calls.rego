# METADATA
# title: Calls
# description: |
#   What a call says about itself. The functions read `input` themselves and take the name of a field, so
#   that a policy that negates them holds its guard up when the field is missing.
package hexarch.calls

# METADATA
# description: The caller has confirmed the call. A text such as "true" confirms nothing.
confirmed if input.confirmed == true

# METADATA
# description: The call has this field, a text that is not empty.
stated(field) if {
	is_string(input[field])
	input[field] != ""
}

stated(field) if {
	field in {"user", "session"}
	is_string(input[field].id)
	input[field].id != ""
}

# METADATA
# description: A text that is not empty.
text(value) if {
	is_string(value)
	value != ""
}

# METADATA
# description: |
#   The call says this, as `stated` has it. A policy that asks so reads this part of a call and no others.
says_feature if text(input.feature)

says_model if text(input.model)

says_operation if text(input.operation)

says_resource if text(input.resource)

says_resource_type if text(input.resource_type)

# METADATA
# description: |
#   What the call says at a path such as `user.id` or `context.tenant`, a text that is not empty. Undefined where it says
#   nothing, or something else.
said(path) := text if {
	text := object.get(input, split(path, "."), "")
	is_string(text)
	text != ""
}

# METADATA
# description: The call says how many tokens it takes, and they are no more than that.
tokens_within(most) if {
	is_number(input.tokens)
	input.tokens >= 0
	input.tokens <= most
}

# METADATA
# description: The field fits at least one of the patterns, in which `*` stands for any text.
matches(field, patterns) if {
	some pattern in patterns
	glob.match(pattern, null, input[field])
}

# METADATA
# description: The finding against a call that leaves out fields which its policy reads. Undefined when it says them all.
unstated(fields) := finding if {
	missing := [field | some field in fields; not stated(field)]
	count(missing) > 0
	finding := unsaid(concat(" and ", missing))
}

# METADATA
# description: The finding against a call that leaves out this field, for a policy that has found so.
unsaid(field) := {
	"action": "block",
	"reason": sprintf("the call does not say its %s, which this policy checks", [field]),
}
