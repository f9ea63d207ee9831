//! Putting a Guardian together.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use guard_confirm::Desk;
use guard_core::{
    AuditSink, Clock, Confirmer, Evaluator, FailMode, FailModes, NoConfirmer, Record, StateStore, SystemClock,
};
use guard_eval::{Breaker, BreakerConfig, DecisionService, Fallback, PolicyText, Sidecar, Wasm, WasmConfig};
use guard_policy::{Enforcement, EvaluatorOrder, LoadOptions, PolicyFile, RegoPackage, RuleSet};
use guard_state::MemoryStore;
use guardian::{Driver, Ports, QueueTerms, Settings, TracingAudit};
use rego_engine::{PublicKey, Verified};

use crate::audit;
use crate::certificates;
use crate::compile;
use crate::confirmation::{self, Asked};
use crate::custom::Bounded;
use crate::error::BuildError;
use crate::guardian::{Guardian, Inner, Policies};
use crate::hooks::{Hook, hooked};
use crate::packs::{Pack, native, pack, packs};
use crate::permissive::{self, AllowAll};
use crate::rules::Rules;
use crate::state::{self, Audited};

/// Where the policies come from.
enum Source {
    File(PathBuf),
    Text { name: String, text: String },
    Pack(String),
}

/// Settings of a Guardian. What is not set here is taken from the configuration, and what is not there
/// either has a sound default.
#[derive(Default)]
pub struct GuardianBuilder {
    source: Option<Source>,
    rules: Vec<Rules>,
    load: LoadOptions,
    clock: Option<Arc<dyn Clock>>,
    store: Option<Arc<dyn StateStore>>,
    audit: Option<Arc<dyn AuditSink>>,
    confirmer: Option<Arc<dyn Confirmer>>,
    desk: Option<Desk>,
    accept_flag: Option<bool>,
    order: Option<EvaluatorOrder>,
    opa_url: Option<String>,
    opa_token: Option<String>,
    enforce: Option<bool>,
    fail_modes: Option<FailModes>,
    deadline: Option<Duration>,
    lease: Option<Duration>,
    wasm: WasmConfig,
    breaker: BreakerConfig,
    precompiled: Option<(Vec<u8>, Vec<PublicKey>)>,
    hooks: Vec<Hook>,
    evaluator: Option<Arc<dyn Evaluator>>,
}

impl GuardianBuilder {
    /// Takes the policies from this file.
    #[must_use]
    pub fn policy_file(mut self, path: impl AsRef<Path>) -> Self {
        self.source = Some(Source::File(path.as_ref().to_owned()));
        self
    }

    /// Takes the policies from the nearest configuration file, from a directory upwards.
    ///
    /// # Errors
    /// When there is none.
    pub fn discover_from(self, directory: impl AsRef<Path>) -> Result<Self, BuildError> {
        // The switch takes the place of the file, so that a test needs none.
        if permissive::is_asked_for() {
            return Ok(self);
        }
        let path = guard_policy::discover(directory)?;
        Ok(self.policy_file(path))
    }

