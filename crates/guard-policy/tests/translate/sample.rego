# METADATA
# title: Guardrails
# description: Asks the policy that the call names.
package guardrails

import data.hexarch.decisions

# METADATA
# title: The decision about a call
# entrypoint: true
evaluate := data.guardrails.policies[input.policy_id].decision if {
	input.policy_id in _known
} else := decisions.denial("the policy gave no decision") if {
	input.policy_id in _known
} else := decisions.denial("there is no policy with this id")

_known := {
	"sample",
}

package guardrails

import data.hexarch.windows

# METADATA
# title: The windows of the calendar that the call's moment lies in, by timezone and period
# description: |
#   Whoever asks for many decisions keeps them as `data.hexarch.calendar` until they end; without that each
#   decision computes its own.
# entrypoint: true
calendar["Europe/Berlin"].day := windows.kept("day", "Europe/Berlin")

calendar["Europe/Berlin"].month := windows.kept("month", "Europe/Berlin")

# METADATA
# title: "sample"
# description: "A bit of everything.\nIn two lines, with \"quotes\" and a # that is no comment.\n"
# custom:
#   source: "hexarch.yaml:3"
package guardrails.policies.sample

import data.hexarch.calls
import data.hexarch.decisions
import data.hexarch.hours
import data.hexarch.limits

# METADATA
# title: The decision of this policy
decision := decisions.decide("sample", _findings)

# A call has to say what the guards below look at.
_findings[0] := calls.unstated(["model", "operation", "resource", "resource_type"])

# requires_confirmation (hexarch.yaml:3)
_findings[1] := {
	"action": "require_confirmation",
	"reason": "every call under this policy needs a confirmation",
	"confirm": {"policy": "sample"},
} if {
	not calls.confirmed
}

# money (hexarch.yaml:9): the agent's purse
_findings[2] := limits.check({
	"rule": "money",
	"id": "sample.money.daily_budget",
	"kind": "budget",
	"name": "daily budget of $0.50",
	"max": 500000,
	"window": {"period": "day", "timezone": "Europe/Berlin"},
	"action": "block",
	"warn_at": [80],
}) if {
	calls.matches("resource", ["openai", "azure/*"])
	input.model == "gpt-4o"
}

# money (hexarch.yaml:9): the agent's purse
_findings[3] := limits.check({
	"rule": "money",
	"id": "sample.money.monthly_budget",
	"kind": "budget",
	"name": "monthly budget of $10.00",
	"max": 10000000,
	"window": {"period": "month", "timezone": "Europe/Berlin"},
	"action": "block",
	"warn_at": [80],
}) if {
	calls.matches("resource", ["openai", "azure/*"])
	input.model == "gpt-4o"
}

# rule_2 (hexarch.yaml:16)
_findings[4] := limits.check({
	"rule": "rule_2",
	"id": "sample.rule_2.requests_per_second",
	"kind": "rate",
	"name": "limit of 1 call per second",
	"max": 1,
	"window": {"period": "second", "timezone": "Europe/Berlin"},
	"action": "throttle",
}) if {
	startswith(input.operation, "search")
}

# rule_3 (hexarch.yaml:19)
_findings[5] := {
	"rule": "rule_3",
	"action": "require_confirmation",
	"reason": "it is outside the allowed hours 09:00-12:00 and 13:30-17:00 (Europe/Berlin)",
	"confirm": {"policy": "sample", "rule": "rule_3"},
} if {
	input.operation in {"delete", "drop"}
	endswith(input.resource_type, "base")
	not hours.during([{"from": [9, 0], "to": [12, 0]}, {"from": [13, 30], "to": [17, 0]}], "Europe/Berlin")
	not calls.confirmed
}

# rule_3 (hexarch.yaml:19)
_findings[6] := {
	"rule": "rule_3",
	"action": "require_confirmation",
	"reason": "it is a forbidden day: Saturday and Sunday (Europe/Berlin)",
	"confirm": {"policy": "sample", "rule": "rule_3"},
} if {
	input.operation in {"delete", "drop"}
	endswith(input.resource_type, "base")
	not hours.outside({"Saturday", "Sunday"}, hours.whole_day, "Europe/Berlin")
	not calls.confirmed
}

# rule_4 (hexarch.yaml:24)
_findings[7] := {
	"rule": "rule_4",
	"action": "block",
	"reason": "the model is not one of the allowed: `a-model` and `b-model`",
} if {
	not calls.matches("model", ["a-model", "b-model"])
}

# rule_5 (hexarch.yaml:26)
_findings[8] := {
	"rule": "rule_5",
	"action": "warn",
	"reason": "model `*-preview` is not allowed",
} if {
	endswith(input.model, "-preview")
}
