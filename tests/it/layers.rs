//! The layers of the program: no file imports from a layer above its own, and no modules import each other in a circle.
//!
//! What a file imports is read from its source: every `use` and every path, also inside the arguments of macros, followed
//! through re-exports to the file that defines the name. Code for tests does not count.
//!
//! A module and its submodules are one thing in several files: what they use of each other is no circle. The submodules are
//! apart from one another, each together with everything below it.

mod sources;

use sources::{Import, Sources};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The layers, the lowest first. A layer has one or more parts, which are files or folders. A part imports only from the
/// layers below its own: not from those above, and not from the other parts of its own. `docs/architecture.md` says what each
/// part is for.
const LAYERS: [&[&str]; 9] = [
    &["crates/jet-reader", "crates/legacy-tls", "crates/mco-proto"],
    &[
        "src/atomic_file.rs",
        "src/clock",
        "src/log_ring",
        "src/look_alike.rs",
        "src/netbios.rs",
        "src/public_text.rs",
        "src/recording",
        "src/text_encoding.rs",
    ],
    &["src/appliance", "src/catalog", "src/config", "src/store"],
    &["src/client", "src/world"],
    &["src/services"],
    &["src/admin"],
    &["src/web"],
    &["src/server"],
    &["src/cli"],
];

/// What a part must not import although it lies below: the part, and what it must not know.
const FORBIDDEN: [(&str, &str); 1] = [("src/world", "src/store")];

/// The roots of the crates. `src/main.rs` calls one function.
const ROOTS: [&str; 4] = [
    "crates/jet-reader/src/lib.rs",
    "crates/legacy-tls/src/lib.rs",
    "crates/mco-proto/src/lib.rs",
    "src/lib.rs",
];

#[test]
fn no_import_leads_upward_and_no_imports_form_a_circle() {
    let mut findings = Vec::new();
    for root in ROOTS {
        let sources = Sources::read(Path::new(env!("CARGO_MANIFEST_DIR")), root);
        assert!(sources.imports().len() > 5, "{root} is not understood");
        findings.extend(findings_in(&sources));
    }
    assert!(findings.is_empty(), "{} findings:\n\n{}\n", findings.len(), findings.join("\n\n"));
}

#[test]
fn the_document_shows_these_layers() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let document = fs::read_to_string(document).unwrap();
    let rows = document.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        Some((cells.next()?.parse().ok()?, cells.next()?))
    });
    let shown =
        rows.flat_map(|(layer, parts)| parts.split(", ").map(move |part| (layer, part.trim_matches('`'))));
    let layers = LAYERS.iter().enumerate().rev();
    let parts = layers.flat_map(|(below, parts)| parts.iter().map(move |part| (below + 1, *part)));
    assert_eq!(shown.collect::<Vec<(usize, &str)>>(), parts.collect::<Vec<_>>());
}

#[test]
fn a_circle_and_a_forbidden_import_are_found_whatever_way_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let file = folder.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("src/lib.rs", "mod catalog; mod store; mod world; mod services;");
    // Through a re-export of the parent, through a macro, and through the name of a module.
    write("src/catalog/mod.rs", "mod cars; mod names; mod parts; pub use parts::Part;");
    write("src/catalog/cars.rs", "use super::{Part as Item};\npub struct Car(Item);\npub struct Own;");
    write("src/catalog/names.rs", "fn f() {\n\n    print!(\"{:?}\", super::cars::Own);\n}\npub fn name() {}");
    write("src/catalog/parts.rs", "use super::names;\npub struct Part;\nfn f() { names::name() }");
    write("src/store.rs", "#[cfg(test)] mod tests { use crate::services::answer; }\npub struct Store;");
    write("src/world.rs", "fn f(_: crate::store::Store) {}");
    write(
        "src/services.rs",
        "use crate::{catalog, store::{self as kept}};\npub fn answer(_: kept::Store) {}",
    );
    let sources = Sources::read(folder.path(), "src/lib.rs");
    let circle = "a circle of 3:
    src/catalog/cars.rs:1 uses src/catalog/parts.rs (super::Part)
    src/catalog/parts.rs:1 uses src/catalog/names.rs (super::names)
    src/catalog/names.rs:3 uses src/catalog/cars.rs (super::cars::Own)";
    let forbidden = "an import that is forbidden: src/world.rs:1 uses src/store.rs (crate::store::Store)";
    assert_eq!(findings_in(&sources), [forbidden, circle]);

    write("src/store.rs", "use crate::services::answer;\npub struct Store;");
    write("src/catalog/names.rs", "pub fn name() {}");
    write("src/world.rs", "");
    let sources = Sources::read(folder.path(), "src/lib.rs");
    let upward = "an import upward: src/store.rs:1 uses src/services.rs (crate::services::answer)";
    let circle = "a circle of 2:
    src/store.rs:1 uses src/services.rs (crate::services::answer)
    src/services.rs:1 uses src/store.rs (crate::store)";
    assert_eq!(findings_in(&sources), [upward, circle]);
}

