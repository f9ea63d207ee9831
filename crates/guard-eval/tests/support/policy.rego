package guardrails

# Three calls for each resource in a minute, counted by the state.
evaluate := {
	"allowed": true,
	"action": "allow",
	"reason": sprintf("%d of 3", [used + 1]),
	"charges": [{
		"limit": "calls",
		"key": input.resource,
		"window": "now",
		"amount": 1,
		"max": 3,
		"kind": "rate",
		"reset_ms": 60000,
	}],
} if {
	input.operation == "call"
	used < 3
} else := {
	"allowed": false,
	"action": "throttle",
	"reason": "three is enough",
	"limit": "calls",
	"retry_after_ms": 60000,
} if {
	input.operation == "call"
}

evaluate := "yes" if input.operation == "garbage"

evaluate := {"allowed": true, "action": "allow", "reason": sprintf("%d", [count(loop)])} if input.operation == "loop"

used := sum([cell | some cell in data.hexarch.state.calls[input.resource].now])

loop := {[a, b, c, d] |
	some a in numbers.range(1, 200)
	some b in numbers.range(1, 200)
	some c in numbers.range(1, 200)
	some d in numbers.range(1, 200)
	a * b == c * d
	a == 201
}
