//! Events to a tree, within bounds.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::{Entry, Kind, Node, Scalar, shorten};
use crate::problem::{Place, Problem, ProblemCode};

/// How deep lists and mappings may nest. The schema needs six; a deeper tree could overflow the stack of
/// whoever walks it.
const MAX_DEPTH: usize = 64;

/// How many nodes a file may have once its aliases are unfolded. Ten thousand policies need a twentieth.
const MAX_NODES: usize = 2_000_000;

/// Reads one YAML document. The tree is there, `None` for an empty document, as long as one could be built;
/// problems that leave a tree (a key that stands there twice) are pushed to `problems`.
///
/// # Errors
/// The first problem that leaves no tree: of YAML's grammar, or of what goes beyond the bounds.
pub(crate) fn read(text: &str, problems: &mut Vec<Problem>) -> Result<Option<Arc<Node>>, Problem> {
    let mut builder = Builder::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let built = Parser::new_from_str(text).try_for_each(|event| match event {
        Ok((event, span)) => builder.take(event, place(&span.start)),
        Err(error) => Err(Problem::new(
            ProblemCode::Syntax,
            place(error.marker()),
            format!("this is not YAML: {}", error.info()),
        )),
    });
    problems.append(&mut builder.problems);
    built.map(|()| builder.root)
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line().max(1), column: marker.col() + 1 }
}

/// A list or mapping whose end has not come yet.
struct Open {
    place: Place,
    anchor: usize,
    nodes: usize,
    content: Content,
}

enum Content {
    List(Vec<Arc<Node>>),
    Map { entries: Entries, key: Option<(String, Place)> },
}

/// The entries of a mapping, and where each key stands among them.
#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    slots: HashMap<String, Slot>,
}

struct Slot {
    index: usize,
    /// Came from a `<<`, so that a key of the mapping's own replaces it.
    merged: bool,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Arc<Node>, usize)>,
    root: Option<Arc<Node>>,
    documents: usize,
    nodes: usize,
    problems: Vec<Problem>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "the file holds a second YAML document; only one is read";
                    return Err(Problem::new(ProblemCode::Syntax, place, message));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.as_deref(), place);
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let literal = style == ScalarStyle::Literal;
                let kind = Kind::Scalar(Scalar { text: text.into_owned(), plain, literal });
                self.put(Arc::new(Node { place, kind }), anchor, 1)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), place);
                self.enter(place, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), place);
                let content = Content::Map { entries: Entries::default(), key: None };
                self.enter(place, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            Event::Alias(anchor) => {
                let Some((node, nodes)) = self.anchors.get(&anchor).cloned() else {
                    let message = "the alias stands inside its own anchor";
                    return Err(Problem::new(ProblemCode::Syntax, place, message));
                };
                self.put_counted(node, 0, nodes, place)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, place: Place) {
        let Some(tag) = tag else { return };
        if !(tag.is_yaml_core_schema() && tag.suffix == "str") {
            let handle = if tag.is_yaml_core_schema() { "!!" } else { tag.handle.as_str() };
            let name = shorten(&format!("{handle}{}", tag.suffix));
            let message = format!("the tag `{name}` is not part of hexarch.yaml");
            self.problems.push(Problem::new(ProblemCode::Syntax, place, message));
        }
    }

    fn enter(&mut self, place: Place, anchor: usize, content: Content) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("lists and mappings nest deeper than {MAX_DEPTH}");
            return Err(Problem::new(ProblemCode::TooLarge, place, message));
        }
        self.open.push(Open { place, anchor, nodes: 1, content });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Problem> {
        let Some(closed) = self.open.pop() else { return Ok(()) };
        let kind = match closed.content {
            Content::List(items) => Kind::List(items),
            Content::Map { entries, .. } => Kind::Map(entries.list),
        };
        let node = Arc::new(Node { place: closed.place, kind });
        self.put(node, closed.anchor, closed.nodes)
    }

    fn put(&mut self, node: Arc<Node>, anchor: usize, nodes: usize) -> Result<(), Problem> {
        let place = node.place;
        // Its children were counted when they were put.
        self.nodes += 1;
        self.put_uncounted(node, anchor, nodes, place)
    }

    fn put_counted(
        &mut self,
        node: Arc<Node>,
        anchor: usize,
        nodes: usize,
        at: Place,
    ) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(nodes);
        self.put_uncounted(node, anchor, nodes, at)
    }

    fn put_uncounted(
        &mut self,
        node: Arc<Node>,
        anchor: usize,
        nodes: usize,
        at: Place,
    ) -> Result<(), Problem> {
        if self.nodes > MAX_NODES {
            let message = format!("the file has more than {MAX_NODES} values, its aliases unfolded");
            return Err(Problem::new(ProblemCode::TooLarge, at, message));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (Arc::clone(&node), nodes));
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        parent.nodes = parent.nodes.saturating_add(nodes);
        match &mut parent.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key } => match key.take() {
                None => *key = Some((key_text(&node, at)?, at)),
                Some((key, place)) if key == "<<" => entries.merge(&node, place)?,
                Some((key, place)) => {
                    if let Err(problem) = entries.add(Entry { key, place, value: node }) {
                        self.problems.push(problem);
                    }
                }
            },
        }
        Ok(())
    }
}

impl Entries {
    fn add(&mut self, entry: Entry) -> Result<(), Problem> {
        let Some(slot) = self.slots.get_mut(&entry.key) else {
            self.slots.insert(entry.key.clone(), Slot { index: self.list.len(), merged: false });
            self.list.push(entry);
            return Ok(());
        };
        let Some(present) = self.list.get_mut(slot.index) else { return Ok(()) };
        if slot.merged {
            slot.merged = false;
            *present = entry;
            return Ok(());
        }
        let message = format!("the key `{}` stands here a second time", shorten(&entry.key));
        let help = format!("it is on line {} already", present.place.line);
        Err(Problem::new(ProblemCode::Duplicate, entry.place, message).with_help(help))
    }