    /// Takes the policies from a text in the form of hexarch.yaml. Messages call it `name`.
    #[must_use]
    pub fn policy_text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.source = Some(Source::Text { name: name.into(), text: text.into() });
        self
    }

    /// Takes the policies of one of the packs that this crate ships: see [`packs`](crate::packs).
    #[must_use]
    pub fn pack(mut self, name: impl Into<String>) -> Self {
        self.source = Some(Source::Pack(name.into()));
        self
    }

    /// Takes the policies' module from `hexarch-ctl policy build --native` instead of compiling them. The file or text
    /// that it was built of is still given, and has to be the same. The module has to be signed with one of the keys.
    ///
    /// Machine code is run as it stands: whoever has such a key can have any code run in this process.
    #[must_use]
    pub fn precompiled(mut self, module: Vec<u8>, keys: &[PublicKey]) -> Self {
        self.precompiled = Some((module, keys.to_vec()));
        self
    }

    /// Adds a file of rules with conditions, as one policy more; may be called again. Without any other source the rules
    /// are all the policies.
    #[must_use]
    pub fn rules_file(mut self, path: impl AsRef<Path>) -> Self {
        self.rules.push(Rules::file(path.as_ref()));
        self
    }

    /// Adds rules with conditions, as one policy more; may be called again.
    #[must_use]
    pub fn rules(mut self, rules: RuleSet) -> Self {
        self.rules.push(Rules::Set(Box::new(rules)));
        self
    }

    /// How a policy file is read: how large it may be, and who may be able to write it.
    #[must_use]
    pub fn load_options(mut self, options: LoadOptions) -> Self {
        self.load = options;
        self
    }

    /// Reads the time from this clock instead of the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Reads the time from a clock that somebody else holds, and may move, too.
    #[must_use]
    pub fn shared_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Keeps what is spent in this store, whatever the configuration says.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn StateStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Keeps the records here, whatever the configuration's `logging` and `audit` say.
    #[must_use]
    pub fn audit(mut self, audit: Arc<dyn AuditSink>) -> Self {
        self.audit = Some(audit);
        self
    }

    /// Calls this for each decision, once it is recorded: of a call that may run, before it does. It may be said several
    /// times. The thread that asks waits for it, so it should be short; what it panics with is logged, and the call goes
    /// on. It is told what the record says, so also what was recorded as an error or could not be kept.
    #[must_use]
    pub fn on_decision(mut self, hook: impl Fn(&Record) + Send + Sync + 'static) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// Asks for confirmations here. Without one, what needs a confirmation is denied.
    #[must_use]
    pub fn confirmer(mut self, confirmer: impl Confirmer + 'static) -> Self {
        self.confirmer = Some(Arc::new(confirmer));
        self
    }

    /// Whether a caller's own word, [`Check::confirm`](crate::Check::confirm), counts as a confirmation. Without this it
    /// does unless the configuration has a `confirmation` that does not let it.
    #[must_use]
    pub fn accept_flag(mut self, accept: bool) -> Self {
        self.accept_flag = Some(accept);
        self
    }

    /// Asks this evaluator alone, in place of the module in this process and of the sidecar: see
    /// [`DecideFn`](crate::DecideFn). It is held to the deadline, and when it panics there is no decision. Without policies
    /// every policy's id is known.
    #[must_use]
    pub fn evaluator(mut self, evaluator: impl Evaluator + 'static) -> Self {
        self.evaluator = Some(Arc::new(evaluator));
        self
    }

    /// Asks a decision service alone, as [`GuardianBuilder::evaluator`] does: see
    /// [`DecisionService`](crate::DecisionService). It stands behind a breaker.
    ///
    /// # Errors
    /// When the address or the token is not one.
    pub fn decision_service(mut self, url: &str, token: Option<&str>) -> Result<Self, BuildError> {
        let service = DecisionService::new(url, token.map(str::to_owned))?;
        self.evaluator = Some(Arc::new(Breaker::new(Arc::new(service), self.breaker)));
        Ok(self)
    }

    /// In which order the module in this process and the sidecar are asked.
    #[must_use]
    pub fn order(mut self, order: EvaluatorOrder) -> Self {
        self.order = Some(order);
        self
    }

    /// The address of an OPA sidecar.
    #[must_use]
    pub fn opa_url(mut self, url: impl Into<String>) -> Self {
        self.opa_url = Some(url.into());
        self
    }

    /// The token that the sidecar wants.
    #[must_use]
    pub fn opa_token(mut self, token: impl Into<String>) -> Self {
        self.opa_token = Some(token.into());
        self
    }

    /// When the sidecar is left alone, and for how long.
    #[must_use]
    pub fn breaker(mut self, breaker: BreakerConfig) -> Self {
        self.breaker = breaker;
        self
    }

    /// Whether denials are carried out. With `false` they are recorded, and the calls run.
    #[must_use]
    pub fn enforce(mut self, enforce: bool) -> Self {
        self.enforce = Some(enforce);
        self
    }

    /// What happens when there is no decision.
    #[must_use]
    pub fn fail_modes(mut self, modes: FailModes) -> Self {
        self.fail_modes = Some(modes);
        self
    }

    /// How long one decision may take, all evaluators together.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// How long a call may run before what it has reserved is given back.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// The most memory that one decision may use, in bytes.
    #[must_use]
    pub fn memory_cap(mut self, bytes: usize) -> Self {
        self.wasm.memory_limit = bytes;
        self
    }

    /// The most decisions at a time in this process.
    #[must_use]
    pub fn instances(mut self, instances: usize) -> Self {
        self.wasm.instances = instances;
        self
    }

    /// Loads, translates and compiles the policies, and starts what decides about them.
    ///
    /// # Errors
    /// With everything that is wrong with the configuration: nothing of it is left for the first call.
    pub fn build(self) -> Result<Guardian, BuildError> {
        if permissive::is_asked_for() {
            return self.build_permissive("HEXARCH_PERMISSIVE=1");
        }
        if let (Some(evaluator), None, true) = (self.evaluator.clone(), &self.source, self.rules.is_empty()) {
            return Ok(self.build_without_policies(Arc::new(Bounded(evaluator))));
        }
        let (file, packed) = self.policies_and_rules()?;
        for warning in file.warnings() {
            tracing::warn!(target: "hexarch::policy", "{}", warning.render(file.file()));
        }
        let package = guard_policy::translate(&file);
        let mut plan = Plan::of(&self, &file)?;
        plan.settings.queues = queues(&package);
        let clock = self.clock.clone().unwrap_or_else(|| Arc::new(SystemClock::new()));
        let audit = match self.audit.clone() {
            Some(audit) => audit,
            None => audit::sink(&file, &clock)?,
        };
        let audit = hooked(audit, self.hooks.clone());
        let store: Arc<dyn StateStore> = match self.store.clone() {
            Some(store) => store,
            None => state::open(
                &file,
                Arc::clone(&clock),
                Arc::new(Audited { audit: Arc::clone(&audit), clock: Arc::clone(&clock) }),
            )?,
        };
        let own = self.evaluator.clone();
        if own.is_some() {
            plan.opa = None;
        }
        let wasm = match plan.wants_wasm() && own.is_none() {
            true => Some(self.wasm(&package, packed, Arc::clone(&store))?),
            false => None,
        };
        let sidecar = match &plan.opa {
            Some(config) => Some(Arc::new(sidecar(config, &package, Arc::clone(&store))?)),
            None => None,
        };
        let evaluator: Arc<dyn Evaluator> = match own {
            Some(own) => Arc::new(Bounded(own)),
            None => plan.evaluator(wasm, sidecar.clone(), self.breaker),
        };
        let asked = match (self.confirmer, file.settings().confirmation()) {
            (Some(confirmer), _) => Asked { confirmer, desk: None, courier: None },
            (None, None) => Asked { confirmer: Arc::new(NoConfirmer), desk: None, courier: None },
            (None, Some(settings)) => confirmation::asked(settings, Arc::clone(&clock), self.desk)?,
        };
        let flag = file.settings().confirmation().is_none_or(|confirmation| confirmation.flag());
        let flag = self.accept_flag.unwrap_or(flag);
        let Asked { confirmer, desk, courier } = asked;
        let ports = Ports { evaluator, store, audit, confirmer, clock };
        let inner = Inner {
            driver: Arc::new(Driver::new(ports, plan.settings)),
            policies: Policies::new(package.policies().to_vec()),
            settings: Some(file.settings().clone()),
            permissive: false,
            flag,
            desk,
            _courier: courier,
            sidecar,
        };
        Ok(Guardian { inner: Arc::new(inner) })
    }

    /// Takes over from a Guardian what is not said anew: what has been counted, and the time.
    pub(crate) fn continuing(mut self, before: &Guardian) -> Self {
        self.store.get_or_insert_with(|| Arc::clone(before.store()));
        self.clock.get_or_insert_with(|| Arc::clone(before.clock()));
        self.desk = before.confirmations().cloned();
        self
    }

    /// A Guardian that checks nothing, if that is allowed here.
    pub(crate) fn build_permissive(self, why: &str) -> Result<Guardian, BuildError> {
        permissive::admit(why)?;
        let permissive = Self { enforce: None, fail_modes: None, confirmer: None, accept_flag: None, ..self };
        Ok(permissive.build_without_policies(Arc::new(AllowAll)))
    }

    /// A Guardian that knows no policies, so that there is every one, with this evaluator.
    fn build_without_policies(self, evaluator: Arc<dyn Evaluator>) -> Guardian {
        let defaults = Settings::default();
        let settings = Settings {
            enforce: self.enforce.unwrap_or(defaults.enforce),
            fail_modes: self.fail_modes.unwrap_or(defaults.fail_modes),
            deadline: self.deadline.unwrap_or(defaults.deadline),
            lease: self.lease.unwrap_or(defaults.lease),
            queues: HashMap::new(),
        };
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let ports = Ports {
            evaluator,
            store: self.store.unwrap_or_else(|| Arc::new(MemoryStore::new(Arc::clone(&clock)))),
            audit: hooked(self.audit.unwrap_or_else(|| Arc::new(TracingAudit)), self.hooks),
            confirmer: self.confirmer.unwrap_or_else(|| Arc::new(NoConfirmer)),
            clock,
        };
        let driver = Arc::new(Driver::new(ports, settings));
        let inner = Inner {
            driver,
            policies: Policies::new(Vec::new()),
            settings: None,
            permissive: true,
            flag: self.accept_flag.unwrap_or(true),
            desk: None,
            _courier: None,
            sidecar: None,
        };
        Guardian { inner: Arc::new(inner) }
    }

    /// The configuration with all rules, and the pack that it is.
    fn policies_and_rules(&self) -> Result<(PolicyFile, Option<&'static Pack>), BuildError> {
        let (file, packed) = match (&self.source, self.rules.is_empty()) {
            (None, false) => (PolicyFile::without_policies(), None),
            _ => self.policies()?,
        };
        // A pack with rules beside it is not what was compiled.
        let packed = packed.filter(|_| self.rules.is_empty());
        Ok((Rules::added(&self.rules, file, &self.load)?, packed))
    }

    /// The configuration, and the pack that it is.
    fn policies(&self) -> Result<(PolicyFile, Option<&'static Pack>), BuildError> {
        match &self.source {
            None => Err(BuildError::NoPolicies),
            Some(Source::File(path)) => Ok((guard_policy::load(path, &self.load)?, None)),
            Some(Source::Text { name, text }) => Ok((guard_policy::parse(name, text)?, None)),
            Some(Source::Pack(name)) => {
                let found = pack(name).ok_or_else(|| BuildError::UnknownPack {
                    name: name.clone(),
                    known: packs().iter().map(|pack| pack.name).collect(),
                })?;
                let shown = format!("policies/{name}/hexarch.yaml");
                Ok((guard_policy::parse(&shown, found.hexarch_yaml)?, Some(found)))
            }
        }
    }

    fn wasm(
        &self,
        package: &RegoPackage,
        packed: Option<&'static Pack>,
        store: Arc<dyn StateStore>,
    ) -> Result<Wasm, BuildError> {
        if let Some((module, keys)) = &self.precompiled {
            let verified = Verified::by_key(module, keys)?;
            if verified.sources() != compile::sources_digest(package.modules()) {
                return Err(BuildError::OtherSources);
            }
            return Ok(Wasm::load_native(&verified, None, store, self.wasm)?);
        }
        match packed.and_then(|pack| native(pack.name)) {
            Some(Ok(verified)) => Ok(Wasm::load_native(&verified, None, store, self.wasm)?),
            // A compiler makes up for a machine that the packs were not compiled for.
            Some(Err(error)) if cfg!(not(feature = "compiler")) => Err(error.into()),
            _ => self.compiled(package, packed, store),
        }
    }

    #[cfg(feature = "compiler")]
    fn compiled(
        &self,
        package: &RegoPackage,
        packed: Option<&'static Pack>,
        store: Arc<dyn StateStore>,
    ) -> Result<Wasm, BuildError> {
        use sha2::{Digest, Sha256};

        let compiled;
        let module = match packed {
            Some(pack) => pack.module,
            None => {
                compiled = compile::compile_for_engine(package.modules(), package.entrypoints())?;
                compiled.as_slice()
            }
        };
        let digest: String = Sha256::digest(module).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Wasm::load(module, Some(format!("sha256:{digest}")), None, store, self.wasm)?)
    }

    #[cfg(not(feature = "compiler"))]
    #[expect(clippy::unused_self, reason = "the same call with and without a compiler")]
    fn compiled(
        &self,
        _: &RegoPackage,
        _: Option<&'static Pack>,
        _: Arc<dyn StateStore>,
    ) -> Result<Wasm, BuildError> {
        Err(BuildError::NoCompiler)
    }
}

