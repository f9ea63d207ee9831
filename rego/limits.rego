# METADATA
# title: Limits
# description: |
#   Budgets, rates, tokens, iterations and places. A limit says how much may be used in a window;
#   `data.hexarch.state` says how much has been, in one cell for each replica, and the cells are summed. A
#   call within the limit is charged, and the store, not the policy, has the last word on that charge.
package hexarch.limits

import data.hexarch.calls
import data.hexarch.windows

# METADATA
# description: |
#   The finding of one limit about the call. It is always defined: where the call, the time or the state
#   cannot be read, the call is blocked.
check(limit) := finding if {
	_is_plain(limit)
	finding := _plainly_within(limit, _everybody)
} else := _checked(limit)

# METADATA
# description: |
#   As `check`, sooner, of a limit that is a budget of the calendar, without thresholds, which does more than warn. What
#   else the limit says is not looked at as long as the call is within it.
check_budget(limit) := finding if {
	finding := _plainly_within(limit, _everybody)
} else := _checked(limit)

_checked(limit) := _counted(limit, key) if {
	key := _key(limit)
} else := _refusal(limit, "the call does not say its session, which this policy counts by")

# METADATA
# description: |
#   As `check`, of a limit that is counted apart for each value of a part of the call: a path such as `user.id`,
#   `resource` or `context.tenant`. A call that does not say it, as a text that is not empty, is blocked.
check_per(path, limit) := _plainly_within(limit, key) if {
	_is_plain(limit)
	key := calls.said(path)
} else := _counted(limit, key) if {
	key := calls.said(path)
} else := _refusal(limit, sprintf("the call does not say its `%v`, which this policy counts by", [path]))

_counted(limit, key) := _left_to_the_store(limit, key) if {
	limit.algorithm
} else := finding if {
	amount := _amount(limit.kind)
	window := windows.of(limit.window.period, limit.window.timezone)
	used := _used(limit.id, key, window.id)
	finding := _judge(limit, key, window, amount, used, used + amount)
} else := _refusal(limit, _unpriced(input.model, input.unpriced)) if {
	limit.kind == "budget"
	not input.cost
} else := _refusal(limit, "the call does not say its cost, which this policy counts") if {
	limit.kind == "budget"
	not input.cost
} else := _refusal(limit, "the call's cost is not a number of dollars, zero or more") if {
	limit.kind == "budget"
	not _amount(limit.kind)
} else := _refusal(limit, "the call does not say its tokens, which this policy counts") if {
	limit.kind == "tokens"
	not input.tokens
} else := _refusal(limit, "the call's tokens are not a whole number, zero or more") if {
	limit.kind == "tokens"
	not _amount(limit.kind)
} else := _refusal(limit, "the session did not begin within the last day, or the call does not say when") if {
	limit.kind == "iterations"
	not windows.of(limit.window.period, limit.window.timezone)
} else := _refusal(limit, concat("", ["the ", limit.name, " cannot be checked: the time or the state is malformed"])) if {
	limit.name
} else := _misses_members

# A budget of the calendar with nothing unusual about it. Who has these seven members and no other has neither an
# algorithm nor thresholds.
_is_plain(limit) if {
	limit.kind == "budget"
	limit.action != "warn"
	limit.name
	limit.rule
	count(limit) == 7
}

# The short way for such a limit, the commonest, and a call within it: what the branches above come to then.
_plainly_within(limit, key) := {
	"action": "allow",
	"within": limit,
	"total": total,
	"charge": {
		"limit": limit.id,
		"key": key,
		"window": kept.id,
		"amount": _cost,
		"max": limit.max,
		"kind": "budget",
		"reset_ms": reset_ms,
	},
} if {
	kept := data.hexarch.calendar[limit.window.timezone][limit.window.period]
	kept.from_ms <= windows.now_ms
	reset_ms := kept.until_ms - windows.now_ms
	reset_ms > 0
	total := _used(limit.id, key, kept.id) + _cost
	total <= limit.max
}

# What slides or leaks is the store's to judge when the call is charged: it alone knows when what was counted
# stops to count, and a number that it told is no longer true a moment later.
_left_to_the_store(limit, key) := {
	"rule": limit.rule,
	"limit": limit.id,
	"action": "allow",
	"reason": concat("", ["the ", limit.name, " is judged when the call is charged"]),
	"charge": {
		"limit": limit.id,
		"key": key,
		"window": limit.algorithm,
		"amount": _amount(limit.kind),
		"max": limit.max,
		"kind": _accounts[limit.kind],
		"algorithm": limit.algorithm,
		"span_ms": limit.span_ms,
	},
}

_unpriced(model, prices) := sprintf("the model `%s` has no price in %s, and this policy counts the cost", [model, prices])

_amount(kind) := _cost if {
	kind == "budget"
} else := _tokens if {
	kind == "tokens"
} else := 1 if {
	kind in {"rate", "iterations", "concurrency"}
}

# Rules, so that each is computed once, however many limits there are.
_cost := micros if {
	# Whoever asks has counted them, as a rule. The remainder of what is no integer is undefined.
	micros := input.cost_micros
	micros % 1 == 0
	micros >= 0
} else := _rounded_up(product) if {
	# An integer as a rule, and compared sooner than a decimal fraction, which has the same sign.
	product := input.cost * 1000000
	product >= 0
}

_tokens := input.tokens if {
	is_number(input.tokens)
	input.tokens >= 0
	input.tokens == round(input.tokens)
}

# What the limit is counted for: a session where it is one of a loop, else everybody together.
_key(limit) := _everybody if {
	limit.kind != "iterations"
} else := input.session.id if {
	calls.text(input.session.id)
}

_everybody := "all"

