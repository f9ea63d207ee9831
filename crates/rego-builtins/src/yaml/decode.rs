//! Nodes to a value: aliases expanded, merge keys applied, keys as text. What go-yaml refuses is refused.

use std::collections::{BTreeMap, BTreeSet};

use rego_value::{Number, Value};

use super::MAX_DEPTH;
use super::resolve::{self, Scalar, Tag};
use super::tree::{Id, Kind, Node, Tree};
use crate::encoding::lossy;

/// A key as Go's maps tell keys apart, for which `1` and `"1"` are two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    /// The bits of a float.
    Float(u64),
    Str(String),
    Time(String),
}

/// The first document as a value; null if there is none.
///
/// # Errors
/// What is wrong, as OPA says it.
pub(super) fn decode(tree: &Tree<'_>) -> Result<Value, String> {
    let mut decoder = Decoder {
        tree,
        depth: 0,
        within: Vec::new(),
        decoded: 0,
        by_alias: 0,
        refused: Vec::new(),
        no_key: None,
        no_number: None,
    };
    let Some(root) = tree.root else { return Ok(Value::Null) };
    let value = decoder.value(root)?;
    if !decoder.refused.is_empty() {
        return Err(format!("yaml: unmarshal errors:\n  {}", decoder.refused.join("\n  ")));
    }
    match decoder.no_key.or(decoder.no_number) {
        Some(problem) => Err(problem),
        None => Ok(value.unwrap_or(Value::Null)),
    }
}

struct Decoder<'a> {
    tree: &'a Tree<'a>,
    depth: usize,
    /// The aliases that are being expanded.
    within: Vec<Id>,
    /// How many nodes were decoded, and how many of them within aliases: what stops a document whose aliases expand
    /// without measure.
    decoded: u64,
    by_alias: u64,
    /// Mappings with a key twice; the rest of the document is looked at before they are reported.
    refused: Vec<String>,
    /// The first key that JSON cannot have.
    no_key: Option<String>,
    /// The first number that JSON cannot have.
    no_number: Option<String>,
}

/// The keys that a mapping has or was given by merge keys before: those of its own count.
type Known = BTreeSet<Key>;

/// A mapping as it grows.
struct Target {
    entries: BTreeMap<Key, Value>,
    /// All its keys are strings, so those merged into it become strings.
    of_strings: bool,
}