/// What builder and configuration say together.
struct Plan {
    order: EvaluatorOrder,
    opa: Option<guard_opa::Config>,
    /// How often the sidecar's health is asked for.
    health: Option<Duration>,
    settings: Settings,
}

impl Plan {
    fn of(builder: &GuardianBuilder, file: &PolicyFile) -> Result<Self, BuildError> {
        let configured = file.settings();
        let opa = configured.opa();
        let url = builder.opa_url.clone().or_else(|| opa.map(|opa| opa.url().to_owned()));
        let token = builder.opa_token.clone();
        let token = token.or_else(|| opa.and_then(|opa| opa.token()).map(|token| token.expose().to_owned()));
        let order = match (builder.order, opa, &url) {
            (Some(order), ..) => order,
            (None, Some(opa), _) => opa.order(),
            (None, None, Some(_)) => EvaluatorOrder::default(),
            (None, None, None) => EvaluatorOrder::Wasm,
        };
        let opa_config = match (order, url) {
            (EvaluatorOrder::Wasm, _) => None,
            (_, Some(url)) => {
                // Those of the file are for the address in the file.
                let tls = opa.filter(|opa| opa.url() == url).map(certificates::tls).transpose()?;
                let tls = tls.unwrap_or_default();
                Some(guard_opa::Config { token, tls, ..guard_opa::Config::new(url) })
            }
            (_, None) => return Err(BuildError::NoSidecar { order }),
        };
        let defaults = Settings::default();
        let deadline = builder.deadline.or(opa.map(|opa| opa.timeout())).unwrap_or(defaults.deadline);
        let settings = Settings {
            enforce: builder.enforce.unwrap_or(configured.enforcement() == Enforcement::Strict),
            fail_modes: builder.fail_modes.clone().unwrap_or_else(|| fail_modes(configured.fail_mode())),
            deadline,
            lease: builder.lease.unwrap_or(defaults.lease),
            queues: HashMap::new(),
        };
        let health = opa.and_then(|opa| opa.health_check_interval());
        Ok(Self { order, opa: opa_config, health, settings })
    }

