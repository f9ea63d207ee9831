# All paths and values of a tree of some 5,000 nodes.
package walk

import rego.v1

flagged := [path |
	walk(data.tree, [path, value])
	is_string(value)
	startswith(value, "bad")
]

deep := {name | walk(data.tree, [path, value]); count(path) > 4; name := value.name}

decision := {"flagged": count(flagged), "deep": count(deep)}
