# Comprehensions over 10,000 elements: an array, an object, and what is made of them.
package comprehensions

import rego.v1

doubled := [twice | some number in data.numbers; number % 3 == 0; twice := number * 2]

by_number := {number: position | some position, number in data.numbers; number < 5000}

decision := {"doubled": count(doubled), "sum": sum(doubled), "by_number": count(by_number), "most": max(doubled)}
