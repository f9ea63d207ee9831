//! Rego source text to a syntax tree: files, spans, diagnostics, lexer, parser.
