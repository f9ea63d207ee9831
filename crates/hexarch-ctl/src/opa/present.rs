//! Answers of a query in the forms that `opa eval` prints.

use rego_test::output::{Error, json};
use rego_value::Value;

use rego_topdown::Left;

use crate::opa::{partial, table};

/// The value of one expression in one answer.
pub(crate) struct Expression {
    pub(crate) value: Value,
    /// Its text in the query.
    pub(crate) text: String,
    pub(crate) row: u32,
    pub(crate) col: u32,
}

/// One answer.
pub(crate) struct Answer {
    pub(crate) expressions: Vec<Expression>,
    /// The query's variables by name, sorted.
    pub(crate) bindings: Vec<(String, Value)>,
}

/// All that came out.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) errors: Vec<Error>,
    pub(crate) answers: Vec<Answer>,
    /// What a partial evaluation leaves.
    pub(crate) left: Option<Left>,
    /// Which expressions were evaluated, as JSON.
    pub(crate) coverage: Option<String>,
    /// How the answer came about.
    pub(crate) trace: Option<String>,
}

/// What goes to standard output and to standard error.
#[derive(Default)]
pub(crate) struct Printed {
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    /// Only errors.
    pub(crate) fn failed(errors: Vec<Error>) -> Self {
        Self { errors, ..Self::default() }
    }

    /// The outcome in a form that has been checked to be known.
    pub(crate) fn in_format(&self, format: &str) -> Printed {
        match format {
            "json" => Printed { out: self.json(false), ..Printed::default() },
            "discard" => Printed { out: self.json(true), ..Printed::default() },
            _ if !self.errors.is_empty() => Printed { err: self.error_text(), ..Printed::default() },
            "source" => Printed {
                out: self.left.as_ref().map(partial::as_source).unwrap_or_default(),
                ..Printed::default()
            },
            "bindings" => self.each(|answer| lines(&answer.bindings_json())),
            "values" => self.each(|answer| {
                lines(&json::array(answer.expressions.iter().map(|one| json::value(&one.value))))
            }),
            "raw" => self.each(Answer::raw),
            _ => Printed { out: self.pretty(), ..Printed::default() },
        }
    }

    fn each(&self, text: impl Fn(&Answer) -> String) -> Printed {
        Printed { out: self.answers.iter().map(text).collect(), ..Printed::default() }
    }

    fn json(&self, discarded: bool) -> String {
        let mut object = json::Object::new();
        if !self.errors.is_empty() {
            object = object.raw("errors", &json::array(self.errors.iter().map(|error| error.json(false))));
        }
        if !self.answers.is_empty() {
            object = match discarded {
                true => object.text("result", "discarded"),
                false => object.raw("result", &json::array(self.answers.iter().map(Answer::json))),
            };
        }
        if let Some(left) = &self.left {
            object = object.raw("partial", &partial::as_json(left));
        }
        if let Some(coverage) = &self.coverage {
            object = object.raw("coverage", coverage);
        }
        lines(&object.finish())
    }

    fn error_text(&self) -> String {
        let with_trace = |error: &Error| {
            let trace: Vec<String> = error.trace_lines().iter().map(|line| format!("  {line}")).collect();
            match trace.is_empty() {
                true => error.text(),
                false => format!("{}\n\nTraceback:\n{}", error.text(), trace.join("\n")),
            }
        };
        let texts: Vec<String> = self.errors.iter().map(with_trace).collect();
        match texts.as_slice() {
            [only] => format!("1 error occurred: {only}\n"),
            all => format!("{} errors occurred:\n{}\n", all.len(), all.join("\n")),
        }
    }

    fn pretty(&self) -> String {
        self.trace.clone().unwrap_or_default() + &self.pretty_answers()
    }

    /// Whether there is neither an answer nor a query that is left.
    pub(crate) fn is_undefined(&self) -> bool {
        self.answers.is_empty() && self.left.as_ref().is_none_or(|left| left.queries.is_empty())
    }

    fn pretty_answers(&self) -> String {
        if self.is_undefined() {
            return "undefined\n".to_owned();
        }
        if let Some(left) = &self.left {
            return partial::as_table(left);
        }
        let [first, rest @ ..] = self.answers.as_slice() else { return "undefined\n".to_owned() };
        let are_true_or_false = first.expressions.iter().all(|one| matches!(one.value, Value::Bool(_)));
        if rest.is_empty()
            && first.bindings.is_empty()
            && (first.expressions.len() == 1 || are_true_or_false)
            && let Some(one) = first.expressions.first()
        {
            return lines(&json::value(&one.value));
        }
        let columns = first.columns();
        let headings: Vec<String> = columns.iter().map(|column| first.heading(column)).collect();
        let row = |answer: &Answer| columns.iter().map(|column| answer.cell(column)).collect();
        let rows: Vec<Vec<String>> = self.answers.iter().map(row).collect();
        table::draw(&headings, &rows)
    }
}

/// A column of a table of answers.
enum Column {
    Variable(String),
    Expression(usize),
}

impl Answer {
    fn json(&self) -> String {
        let expression = |one: &Expression| {
            let location = json::Object::new().number("row", one.row).number("col", one.col).finish();
            let object = json::Object::new().raw("value", &json::value(&one.value));
            object.text("text", &one.text).raw("location", &location).finish()
        };
        let expressions = json::array(self.expressions.iter().map(expression));
        let object = json::Object::new().raw("expressions", &expressions);
        match self.bindings.is_empty() {
            true => object.finish(),
            false => object.raw("bindings", &self.bindings_json()).finish(),
        }
    }

    fn bindings_json(&self) -> String {
        let add =
            |object: json::Object, (name, value): &(String, Value)| object.raw(name, &json::value(value));
        self.bindings.iter().fold(json::Object::new(), add).finish()
    }

    fn raw(&self) -> String {
        let text = |one: &Expression| match one.value.as_str() {
            Some(text) => text.to_owned(),
            None => json::value(&one.value),
        };
        let texts: Vec<String> = self.expressions.iter().map(text).collect();
        if texts.is_empty() { String::new() } else { texts.join(" ") + "\n" }
    }

    /// Expressions stand before variables; those that are only true or false say nothing beside variables.
    fn columns(&self) -> Vec<Column> {
        let says = |one: &Expression| !matches!(one.value, Value::Bool(_)) || self.bindings.is_empty();
        let expressions = self.expressions.iter().enumerate().filter(|(_, one)| says(one));
        let variables = self.bindings.iter().map(|(name, _)| Column::Variable(name.clone()));
        expressions.map(|(at, _)| Column::Expression(at)).chain(variables).collect()
    }

    fn heading(&self, column: &Column) -> String {
        match column {
            Column::Variable(name) => name.clone(),
            Column::Expression(at) => {
                self.expressions.get(*at).map(|one| one.text.clone()).unwrap_or_default()
            }
        }
    }

    fn cell(&self, column: &Column) -> String {
        let value = match column {
            Column::Variable(name) => {
                self.bindings.iter().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            Column::Expression(at) => self.expressions.get(*at).map(|one| &one.value),
        };
        value.map_or_else(|| "null".to_owned(), json::value)
    }
}

fn lines(compact: &str) -> String {
    json::indented(compact) + "\n"
}
