package hexarch.callers_test

import data.hexarch.callers

_call(id, roles, context) := {"user": {"id": id, "roles": roles}, "context": context}

test_users_are_known_by_their_ids if {
	callers.one_of({"ann"}, set()) with input as _call("ann", [], {})
	not callers.one_of({"ann"}, set()) with input as _call("anna", [], {})
	not callers.one_of({"ann"}, set()) with input as _call("bob", ["ann"], {})
}

test_relations_are_roles if {
	every relation in ["admin", "api_user", "owner", "self"] {
		callers.one_of(set(), {relation}) with input as _call("ann", ["other", relation], {})
		not callers.one_of(set(), {relation}) with input as _call("ann", ["other"], {})
		not callers.one_of(set(), {relation}) with input as _call(relation, [], {})
	}
}

test_the_context_names_the_owner if {
	callers.one_of(set(), {"owner"}) with input as _call("ann", [], {"owner": "ann"})
	callers.one_of(set(), {"owner"}) with input as _call("ann", [], {"owner": ["bob", "ann"]})
	not callers.one_of(set(), {"owner"}) with input as _call("ann", [], {"owner": "bob"})
	not callers.one_of(set(), {"owner"}) with input as _call("ann", [], {"owner": {"x": "ann"}})
	not callers.one_of(set(), {"self"}) with input as _call("ann", [], {"owner": "ann"})
}

test_the_context_names_whom_a_call_is_about if {
	callers.one_of(set(), {"self"}) with input as _call("ann", [], {"subject": "ann"})
	not callers.one_of(set(), {"self"}) with input as _call("ann", [], {"subject": "bob"})
	not callers.one_of(set(), {"owner"}) with input as _call("ann", [], {"subject": "ann"})
}

test_a_caller_without_a_name_is_nobody if {
	every call in [
		{},
		{"user": null, "context": {"owner": null}},
		{"user": {"roles": ["admin"]}},
		_call("", ["admin"], {"owner": "", "subject": ""}),
		_call(null, ["admin"], {"owner": null}),
		{"user": "ann"},
	] {
		not callers.one_of({"ann", ""}, {"admin", "owner", "self"}) with input as call
	}
}

test_roles_that_are_no_list_are_none if {
	not callers.one_of(set(), {"admin"}) with input as _call("ann", "admin", {})
	not callers.one_of(set(), {"admin"}) with input as _call("ann", null, {})
}
