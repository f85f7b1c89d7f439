//! What a program really does: the same steps, written with anyio.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;

use anyio::{
    CancelHandle, CancelReason, CancelScope, Cancelled, EffectiveDeadline, FailureKind, GroupBuilder, GroupError,
    Runtime, TaskError, TaskHandle, TaskInfo, TimedOut, TryTaskGroup, Unhandled,
};
use futures::FutureExt as _;
use parking_lot::Mutex;

use super::program::{Block, Id, Kind, Program, Step, Time, What};
use super::stepped::{Counted, Stepped, span};
use super::transcript::{End, Event, Failure, Fault, Outcome, Reason, Transcript};

/// Executes `program` on the backend of the runtime around, with a clock of its own that moves when everybody waits.
///
/// # Panics
///
/// Outside a runtime.
pub async fn execute(program: &Program) -> Transcript {
    let inner = Runtime::current().expect("a program runs in a runtime").backend().clone();
    let stage = Arc::new(Stage::new(program, Stepped::new(inner, program.real_timers)));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = heard.clone();
    let runtime = Runtime::from_backend(stage.backend.clone())
        .with_patience(Duration::MAX)
        .with_hook(move |outcome| hears.lock().push(tell_unhandled(&outcome)));
    let mut end = None;
    let main = async {
        let scene = Scene { stage: stage.clone(), task: 0 };
        let began = scene.begin(0);
        let result = scene.code(std::slice::from_ref(&program.root)).await;
        began.done(Outcome::Returned(result));
        end = Some(End::Returned(result));
    };
    let main = AssertUnwindSafe(anyio::enter(runtime, main)).catch_unwind();
    let mut panicked = None;
    let main = async { panicked = main.await.err().map(|payload| End::Panicked(step_of(&*payload))) };
    let given_up = drive(&stage.backend, main).await;
    let mut unhandled = std::mem::take(&mut *heard.lock());
    unhandled.sort();
    let tasks = std::mem::take(&mut *stage.log.lock());
    let end = given_up.or(panicked).or(end).expect("it is over");
    Transcript { tasks, unhandled, end }
}

/// Polls the main task, and moves the clock when everybody waits; says why the program was given up, if it was.
async fn drive(backend: &Arc<Stepped>, main: impl Future<Output = ()>) -> Option<End> {
    let pulse = &backend.pulse;
    let mut main = pin!(Counted::new(main, pulse));
    let mut over = false;
    let mut given_up = None;
    poll_fn(|cx| {
        pulse.idle.register(cx.waker());
        if !over && main.is_woken() {
            over = main.as_mut().poll(cx).is_ready();
        }
        if pulse.is_spinning() && given_up.is_none() {
            given_up = Some(End::Spinning);
            pulse.give_up();
        }
        if pulse.is_idle() {
            if pulse.alive.load(SeqCst) == 0 {
                return Poll::Ready(());
            }
            if given_up.is_none() && (over || !backend.advance()) {
                given_up = Some(if over { End::Outlived } else { End::Stuck });
                pulse.give_up();
            }
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
    given_up
}

/// What the tasks of a program share.
struct Stage {
    backend: Arc<Stepped>,
    log: Mutex<BTreeMap<Id, Vec<(u64, Event)>>>,
    /// Scopes that were not entered yet.
    scopes: Mutex<BTreeMap<Id, CancelScope>>,
    /// Handles of scopes, and of the groups that were opened.
    handles: Mutex<BTreeMap<Id, CancelHandle>>,
    groups: Mutex<BTreeMap<Id, OpenGroup>>,
    /// Handles that nobody has taken to await them.
    tasks: Mutex<BTreeMap<Id, TaskHandle<()>>>,
}

#[derive(Clone)]
struct OpenGroup {
    group: TryTaskGroup<Wrong>,
    /// How many futures of tasks exist.
    present: Arc<AtomicUsize>,
}

/// An error: the step that made it.
#[derive(Clone, Copy, Debug)]
struct Wrong(Id);

impl Stage {
    fn new(program: &Program, backend: Stepped) -> Self {
        let mut scopes = BTreeMap::new();
        program.root.visit(&mut |step| {
            if let What::Block(Block { kind: Kind::Scope { deadline, shielded }, .. }) = &step.what {
                let scope = CancelScope::new().shielded(*shielded);
                let scope = match *deadline {
                    None => scope,
                    Some(Time::In(ticks)) => scope.with_timeout(span(ticks)),
                    Some(Time::At(tick)) => scope.with_deadline(backend.instant(tick)),
                };
                scopes.insert(step.id, scope);
            }
        });
        Stage {
            backend: Arc::new(backend),
            log: Mutex::default(),
            handles: Mutex::new(scopes.iter().map(|(id, scope)| (*id, scope.handle())).collect()),
            scopes: Mutex::new(scopes),
            groups: Mutex::default(),
            tasks: Mutex::default(),
        }
    }
}

/// The stage as one task sees it.
#[derive(Clone)]
struct Scene {
    stage: Arc<Stage>,
    task: Id,
}

/// A step that is under way: notes its end, also if that is a drop.
struct Began<'a> {
    scene: &'a Scene,
    id: Id,
    done: bool,
}

impl Began<'_> {
    fn done(mut self, outcome: Outcome) {
        self.done = true;
        self.scene.note(Event::Done(self.id, outcome));
    }
}

impl Drop for Began<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.scene.note(Event::Dropped(self.id));
        }
    }
}

