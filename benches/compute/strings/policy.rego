# Building strings in loops: sprintf, concat, upper, split, replace.
package strings

import rego.v1

lines := [line |
	some position, name in data.names
	line := sprintf("%d: %s (%s)", [position, name, upper(name)])
]

report := concat("\n", lines)

parts := [concat("/", reversed) |
	some name in data.names
	pieces := split(name, "-")
	reversed := [pieces[1], pieces[0], replace(name, "-", "_")]
]

decision := {"report": count(report), "parts": count(concat(",", parts))}
