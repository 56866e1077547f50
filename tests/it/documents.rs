//! What the documents name is there.

use std::fs;
use std::path::{Path, PathBuf};

/// The folders whose files the documents name by their path from the root.
const ROOTS: [&str; 12] = [
    "board/",
    "crates/",
    "docs/",
    "examples/",
    "fuzz/",
    "image/",
    "packaging/",
    "scripts/",
    "src/",
    "systemd/",
    "templates/",
    "tests/",
];
/// What is made by a build, and not kept.
const MADE: [&str; 4] = ["image/out", "fuzz/artifacts", "fuzz/corpus", "fuzz/target"];

fn pages(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = entries.filter(|page| page.extension().is_some_and(|end| end == "md")).collect();
    pages.sort();
    pages
}

/// All of the sources and tests.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for folder in ["src", "tests", "crates"] {
        sources(&root.join(folder), &mut all);
    }
    let page = fs::read_to_string(root.join("docs/threat-model.md")).unwrap();
    let spans = page.split('`').skip(1).step_by(2).map(|span| span.rsplit("::").next().unwrap());
    // Their names are sentences.
    let named: Vec<_> = spans.filter(|span| span.matches('_').count() >= 4).collect();
    assert!(named.len() > 25, "{named:?}");
    let missing: Vec<_> = named.into_iter().filter(|name| !all.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_path_in_the_documents_leads_to_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    let mut missing = Vec::new();
    for page in
        [".", "docs", "docs/protocol", "fuzz"].into_iter().flat_map(|folder| pages(&root.join(folder)))
    {
        let text = fs::read_to_string(&page).unwrap();
        // Paths stand in code spans; one with a pattern in it names several.
        for path in text.split('`').skip(1).step_by(2) {
            let path = path.split([':', ' ']).next().unwrap_or_default();
            let named = ROOTS.iter().any(|root| path.starts_with(root))
                && !path.contains(['{', '*', '<', '$'])
                && !MADE.iter().any(|made| path.starts_with(made));
            if named {
                checked += 1;
                if !root.join(path).exists() {
                    missing.push(format!("{}: {path}", page.strip_prefix(root).unwrap().display()));
                }
            }
        }
    }
    assert!(checked > 50, "{checked}");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_variable_of_a_board_is_explained_to_who_adds_another() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/image.md")).unwrap();
    for entry in fs::read_dir(root.join("board")).unwrap() {
        let board = fs::read_to_string(entry.unwrap().path()).unwrap();
        let names = board.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        // Other lines are settings for the firmware.
        let names = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'));
        for name in names {
            assert!(document.contains(&format!("`{name}`")), "docs/image.md does not explain {name}");
        }
    }
}
