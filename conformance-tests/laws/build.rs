//! Makes the list of cases from the cases in the source.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=src/cases");
    let file = Path::new(&env::var("OUT_DIR").unwrap()).join("list.rs");
    fs::write(file, listed(&found())).unwrap();
}

struct Found {
    name: String,
    laws: Vec<String>,
    doc: String,
}

/// The cases in the source: a `pub async fn` without arguments, under a doc comment `/// C4, C9: what it shows.`
fn found() -> BTreeMap<String, Vec<Found>> {
    let mut families = BTreeMap::new();
    for entry in fs::read_dir("src/cases").unwrap() {
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

/// The macro `for_each_case`, and `CASES`.
fn listed(families: &BTreeMap<String, Vec<Found>>) -> String {
    format!("{}\n{}", for_each_case(families), cases(families))
}

fn for_each_case(families: &BTreeMap<String, Vec<Found>>) -> String {
    let mut list = String::from(
        "/// Hands the list of all cases to a macro.\n#[doc(hidden)]\n#[macro_export]\n\
         macro_rules! for_each_case { ($then:ident $args:tt) => { $crate::$then! { $args\n",
    );
    for (family, cases) in families {
        writeln!(list, "{family} {{").unwrap();
        for Found { name, laws, doc } in cases {
            writeln!(list, "    {name} {laws:?} {doc:?}").unwrap();
        }
        list.push_str("}\n");
    }
    list + "} }; }\n"
}

fn cases(families: &BTreeMap<String, Vec<Found>>) -> String {
    let mut list = String::from("/// All cases, family by family.\npub static CASES: &[crate::Case] = &[\n");
    for (family, cases) in families {
        for Found { name, laws, doc } in cases {
            let (path, body) = (format!("{family}::{name}"), format!("crate::cases::{family}::{name}"));
            let body = format!("|| Box::pin({body}())");
            writeln!(list, "    crate::Case {{ name: {path:?}, laws: &{laws:?}, doc: {doc:?}, body: {body} }},")
                .unwrap();
        }
    }
    list + "];\n"
}