/// Counts the future of a task until it is dropped.
struct Present(Arc<AtomicUsize>);

impl Present {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Present(count.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

type Code<'a> = Pin<Box<dyn Future<Output = Result<(), Id>> + Send + 'a>>;

impl Scene {
    fn note(&self, event: Event) {
        let tick = self.stage.backend.tick();
        self.stage.log.lock().entry(self.task).or_default().push((tick, event));
    }

    fn begin(&self, id: Id) -> Began<'_> {
        self.note(Event::Began(id));
        self.wait_in(id)
    }

    fn wait_in(&self, id: Id) -> Began<'_> {
        Began { scene: self, id, done: false }
    }

    fn code<'a>(&'a self, steps: &'a [Step]) -> Code<'a> {
        Box::pin(async move {
            for step in steps {
                self.step(step).await?;
            }
            Ok(())
        })
    }

    async fn step(&self, step: &Step) -> Result<(), Id> {
        let id = step.id;
        match &step.what {
            What::Mark => self.wait_in(id).done(Outcome::Returned(Ok(()))),
            What::Observe => self.observe(id),
            What::Checkpoint => self.wait(id, anyio::checkpoint()).await,
            What::Sleep(Time::In(ticks)) => self.wait(id, anyio::sleep(span(*ticks))).await,
            What::Sleep(Time::At(tick)) => self.wait(id, anyio::sleep_until(self.stage.backend.instant(*tick))).await,
            What::Forever => self.wait(id, anyio::sleep_forever()).await,
            What::Fail => return Err(id),
            What::Panic => resume_unwind(Box::new(id.to_string())),
            What::Cancel(target) => self.cancel(*target, id),
            What::SetDeadline(target, tick) => {
                let deadline = tick.map(|tick| self.stage.backend.instant(tick));
                self.edit(*target, |handle| handle.set_deadline(deadline));
            }
            What::SetShield(target, shield) => self.edit(*target, |handle| handle.set_shield(*shield)),
            What::Spawn { group, body } => self.spawn(id, *group, body),
            What::Join { task, cancel } => self.join(id, *task, *cancel).await,
            What::Block(block) => return self.block(id, block).await,
        }
        Ok(())
    }

    fn observe(&self, id: Id) {
        // Another thread may cancel this task between one look and the next; what was seen once stays so.
        let before = anyio::is_cancelled();
        let told = anyio::current_effective_deadline();
        let after = anyio::is_cancelled();
        let cancelled = told == EffectiveDeadline::Cancelled;
        assert!(before <= cancelled && cancelled <= after, "{before}, then {told:?}, then {after}");
        let deadline = if let EffectiveDeadline::At(at) = told { Some(self.stage.backend.tick_at(at)) } else { None };
        self.note(Event::Observed { id, cancelled, deadline });
    }

