//! Reports: why a simulation cannot go on, and where everything in it stands.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use crate::task::{Cell, Kind};
use crate::world::{State, Stuck, World};

/// Why the simulation cannot go on, what each task waits for, and how to have the same again.
pub(crate) fn report(world: &World, state: &State, why: &Stuck, about: Option<&Arc<Cell>>) -> String {
    let mut text = format!("the simulation cannot go on: {why} (virtual time {:?})\n", state.time(world));
    if let Some(cell) = about.filter(|cell| cell.number != 0) {
        let _ = writeln!(text, "  it concerns {}", path(state, cell));
    }
    let main = about.filter(|cell| matches!(cell.kind, Kind::Main));
    let _ = writeln!(text, "  main{}", main.map_or_else(String::new, |main| waits(main)));
    text.push_str(&tree(state));
    if why.concerns_all() {
        text.push_str(
            "  if a thread from outside was to wake one of them, announce it: see SimHandle::follow_real_time\n",
        );
    }
    let _ = write!(text, "  the same again: {}", world.settings.replay());
    text
}

/// All tasks and jobs, a line each, indented by where they stand.
pub(crate) fn tree(state: &State) -> String {
    let mut text = String::new();
    let mut below: BTreeMap<Option<u64>, Vec<&Arc<Cell>>> = BTreeMap::new();
    let labels = || state.cells.iter().filter_map(|(_, cell)| cell.label.as_ref());
    let known: HashSet<u64> = labels().map(|label| label.id).collect();
    for (_, cell) in &state.cells {
        let parent = cell.label.as_ref().and_then(|label| label.parent).filter(|parent| known.contains(parent));
        below.entry(parent).or_default().push(cell);
    }
    let mut left: Vec<(usize, &Arc<Cell>)> = Vec::new();
    let push = |left: &mut Vec<_>, parent: Option<u64>, depth: usize| {
        let mut cells = below.get(&parent).cloned().unwrap_or_default();
        cells.sort_unstable_by_key(|cell| std::cmp::Reverse(cell.number));
        left.extend(cells.into_iter().map(|cell| (depth, cell)));
    };
    push(&mut left, None, 2);
    let mut shown = 0;
    while let Some((depth, cell)) = left.pop() {
        shown += 1;
        if shown > MOST {
            let _ = writeln!(text, "    and {} more", state.cells.len() - MOST);
            break;
        }
        let _ = writeln!(text, "{:1$}{2}{3}", "", 2 * depth, name(cell), waits(cell));
        if let Some(label) = &cell.label {
            push(&mut left, Some(label.id), depth + 1);
        }
    }
    text
}

/// How many tasks a report shows.
const MOST: usize = 100;

/// Which task it is, with those that it stands below.
pub(crate) fn path(state: &State, cell: &Cell) -> String {
    let mut names = vec![name(cell)];
    let mut parent = cell.label.as_ref().and_then(|label| label.parent);
    while let Some(id) = parent {
        let found = state.cells.iter().find(|(_, cell)| cell.label.as_ref().is_some_and(|label| label.id == id));
        let Some((_, cell)) = found else { break };
        names.push(name(cell));
        parent = cell.label.as_ref().and_then(|label| label.parent);
    }
    if cell.number != 0 {
        names.push("main".to_owned());
    }
    names.reverse();
    names.join(" > ")
}

fn name(cell: &Cell) -> String {
    match (&cell.kind, &cell.label) {
        (Kind::Main, _) => "main".to_owned(),
        (Kind::Job(_), _) => format!("blocking job {}", cell.number),
        (Kind::Task(_), None) => format!("task {}, spawned by other means than anyio's", cell.number),
        (Kind::Task(_), Some(label)) => {
            let mut text = format!("task {}", cell.number);
            label.name.iter().for_each(|name| _ = write!(text, " {name:?}"));
            label.group.iter().for_each(|group| _ = write!(text, " of {group:?}"));
            let _ = write!(text, " (spawned at {})", label.location);
            text
        }
    }
}

fn waits(cell: &Cell) -> String {
    match (&cell.kind, *cell.waiting.lock()) {
        (_, Some(waiting)) => format!(" waits {waiting}"),
        (Kind::Job(_), None) => String::new(),
        (_, None) => " waits for something that is not anyio's".to_owned(),
    }
}