    /// `<<: *anchor`, or a list of anchors: their entries, where the mapping has none of that name.
    fn merge(&mut self, from: &Node, at: Place) -> Result<(), Problem> {
        match &from.kind {
            Kind::Map(merged) => {
                for entry in merged {
                    if !self.slots.contains_key(&entry.key) {
                        let slot = Slot { index: self.list.len(), merged: true };
                        self.slots.insert(entry.key.clone(), slot);
                        self.list.push(entry.clone());
                    }
                }
                Ok(())
            }
            Kind::List(sources) if sources.iter().all(|source| matches!(source.kind, Kind::Map(_))) => {
                sources.iter().try_for_each(|source| self.merge(source, at))
            }
            _ => {
                let message =
                    format!("`<<` takes a mapping or a list of mappings, found {}", from.describe());
                Err(Problem::new(ProblemCode::WrongType, at, message))
            }
        }
    }
}

fn key_text(node: &Node, at: Place) -> Result<String, Problem> {
    match &node.kind {
        Kind::Scalar(scalar) => Ok(scalar.text.clone()),
        Kind::List(_) | Kind::Map(_) => Err(Problem::new(
            ProblemCode::Syntax,
            at,
            format!("a key must be a word, found {}", node.describe()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Resolved;
    use super::*;

    fn shown(text: &str) -> String {
        fn show(node: &Node) -> String {
            match &node.kind {
                Kind::Scalar(scalar) => match scalar.resolve() {
                    Resolved::Text(text) => format!("{text:?}"),
                    other => format!("{other:?}"),
                },
                Kind::List(items) => {
                    format!("[{}]", items.iter().map(|item| show(item)).collect::<Vec<_>>().join(", "))
                }
                Kind::Map(entries) => {
                    let entries: Vec<String> =
                        entries.iter().map(|e| format!("{}: {}", e.key, show(&e.value))).collect();
                    format!("{{{}}}", entries.join(", "))
                }
            }
        }
        let mut problems = Vec::new();
        let read = read(text, &mut problems);
        match read {
            Ok(None) if problems.is_empty() => "empty".to_owned(),
            Ok(Some(node)) if problems.is_empty() => show(&node),
            other => problems
                .iter()
                .chain(other.as_ref().err())
                .map(|p| format!("{}:{} {}: {}", p.place.line, p.place.column, p.code, p.message))
                .collect::<Vec<_>>()
                .join("; "),
        }
    }

    #[test]
    fn scalars_resolve_by_the_core_schema() {
        assert_eq!(
            shown("[a, 'true', true, 5, -1.50, 1e3, 0x10, .5, +1, ~, null, '', 22:00, yes]"),
            "[\"a\", \"true\", Bool(true), Number(\"5\"), Number(\"-1.50\"), Number(\"1e3\"), \"0x10\", \".5\", \
             \"+1\", Null, Null, \"\", \"22:00\", \"yes\"]"
        );
    }

    #[test]
    fn a_mark_and_foreign_line_ends_do_not_matter() {
        assert_eq!(shown("\u{feff}a: 1\r\nb: 2\r\n"), "{a: Number(\"1\"), b: Number(\"2\")}");
        assert_eq!(shown(""), "empty");
        assert_eq!(shown("# nothing\n"), "empty");
    }

    #[test]
    fn all_doubled_keys_are_found() {
        assert_eq!(
            shown("a: 1\nb: {c: 1, c: 2}\na: 3\n"),
            "2:11 duplicate: the key `c` stands here a second time; 3:1 duplicate: the key `a` stands here a second time"
        );
    }

    #[test]
    fn anchors_and_merges_unfold() {
        assert_eq!(
            shown("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {b: 4, <<: [*x]}\nw: *x\n"),
            "{x: {a: Number(\"1\"), b: Number(\"2\")}, y: {a: Number(\"1\"), b: Number(\"3\")}, z: {b: Number(\"4\"), \
             a: Number(\"1\")}, w: {a: Number(\"1\"), b: Number(\"2\")}}"
        );
    }

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..30 {
            let alias = format!("*a{}", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![alias; 10].join(", ")));
        }
        assert!(
            shown(&text).contains("too_large: the file has more than 2000000 values"),
            "{}",
            shown(&text)
        );
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        for opening in ["[", "- ", "{a: "] {
            let mut told = shown(&opening.repeat(10_000));
            told.truncate(200);
            assert!(told.contains("nest deeper than 64") || told.contains("recursion limit"), "{told}");
        }
    }

    #[test]
    fn what_is_not_ours_is_refused_with_its_place() {
        for (text, expected) in [
            ("a: !!binary x\n", "1:4 syntax: the tag `!!binary` is not part of hexarch.yaml"),
            ("a: 1\n---\nb: 2\n", "2:1 syntax: the file holds a second YAML document; only one is read"),
            ("? [a]\n: 1\n", "1:3 syntax: a key must be a word, found a list"),
            ("a: &a [*a]\n", "1:8 syntax: the alias stands inside its own anchor"),
            (
                "a: {<<: 5}\n",
                "1:5 wrong_type: `<<` takes a mapping or a list of mappings, found the number `5`",
            ),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert!(shown("a:\n\t- b\n").starts_with("2:"), "{}", shown("a:\n\t- b\n"));
        assert!(shown("a: [1, 2\n").contains("this is not YAML"));
    }
}