    async fn wait(&self, id: Id, wait: impl Future<Output = ()>) {
        let began = self.wait_in(id);
        wait.await;
        began.done(Outcome::Returned(Ok(())));
    }

    fn cancel(&self, target: Id, id: Id) {
        self.edit(target, |handle| handle.cancel_with(id.to_string()));
        if let Some(task) = self.stage.tasks.lock().get(&target) {
            task.cancel();
        }
    }

    fn edit(&self, target: Id, edit: impl FnOnce(&CancelHandle)) {
        let handle = self.stage.handles.lock().get(&target).cloned();
        if let Some(handle) = handle {
            edit(&handle);
        }
    }

    /// The handle is in its place before anybody else can look for it.
    fn spawn(&self, id: Id, group: Id, body: &[Step]) {
        let Some(open) = self.stage.groups.lock().get(&group).cloned() else { return };
        let scene = Scene { stage: self.stage.clone(), task: id };
        let present = Present::new(&open.present);
        let body = body.to_vec();
        let mut tasks = self.stage.tasks.lock();
        let handle = open.group.task().name(id.to_string()).spawn(async move {
            let _present = present;
            let began = scene.begin(id);
            let result = scene.code(&body).await;
            began.done(Outcome::Returned(result));
            result.map_err(Wrong)
        });
        tasks.insert(id, handle);
    }

    async fn join(&self, id: Id, task: Id, cancel: bool) {
        let handle = self.stage.tasks.lock().remove(&task);
        let Some(handle) = handle else {
            return self.wait_in(id).done(Outcome::Absent);
        };
        let began = self.wait_in(id);
        let result = if cancel { handle.cancel_and_join().await } else { handle.await };
        began.done(match result {
            Ok(()) => Outcome::Returned(Ok(())),
            Err(TaskError::Failed) => Outcome::TaskFailed,
            Err(TaskError::Panicked) => Outcome::TaskPanicked,
            Err(TaskError::Cancelled(cancelled)) => Outcome::Cancelled(reason_of(&cancelled)),
            Err(TaskError::Closed) => Outcome::TaskClosed,
            Err(other) => unreachable!("{other}"),
        });
    }

    async fn block(&self, id: Id, block: &Block) -> Result<(), Id> {
        let began = self.begin(id);
        let outcome = self.run_in(id, block).await;
        began.done(outcome.clone());
        match outcome {
            Outcome::Returned(result) => result,
            _ if block.raise => Err(id),
            _ => Ok(()),
        }
    }

    async fn run_in(&self, id: Id, block: &Block) -> Outcome {
        let body = self.code(&block.body);
        let at = |tick| self.stage.backend.instant(tick);
        match &block.kind {
            Kind::Scope { .. } => {
                let scope = self.stage.scopes.lock().remove(&id).expect("a step is executed once");
                or_cancelled(scope.run(body).await)
            }
            Kind::Timeout(Time::In(ticks)) => or_timed_out(anyio::timeout(span(*ticks), body).await),
            Kind::Timeout(Time::At(tick)) => or_timed_out(anyio::timeout_at(at(*tick), body).await),
            Kind::MoveOn(Time::In(ticks)) => or_moved_on(anyio::move_on_after(span(*ticks), body).await),
            Kind::MoveOn(Time::At(tick)) => or_moved_on(anyio::move_on_at(at(*tick), body).await),
            Kind::Shield => Outcome::Returned(anyio::shield(body).await),
            Kind::ShieldFor(grace) => Outcome::Returned(anyio::shield_for(span(*grace), body).await),
            Kind::Group { panics_are_errors } => self.group(id, *panics_are_errors, body).await,
            Kind::Finally { clean_up_id, clean_up, grace } => {
                let clean_up = async {
                    let began = self.begin(*clean_up_id);
                    let result = self.code(clean_up).await;
                    began.done(Outcome::Returned(result));
                };
                let finally = anyio::finally(body, clean_up);
                or_cancelled(match grace {
                    None => finally.await,
                    Some(grace) => finally.grace(span(*grace)).await,
                })
            }
        }
    }

