//! Which crate may know which, and that ARCHITECTURE.md says the same. An arrow is a Cargo dependency; what is not drawn
//! is forbidden. Changing one means changing both, with a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::markdown::fences;
use crate::repository::{read, root};

/// Every arrow between crates. `sota-loop` packs all tools and `repo-tests` sees everything, so they are not drawn.
const ARROWS: [(&str, &[&str]); 23] = [
    ("capacity", &["model-config"]),
    (
        "capacity-plan",
        &["capacity", "engine-client", "cli-kit", "contracts"],
    ),
    (
        "config-search",
        &[
            "capacity",
            "engine-client",
            "engine-launch",
            "cli-kit",
            "contracts",
        ],
    ),
    ("contracts", &[]),
    ("stats", &[]),
    ("cli-kit", &["contracts"]),
    ("engine-client", &["contracts"]),
    ("engine-launch", &["engine-client", "contracts"]),
    ("engine-sim", &["cli-kit", "contracts"]),
    ("gap-decide", &["stats", "cli-kit", "contracts"]),
    ("kernel-gate", &["stats", "cli-kit", "contracts"]),
    ("loop-ledger", &["stats", "cli-kit", "contracts"]),
    ("model-config", &[]),
    ("ncu-digest", &["ncu-report", "stats", "cli-kit", "contracts"]),
    ("ncu-report", &[]),
    (
        "pipeline-analysis",
        &[
            "torch-trace",
            "trace-layers",
            "trace-document",
            "model-config",
            "cli-kit",
            "contracts",
        ],
    ),
    (
        "profile-tables",
        &[
            "torch-trace",
            "trace-layers",
            "trace-document",
            "engine-client",
            "cli-kit",
            "contracts",
        ],
    ),
    (
        "quality-gate",
        &["engine-client", "stats", "cli-kit", "contracts"],
    ),
    (
        "telemetry-fetch",
        &["engine-client", "stats", "cli-kit", "contracts"],
    ),
    ("torch-trace", &[]),
    ("trace-document", &["torch-trace", "cli-kit", "contracts"]),
    ("trace-layers", &["model-config"]),
    (
        "serve-bench",
        &["engine-client", "engine-launch", "stats", "cli-kit", "contracts"],
    ),
];

/// Crates that may depend on all others.
const SEES_ALL: [&str; 2] = ["sota-loop", "repo-tests"];

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn packages(metadata: &Value) -> &[Value] {
    metadata["packages"].as_array().expect("metadata lists packages")
}

fn name(package: &Value) -> &str {
    package["name"].as_str().expect("a package has a name")
}

/// Arrows to crates of this workspace; those of tests only with `tests`.
fn arrows(metadata: &Value, tests: bool) -> Arrows {
    let ours: BTreeSet<&str> = packages(metadata).iter().map(name).collect();
    packages(metadata)
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"]
                .as_array()
                .expect("a package lists dependencies");
            let targets = dependencies
                .iter()
                .filter(|dependency| tests || dependency["kind"].as_str() != Some("dev"))
                .map(name)
                // A crate whose tests need one of its own features depends on itself: no arrow.
                .filter(|dependency| ours.contains(dependency) && *dependency != name(package))
                .map(str::to_owned)
                .collect();
            (name(package).to_owned(), targets)
        })
        .collect()
}

fn drawn() -> Arrows {
    ARROWS
        .iter()
        .map(|(from, to)| {
            (
                (*from).to_owned(),
                to.iter().map(|name| (*name).to_owned()).collect(),
            )
        })
        .collect()
}

#[test]
fn crates_depend_as_drawn() {
    let mut real = arrows(&metadata(), false);
    real.retain(|from, _| !SEES_ALL.contains(&from.as_str()));
    assert_eq!(
        real,
        drawn(),
        "left: Cargo.toml files, right: ARROWS in this test"
    );
}

#[test]
fn tests_draw_no_further_arrows() {
    for (from, targets) in arrows(&metadata(), true) {
        if SEES_ALL.contains(&from.as_str()) {
            continue;
        }
        let allowed = &drawn()[&from];
        let more: Vec<&String> = targets.difference(allowed).collect();
        assert!(more.is_empty(), "{from} depends on {more:?} in its tests");
    }
}

#[test]
fn the_architecture_page_draws_the_same_arrows() {
    let text = read("ARCHITECTURE.md");
    let blocks = fences(&text);
    let block = blocks
        .iter()
        .find(|fence| fence.body.contains(" -> "))
        .expect("ARCHITECTURE.md has a block with the arrows");
    let shown: Arrows = block
        .body
        .lines()
        .filter_map(|line| {
            let (from, to) = line.split_once("->")?;
            let to = to
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| name != "(nothing)");
            Some((from.trim().to_owned(), to.collect()))
        })
        .filter(|(from, _): &(String, _)| !SEES_ALL.contains(&from.as_str()))
        .collect();
    assert_eq!(
        shown,
        drawn(),
        "left: ARCHITECTURE.md, right: ARROWS in this test"
    );
}

#[test]
fn no_binary_knows_a_binary() {
    let metadata = metadata();
    let binaries: BTreeSet<String> = packages(&metadata)
        .iter()
        .filter(|package| has_target(package, "bin") && name(package) != "sota-loop")
        .map(|package| name(package).to_owned())
        .collect();
    assert!(binaries.len() >= 3, "{binaries:?}");
    for (from, targets) in arrows(&metadata, true) {
        if !SEES_ALL.contains(&from.as_str()) {
            let known: Vec<&String> = targets.intersection(&binaries).collect();
            assert!(
                known.is_empty(),
                "{from} depends on {known:?}; they meet as documents or processes"
            );
        }
    }
}

fn has_target(package: &Value, kind: &str) -> bool {
    let targets = package["targets"].as_array().expect("a package lists targets");
    targets.iter().any(|target| target["kind"][0] == kind)
}

#[test]
fn package_folder_and_binary_have_one_name() {
    let metadata = metadata();
    for package in packages(&metadata) {
        let package_name = name(package);
        let manifest = package["manifest_path"]
            .as_str()
            .expect("a package has a manifest");
        assert!(
            manifest.ends_with(&format!("/crates/{package_name}/Cargo.toml")),
            "{package_name} lies in {manifest}"
        );
        let targets = package["targets"].as_array().expect("a package lists targets");
        for binary in targets.iter().filter(|target| target["kind"][0] == "bin") {
            assert!(
                name(binary) == package_name || package_name == "sota-loop",
                "{package_name}: {binary}"
            );
        }
    }
}

#[test]
fn every_crate_inherits_the_lints_and_the_package_fields() {
    for package in packages(&metadata()) {
        let path = format!("crates/{}/Cargo.toml", name(package));
        let text = read(&path);
        assert!(
            text.contains("\n[lints]\nworkspace = true\n"),
            "{path} does not inherit the lints"
        );
        for field in ["version", "edition", "rust-version", "license"] {
            assert!(
                text.contains(&format!("\n{field}.workspace = true\n")),
                "{path}: {field}"
            );
        }
        // Versions stand in the root manifest, once.
        let own = text
            .lines()
            .find(|line| line.contains("version = \"") || line.contains("= \"="));
        assert_eq!(own, None, "{path} has a version of its own");
    }
}

#[test]
fn the_lock_file_is_committed() {
    assert!(root().join("Cargo.lock").is_file());
    let ignored = read(".gitignore").lines().any(|line| line.contains("Cargo.lock"));
    assert!(!ignored, "Cargo.lock must not be ignored");
}
