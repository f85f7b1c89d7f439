//! Keeps the laws and the cases in step.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyio_conformance::{CASES, LAWS};

/// The backends that `flavours` runs every case on.
const FLAVOURS: [&str; 6] =
    ["tokio multi-thread", "tokio current-thread", "smol global", "smol owned executor", "async-std", "simulator"];

#[test]
fn every_law_number_exists_and_every_built_law_has_a_case() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for case in CASES {
        for law in case.laws {
            let known = LAWS.iter().find(|known| known.number == *law);
            assert!(known.is_some(), "{}: there is no law {law}", case.name);
        }
    }
    for law in LAWS.iter().filter(|law| law.built) {
        let among = CASES.iter().any(|case| case.laws.contains(&law.number));
        let there = law.elsewhere.is_some_and(|file| fs::read_to_string(here.join(file)).unwrap().contains(law.number));
        assert!(among || there, "law {} has no case", law.number);
    }
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let mut names: Vec<_> = CASES.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.windows(2).for_each(|pair| assert_ne!(pair[0], pair[1]));
}

/// The table in the README: how many laws and cases there are, by family.
fn matrix() -> String {
    let head = FLAVOURS.join(" | ");
    let mut table = format!("| laws | | cases | {head} |\n|---|---:|---:|{}\n", ":---:|".repeat(FLAVOURS.len()));
    let holds = " ✅ |".repeat(FLAVOURS.len());
    let built = || LAWS.iter().filter(|law| law.built);
    let mut families: Vec<_> = built().map(anyio_conformance::Law::family).collect();
    families.dedup();
    for family in families {
        let laws: Vec<_> = built().filter(|law| law.family() == family).map(|law| law.number).collect();
        let cases = CASES.iter().filter(|case| laws.contains(&case.laws[0])).count();
        writeln!(table, "| {family} | {} | {cases} |{holds}", laws.len()).unwrap();
    }
    writeln!(table, "| all | {} | {} |{holds}", built().count(), CASES.len()).unwrap();
    table
}

#[test]
fn the_readme_has_the_matrix() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once("<!-- matrix -->\n").expect("the README has a place for the matrix");
    let (_, after) = rest.split_once("<!-- end of the matrix -->").expect("the place for the matrix ends");
    let wanted = format!("{before}<!-- matrix -->\n{}<!-- end of the matrix -->{after}", matrix());
    if text != wanted {
        fs::write(file, wanted).unwrap();
        panic!("the matrix in README.md was out of date and has been written anew: run the tests again");
    }
}
