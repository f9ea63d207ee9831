//! OPA's answers, from servers that run as long as this process: a policy is pushed, asked, and replaced.

use std::path::{Path, PathBuf};
use std::process::Command;

use rego_value::{Value, json};
use test_support::{Folder, OpaServer, build_bundle, free_port, unpack};

use crate::answer::Answer;
use crate::http::Connection;
use crate::ours::package;
use crate::program::Program;

/// The real OPA: a server for each version of the language.
pub(crate) struct Opa {
    binary: PathBuf,
    v1: Server,
    v0: Server,
}

struct Server {
    /// Killed with this.
    process: OpaServer,
    connection: Connection,
}

/// What makes a server take v0 for the language.
const V0: &[&str] = &["--v0-compatible"];

impl Opa {
    /// Starts the servers of the OPA at that path.
    pub(crate) fn start(binary: &Path) -> Result<Self, String> {
        let v1 = Server::start(binary, &[])?;
        let v0 = Server::start(binary, V0)?;
        Ok(Self { binary: binary.to_owned(), v1, v0 })
    }

    /// The answers to the questions of each program, under the names that it has in a batch.
    pub(crate) fn answers(&mut self, programs: &[Program]) -> Result<Vec<Vec<Answer>>, String> {
        let mut answers = Vec::new();
        for (index, program) in programs.iter().enumerate() {
            let server = if program.v0 { &mut self.v0 } else { &mut self.v1 };
            answers.push(match server.answers(program, &package(index)) {
                Ok(answers) => answers,
                // A program can make it panic: it drops the connection and goes on.
                Err(error) => {
                    server
                        .connect()
                        .map_err(|gone| format!("{error}; then {gone}; asked about\n{program}"))?;
                    vec![Answer::Crashed; program.questions().count()]
                }
            });
        }
        Ok(answers)
    }

    /// The answers to a program's questions by a server that was started for them. One that has compiled thousands of
    /// programs may have learnt from them: it then takes a call for one whose type is not known.
    pub(crate) fn answers_afresh(&mut self, program: &Program, package: &str) -> Result<Vec<Answer>, String> {
        let (server, arguments) = if program.v0 { (&mut self.v0, V0) } else { (&mut self.v1, [].as_slice()) };
        *server = Server::start(&self.binary, arguments)?;
        server.answers(program, package).map_err(lost)
    }

    /// The answer to one question of OPA's interpreter where it evaluates every rule and every body.
    pub(crate) fn thorough_answer(&self, program: &Program, package: &str, question: (&str, &str)) -> Answer {
        let strict = if program.strict { &["--strict-builtin-errors"][..] } else { &[] };
        let output = match self.evaluate(program, package, question, strict) {
            Ok(output) => output,
            Err(error) => return Answer::Broken(format!("opa eval: {error}")),
        };
        if let Some(first) = errors_of(&output).next() {
            return error(first);
        }
        let report = json::parse(&output).unwrap_or(Value::Null);
        let first = |value: &Value, name: &str| list(value, name).into_iter().next();
        let value = first(&report, "result").and_then(|result| first(&result, "expressions"));
        let value = value.and_then(|expression| expression.get_str("value").cloned());
        value.as_ref().map_or(Answer::Undefined, Answer::of)
    }

    /// All errors of builtins that OPA's interpreter meets on its way to that answer. Strict, it reports the first, and
    /// which one that is depends on the order in which it takes the rules of a document.
    pub(crate) fn errors_met(&self, program: &Program, package: &str, question: (&str, &str)) -> Vec<Answer> {
        self.evaluate(program, package, question, &["--show-builtin-errors"])
            .map(|output| errors_of(&output).map(error).collect())
            .unwrap_or_default()
    }

    /// What `opa eval` prints for one question when it evaluates every rule and every body.
    fn evaluate(
        &self,
        program: &Program,
        package: &str,
        (entry, input): (&str, &str),
        flags: &[&str],
    ) -> std::io::Result<Vec<u8>> {
        let folder = Folder::new("rego-fuzz");
        folder.write("policy.rego", program.source(package));
        folder.write("data.json", format!("{{\"{package}\": {}}}", program.data));
        let mut eval = Command::new(&self.binary);
        eval.current_dir(folder.path()).args(["eval", "--disable-indexing", "--disable-early-exit"]);
        eval.args(["--format", "json", "--data", "policy.rego", "--data", "data.json"]).args(flags);
        if !input.is_empty() {
            folder.write("input.json", input);
            eval.args(["--input", "input.json"]);
        }
        if program.v0 {
            eval.arg("--v0-compatible");
        }
        let dot = if entry.is_empty() { "" } else { "." };
        Ok(eval.arg(format!("data.{package}{dot}{entry}")).output()?.stdout)
    }

