# What an API gateway asks before it lets a request through.
package gateway.authz

decision := {
	"allowed": true,
	"action": "allow",
	"reason": sprintf("%s may %s %s", [input.token.sub, input.method, route.name]),
} if {
	count(objections) == 0
} else := {
	"allowed": false,
	"action": "block",
	"reason": concat("; ", sort(objections)),
}

route := data.routes[input.path[0]]

objections contains "there is no such route" if not route

objections contains sprintf("the token is for %s", [input.token.aud]) if input.token.aud != data.audience

objections contains "the token has expired" if input.now >= input.token.exp

objections contains sprintf("%s needs the scope %s", [route.name, scope]) if {
	some scope in route.scopes[input.method]
	not scope in input.token.scopes
}

objections contains sprintf("%s from %s is blocked", [input.method, input.client.ip]) if {
	input.method in {"POST", "PUT", "DELETE"}
	some prefix in data.blocked
	startswith(input.client.ip, prefix)
}
