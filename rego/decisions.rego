# METADATA
# title: Decisions
# description: |
#   One decision out of a policy's findings. The heaviest action wins: block, then require_confirmation,
#   throttle, queue, warn, allow. Among equals it is the first in the policy that speaks. An allowed call is
#   charged to every limit that it touches.
package hexarch.decisions

# METADATA
# description: |
#   The decision. Every finding has an `order` of its own, an `action` and a `reason`. A finding with an
#   unknown action leaves the decision undefined, and two that share an order are an error: both are
#   denials to whoever asks.
decide(policy, findings) := _decision(winner, ordered) if {
	every finding in findings {
		_weights[finding.action]
	}
	ordered := {finding.order: finding | some finding in findings}
	heaviest := max({_weights[finding.action] | some finding in findings} | {_weights.allow})
	winner := _first(policy, [finding | some finding in ordered; _weights[finding.action] == heaviest])
}

# METADATA
# description: The decision of a policy that is switched off.
switched_off(policy) := {
	"allowed": true,
	"action": "allow",
	"reason": concat("", ["policy `", policy, "` is switched off"]),
}

# METADATA
# description: A denial without a finding, such as for a policy that nobody knows.
denial(reason) := {"allowed": false, "action": "block", "reason": reason}

_weights := {"allow": 1, "warn": 2, "queue": 3, "throttle": 4, "require_confirmation": 5, "block": 6}

_first(policy, candidates) := candidates[0] if {
	count(candidates) > 0
} else := {"action": "allow", "reason": concat("", ["policy `", policy, "` has nothing against this call"])}

_decision(winner, ordered) := {name: value |
	some part in [
		{"allowed": true, "action": winner.action, "reason": winner.reason},
		_details(winner),
		{"charges": [finding.charge | some finding in ordered]},
	]
	some name, value in part
} if {
	winner.action in {"allow", "warn"}
} else := {name: value |
	some part in [
		{"allowed": false, "action": winner.action, "reason": winner.reason},
		_details(winner),
		{name: value | some name, value in winner; name == "confirm"},
	]
	some name, value in part
}

_details(winner) := {name: value |
	some part in [
		{name: value | some name, value in winner; name in {"limit", "remaining", "retry_after_ms", "metadata"}},
		{"metadata": {"rule": rule} | rule := winner.rule},
	]
	some name, value in part
}
