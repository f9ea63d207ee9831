package t

works := count(input.text)

# value
nested_quantifiers := regex.match(`^(a+)+$`, concat("", [input.text, "!"]))

# value
alternatives := regex.match(`^(a|aa|aaa)*b$`, input.text)

# value
optional := regex.match(concat("", [concat("", [x | some i in numbers.range(1, 300); x := sprintf("a%s", ["?"])]), concat("", ["a" | some i in numbers.range(1, 300)])]), input.text)

# value
counted := regex.match(`((a{0,100}){0,10})$`, input.text)

# undefined
too_large := regex.match(`(((a{1,1000}){1,1000}){1,1000})$`, input.text)

# value
submatches := count(regex.find_all_string_submatch_n(`((((((((a))))))))`, input.text, -1))

# bounded
captures_computed := count(regex.find_all_string_submatch_n(concat("", [`(a`, concat("", ["(" | some i in numbers.range(1, 900)]), concat("", [")" | some i in numbers.range(1, 900)]), ")"]), input.text, -1))

# halted
host_replace := count(regex.replace(input.text, "a", input.text))

# value
host_split := count(regex.split("a*?", input.text))

# value
globs := regex.globs_match(concat("", ["a*" | some i in numbers.range(1, 400)]), concat("", [concat("", ["a*" | some i in numbers.range(1, 400)]), "b"]))

# bounded
globbed := glob.match(concat("", [concat("", ["*a" | some i in numbers.range(1, 300)]), "b"]), [], input.text)

# bounded
walk_deep := count([path | walk(input.deep, [path, _])])

# bounded
walk_paths := [path | walk(input.deep, [path, _])]

# value
deep_text := count(json.marshal(input.deep))

# value
deep_equal := input.deep == json.unmarshal(json.marshal(input.deep))

# bounded
strings_squared := concat(input.text, split(input.text, ""))

# bounded
replaced := replace(input.text, "a", input.text)

# bounded
replaced_n := strings.replace_n({"a": input.text}, input.text)

# bounded
arrays_squared := [[x, y] | some x in split(input.text, ""); some y in split(input.text, "")]

# bounded
sets_squared := {[i, j] | some i in numbers.range(1, 10000); some j in numbers.range(1, 10000)}

# bounded
range := count(numbers.range(1, 1000000000))

# bounded
range_step := count(numbers.range_step(1, 1000000000, 2))

# halted
shifted := bits.lsh(1, 100000000000)

# halted
shifted_some := bits.lsh(1, 1000000000)

# bounded
powers := product([x | some i in numbers.range(1, 100000); x := 123456789012345678901234567890])

# value
format_wide := count(sprintf("%2000000000d", [1]))

# value
format_precise := count(sprintf("%.2000000000f", [1.5]))

# undefined
format_big := count(sprintf("%d", [to_number("1e9999999")]))

# bounded
format_many := count(sprintf(concat("", [x | some i in numbers.range(1, 10000); x := "%[1]s"]), [input.text]))

# undefined
number_big := to_number("1e999999999") + 1

# undefined
number_long := to_number(concat("", ["9" | some i in numbers.range(1, 100000)])) * to_number(concat("", ["7" | some i in numbers.range(1, 100000)]))

# halted
expanded := count(net.cidr_expand("10.0.0.0/8"))

# halted
expanded_six := count(net.cidr_expand("2001:db8::/32"))




ladder := {sprintf("%d", [i]): [sprintf("%d", [i + 1]), sprintf("%d", [i + 2])] | some i in numbers.range(1, 60)}

# halted
paths_ladder := count(graph.reachable_paths(ladder, {"1"}))

# halted
patches := count(json.marshal(json.patch({"a": [1]}, [p | some i in numbers.range(1, 40); p := {"op": "copy", "from": "/a", "path": "/a/0"}])))

# undefined
aliases := count(json.marshal(yaml.unmarshal(concat("\n", array.concat(["a0: &a0 [x, x]"], [l | some i in numbers.range(1, 40); l := sprintf("a%d: &a%d [*a%d, *a%d]", [i, i, i - 1, i - 1])])))))

# undefined
schema_doubling := json.match_schema({"a": 1}, {"definitions": object.union({sprintf("s%d", [i]): {"allOf": [{"$ref": sprintf("#/definitions/s%d", [i + 1])}, {"$ref": sprintf("#/definitions/s%d", [i + 1])}]} | some i in numbers.range(0, 40)}, {"s41": {"type": "object"}}), "$ref": "#/definitions/s0"})

# bounded
schema_unique := json.match_schema(json.marshal(split(input.text, "")), {"uniqueItems": true})

# value
schema_pattern := json.match_schema(json.marshal(concat("", [input.text, "!"])), {"pattern": "^(a+)+$"})

# halted
template_loop := count(strings.render_template(`{{range .a}}{{range $.a}}{{range $.a}}{{$.t}}{{end}}{{end}}{{end}}`, {"a": numbers.range(1, 1000), "t": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}))

# value
template_width := count(strings.render_template(`{{printf "%2000000000d" 1}}`, {}))

# value
graphql_deep := graphql.is_valid(concat("", [concat("", ["{a" | some i in numbers.range(1, 5000)]), concat("", ["}" | some i in numbers.range(1, 5000)])]), "type Query { a: Query }")

# value
graphql_fragments := graphql.is_valid(concat(" ", array.concat(["{...f0}", "fragment f41 on Query {a}"], [l | some i in numbers.range(0, 40); l := sprintf("fragment f%d on Query {...f%d ...f%d}", [i, i + 1, i + 1])])), "type Query { a: Int }")

# undefined
parse_deep := rego.parse_module("x.rego", concat("", ["package p\n", "p := ", concat("", ["[" | some i in numbers.range(1, 5000)])]))

# undefined
units_big := units.parse("1e999999999G")

# undefined
semver_long := semver.compare(concat("", [concat("", ["9" | some i in numbers.range(1, 100000)]), ".0.0"]), "1.0.0")

# undefined
days := time.add_date(0, 1000000000, 1000000000, 1000000000)

# undefined
jwt_long := io.jwt.decode(concat(".", [input.text, input.text, input.text]))

# value
subset := object.subset(numbers.range(1, 30000), array.reverse(numbers.range(1, 30000)))

# value
contains_all := strings.any_prefix_match(split(input.text, ""), split(input.text, ""))

# bounded
unioned := count(object.union_n([{sprintf("%d", [i]): j | some i in numbers.range(1, 1000)} | some j in numbers.range(1, 1000)]))

# halted
pretty := count(json.marshal_with_options(input.deep, {"pretty": true, "indent": input.text}))