impl<'a> Decoder<'a> {
    fn node(&self, id: Id) -> Result<&'a Node, String> {
        self.tree.node(id).ok_or_else(|| "yaml: no such node".to_owned())
    }

    fn count(&mut self) -> Result<(), String> {
        self.decoded += 1;
        if !self.within.is_empty() {
            self.by_alias += 1;
        }
        #[expect(clippy::cast_precision_loss, reason = "a ratio")]
        let ratio = self.by_alias as f64 / self.decoded as f64;
        if self.by_alias > 100 && self.decoded > 1000 && ratio > allowed_ratio(self.decoded) {
            return Err("yaml: document contains excessive aliasing".to_owned());
        }
        Ok(())
    }

    /// The value of a node; nothing where it is a mapping that is refused.
    fn value(&mut self, id: Id) -> Result<Option<Value>, String> {
        self.count()?;
        let node = self.node(id)?;
        match &node.kind {
            Kind::Scalar => Ok(Some(self.json_of(&scalar(node)?))),
            Kind::Alias(target) => self.within_alias(id, node, |decoder| decoder.value(*target)),
            Kind::Sequence(items) => self.deeper(|decoder| {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    values.extend(decoder.value(*item)?);
                }
                Ok(Some(Value::array(values)))
            }),
            Kind::Mapping(_) => {
                let pairs = self.pairs_of(node)?;
                let Some(pairs) = pairs else { return Ok(None) };
                let of_strings = self.all_keys_are_strings(&pairs);
                let mut target = Target { entries: BTreeMap::new(), of_strings };
                self.deeper(|decoder| decoder.fill(&pairs, &mut target, None))?;
                Ok(Some(self.object_of(target.entries)))
            }
        }
    }

    fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth >= MAX_DEPTH {
            return Err(format!("yaml: exceeded max depth of {MAX_DEPTH}"));
        }
        self.depth += 1;
        let done = work(self);
        self.depth -= 1;
        done
    }

    fn within_alias<T>(
        &mut self,
        id: Id,
        node: &Node,
        work: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        if self.within.contains(&id) {
            return Err(format!("yaml: anchor '{}' value contains itself", self.tree.anchor_at(node.start)));
        }
        self.within.push(id);
        let done = self.deeper(work);
        self.within.pop();
        done
    }

    /// The entries of a mapping: of scalar keys that become the same text the last counts; nothing where another key
    /// stands there twice.
    fn pairs_of(&mut self, node: &Node) -> Result<Option<Vec<(Id, Id)>>, String> {
        let Kind::Mapping(pairs) = &node.kind else { return Ok(Some(Vec::new())) };
        let mut kept: Vec<(Id, Id)> = Vec::with_capacity(pairs.len());
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut others: BTreeMap<(u8, &str), usize> = BTreeMap::new();
        let before = self.refused.len();
        for (key, value) in pairs {
            let node = self.node(*key)?;
            if let Some(text) = text_of_key(node) {
                match places.get(&text).and_then(|at| kept.get_mut(*at)) {
                    Some(entry) => entry.1 = *value,
                    None => {
                        places.insert(text, kept.len());
                        kept.push((*key, *value));
                    }
                }
                continue;
            }
            kept.push((*key, *value));
            let kind = match node.kind {
                Kind::Scalar => 0,
                Kind::Sequence(_) => 1,
                Kind::Mapping(_) => 2,
                Kind::Alias(_) => 3,
            };
            if is_merge_key(node) {
                continue;
            }
            match others.get(&(kind, node.text.as_str())) {
                Some(first) => self.refused.push(format!(
                    "line {}: mapping key {} already defined at line {first}",
                    node.line,
                    crate::gofmt::quote(&node.text)
                )),
                None => {
                    others.insert((kind, &node.text), node.line);
                }
            }
        }
        Ok((self.refused.len() == before).then_some(kept))
    }

    fn all_keys_are_strings(&self, pairs: &[(Id, Id)]) -> bool {
        pairs.iter().all(|(key, _)| matches!(self.effective_tag(*key), Some(Tag::Str | Tag::Merge)))
    }

    /// The tag of a node, or of what it is an alias of.
    fn effective_tag(&self, id: Id) -> Option<Tag> {
        let mut node = self.tree.node(id)?;
        // An alias stands for no alias, so this ends at once.
        while let Kind::Alias(target) = node.kind {
            node = self.tree.node(target)?;
        }
        Some(tag_of(node))
    }

    /// Adds the entries of a mapping. `known` is given where it is merged into another.
    fn fill(
        &mut self,
        pairs: &[(Id, Id)],
        target: &mut Target,
        mut known: Option<&mut Known>,
    ) -> Result<(), String> {
        let mut merges = Vec::new();
        for (key_id, value_id) in pairs {
            if is_merge_key(self.node(*key_id)?) {
                merges.push(*value_id);
                continue;
            }
            let Some(key) = self.key(*key_id, target.of_strings)? else { continue };
            if known.as_deref_mut().is_some_and(|known| !known.insert(key.clone())) {
                continue;
            }
            if let Some(value) = self.value(*value_id)? {
                target.entries.insert(key, value);
            }
        }
        if merges.is_empty() {
            return Ok(());
        }
        match known {
            Some(known) => self.merge(&merges, target, known),
            None => {
                let mut own = Known::new();
                for (key_id, _) in pairs {
                    own.extend(self.key(*key_id, false)?);
                }
                self.merge(&merges, target, &mut own)
            }
        }
    }

    /// Merges what stands behind `<<`: a mapping, or a list of them, of which the first to have a key counts. A list
    /// is what several `<<` come to as well.
    fn merge(&mut self, sources: &[Id], target: &mut Target, known: &mut Known) -> Result<(), String> {
        for source in sources {
            match &self.node(*source)?.kind {
                Kind::Sequence(items) => {
                    for item in items {
                        self.merge_one(*item, target, known)?;
                    }
                }
                _ => self.merge_one(*source, target, known)?,
            }
        }
        Ok(())
    }

    fn merge_one(&mut self, id: Id, target: &mut Target, known: &mut Known) -> Result<(), String> {
        const WRONG: &str = "yaml: map merge requires map or sequence of maps as the value";
        self.count()?;
        let node = self.node(id)?;
        match &node.kind {
            Kind::Mapping(_) => {
                let Some(pairs) = self.pairs_of(node)? else { return Ok(()) };
                self.deeper(|decoder| decoder.fill(&pairs, target, Some(known)))
            }
            Kind::Alias(of) if matches!(self.node(*of)?.kind, Kind::Mapping(_)) => {
                self.within_alias(id, node, |decoder| decoder.merge_one(*of, target, known))
            }
            _ => Err(WRONG.to_owned()),
        }
    }

    /// A key; nothing for null where keys are strings.
    fn key(&mut self, id: Id, as_string: bool) -> Result<Option<Key>, String> {
        self.count()?;
        let node = self.node(id)?;
        match &node.kind {
            Kind::Alias(target) => self.within_alias(id, node, |decoder| decoder.key(*target, as_string)),
            Kind::Scalar => Ok(match scalar(node)? {
                Scalar::Null => (!as_string).then_some(Key::Null),
                Scalar::Str(text) => Some(Key::Str(text)),
                _ if as_string => Some(Key::Str(node.text.clone())),
                Scalar::Bool(truth) => Some(Key::Bool(truth)),
                Scalar::Int(int) => Some(Key::Int(int)),
                Scalar::Uint(int) => Some(Key::Uint(int)),
                Scalar::Float(float) => Some(Key::Float(float.to_bits())),
                Scalar::Time(text) => Some(Key::Time(text)),
            }),
            _ => {
                let value = self.value(id)?.unwrap_or(Value::Null);
                Err(format!("yaml: invalid map key: {}", go_syntax(&value)))
            }
        }
    }
}

