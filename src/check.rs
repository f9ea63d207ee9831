//! One call, and what its policy says about it.

use std::time::Duration;

use guard_core::{Amount, AmountError, ConfirmationToken, Json, Request, Session, Timestamp, User, block_on};
use guard_policy::Settings;
use guardian::{Permit, Verdict};
use serde::Serialize;

use crate::error::{GuardError, RequestError};
use crate::guardian::Guardian;
use crate::wait;

/// A check of a policy, built step by step. Nothing happens before one of the methods that end it.
#[must_use = "a check does nothing until it is run or decided"]
pub struct Check {
    guardian: Guardian,
    /// Apart, since checks are handed on from method to method.
    request: Box<Request>,
    /// The first thing that was said and cannot be.
    invalid: Option<RequestError>,
}

impl Check {
    pub(crate) fn new(guardian: Guardian, policy: &str) -> Self {
        Self { guardian, request: Box::new(Request::new(policy)), invalid: None }
    }

    /// The function about to run.
    pub fn function(mut self, name: impl Into<String>) -> Self {
        self.request.function = name.into();
        self
    }

    /// What is done.
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.request.operation = operation.into();
        self
    }

    /// To what it is done.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.request.resource = resource.into();
        self
    }

    /// What kind of thing the resource is.
    pub fn resource_type(mut self, kind: impl Into<String>) -> Self {
        self.request.resource_type = Some(kind.into());
        self
    }

    /// The model that is called.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.request.model = Some(model.into());
        self
    }

    /// The feature that is used.
    pub fn feature(mut self, feature: impl Into<String>) -> Self {
        self.request.feature = Some(feature.into());
        self
    }

    /// The run of calls that this one belongs to, and when it began: loops are counted and timed by it.
    pub fn session(mut self, id: impl Into<String>, started: Timestamp) -> Self {
        self.request.session = Some(Session { id: id.into(), started });
        self
    }

    /// Who is calling.
    pub fn user(mut self, id: impl Into<String>) -> Self {
        self.request.user.get_or_insert_with(User::default).id = id.into();
        self
    }

    /// A role of the caller, without `@`.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.request.user.get_or_insert_with(User::default).roles.push(role.into());
        self
    }

    /// What the call is expected to cost, in dollars: a text such as `"0.031"`, an integer, or a float,
    /// which means its shortest decimal.
    pub fn cost<A>(mut self, cost: A) -> Self
    where
        A: TryInto<Amount>,
        A::Error: Into<AmountError>,
    {
        match cost.try_into() {
            Ok(amount) if amount.is_negative() => self.note(RequestError::NegativeCost(amount.to_string())),
            Ok(amount) => self.request.cost = Some(amount),
            Err(error) => self.note(RequestError::Cost(error.into())),
        }
        self
    }

    /// How many tokens the call is expected to take.
    pub fn tokens(mut self, tokens: u64) -> Self {
        self.request.tokens = Some(tokens);
        self
    }

    /// Names this call: whoever comes again with the same key, since an answer was lost, is charged once. A key belongs to
    /// one policy, and to one call with one cost.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.request.idempotency_key = Some(key.into());
        self
    }

    /// Says that a person has confirmed this very call. Only the caller can know.
    pub fn confirm(mut self, confirmed: bool) -> Self {
        self.request.confirmed = confirmed;
        self
    }

    /// What this call was held with before: see [`Violation::confirmation`](guard_core::Violation).
    pub fn confirmation_token(mut self, token: ConfirmationToken) -> Self {
        self.request.confirmation_token = Some(token);
        self
    }

    /// Something else that the policy may want to know, and that nobody is shown who is asked to confirm the call.
    pub fn secret(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let name = name.into();
        self.request.secrets.insert(name.clone());
        self.context(name, value)
    }

    /// Something else that the policy may want to know. `confirm: true` here is the same as
    /// [`Check::confirm`].
    pub fn context(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let name = name.into();
        match Json::of(&value) {
            Ok(json) => {
                self.request.confirmed |= name == "confirm" && json.as_str() == "true";
                self.request.context.insert(name, json);
            }
            Err(source) => self.note(RequestError::Value { name, source }),
        }
        self
    }

    /// Something that is carried along for the record.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let name = name.into();
        match Json::of(&value) {
            Ok(json) => {
                self.request.metadata.insert(name, json);
            }
            Err(source) => self.note(RequestError::Value { name, source }),
        }
        self
    }

    /// The decision alone: nothing is charged, nobody is asked to confirm, nothing runs. Whatever goes
    /// wrong on the way is in the verdict as a denial.
    ///
    /// # Errors
    /// When the check says something that cannot be.
    pub fn decide(self) -> Result<Verdict, RequestError> {
        let (guardian, request) = self.request()?;
        Ok(guardian.inner.driver.decide_now(request))
    }

    /// [`Check::decide`], without blocking the thread while a sidecar is asked.
    ///
    /// # Errors
    /// When the check says something that cannot be.
    pub async fn decide_async(self) -> Result<Verdict, RequestError> {
        let (guardian, request) = self.request()?;
        Ok(guardian.inner.driver.decide(request).await)
    }

    /// Runs the closure if the policy allows it, and charges what the policy says it takes. If it panics,
    /// what was reserved of budgets is given back.
    ///
    /// # Errors
    /// When it may not run. It has not been called then.
    pub fn run<T>(self, call: impl FnOnce() -> T) -> Result<T, GuardError> {
        let permit = self.authorize()?;
        let result = call();
        permit.complete_now();
        Ok(result)
    }

    /// Awaits the future if the policy allows it, and charges what the policy says it takes. If it panics
    /// or this future is dropped before its end, what was reserved of budgets is given back.
    ///
    /// # Errors
    /// When it may not run. It has not been polled then.
    pub async fn run_async<F: Future>(self, call: F) -> Result<F::Output, GuardError> {
        let permit = self.authorize_async().await?;
        let result = call.await;
        permit.complete().await;
        Ok(result)
    }

    /// Asks for the right to run the call, for callers that run it themselves: to say what it really cost
    /// ([`Permit::spent`]), or to look at a warning before. Complete the permit when the call is done.
    ///
    /// # Errors
    /// When it may not run.
    pub fn authorize(self) -> Result<Permit, GuardError> {
        let (guardian, request) = self.request()?;
        Ok(guardian.inner.driver.authorize_now(request)?)
    }

    /// [`Check::authorize`], without blocking the thread while a sidecar, a store or a person is asked.
    ///
    /// # Errors
    /// When it may not run.
    pub async fn authorize_async(self) -> Result<Permit, GuardError> {
        let (guardian, request) = self.request()?;
        Ok(guardian.inner.driver.authorize(request).await?)
    }

    /// [`Check::run`], and where the call is held for a confirmation, or throttled, waits until somebody has decided or
    /// there is room again, all together no longer than `within`. A call that would have to wait longer than that for
    /// room is denied at once.
    ///
    /// # Errors
    /// When it may not run; with the pending confirmation when nobody has decided. It has not been called then.
    pub fn run_or_wait<T>(self, within: Duration, call: impl FnOnce() -> T) -> Result<T, GuardError> {
        let permit = self.authorize_or_wait(within)?;
        let result = call();
        permit.complete_now();
        Ok(result)
    }

    /// [`Check::run_or_wait`], without blocking the thread.
    ///
    /// # Errors
    /// As there. The future has not been polled then.
    pub async fn run_or_wait_async<F: Future>(
        self,
        within: Duration,
        call: F,
    ) -> Result<F::Output, GuardError> {
        let permit = self.authorize_or_wait_async(within).await?;
        let result = call.await;
        permit.complete().await;
        Ok(result)
    }

    /// [`Check::authorize`], waiting as [`Check::run_or_wait`] does.
    ///
    /// # Errors
    /// When it may not run.
    pub fn authorize_or_wait(self, within: Duration) -> Result<Permit, GuardError> {
        block_on(self.authorize_or_wait_async(within))
    }

    /// The same, without blocking the thread.
    ///
    /// # Errors
    /// When it may not run.
    pub async fn authorize_or_wait_async(self, within: Duration) -> Result<Permit, GuardError> {
        let (guardian, request) = self.request()?;
        Ok(wait::authorize(&guardian.inner.driver, request, within).await?)
    }

    fn note(&mut self, error: RequestError) {
        self.invalid.get_or_insert(error);
    }

    /// Gives a call that says its model and its tokens, and no cost, the cost by the configuration's prices. A policy that
    /// counts one denies the call where they have none for the model, and tells so.
    fn price(&mut self) {
        let prices = self.guardian.settings().and_then(Settings::prices);
        let (Some(prices), None, Some(model), Some(tokens)) =
            (prices, self.request.cost, self.request.model.as_deref(), self.request.tokens)
        else {
            return;
        };
        self.request.cost = prices.dollars(model, tokens).and_then(|dollars| dollars.parse().ok());
        if self.request.cost.is_none() {
            tracing::warn!(target: "hexarch::policy", "the model `{model}` has no price in {prices}");
            self.request.unpriced = Some(prices.to_string());
        }
    }

    fn request(mut self) -> Result<(Guardian, Box<Request>), RequestError> {
        self.price();
        match self.invalid {
            Some(error) => Err(error),
            None => {
                self.request.confirmed &= self.guardian.inner.flag;
                Ok((self.guardian, self.request))
            }
        }
    }
}
