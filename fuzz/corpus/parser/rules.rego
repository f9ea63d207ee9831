package p

import rego.v1

default a := 1

a := x if {
	some x in input.xs
	not x == 2
	every y in [1, "b", {"c": null}] { y != x }
} else := 2 if input.y

b contains k if some k, _ in data.p

c[k].d := $"v={k}" if k := ["a"][_]

f(x, [y, _]) := {z | z := x + y} with input.a as 1