impl Decoder<'_> {
    fn json_of(&mut self, scalar: &Scalar) -> Value {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(truth) => Value::from(*truth),
            Scalar::Int(int) => Value::from(*int),
            Scalar::Uint(int) => Number::parse(&int.to_string()).map_or(Value::Null, Value::Number),
            Scalar::Str(text) | Scalar::Time(text) => Value::from(text.as_str()),
            Scalar::Float(float) => match Number::from_f64(*float) {
                Ok(number) => Value::Number(number),
                Err(_) => {
                    let shown = match *float {
                        f64::INFINITY => "+Inf",
                        f64::NEG_INFINITY => "-Inf",
                        _ => "NaN",
                    };
                    self.no_number.get_or_insert_with(|| format!("json: unsupported value: {shown}"));
                    Value::Null
                }
            },
        }
    }

    fn object_of(&mut self, entries: BTreeMap<Key, Value>) -> Value {
        let mut members = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = match key {
                Key::Str(text) => text,
                Key::Bool(truth) => truth.to_string(),
                Key::Int(int) => int.to_string(),
                Key::Uint(int) => int.to_string(),
                Key::Float(bits) => text_of_float(f64::from_bits(bits)),
                Key::Null => {
                    self.no_key.get_or_insert_with(|| unsupported("%!s(<nil>)", "<nil>", &value));
                    continue;
                }
                Key::Time(text) => {
                    self.no_key.get_or_insert_with(|| unsupported("time.Time", &text, &value));
                    continue;
                }
            };
            members.push((Value::from(name), value));
        }
        Value::object(members)
    }
}

