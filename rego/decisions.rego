# METADATA
# title: Decisions
# description: |
#   One decision out of a policy's findings. The heaviest action wins: block, then require_confirmation,
#   throttle, queue, warn, allow. Among equals it is the first in the policy that speaks. An allowed call is
#   charged to every limit that it touches.
package hexarch.decisions

# METADATA
# description: |
#   The decision. Findings stand under their order, and each has an `action` and a `reason`. A finding with
#   an unknown action leaves the decision undefined, and two that share an order are an error: both are
#   denials to whoever asks.
decide(policy, findings) := {
	"allowed": true,
	"action": "allow",
	"reason": _within_words(limit),
	"limit": limit.id,
	"remaining": limit.max - within[0].total,
	"metadata": {"rule": limit.rule},
	"charges": [finding.charge | some finding in within],
} if {
	# Most calls are within all of their limits, and nothing else is said of them: the decision is made at once.
	within := [finding | some finding in findings; finding.within]
	count(within) == count(findings)
	limit := within[0].within
} else := _decision(winner, findings) if {
	weights := [_weights[finding.action] | some finding in findings]
	count(weights) == count(findings)
	heaviest := max(weights)
	winner := [finding | some finding in findings; _weights[finding.action] == heaviest][0]
} else := {
	"allowed": true,
	"action": "allow",
	"reason": concat("", ["policy `", policy, "` has nothing against this call"]),
	"charges": [],
} if {
	count(findings) == 0
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

_decision(winner, findings) := object.union(
	_told(winner),
	{"allowed": true, "charges": [finding.charge | some finding in findings]},
) if {
	winner.action in {"allow", "warn"}
} else := object.union(_told(winner), {"allowed": false})

# What the finding says that decides. One that is within a limit leaves the words to the decision.
_told(winner) := {
	"action": "allow",
	"reason": _within_words(limit),
	"limit": limit.id,
	"remaining": limit.max - winner.total,
	"metadata": {"rule": limit.rule},
} if {
	limit := winner.within
} else := object.union(said, {"metadata": {"rule": winner.rule}}) if {
	said := object.remove(winner, ["order", "rule", "charge"])
} else := object.remove(winner, ["order", "charge"])

_within_words(limit) := concat("", ["within the ", limit.name])
