//! Programs asked on both sides, and what differs.

use crate::answer::Answer;
use crate::opa::Opa;
use crate::ours::{Ours, package};
use crate::program::Program;

/// Both sides.
pub(crate) struct Judge {
    ours: Ours,
    opa: Opa,
    /// What was seen.
    pub(crate) seen: Seen,
    /// Say why programs are refused.
    explain: bool,
}

/// How many answers of which kind were compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) refused: usize,
    pub(crate) values: usize,
    pub(crate) undefined: usize,
    pub(crate) errors: usize,
    /// Errors that only one side meets, because OPA's interpreter leaves out work whose value it does not need: without
    /// its index and its early exit, or by its plan of the same program, it meets the same errors.
    pub(crate) order: usize,
    /// Programs that a server answered otherwise than one that is asked nothing else.
    pub(crate) stale: usize,
    /// Programs over which OPA's server fell.
    pub(crate) crashed: usize,
}

/// An input for which the answers differ.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) entry: String,
    pub(crate) input: String,
    pub(crate) ours: Answer,
    pub(crate) theirs: Answer,
    /// What OPA's plan answers.
    pub(crate) of_plan: Answer,
}

impl Judge {
    pub(crate) fn new(ours: Ours, opa: Opa, explain: bool) -> Self {
        Self { ours, opa, seen: Seen::default(), explain }
    }

    /// The first difference of each program.
    pub(crate) fn differences(&mut self, programs: &[Program]) -> Result<Vec<Option<Difference>>, String> {
        let ours = self.ours.answers(programs);
        let theirs = self.opa.answers(programs)?;
        let mut differences = Vec::new();
        for (index, (program, (ours, theirs))) in programs.iter().zip(ours.iter().zip(&theirs)).enumerate() {
            let package = package(index);
            let mut found = self.difference(program, &package, ours, theirs);
            if found.is_some() {
                let seen = self.seen.clone();
                let theirs = self.opa.answers_afresh(program, &package)?;
                found = self.difference(program, &package, ours, &theirs);
                self.seen = Seen { stale: seen.stale + usize::from(found.is_none()), ..seen };
            }
            differences.push(found);
        }
        Ok(differences)
    }

    fn difference(
        &mut self,
        program: &Program,
        package: &str,
        ours: &[Answer],
        theirs: &[Answer],
    ) -> Option<Difference> {
        if theirs.first() == Some(&Answer::Crashed) {
            self.seen.crashed += 1;
            return None;
        }
        for ((entry, input), (ours, theirs)) in program.questions().zip(ours.iter().zip(theirs)) {
            if !ours.agrees(theirs) {
                let question = (entry, input);
                let thorough = self.opa.thorough_answer(program, package, question);
                let of_plan = self.of_plan(program, package, question);
                let is_order = [&thorough, &of_plan].into_iter().any(|other| is_order(ours, theirs, other))
                    || self.meets_both(program, package, question, (ours, theirs));
                if !is_order {
                    let (entry, input) = (entry.to_owned(), input.to_owned());
                    return Some(Difference {
                        entry,
                        input,
                        ours: ours.clone(),
                        theirs: theirs.clone(),
                        of_plan,
                    });
                }
                self.seen.order += 1;
            }
            match ours {
                Answer::Value(_) => self.seen.values += 1,
                Answer::Undefined => self.seen.undefined += 1,
                Answer::Refused { message, .. } => {
                    if self.explain {
                        println!("refused by both: {message}\n{program}");
                    }
                    self.seen.refused += 1;
                    return None;
                }
                _ => self.seen.errors += 1,
            }
        }
        None
    }

    /// Whether both sides end with an error of a builtin and OPA meets the two in one evaluation.
    fn meets_both(
        &self,
        program: &Program,
        package: &str,
        question: (&str, &str),
        (ours, theirs): (&Answer, &Answer),
    ) -> bool {
        if !(program.strict && ours.is_error() && theirs.is_error()) {
            return false;
        }
        let met = self.opa.errors_met(program, package, question);
        [ours, theirs].into_iter().all(|error| met.iter().any(|other| error.agrees(other)))
    }

    /// The answer of the plan that OPA makes of the program, compiled by us: it tells a fault of our front end from one
    /// of our back end.
    fn of_plan(&self, program: &Program, package: &str, (entry, input): (&str, &str)) -> Answer {
        match self.opa.plan(program, entry, package) {
            Ok(plan) => self.ours.answer_of_plan(&plan, program, input, package),
            Err(error) => Answer::Broken(error),
        }
    }
}

/// Whether the sides differ in nothing but which errors they meet, and OPA meets ours as well where it leaves nothing
/// out.
fn is_order(ours: &Answer, theirs: &Answer, other: &Answer) -> bool {
    let is_answer = |answer: &Answer| !matches!(answer, Answer::Refused { .. } | Answer::Broken(_));
    (ours.is_error() || theirs.is_error()) && is_answer(ours) && is_answer(theirs) && ours.agrees(other)
}
