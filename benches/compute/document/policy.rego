# A document of 20 KB, iterated with helper functions and `every`.
package document

import rego.v1

allowed(image) if {
	some registry in data.registries
	startswith(image, registry)
}

limited(container) if {
	container.resources.limits.memory
	container.resources.limits.cpu <= 4
	container.resources.requests.cpu <= container.resources.limits.cpu
}

safe(container) if {
	not container.privileged
	every capability in container.capabilities {
		not capability in data.forbidden
	}
	every port in container.ports {
		port.number >= 1024
		port.protocol in {"TCP", "UDP"}
	}
}

problems contains sprintf("%s: image", [container.name]) if {
	some container in input.containers
	not allowed(container.image)
}

problems contains sprintf("%s: limits", [container.name]) if {
	some container in input.containers
	not limited(container)
}

problems contains sprintf("%s: unsafe", [container.name]) if {
	some container in input.containers
	not safe(container)
}

named if {
	every container in input.containers {
		every variable in container.env {
			upper(variable.name) == variable.name
		}
	}
}

default decision := {"problems": -1}

decision := {"problems": count(problems)} if named
