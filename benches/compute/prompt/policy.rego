# A prompt of 5 KB: words that it contains, whatever their case, and five constant expressions.
package prompt

import rego.v1

text := lower(input.prompt)

words contains word if {
	some word in data.words
	contains(text, word)
}

patterns contains "key" if regex.match(`sk-[A-Za-z0-9]{20,}`, input.prompt)

patterns contains "card" if regex.match(`\b[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}\b`, input.prompt)

patterns contains "address" if regex.match(`[a-z0-9._]+@[a-z0-9]+\.(com|org)`, input.prompt)

patterns contains "override" if regex.match(`(?i)ignore (all|any|the) (previous|prior) (instructions|rules)`, input.prompt)

patterns contains "command" if regex.match(`rm\s+-rf\s+/|curl\s+[^|]*\|\s*(ba)?sh`, input.prompt)

decision := {"words": count(words), "patterns": count(patterns)}
