# METADATA
# title: Loops
# description: |
#   How long an agent's loop has been running. The call says which session it belongs to and when that
#   began; the function reads `input` itself, so that a policy that negates it holds its guard up when the
#   call does not say.
package hexarch.loops

import data.hexarch.calls

# METADATA
# description: The session is known to have begun no more than that many nanoseconds ago, and not in the future.
running_within(most) if {
	calls.stated("session")
	is_number(input.session.started_ns)
	elapsed := input.time_ns - input.session.started_ns
	elapsed >= 0
	elapsed <= most
}
