# Nested iteration: every user with every resource, 200 by 200.
package nested

import rego.v1

pairs := [user.name |
	some user in data.users
	some resource in data.resources
	user.team == resource.team
	user.level >= resource.level
	not resource.locked
]

decision := {"pairs": count(pairs)}
