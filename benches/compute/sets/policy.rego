# Sets of 10,000 strings: union, intersection, difference, membership.
package sets

import rego.v1

left := {name | some name in data.left}

right := {name | some name in data.right}

members := [name | some name in data.left; name in right]

decision := {
	"union": count(left | right),
	"intersection": count(left & right),
	"difference": count(left - right),
	"members": count(members),
}
