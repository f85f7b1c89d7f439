//! What came out: one value, rendered in five forms.

pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod text;

use std::fmt;
use std::path::Path;

use anyio_conformance::{Case, LAWS, Law};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::flavours::Flavour;
use crate::selection::Selection;
use crate::surroundings::Surroundings;

/// What became of every case on every backend, and the sums of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The version of this form, raised when a field changes its meaning.
    pub(crate) schema: u32,
    /// When, where and how the cases were run.
    #[serde(flatten)]
    pub(crate) conditions: Conditions,
    /// The sum over all.
    pub(crate) counts: Counts,
    /// The backends, in the order in which everything below lists them.
    pub(crate) backends: Vec<BackendRow>,
    /// The laws that cases were run of; in an unfiltered report all laws.
    pub(crate) laws: Vec<LawRow>,
    /// The cases that were run.
    pub(crate) cases: Vec<CaseRow>,
}

/// When, where and how the cases were run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Conditions {
    /// When it began, in UTC.
    pub(crate) started: String,
    /// How long it took in all.
    pub(crate) seconds: f64,
    /// What decided the order of the cases.
    pub(crate) seed: u64,
    /// How many cases ran at a time.
    pub(crate) jobs: usize,
    /// After how many seconds a case counted as hung.
    pub(crate) limit: f64,
    /// What was asked for; empty: all.
    pub(crate) filters: Vec<String>,
    /// Where they were run.
    pub(crate) surroundings: Surroundings,
}

/// A backend, and how it did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BackendRow {
    /// Its name on the command line.
    pub(crate) name: String,
    /// What it is.
    pub(crate) about: String,
    /// The package of the runtime.
    pub(crate) package: &'static str,
    /// The version of that package.
    pub(crate) version: &'static str,
    /// What became of the cases on it.
    pub(crate) counts: Counts,
    /// How long its cases took, one after the other.
    pub(crate) seconds: f64,
}

/// A law, and how each backend did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LawRow {
    /// Its number.
    pub(crate) number: &'static str,
    /// The name of its family.
    pub(crate) family: &'static str,
    /// What it says.
    pub(crate) text: &'static str,
    /// Whether it is built.
    pub(crate) built: bool,
    /// What became of its cases, backend by backend.
    pub(crate) cells: Vec<Counts>,
}

/// A case, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CaseRow {
    /// Its family and name.
    pub(crate) name: &'static str,
    /// The laws that it is a case of.
    pub(crate) laws: &'static [&'static str],
    /// What it shows.
    pub(crate) doc: &'static str,
    /// What became of it, backend by backend.
    pub(crate) verdicts: Vec<Verdict>,
}

/// What became of a case on a backend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Verdict {
    /// How it ended.
    pub(crate) status: Status,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Why it failed, in its own words.
    pub(crate) said: Option<String>,
    /// Whatever was heard while it ran, if it did not hold.
    pub(crate) transcript: String,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// The law holds.
    Held,
    /// It does not.
    Failed,
    /// It did not end in time.
    Hung,
    /// Its process ended before it did.
    Aborted,
}

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Those that held.
    pub(crate) held: usize,
    /// Those that failed.
    pub(crate) failed: usize,
    /// Those that did not end.
    pub(crate) hung: usize,
    /// Those that took their process with them.
    pub(crate) aborted: usize,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// for the terminal
    Text,
    /// for programs
    Json,
    /// for build servers
    Junit,
    /// for a README
    Markdown,
    /// a page to look at
    Html,
}

impl Format {
    /// The form that a file of this name promises.
    pub(crate) fn of_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "txt" => Some(Format::Text),
            "json" => Some(Format::Json),
            "xml" => Some(Format::Junit),
            "md" => Some(Format::Markdown),
            "html" | "htm" => Some(Format::Html),
            _ => None,
        }
    }
}

