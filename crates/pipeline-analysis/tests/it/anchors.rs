//! Layers that start where the caller says.

use contracts::Exit;
use tempfile::TempDir;

use crate::model::{Trace, of, pass};
use crate::run::{data, document, number, rows, run, warnings, write};

fn trace(folder: &TempDir) -> String {
    let mut trace = Trace::new();
    for _ in 0..2 {
        trace.step("step[DECODE bs=1]", &pass(&of("full+dense", 12)));
    }
    trace.write(folder, "a.json")
}

#[test]
fn a_kernel_that_every_layer_has_once_starts_it() {
    let folder = TempDir::new().expect("a folder");
    let data = data(&[&trace(&folder), "--anchor", "^rotary_"]);
    assert_eq!(data["detection"]["method"], "given");
    let layers: Vec<i64> = rows(&data["passes"])
        .iter()
        .map(|row| number(&row["layers"]))
        .collect();
    assert_eq!(layers, [12, 12]);
    assert_eq!(data["flow"][0]["kernel"], "rotary_embedding_kernel");
}

#[test]
fn an_anchor_that_stands_twice_in_a_layer_disagrees_with_the_configuration() {
    let folder = TempDir::new().expect("a folder");
    let config = write(&folder, "config.json", r#"{"num_hidden_layers": 12}"#);
    let mut trace = Trace::new();
    trace.kernels(&pass(&of("full+dense", 12))[..2 + 12 * 9 - 9], 1);
    let path = trace.write(&folder, "b.json");
    // Eleven layers of two norms each are no multiple of twelve.
    let document = document(&[&path, "--anchor", "fused_add_rms_norm", "--config", &config]);
    let warning = rows(&document["warnings"])
        .iter()
        .find(|warning| warning["code"] == "layers-disagree");
    let message = warning.expect("a warning")["message"]
        .as_str()
        .expect("a message");
    assert!(
        message.contains("22 layers") && message.contains("12"),
        "{message}"
    );
    assert!(document["data"]["detection"]["confidence"].as_f64() < Some(0.6));
}

#[test]
fn an_anchor_finds_layers_where_nothing_repeats() {
    let folder = TempDir::new().expect("a folder");
    // Layers of which none has the kernels or the length of another.
    let unlike: Vec<String> = (0..6)
        .flat_map(|layer| (0..5 + layer % 4).map(move |place| "abcdefghij"[layer..].repeat(1 + place)))
        .collect();
    let mut names: Vec<&str> = unlike.iter().map(String::as_str).collect();
    let mut at = 0;
    for layer in 0..6 {
        names.insert(at, "layer_begins_fmha");
        at += 6 + layer % 4;
    }
    let mut trace = Trace::new();
    trace.kernels(&names, 1);
    let path = trace.write(&folder, "a.json");
    let report = run(&[&path]).expect("a document");
    assert_eq!(report.exit(), Exit::Undecided);
    let config = write(&folder, "config.json", r#"{"num_hidden_layers": 6}"#);
    let document = document(&[&path, "--anchor", "^layer_begins", "--config", &config]);
    assert_eq!(document["data"]["detection"]["layers"], 6);
    let kernels: Vec<i64> = rows(&document["data"]["layers"])
        .iter()
        .map(|row| number(&row["kernels"]))
        .collect();
    assert_eq!(kernels[..5], [6, 7, 8, 9, 6]);
    assert_eq!(warnings(&document), Vec::<&str>::new());
}
