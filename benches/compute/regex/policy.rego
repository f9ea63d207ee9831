# One constant expression on each of 1,000 strings.
package regex_strings

import rego.v1

valid := [host | some host in data.hosts; regex.match(`^[a-z]+(-[a-z0-9]+)*\.(example|internal)\.(com|org|net)$`, host)]

decision := {"valid": count(valid)}