    async fn group(&self, id: Id, panics_are_errors: bool, body: Code<'_>) -> Outcome {
        let left = Left { scene: self, id, present: Arc::default() };
        let builder = GroupBuilder::new();
        let builder = if panics_are_errors { builder.panics_are_errors() } else { builder };
        let result = builder.run(|group: TryTaskGroup<Wrong>| {
            self.stage.handles.lock().insert(id, group.scope());
            self.stage.groups.lock().insert(id, OpenGroup { group, present: left.present.clone() });
            async move { body.await.map_err(Wrong) }
        });
        match result.await {
            Ok(()) => Outcome::Returned(Ok(())),
            Err(GroupError::Cancelled(cancelled)) => Outcome::Cancelled(reason_of(&cancelled)),
            Err(failed) => {
                let (cancelled, failures) = failed.split();
                let cancelled = cancelled.as_ref().map(reason_of);
                Outcome::Failed { cancelled, failures: failures.iter().map(failure_of).collect() }
            }
        }
    }
}

/// Looks, when a group is over, whether any of its tasks is left.
struct Left<'a> {
    scene: &'a Scene,
    id: Id,
    present: Arc<AtomicUsize>,
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        if self.present.load(SeqCst) > 0 {
            self.scene.note(Event::Leaked(self.id));
        }
    }
}

fn or_cancelled(result: Result<Result<(), Id>, Cancelled>) -> Outcome {
    result.map_or_else(|cancelled| Outcome::Cancelled(reason_of(&cancelled)), Outcome::Returned)
}

fn or_timed_out(result: Result<Result<(), Id>, TimedOut>) -> Outcome {
    result.map_or(Outcome::TimedOut, Outcome::Returned)
}

fn or_moved_on(result: Option<Result<(), Id>>) -> Outcome {
    result.map_or(Outcome::MovedOn, Outcome::Returned)
}

fn reason_of(cancelled: &Cancelled) -> Reason {
    match cancelled.reason() {
        CancelReason::Requested { text, .. } => Reason::Requested(text.as_deref().and_then(|text| text.parse().ok())),
        CancelReason::DeadlinePassed => Reason::Deadline,
        CancelReason::SiblingFailed(task) => Reason::SiblingFailed(task.as_ref().map(task_of)),
        _ => Reason::Unexpected,
    }
}

fn failure_of(failure: &anyio::Failure<Wrong>) -> Failure {
    let fault = match failure.kind() {
        FailureKind::Error(Wrong(step)) => Fault::Error(*step),
        FailureKind::Panic(payload) => Fault::Panic(step_named(&payload.message())),
    };
    Failure { task: failure.task().map(task_of), fault, secondary: failure.is_secondary() }
}

fn task_of(task: &TaskInfo) -> Id {
    task.name().and_then(|name| name.parse().ok()).expect("all tasks of a program have names")
}

/// The step in which the main task panicked.
fn step_of(payload: &(dyn Any + Send)) -> Id {
    let text = payload.downcast_ref::<String>().cloned();
    step_named(&text.or_else(|| Some((*payload.downcast_ref::<&str>()?).to_owned())).unwrap_or_default())
}

fn step_named(panic: &str) -> Id {
    panic.parse().unwrap_or_else(|_| panic!("a panic that is not of the program: {panic}"))
}

fn tell_unhandled(outcome: &Unhandled) -> String {
    match outcome {
        Unhandled::Failed { error, .. } => match error.downcast_ref::<Wrong>() {
            Some(Wrong(step)) => format!("failed: {step}"),
            None => outcome.to_string(),
        },
        Unhandled::Panicked { message, .. } => format!("panicked: {message}"),
        Unhandled::SpawnedIntoClosedGroup { task, .. } => format!("{} was spawned into a closed group", task_of(task)),
        Unhandled::CleanUpCutShort { .. } => "clean-up cut short".to_owned(),
        other => other.to_string(),
    }
}
