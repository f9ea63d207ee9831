//! Which functions there are, which of them are still to be planned, and who calls whom.
//!
//! A reference to a rule only asks for its function; the function is planned later, from a list. So a chain of rules
//! may be as long as it likes, and the planner's stack does not grow with it.

use std::collections::HashMap;
use std::rc::Rc;

use rego_syntax::Span;

use super::contexts::Context;
use super::trie::NodeId;
use super::{PlanError, PlanErrorKind, Result};

/// A function that was asked for.
#[derive(Clone)]
pub(super) struct Request {
    /// Where its rules are.
    pub(super) node: NodeId,
    /// What they mean.
    pub(super) context: Rc<Context>,
    /// Their path, without the context.
    pub(super) path: String,
}

/// A function and the functions that it calls.
struct Called {
    path: String,
    calls: Vec<(usize, Span)>,
}

/// The functions of a plan.
#[derive(Default)]
pub(super) struct Functions {
    by_name: HashMap<String, usize>,
    called: Vec<Called>,
    requests: Vec<Request>,
    /// The function that is being planned; none in a query.
    current: Option<usize>,
}

impl Functions {
    /// The name of the function for a path, which is put on the list if it is new; `span` is where it is called.
    pub(super) fn request(&mut self, request: Request, span: Span) -> String {
        let name = format!("g{}.{}", request.context.number, request.path);
        let next = self.called.len();
        let index = *self.by_name.entry(name.clone()).or_insert(next);
        if index == next {
            self.called.push(Called { path: request.path.clone(), calls: Vec::new() });
            self.requests.push(request);
        }
        if let Some(caller) = self.current.and_then(|current| self.called.get_mut(current)) {
            caller.calls.push((index, span));
        }
        name
    }

    /// Takes a function from the list; it is the current one until the next is taken.
    pub(super) fn take(&mut self) -> Option<Request> {
        let request = self.requests.pop();
        self.current = request.as_ref().and_then(|request| {
            self.by_name.get(&format!("g{}.{}", request.context.number, request.path)).copied()
        });
        request
    }

    /// The path of the function that is being planned.
    pub(super) fn current_path(&self) -> Option<&str> {
        self.current.and_then(|current| self.called.get(current)).map(|called| called.path.as_str())
    }

    /// Checks that no function calls itself.
    ///
    /// The checker rejects rules that refer to themselves. But rules whose references differ only behind a variable
    /// make one function, and one of them may refer to another.
    ///
    /// # Errors
    /// [`PlanErrorKind::SharedPrefix`] at a call that closes a circle.
    pub(super) fn check_circles(&self) -> Result<()> {
        let mut finished = vec![false; self.called.len()];
        let mut on_path = vec![false; self.called.len()];
        for start in 0..self.called.len() {
            // Each entry: a function, and how many of its calls were followed.
            let mut path = vec![(start, 0)];
            while let Some((function, followed)) = path.last_mut() {
                let at = *function;
                if let Some(flag) = on_path.get_mut(at) {
                    *flag = true;
                }
                let call = self.called.get(at).and_then(|called| called.calls.get(*followed)).copied();
                *followed += 1;
                match call {
                    Some((callee, span)) if on_path.get(callee) == Some(&true) => {
                        let path = self.called.get(callee).map(|c| c.path.clone()).unwrap_or_default();
                        return Err(PlanError { kind: PlanErrorKind::SharedPrefix(path), span });
                    }
                    Some((callee, _)) if finished.get(callee) == Some(&false) => path.push((callee, 0)),
                    Some(_) => {}
                    None => {
                        path.pop();
                        if let (Some(on_path), Some(done)) = (on_path.get_mut(at), finished.get_mut(at)) {
                            (*on_path, *done) = (false, true);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