fn findings_in(sources: &Sources) -> Vec<String> {
    let imports = sources.imports();
    let mut findings: Vec<String> =
        imports.iter().filter_map(|import| against_the_layers(sources, import)).collect();
    for module in 0..sources.modules.len() {
        findings.extend(circles_below(sources, module, &imports));
    }
    findings
}

/// The layer of a file and its part there.
fn place(file: &str) -> Option<(usize, &'static str)> {
    let belongs_to = |part: &str| {
        let rest = file.strip_prefix(part);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest == ".rs")
    };
    let layers = LAYERS.iter().enumerate();
    let mut parts = layers.flat_map(|(layer, parts)| parts.iter().map(move |part| (layer, *part)));
    parts.find(|(_, part)| belongs_to(part))
}

/// What is wrong with an import, if anything is.
fn against_the_layers(sources: &Sources, import: &Import) -> Option<String> {
    let [from, to] = [import.from, import.to].map(|end| place(&sources.modules[end].file));
    let why = match (from, to) {
        (Some((_, part)), Some((_, other))) if part == other => return None,
        (Some((layer, _)), Some((other, _))) if layer < other => "upward",
        (Some((layer, _)), Some((other, _))) if layer == other => "within a layer",
        (Some((_, part)), Some((_, other))) if FORBIDDEN.contains(&(part, other)) => "that is forbidden",
        (Some(_), Some(_)) => return None,
        _ => "from or to a file that is in no layer",
    };
    Some(format!("an import {why}: {}", sources.describe(import)))
}

/// The circles among the submodules of a module, one for each set of modules that all reach each other.
fn circles_below(sources: &Sources, module: usize, imports: &[Import]) -> Vec<String> {
    let mut graph = Graph::new();
    for import in imports {
        let ends = [import.from, import.to].map(|end| sources.submodule_with(module, end));
        let [Some(from), Some(to)] = ends else { continue };
        if from != to {
            graph.entry(from).or_default().entry(to).or_insert(import);
        }
    }
    let connected = |from: usize, to: usize| shortest_path(&graph, from, to).is_some();
    let components: BTreeSet<Vec<usize>> = graph
        .keys()
        .map(|at| graph.keys().copied().filter(|to| connected(*at, *to) && connected(*to, *at)).collect())
        .filter(|component: &Vec<usize>| !component.is_empty())
        .collect();
    let describe = |component: &Vec<usize>| {
        let circles = component.iter().filter_map(|at| shortest_path(&graph, *at, *at));
        let shortest = circles.min_by_key(Vec::len).unwrap();
        let mut text = format!("a circle of {}:", shortest.len());
        for import in &shortest {
            let _ = write!(text, "\n    {}", sources.describe(import));
        }
        if component.len() > shortest.len() {
            let files: Vec<&str> = component.iter().map(|at| sources.modules[*at].file.as_str()).collect();
            let _ = write!(text, "\n  {} in all reach each other: {}", files.len(), files.join(", "));
        }
        text
    };
    components.iter().map(describe).collect()
}

/// For each module those that it imports, and where.
type Graph<'a> = BTreeMap<usize, BTreeMap<usize, &'a Import>>;

/// The shortest path from one module to another, or around back to itself.
fn shortest_path<'a>(graph: &Graph<'a>, start: usize, end: usize) -> Option<Vec<&'a Import>> {
    let (mut reached, mut next) = (BTreeMap::new(), VecDeque::from([start]));
    while let Some(at) = next.pop_front() {
        for (to, import) in graph.get(&at).into_iter().flatten() {
            if !reached.contains_key(to) {
                reached.insert(*to, (at, *import));
                next.push_back(*to);
            }
        }
    }
    let (mut at, last) = *reached.get(&end)?;
    let mut path = VecDeque::from([last]);
    while at != start {
        let (before, import) = reached[&at];
        path.push_front(import);
        at = before;
    }
    Some(path.into())
}