/// How much of a document may come from aliases: nearly all of a small one, a tenth of a large one.
fn allowed_ratio(decoded: u64) -> f64 {
    const LOW: u64 = 400_000;
    const HIGH: u64 = 4_000_000;
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    match decoded {
        0..=LOW => 0.99,
        HIGH.. => 0.10,
        _ => 0.99 - 0.89 * ((decoded - LOW) as f64 / (HIGH - LOW) as f64),
    }
}

/// The tag that counts: a quoted scalar without one is a string, and a timestamp that is not marked as one, too.
fn tag_of(node: &Node) -> Tag {
    match node.tag {
        Tag::Timestamp if !node.tagged => Tag::Str,
        ref tag => tag.clone(),
    }
}

fn is_merge_key(node: &Node) -> bool {
    matches!(node.kind, Kind::Scalar) && node.text == "<<" && matches!(node.tag, Tag::None | Tag::Merge)
}

fn scalar(node: &Node) -> Result<Scalar, String> {
    let failed = |problem: String| format!("yaml: {problem}");
    match tag_of(node) {
        Tag::Str => Ok(Scalar::Str(node.text.clone())),
        Tag::Binary => match base64(&node.text) {
            Some(bytes) => Ok(Scalar::Str(lossy(&bytes))),
            None => Err(failed("!!binary value contains invalid base64 data".to_owned())),
        },
        tag => resolve::tagged(&tag, &node.text).map_err(failed),
    }
}

/// The text that a scalar key has in JSON; nothing for those that have none, and for timestamps and merge keys.
fn text_of_key(node: &Node) -> Option<String> {
    if !matches!(node.kind, Kind::Scalar) || matches!(node.tag, Tag::Merge | Tag::Timestamp) {
        return None;
    }
    Some(match scalar(node).ok()? {
        Scalar::Null | Scalar::Time(_) => return None,
        Scalar::Bool(truth) => truth.to_string(),
        Scalar::Int(int) => int.to_string(),
        Scalar::Uint(int) => int.to_string(),
        Scalar::Float(float) => text_of_float(float),
        Scalar::Str(text) => text,
    })
}

/// A float as a key: the shortest digits that read back as the same number of single precision.
fn text_of_float(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "single precision is OPA's choice")]
    let single = value as f32;
    match single {
        _ if single.is_nan() => ".nan".to_owned(),
        f32::INFINITY => ".inf".to_owned(),
        f32::NEG_INFINITY => "-.inf".to_owned(),
        _ => super::write::general(&format!("{single:e}")),
    }
}

/// Base 64 in which line breaks do not count.
fn base64(text: &str) -> Option<Vec<u8>> {
    let symbols: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let mut out = Vec::with_capacity(symbols.len() / 4 * 3);
    let mut chunks = symbols.chunks(4).peekable();
    while let Some(chunk) = chunks.next() {
        let digits = chunk.iter().take_while(|byte| **byte != b'=').count();
        let is_last = chunks.peek().is_none();
        let padded = chunk.iter().skip(digits).all(|byte| *byte == b'=');
        if chunk.len() != 4 || digits < 2 || !padded || (digits < 4 && !is_last) {
            return None;
        }
        let mut bits = 0u32;
        for at in 0..4 {
            bits = bits << 6 | chunk.get(at).filter(|_| at < digits).map_or(Some(0), |byte| sextet(*byte))?;
        }
        out.extend(bits.to_be_bytes().iter().skip(1).take(digits - 1));
    }
    Some(out)
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

fn unsupported(kind: &str, key: &str, value: &Value) -> String {
    format!("unsupported map key of type: {kind}, key: {key}, value: {}", go_syntax(value))
}

/// A value as Go's `%#v` shows it.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::String(text) => crate::gofmt::quote(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}:{}", go_syntax(key), go_syntax(value)))
                .collect();
            format!("map[string]interface {{}}{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}
