//! Which cases run, and on which backends.

use std::fmt;

use anyio_conformance::{CASES, Case, LAWS};

use crate::flavours::Flavour;

/// The cases that were asked for, and the backends.
#[derive(Debug)]
pub(crate) struct Selection {
    /// The backends, in the order of the report.
    pub(crate) backends: Vec<Flavour>,
    /// The cases, in the order of the list.
    pub(crate) cases: Vec<&'static Case>,
    /// What was asked for; empty: all.
    pub(crate) filters: Vec<String>,
}

/// A filter that matches nothing.
#[derive(Debug)]
pub(crate) struct NoMatch {
    filter: String,
}

impl Selection {
    /// The cases that match one of the filters, on the backends that were named; all, where nothing was.
    pub(crate) fn new(backends: &[Flavour], filters: &[String]) -> Result<Self, NoMatch> {
        let filters: Vec<_> = filters.iter().map(|filter| filter.trim().to_owned()).collect();
        if let Some(filter) = filters.iter().find(|filter| !CASES.iter().any(|case| matches(filter, case))) {
            return Err(NoMatch { filter: filter.clone() });
        }
        let wanted = |case: &&Case| filters.is_empty() || filters.iter().any(|filter| matches(filter, case));
        let named = |flavour: &Flavour| backends.is_empty() || backends.contains(flavour);
        Ok(Selection {
            backends: Flavour::all().iter().copied().filter(named).collect(),
            cases: CASES.iter().filter(wanted).collect(),
            filters,
        })
    }
}

/// A filter is the number of a law or, where there is no such law, a part of a case's name.
fn matches(filter: &str, case: &Case) -> bool {
    if LAWS.iter().any(|law| law.number.eq_ignore_ascii_case(filter)) {
        case.laws.iter().any(|law| law.eq_ignore_ascii_case(filter))
    } else {
        !filter.is_empty() && case.name.contains(&filter.replace([' ', '-'], "_"))
    }
}

/// One line a case, then the sum.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in &self.cases {
            writeln!(f, "{:<12} {}", case.laws.join(", "), case.name)?;
        }
        let names: Vec<_> = self.backends.iter().map(|flavour| flavour.name()).collect();
        writeln!(f, "\n{} cases on {}", self.cases.len(), names.join(", "))
    }
}

impl fmt::Display for NoMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NoMatch { filter } = self;
        match LAWS.iter().find(|law| law.number.eq_ignore_ascii_case(filter)) {
            Some(law) => writeln!(f, "law {} has no case yet", law.number)?,
            None => writeln!(f, "no law is called '{filter}', and no case has it in its name")?,
        }
        let laws = LAWS.iter().map(|law| law.number).filter(|number| covered(number));
        writeln!(f, "\n  laws:  {}", laws.collect::<Vec<_>>().join(" "))?;
        write!(f, "  cases:")?;
        CASES.iter().try_for_each(|case| write!(f, "\n    {}", case.name))
    }
}

fn covered(law: &str) -> bool {
    CASES.iter().any(|case| case.laws.contains(&law))
}
