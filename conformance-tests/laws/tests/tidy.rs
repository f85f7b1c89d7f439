//! Keeps the list of cases, the laws and the cases in step.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyio_conformance::{CASES, LAWS};

fn source(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)
}

struct Found {
    name: String,
    laws: Vec<String>,
    doc: String,
}

/// The cases in the source: a `pub async fn` without arguments, under a doc comment `/// C4, C9: what it shows.`
fn found() -> BTreeMap<String, Vec<Found>> {
    let mut families = BTreeMap::new();
    for entry in fs::read_dir(source("cases")).unwrap() {
        let path = entry.unwrap().path();
        let family = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if family != "mod" {
            let text = fs::read_to_string(&path).unwrap();
            families.insert(family, found_in(&text));
        }
    }
    families
}

fn found_in(text: &str) -> Vec<Found> {
    let mut doc = String::new();
    let mut cases = Vec::new();
    for line in text.lines() {
        if let Some(more) = line.strip_prefix("///") {
            if !doc.is_empty() {
                doc.push(' ');
            }
            doc.push_str(more.trim());
        } else if let Some(rest) = line.strip_prefix("pub async fn ") {
            let name = rest.split('(').next().unwrap().to_owned();
            let (laws, says) = doc.split_once(": ").unwrap_or_else(|| panic!("{name}: no law in its doc comment"));
            cases.push(Found { name, laws: laws.split(", ").map(str::to_owned).collect(), doc: says.to_owned() });
            doc.clear();
        } else if !line.starts_with("#[") {
            doc.clear();
        }
    }
    cases
}

fn listed(families: &BTreeMap<String, Vec<Found>>) -> String {
    let mut list = String::from(
        "//! Every case. Generated from the cases by `cargo test -p anyio-conformance --test tidy`: do not edit.\n\n\
         /// Hands the list of all cases to a macro.\n#[doc(hidden)]\n#[macro_export]\nmacro_rules! for_each_case {\n    \
         ($then:ident $args:tt) => {\n        $crate::$then! { $args\n",
    );
    for (family, cases) in families.iter().filter(|(_, cases)| !cases.is_empty()) {
        writeln!(list, "            {family} {{").unwrap();
        for case in cases {
            let laws: Vec<_> = case.laws.iter().map(|law| format!("{law:?}")).collect();
            let laws = laws.join(", ");
            writeln!(list, "                {} [{laws}] {:?}", case.name, case.doc).unwrap();
        }
        writeln!(list, "            }}").unwrap();
    }
    list.push_str("        }\n    };\n}\n\n/// All cases, family by family.\npub static CASES: &[crate::Case] = &[\n");
    for (family, cases) in families {
        for case in cases {
            let laws: Vec<_> = case.laws.iter().map(|law| format!("{law:?}")).collect();
            let Found { name, doc, .. } = case;
            let laws = laws.join(", ");
            write!(
                list,
                "    crate::Case {{\n        name: \"{family}::{name}\",\n        laws: &[{laws}],\n        doc: {doc:?},\n        \
                 body: || Box::pin(crate::cases::{family}::{name}()),\n    }},\n"
            )
            .unwrap();
        }
    }
    list.push_str("];\n");
    list
}

#[test]
fn the_list_has_every_case() {
    let wanted = listed(&found());
    if fs::read_to_string(source("list.rs")).unwrap_or_default() != wanted {
        fs::write(source("list.rs"), wanted).unwrap();
        panic!("src/list.rs was out of date and has been written anew: run the tests again");
    }
}

#[test]
fn every_law_number_exists_and_every_built_law_has_a_case() {
    for case in CASES {
        for law in case.laws {
            let known = LAWS.iter().find(|known| known.number == *law);
            assert!(known.is_some(), "{}: there is no law {law}", case.name);
        }
    }
    for law in LAWS.iter().filter(|law| law.built) {
        let here = CASES.iter().any(|case| case.laws.contains(&law.number));
        let there =
            law.elsewhere.is_some_and(|file| fs::read_to_string(source("..").join(file)).unwrap().contains(law.number));
        assert!(here || there, "law {} has no case", law.number);
    }
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let mut names: Vec<_> = CASES.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.windows(2).for_each(|pair| assert_ne!(pair[0], pair[1]));
}