    fn wants_wasm(&self) -> bool {
        self.order != EvaluatorOrder::Sidecar
    }

    /// The evaluators in their order. A sidecar stands behind a breaker, so that a dead one does not cost
    /// every call its time.
    fn evaluator(
        &self,
        wasm: Option<Wasm>,
        sidecar: Option<Arc<Sidecar>>,
        breaker: BreakerConfig,
    ) -> Arc<dyn Evaluator> {
        let wasm = wasm.map(|wasm| Arc::new(wasm) as Arc<dyn Evaluator>);
        let sidecar = sidecar.map(|sidecar| {
            let behind = Arc::new(Breaker::new(Arc::clone(&sidecar) as _, breaker));
            if let Some(every) = self.health {
                sidecar.watch_health(every, self.settings.deadline, &behind);
            }
            behind as Arc<dyn Evaluator>
        });
        let order = match self.order {
            EvaluatorOrder::Wasm | EvaluatorOrder::WasmThenSidecar => [wasm, sidecar],
            EvaluatorOrder::SidecarThenWasm | EvaluatorOrder::Sidecar => [sidecar, wasm],
        };
        let mut order: Vec<_> = order.into_iter().flatten().collect();
        match (order.pop(), order.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                order.extend(last);
                Arc::new(Fallback::new(order))
            }
        }
    }
}

