# METADATA
# title: Refunds
package guardrails.policies.refunds

import rego.v1

default decision := {"allowed": false, "action": "block", "reason": "nothing is known about this refund"}

decision := {"allowed": true, "action": "allow", "reason": "it is small"} if {
	_amount <= 20
}

decision := {
	"allowed": false,
	"action": "require_confirmation",
	"reason": sprintf("%v is a large refund", [_amount]),
	"confirm": {"policy": "refunds", "approvers": ["@finance"], "approvals": 2},
	"metadata": {"asked_by": object.get(input, ["user", "id"], "nobody")},
} if {
	_amount > 20
	not "finance" in input.user.roles
	not input.confirmed
}

decision := {"allowed": true, "action": "warn", "reason": "finance asks, or somebody has confirmed it"} if {
	_amount > 20
	_trusted
}

_trusted if "finance" in input.user.roles

_trusted if input.confirmed

_amount := input.context.amount if {
	is_number(input.context.amount)
	input.context.amount > 0
}