    /// The plan that OPA makes for one rule of a program, as JSON.
    pub(crate) fn plan(&self, program: &Program, entry: &str, package: &str) -> Result<String, String> {
        let folder = Folder::new("rego-fuzz");
        folder.write("policy.rego", program.source(package));
        let entry = if entry.is_empty() { package.to_owned() } else { format!("{package}/{entry}") };
        let mut arguments = vec!["-t", "plan", "-e", &entry, "policy.rego"];
        if program.v0 {
            arguments.push("--v0-compatible");
        }
        build_bundle(&self.binary, folder.path(), &arguments)
            .map_err(|error| format!("opa build -t plan: {error}"))?;
        String::from_utf8(unpack(folder.path(), "/plan.json")).map_err(|error| error.to_string())
    }
}

fn lost(error: std::io::Error) -> String {
    format!("OPA's server: {error}")
}

impl Server {
    fn start(binary: &Path, arguments: &[&str]) -> Result<Self, String> {
        let process = OpaServer::start_with(binary, free_port(), arguments)?;
        let connection = Connection::open(&process.address()).map_err(lost)?;
        Ok(Self { process, connection })
    }

    /// Opens the connection anew.
    fn connect(&mut self) -> Result<(), String> {
        self.connection = Connection::open(&self.process.address()).map_err(lost)?;
        Ok(())
    }

    fn answers(&mut self, program: &Program, package: &str) -> std::io::Result<Vec<Answer>> {
        self.connection.request("PUT", "/v1/policies/policy", "package nothing\n")?;
        let data = format!("{{\"{package}\": {}}}", program.data);
        let (status, body) = self.connection.request("PUT", "/v1/data", &data)?;
        if status != 204 {
            let broken = Answer::Broken(format!("data: {}", String::from_utf8_lossy(&body)));
            return Ok(vec![broken; program.questions().count()]);
        }
        let source = program.source(package);
        let (status, body) = self.connection.request("PUT", "/v1/policies/policy", &source)?;
        if status != 200 {
            let (code, message) = errors_of(&body).next().unwrap_or_default();
            return Ok(vec![Answer::Refused { code, message }; program.questions().count()]);
        }
        program.questions().map(|(entry, input)| self.ask(package, entry, input, program.strict)).collect()
    }

    fn ask(&mut self, package: &str, entry: &str, input: &str, strict: bool) -> std::io::Result<Answer> {
        let slash = if entry.is_empty() { "" } else { "/" };
        let strict = if strict { "?strict-builtin-errors=true" } else { "?" };
        let path = format!("/v1/data/{package}{slash}{entry}{strict}");
        let (status, body) = match input {
            "" => self.connection.request("POST", &path, "{}"),
            // In a body it would be no input.
            "null" => self.connection.request("GET", &format!("{path}&input=null"), ""),
            _ => self.connection.request("POST", &path, &format!("{{\"input\": {input}}}")),
        }?;
        if status == 200 {
            let answer = json::parse(&body).ok();
            let Some(answer) = answer else {
                return Ok(Answer::Broken(String::from_utf8_lossy(&body).into_owned()));
            };
            return Ok(answer.get_str("result").map_or(Answer::Undefined, Answer::of));
        }
        let broken = || Answer::Broken(String::from_utf8_lossy(&body).into_owned());
        Ok(errors_of(&body).next().map_or_else(broken, error))
    }
}

fn error((code, message): (String, String)) -> Answer {
    Answer::Error { code, message }
}

/// Code and message of each error that OPA reports.
fn errors_of(body: &[u8]) -> impl Iterator<Item = (String, String)> {
    let report = json::parse(body).unwrap_or(Value::Null);
    let text = |error: &Value, name: &str| {
        error.get_str(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    list(&report, "errors").into_iter().map(move |error| (text(&error, "code"), text(&error, "message")))
}

fn list(value: &Value, name: &str) -> Vec<Value> {
    value
        .get_str(name)
        .and_then(Value::as_array)
        .map(|items| items.iter().cloned().collect())
        .unwrap_or_default()
}