fn sidecar(
    config: &guard_opa::Config,
    package: &RegoPackage,
    store: Arc<dyn StateStore>,
) -> Result<Sidecar, BuildError> {
    let policies = package.modules().iter();
    let policies =
        policies.map(|module| PolicyText { id: module.name().to_owned(), rego: module.text().to_owned() });
    let client = guard_opa::Client::new(config)?;
    Ok(Sidecar::new(client, policies.collect(), store))
}

/// How calls stand in line for the limits whose action is `queue`.
fn queues(package: &RegoPackage) -> HashMap<String, QueueTerms> {
    let limits = package.policies().iter().flat_map(|policy| policy.limits());
    let terms = |queue: guard_policy::Queue| QueueTerms {
        most: usize::try_from(queue.limit).unwrap_or(usize::MAX),
        timeout: queue.timeout,
    };
    limits.filter_map(|limit| Some((limit.id.clone(), terms(limit.queue?)))).collect()
}

fn fail_modes(configured: &guard_policy::FailModes) -> FailModes {
    let mode = |mode: guard_policy::FailMode| match mode {
        guard_policy::FailMode::Closed => FailMode::Closed,
        guard_policy::FailMode::Open => FailMode::Open,
    };
    let modes = FailModes::all(mode(configured.default_mode()));
    configured.classes().iter().fold(modes, |modes, (class, fail)| modes.with(class.as_str(), mode(*fail)))
}