impl Report {
    /// The report on `verdicts`: for every case of the selection, in order, one for each backend.
    pub(crate) fn new(conditions: Conditions, selection: &Selection, verdicts: Vec<Vec<Verdict>>) -> Self {
        let cases = selection.cases.iter().zip(verdicts).map(|(case, verdicts)| CaseRow::new(case, verdicts));
        let cases: Vec<_> = cases.collect();
        let backends = selection.backends.iter().enumerate();
        let backends: Vec<_> = backends.map(|(column, flavour)| BackendRow::new(*flavour, column, &cases)).collect();
        let laws = LAWS.iter().map(|law| LawRow::new(law, backends.len(), &cases));
        let laws = laws.filter(|law| selection.filters.is_empty() || law.cases(&cases).next().is_some());
        Report {
            schema: 1,
            conditions,
            counts: cases.iter().flat_map(|case| &case.verdicts).collect(),
            laws: laws.collect(),
            backends,
            cases,
        }
    }

    /// The report in a form.
    pub(crate) fn render(&self, format: Format) -> String {
        match format {
            Format::Text => text::render(self, false),
            Format::Json => json::render(self),
            Format::Junit => junit::render(self),
            Format::Markdown => markdown::render(self),
            Format::Html => html::render(self),
        }
    }

    /// The cases that do not hold everywhere.
    pub(crate) fn broken(&self) -> impl Iterator<Item = &CaseRow> {
        self.cases.iter().filter(|case| case.counts().broken() > 0)
    }

    /// What became of a case, each answer with the names of the backends that gave it.
    pub(crate) fn answers<'a>(&'a self, case: &'a CaseRow) -> Vec<Answer<'a>> {
        let mut answers: Vec<Answer<'a>> = Vec::new();
        for (backend, verdict) in self.backends.iter().zip(&case.verdicts) {
            match answers.iter_mut().find(|answer| answer.verdict.agrees(verdict)) {
                Some(answer) => answer.backends.push(&backend.name),
                None => answers.push(Answer { verdict, backends: vec![&backend.name] }),
            }
        }
        answers.sort_by_key(|answer| answer.verdict.status == Status::Held);
        answers
    }

    /// The names of those who gave an answer.
    pub(crate) fn names(&self, answer: &Answer<'_>) -> String {
        let all = answer.backends.len() == self.backends.len() && self.backends.len() > 1;
        if all { "every backend".to_owned() } else { answer.backends.join(", ") }
    }

    /// The outcome in one line: how many of what, and how they ended.
    pub(crate) fn sum(&self) -> String {
        let Counts { held, failed, hung, aborted } = self.counts;
        let parts = [(held, "held"), (failed, "failed"), (hung, "hung"), (aborted, "aborted")];
        let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let parts = parts.collect::<Vec<_>>().join(", ");
        let (laws, cases) = (number(self.covered(), "law"), number(self.cases.len(), "case"));
        let (backends, time) = (number(self.backends.len(), "backend"), self.conditions.seconds);
        format!("{laws}, {cases}, {backends}: {parts} in {time:.1} s")
    }

    /// How many laws have a case in this report.
    pub(crate) fn covered(&self) -> usize {
        self.laws.iter().filter(|law| law.cases(&self.cases).next().is_some()).count()
    }

    /// The arguments that run the same again.
    pub(crate) fn arguments(&self) -> String {
        let named = self.backends.len() < Flavour::all().len();
        let backends = self.backends.iter().filter(|_| named).map(|backend| format!(" --backend {}", backend.name));
        let filters = self.conditions.filters.iter().map(|filter| format!(" --filter '{filter}'"));
        let limit = Some(self.conditions.limit).filter(|limit| *limit != 60.0).map(|limit| format!(" --limit {limit}"));
        let all = backends.chain(filters).chain(limit);
        format!("--seed {}{}", self.conditions.seed, all.collect::<String>())
    }
}

/// What some backends answered to a case.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// The answer, as the first of them gave it.
    pub(crate) verdict: &'a Verdict,
    /// Who gave it.
    pub(crate) backends: Vec<&'a str>,
}

