//! How a task of a group begins: it is counted first, then it queues if its group has a limit, and then it is given to the
//! carriers of its runtime, or to the backend.

use std::future::Future;
use std::sync::Arc;

use anyio_core::Task;

use super::TaskGroup;
use super::carried::{Carried, CarriedIn, CarriedNode, Passenger, Unlaunched};
use super::info::TaskInfo;
use super::kind::Kind;
use super::limit::{Slot, Slots};
use super::record::{InNode, Seat, task_node_below};
use super::spawned::{Owner, Ride, Settle, Spawned};
use crate::carrier::Carriers;
use crate::locals::Values;
use crate::runtime::Runtime;
use crate::tree::{Link, Node, Place, Tenure, Vacant, erase};
use crate::unit::Carriage;

/// How a task is to begin.
pub(super) struct Plan<I, C, S> {
    /// Makes out who the task is, at the place where that stays.
    pub(super) info: I,
    pub(super) tenure: Tenure,
    pub(super) right: Right,
    /// Turns the output of the future into a result.
    pub(super) convert: C,
    pub(super) settle: S,
}

/// What was to be a task of a group that has closed. It is rare, and in a box, so that what is common stays in registers.
pub(super) type Refused<F> = Box<(TaskInfo, F)>;

/// The right to run, in a group with a limit.
pub(super) enum Right {
    /// The task queues for it, if it needs one.
    Queues,
    /// The task has what it needs.
    Has(Option<Slot>),
}

impl<K: Kind> TaskGroup<K> {
    /// Counts a task and has it begin; gives its future back where the group has closed. Once the task is counted, and
    /// before it can run, it is `shown`.
    #[inline(always)]
    pub(super) fn begin<T, F, I, C, S>(
        &self,
        plan: Plan<I, C, S>,
        future: F,
        shown: impl FnOnce(&dyn Fn() -> Link),
    ) -> Result<Arc<dyn Seat<T>>, Refused<F>>
    where
        F: Future + Send + 'static,
        T: Send + 'static,
        I: FnOnce() -> TaskInfo,
        C: Fn(F::Output) -> Result<T, K::Error> + Send + 'static,
        S: Settle<K::Error> + 'static,
    {
        let runtime = self.node.runtime();
        if let Some(carriers) = runtime.carriers() {
            return self.begin_carried(plan, future, shown, carriers, runtime);
        }
        let Plan { info, tenure, right, convert, settle } = plan;
        let plan = Plan { info: info(), tenure, right, convert, settle };
        self.begin_apart(plan, future, shown, runtime)
    }

    #[inline(always)]
    fn begin_carried<T, F, I, C, S>(
        &self,
        plan: Plan<I, C, S>,
        future: F,
        shown: impl FnOnce(&dyn Fn() -> Link),
        carriers: &Arc<Carriers>,
        runtime: &Runtime,
    ) -> Result<Arc<dyn Seat<T>>, Refused<F>>
    where
        F: Future + Send + 'static,
        T: Send + 'static,
        I: FnOnce() -> TaskInfo,
        C: Fn(F::Output) -> Result<T, K::Error> + Send + 'static,
        S: Settle<K::Error> + 'static,
    {
        let Plan { info, tenure, right, convert, settle } = plan;
        let vacant = Vacant::<CarriedIn<T, Ride<T, K::Error, S, C>, F>>::new();
        let slots = self.slots_for(tenure).filter(|_| matches!(right, Right::Queues));
        let owner = if slots.is_some() { Owner::Queue } else { Owner::Backend };
        let values = Values::current();
        let (badge, names) = info().of_group(self.settings().name()).split();
        let carriage = Carriage::new(&values);
        let place = Place::inside(self.link()).with_values(values);
        // Nothing panics from here on before all is where it stays: so it need not be in memory on the way.
        let ride = Ride::new(carriage, convert, settle, owner);
        let mut node = Node::carried(vacant, tenure, place, Carried::new(badge, carriers.home(), ride, future));
        node.keep_names(names);
        let group = node.parent().expect("it was made with one");
        let Ok(inherited) = group.admit(tenure, node.clone(), runtime) else {
            let refused = Arc::get_mut(&mut node).expect("nobody knows a node that was refused");
            return Err(Box::new((refused.info(), refused.ext.take_body())));
        };
        if inherited.is_some() || tenure == Tenure::Daemon {
            let task: Link = node.clone();
            group.instruct(&task, inherited);
            if group.is_gone() {
                carriers.keep_in_sight(std::iter::once(&task));
            }
        }
        shown(&|| node.clone());
        match (slots, right) {
            (None, Right::Has(Some(slot))) => node.clone().launch_with(slot, carriers, runtime),
            (None, _) => node.clone().launch(carriers, runtime),
            (Some(slots), _) => queue(slots, node.clone(), runtime),
        }
        Ok(node)
    }

    /// [`begin`](Self::begin) for a task of the runtime's own.
    #[inline(never)]
    fn begin_apart<T, F, C, S>(
        &self,
        plan: Plan<TaskInfo, C, S>,
        future: F,
        shown: impl FnOnce(&dyn Fn() -> Link),
        runtime: &Runtime,
    ) -> Result<Arc<dyn Seat<T>>, Refused<F>>
    where
        F: Future + Send + 'static,
        T: Send + 'static,
        C: Fn(F::Output) -> Result<T, K::Error> + Send + 'static,
        S: Settle<K::Error> + 'static,
    {
        let Plan { info, tenure, right, convert, settle } = plan;
        let info = info.of_group(self.settings().name());
        let node = task_node_below(self.link(), tenure, info);
        let link = erase(&node);
        let group = link.parent().expect("it was made with one");
        if group.adopt(&link, runtime).is_err() {
            return Err(Box::new((node.info(), future)));
        }
        shown(&|| link.clone());
        let mut spawned = Spawned::new(link.clone(), InNode, future, convert, settle, Owner::Queue);
        match (self.slots_for(tenure), right) {
            (Some(slots), Right::Queues) => {
                let runtime = runtime.clone();
                slots.enter(&link, move |slot| {
                    spawned.launch(Some(slot));
                    runtime.backend().spawn(Task::labelled(spawned));
                });
            }
            (None, Right::Queues) => {
                spawned.launch(None);
                runtime.backend().spawn(Task::labelled(spawned));
            }
            (_, Right::Has(slot)) => {
                spawned.launch(slot);
                runtime.backend().spawn(Task::labelled(spawned));
            }
        }
        Ok(node)
    }

    /// The slots that a task has to have one of, if the group has a limit, which does not count daemons.
    pub(super) fn slots_for(&self, tenure: Tenure) -> Option<&Arc<Slots>> {
        self.settings().slots().filter(|_| tenure != Tenure::Daemon)
    }
}

fn queue<T, P, F>(slots: &Arc<Slots>, task: CarriedNode<T, P, F>, runtime: &Runtime)
where
    T: Send + 'static,
    P: Passenger<T, F>,
    F: Send + 'static,
{
    let link: Link = task.clone();
    let unlaunched = Unlaunched::new(task);
    let runtime = runtime.clone();
    slots.enter(&link, move |slot| unlaunched.launch(slot, &runtime));
}
