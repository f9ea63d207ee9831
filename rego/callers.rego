# METADATA
# title: Callers
# description: |
#   Who calls, and what the caller is to the call. Users are known by their ids. Relations are written
#   without the `@`: `admin` and `api_user` are roles of the caller; `owner` and `self` are told by the
#   call's context or, where whoever asks has looked it up, are roles as well. A caller who is not named is
#   nobody, also where the context names nobody.
package hexarch.callers

import data.hexarch.calls

# METADATA
# description: The caller is known to be one of the users, or to stand in one of the relations to the call.
one_of(users, relations) if {
	calls.stated("user")
	_fits(users, relations)
}

_fits(users, _) if input.user.id in users

_fits(_, relations) if {
	some role in input.user.roles
	role in relations
}

_fits(_, relations) if {
	"owner" in relations
	input.context.owner == input.user.id
}

_fits(_, relations) if {
	"owner" in relations
	is_array(input.context.owner)
	input.user.id in input.context.owner
}

_fits(_, relations) if {
	"self" in relations
	input.context.subject == input.user.id
}