impl BackendRow {
    fn new(flavour: Flavour, column: usize, cases: &[CaseRow]) -> Self {
        let (package, version) = flavour.runtime();
        BackendRow {
            name: flavour.name(),
            about: flavour.about(),
            package,
            version,
            counts: cases.iter().map(|case| &case.verdicts[column]).collect(),
            seconds: cases.iter().map(|case| case.verdicts[column].seconds).sum(),
        }
    }
}

impl LawRow {
    fn new(law: &Law, columns: usize, cases: &[CaseRow]) -> Self {
        let mut row =
            LawRow { number: law.number, family: law.family(), text: law.text, built: law.built, cells: Vec::new() };
        row.cells = (0..columns).map(|column| row.cases(cases).map(|case| &case.verdicts[column]).collect()).collect();
        row
    }

    /// Its cases.
    pub(crate) fn cases<'a>(&self, cases: &'a [CaseRow]) -> impl Iterator<Item = &'a CaseRow> {
        let number = self.number;
        cases.iter().filter(move |case| case.laws.contains(&number))
    }

    /// The sum over the backends.
    pub(crate) fn counts(&self) -> Counts {
        self.cells.iter().copied().sum()
    }
}

impl CaseRow {
    fn new(case: &Case, verdicts: Vec<Verdict>) -> Self {
        CaseRow { name: case.name, laws: case.laws, doc: case.doc, verdicts }
    }

    /// The sum over the backends.
    pub(crate) fn counts(&self) -> Counts {
        self.verdicts.iter().collect()
    }

    /// Its family, and its name as a sentence.
    pub(crate) fn words(&self) -> (&'static str, String) {
        let (family, name) = self.name.split_once("::").unwrap_or(("", self.name));
        (family, name.replace('_', " "))
    }
}

impl Verdict {
    /// The law holds.
    pub(crate) fn held(seconds: f64) -> Self {
        Verdict { status: Status::Held, seconds, said: None, transcript: String::new() }
    }

    /// The process ended before the case did.
    pub(crate) fn aborted(said: String, transcript: String, seconds: f64) -> Self {
        Verdict { status: Status::Aborted, seconds, said: Some(said), transcript }
    }

    /// All that is to be said about a case that does not hold; not empty.
    pub(crate) fn words(&self) -> String {
        let transcript = self.transcript.trim();
        match &self.said {
            // The transcript indents what panics say.
            Some(said) if transcript.contains(said.replace('\n', "\n  ").trim()) => transcript.to_owned(),
            Some(said) => format!("{}\n{transcript}", said.trim()).trim().to_owned(),
            None if transcript.is_empty() => "(it said nothing)".to_owned(),
            None => transcript.to_owned(),
        }
    }

    /// Whether the other one tells the same story.
    fn agrees(&self, other: &Self) -> bool {
        self.status == other.status && self.said == other.said && self.transcript == other.transcript
    }
}

impl Counts {
    /// Those that did not hold.
    pub(crate) fn broken(&self) -> usize {
        self.failed + self.hung + self.aborted
    }

    /// All.
    pub(crate) fn total(&self) -> usize {
        self.held + self.broken()
    }
}

impl<'a> FromIterator<&'a Verdict> for Counts {
    fn from_iter<I: IntoIterator<Item = &'a Verdict>>(verdicts: I) -> Self {
        let mut counts = Counts::default();
        for verdict in verdicts {
            *match verdict.status {
                Status::Held => &mut counts.held,
                Status::Failed => &mut counts.failed,
                Status::Hung => &mut counts.hung,
                Status::Aborted => &mut counts.aborted,
            } += 1;
        }
        counts
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Counts::default(), |sum, more| Counts {
            held: sum.held + more.held,
            failed: sum.failed + more.failed,
            hung: sum.hung + more.hung,
            aborted: sum.aborted + more.aborted,
        })
    }
}

/// `1 case`, `2 cases`.
pub(crate) fn number(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// In the past tense, as after the name of the case.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Held => "held",
            Status::Failed => "failed",
            Status::Hung => "hung",
            Status::Aborted => "aborted",
        })
    }
}

#[cfg(test)]
pub(crate) mod example;
