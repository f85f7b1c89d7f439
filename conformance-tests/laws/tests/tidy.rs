//! Keeps the laws and the cases in step.

use std::fs;
use std::path::Path;

use anyio_conformance::{CASES, LAWS};

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
