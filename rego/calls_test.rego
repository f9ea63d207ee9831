package hexarch.calls_test

import data.hexarch.calls

test_only_true_confirms if {
	calls.confirmed with input as {"confirmed": true}
	every value in [false, "true", 1, null, {}] {
		not calls.confirmed with input as {"confirmed": value}
	}
	not calls.confirmed with input as {}
}

test_a_field_is_stated_as_a_text_that_is_not_empty if {
	calls.stated("operation") with input as {"operation": "delete"}
	every value in ["", 5, null, true, ["delete"]] {
		not calls.stated("operation") with input as {"operation": value}
	}
	not calls.stated("operation") with input as {}
}

test_a_call_that_says_everything_has_no_finding_against_it if {
	not calls.unstated(["operation"]) with input as {"operation": "delete"}
}

test_what_is_left_out_is_named if {
	finding := calls.unstated(["model", "operation"]) with input as {"operation": ""}
	finding.action == "block"
	finding.reason == "the call does not say its model and operation, which this policy checks"
}

test_patterns if {
	calls.matches("model", ["gpt-4o", "claude-*"]) with input as {"model": "claude-3/opus"}
	not calls.matches("model", ["gpt-4o", "claude-*"]) with input as {"model": "gpt-4o-mini"}
	not calls.matches("model", ["*"]) with input as {"model": 5}
	not calls.matches("model", ["*"]) with input as {}
}

test_a_user_and_a_session_are_stated_by_their_ids if {
	every field in ["user", "session"] {
		calls.stated(field) with input as {field: {"id": "a"}}
		every value in [{"id": ""}, {"id": 5}, {}, null, 5] {
			not calls.stated(field) with input as {field: value}
		}
	}
	not calls.stated("operation") with input as {"operation": {"id": "a"}}
}

test_tokens_have_a_bound if {
	calls.tokens_within(10) with input as {"tokens": 10}
	calls.tokens_within(10) with input as {"tokens": 0}
	every tokens in [11, 10.5, -1, "5", null] {
		not calls.tokens_within(10) with input as {"tokens": tokens}
	}
	not calls.tokens_within(10) with input as {}
}