# METADATA
# description: |
#   Dollars as a whole number of micro-dollars; what lies below one is rounded up. The product is rounded
#   to the nearest first, since a decimal fraction times a million may come out a hair beside the integer.
micro_dollars(cost) := _rounded_up(cost * 1000000)

_rounded_up(product) := nearest if {
	nearest := round(product)
	product == nearest
} else := nearest + _above(product - nearest) if {
	nearest := round(product)
}

_above(rest) := 1 if {
	rest > 0.000001
} else := 0

_used(limit, key, window) := held if {
	# One replica as a rule, and no sum to make.
	replicas := data.hexarch.state[limit][key][window]
	is_object(replicas)
	count(replicas) == 1
	some held in replicas
} else := sum([held | some held in replicas]) if {
	replicas := data.hexarch.state[limit][key][window]
	is_object(replicas)
} else := 0 if {
	not data.hexarch.state[limit][key][window]
}

_judge(limit, key, window, amount, used, total) := _within(limit, key, window, amount, used, total) if {
	total <= limit.max
} else := _merge([
	{"action": "warn", "reason": _exceeded(limit, used, amount)},
	_named(limit),
	{"remaining": _left(limit, total), "charge": _charge(limit, key, window, amount, _unlimited)},
]) if {
	limit.action == "warn"
} else := _merge([
	{"action": "allow", "reason": concat("", ["confirmed beyond the ", limit.name])},
	_named(limit),
	{"remaining": 0, "charge": _charge(limit, key, window, amount, _unlimited)},
]) if {
	limit.action == "require_confirmation"
	calls.confirmed
} else := _merge([
	{"action": _stop(limit, amount), "reason": _exceeded(limit, used, amount)},
	_named(limit),
	{"remaining": _left(limit, used)},
	_retry(limit, window, amount),
	{name: value | some name, value in limit; name == "confirm"},
])

# There will never be room for a call that does not fit an empty window: it is not worth standing in line.
_stop(limit, amount) := "block" if {
	limit.action == "queue"
	amount > limit.max
} else := limit.action

# The call that reaches a percentage is warned about, and those after it are not: once for a window. That a call is
# within its limit is put into words by the decision, for one limit of all.
_within(limit, key, window, amount, used, total) := {
	"rule": limit.rule,
	"limit": limit.id,
	"action": "warn",
	"reason": sprintf("%d%% of the %s is used", [_percent(total, limit.max), limit.name]),
	"remaining": limit.max - total,
	"charge": _charge(limit, key, window, amount, _ceiling(limit)),
} if {
	some percentage in limit.warn_at
	used * 100 < limit.max * percentage
	total * 100 >= limit.max * percentage
} else := {
	"action": "allow",
	"within": limit,
	"total": total,
	"charge": _charge(limit, key, window, amount, _ceiling(limit)),
}

_named(limit) := {"rule": limit.rule, "limit": limit.id}

_exceeded(limit, used, amount) := reason if {
	limit.kind == "budget"
	reason := sprintf(
		"the %s is exceeded: %s is used and the call costs %s",
		[limit.name, dollars(used), dollars(amount)],
	)
}

_exceeded(limit, used, amount) := reason if {
	limit.kind == "tokens"
	reason := sprintf(
		"the %s is exceeded: %d are used and the call takes %d",
		[limit.name, used, amount],
	)
}

_exceeded(limit, _, _) := concat("", ["the ", limit.name, " is reached"]) if {
	limit.kind in {"rate", "iterations", "concurrency"}
}

_left(limit, used) := limit.max - used if {
	used <= limit.max
} else := 0

# Waiting helps only where the window ends and the call fits an empty one.
_retry(limit, window, amount) := {"retry_after_ms": window.reset_ms} if {
	amount <= limit.max
	limit.kind != "iterations"
} else := {}

# What the store may let the window grow to. A limit that only warns never makes it refuse a charge.
_ceiling(limit) := _unlimited if {
	limit.action == "warn"
} else := limit.max

# The largest number that every JSON reader keeps exact.
_unlimited := 9007199254740991

_charge(limit, key, window, amount, ceiling) := {
	"limit": limit.id,
	"key": key,
	"window": window.id,
	"amount": amount,
	"max": ceiling,
	"kind": _accounts[limit.kind],
	"reset_ms": window.reset_ms,
} if {
	window.reset_ms
} else := {
	"limit": limit.id,
	"key": key,
	"window": window.id,
	"amount": amount,
	"max": ceiling,
	"kind": _accounts[limit.kind],
}

# What kind of account the store keeps: a budget is given back when a call is cut off, an attempt is not,
# and a place among those that run is free whenever a call ends.
_accounts := {
	"budget": "budget",
	"tokens": "budget",
	"rate": "rate",
	"iterations": "rate",
	"concurrency": "concurrency",
}

_refusal(limit, reason) := {
	"rule": limit.rule,
	"limit": limit.id,
	"action": "block",
	"reason": reason,
} if {
	limit.id
} else := _misses_members

# Only an author's own limit can: a finding that were undefined would say nothing against the call.
_misses_members := {"action": "block", "reason": "a limit of this policy has no `rule`, no `id` or no `name`"}

_merge(parts) := object.union_n(parts)

_percent(total, max) := (hundredfold - (hundredfold % max)) / max if hundredfold := total * 100

# METADATA
# description: Micro-dollars as people write them, in cents, or in full where cents would hide something.
dollars(micros) := sprintf("$%d.%02d", [(micros - rest) / 1000000, rest / 10000]) if {
	rest := micros % 1000000
	rest % 10000 == 0
} else := sprintf("$%d.%06d", [(micros - rest) / 1000000, rest]) if {
	rest := micros % 1000000
}
