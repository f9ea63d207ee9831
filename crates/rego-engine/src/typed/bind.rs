//! A type and a module that belong together.

use std::fmt;
use std::marker::PhantomData;

use super::plan::Planner;
use super::{InputPlan, PolicyInput};
use crate::evaluation::{Input, TypedInput};
use crate::module::Module;

/// What a policy reads and a type does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What is read: `input.user.tier`.
    pub path: String,
    /// Why it is not there: `` `User` has no field for it ``.
    pub reason: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is read, and {}", self.path, self.reason)
    }
}

/// A type that does not have what the policy reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` does not fit the policy: {}", .misfits.iter().map(Misfit::to_string).collect::<Vec<_>>().join("; "))]
pub struct InputMisfit {
    /// The type's name.
    pub name: &'static str,
    /// All that does not fit.
    pub misfits: Vec<Misfit>,
}

/// Gives values of a type to a module's policies. `S` is the type with `'static` in the place of its lifetimes.
pub struct Binding<S> {
    plan: InputPlan,
    /// The one that the plan is for.
    module: Module,
    of: PhantomData<fn(&S)>,
}

impl<S> fmt::Debug for Binding<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").field("module", &self.module).finish_non_exhaustive()
    }
}

impl<S> Binding<S> {
    /// A value as the input of an evaluation by an instance of the module.
    pub fn input<'a, T: PolicyInput<Static = S>>(&'a self, value: &'a T) -> Input<'a> {
        Input::Typed(TypedInput { value, plan: &self.plan, module: &self.module })
    }
}

impl Module {
    /// Binds a type to what the module's policies read of their input.
    ///
    /// # Errors
    /// A type that does not have all that is read. Where policies may read more, which they then find undefined, see
    /// [`Module::bind_partly`].
    pub fn bind<T: PolicyInput>(&self) -> Result<Binding<T::Static>, InputMisfit> {
        match self.bind_partly::<T>() {
            (binding, misfits) if misfits.is_empty() => Ok(binding),
            (_, misfits) => Err(InputMisfit { name: std::any::type_name::<T::Static>(), misfits }),
        }
    }

    /// The same where what the type does not have is undefined, as it is in a JSON text without it; with what that is.
    pub fn bind_partly<T: PolicyInput>(&self) -> (Binding<T::Static>, Vec<Misfit>) {
        let mut planner = Planner { misfits: Vec::new() };
        let plan = planner.plan(&T::shape(), &self.inner.projection, "input");
        (Binding { plan, module: self.clone(), of: PhantomData }, planner.misfits)
    }
}
