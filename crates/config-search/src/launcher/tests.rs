//! What is launched, word for word.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn framework(launcher: &str) -> Framework {
    Framework {
        name: "vllm".to_owned(),
        launcher: Some(launcher.to_owned()),
        server_command: json!(["serve", "--name", "it's $HOME", "--port", "{port}"]),
        env: BTreeMap::from([("HF_TOKEN".to_owned(), "very-secret".to_owned())]),
        ..Framework::default()
    }
}

struct Made {
    argv: Vec<String>,
    endpoint: Endpoint,
    cleanup: Option<Cleanup>,
}

fn prepared(framework: &Framework, folder: &Path) -> Made {
    let params = BTreeMap::from([("--n".to_owned(), json!(4))]);
    let trial = Trial {
        framework,
        params: &params,
        id: "vllm-0001",
        name: "sota-1-vllm-0001".to_owned(),
        folder,
    };
    let prepared = prepare(&trial, None, 4321).unwrap();
    assert!(!format!("{prepared:?}").contains("very-secret"));
    Made {
        argv: prepared.argv,
        endpoint: prepared.endpoint,
        cleanup: cleanup(&trial),
    }
}

#[test]
fn docker_publishes_on_loopback_and_hands_variables_on_by_name() {
    let mut framework = framework("docker");
    framework.image = Some("org/image:1".to_owned());
    framework.launcher_args = vec!["--gpus".to_owned(), "all".to_owned()];
    let here = Path::new(".");
    let words = "docker run --rm --init --name sota-1-vllm-0001 -p 127.0.0.1:4321:4321 -e HF_TOKEN --gpus all org/image:1 serve --name";
    let made = prepared(&framework, here);
    assert!(made.argv.join(" ").starts_with(words), "{:?}", made.argv);
    assert_eq!(made.argv.last().unwrap(), "4");
    assert_eq!(
        made.cleanup.unwrap().argv,
        ["docker", "rm", "-f", "sota-1-vllm-0001"]
    );
    framework.launcher_args = vec!["--network=host".to_owned()];
    assert!(!prepared(&framework, here).argv.contains(&"-p".to_owned()));
}

#[test]
fn a_line_for_the_other_host_keeps_its_words() {
    let mut framework = framework("ssh");
    framework.host = Some("me@gpu1".to_owned());
    let made = prepared(&framework, Path::new("."));
    let line = made.argv.last().unwrap();
    assert_eq!(
        made.argv[made.argv.len() - 3..made.argv.len() - 1],
        ["--", "me@gpu1"]
    );
    assert!(made.argv.contains(&"SendEnv=HF_TOKEN".to_owned()));
    assert_eq!(made.endpoint.to_string(), "http://127.0.0.1:4321");
    // What the login shell there makes of it.
    let shown = line.replacen("exec sh -c", "printf '%s\\n'", 1);
    let output = std::process::Command::new("sh")
        .args(["-c", &shown])
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains("\nsota-1-vllm-0001\n1\nHF_TOKEN\nserve\n--name\nit's $HOME\n--port\n"),
        "{printed}"
    );
    framework.url = Some("http://gpu1:{port}".to_owned());
    let direct = prepared(&framework, Path::new("."));
    assert_eq!(direct.endpoint.host(), "gpu1");
    assert!(!direct.argv.contains(&"-L".to_owned()));
}

#[test]
fn a_task_of_dstack_is_what_dstack_takes() {
    let folder = tempfile::tempdir().unwrap();
    let mut framework = framework("dstack");
    framework.launcher_config = Some(BTreeMap::from([("resources".to_owned(), json!({"gpu": "24GB"}))]));
    let made = prepared(&framework, folder.path());
    assert_eq!(made.argv[..4], ["dstack", "apply", "-y", "-f"]);
    let written: Value = serde_json::from_slice(&std::fs::read(&made.argv[4]).unwrap()).unwrap();
    assert_eq!(written["ports"], json!(["4321:4321"]));
    assert_eq!(written["env"], json!(["HF_TOKEN"]));
    assert_eq!(
        written["commands"],
        json!(["exec 'serve' '--name' 'it'\\''s $HOME' '--port' '4321' '--n' '4'"])
    );
    assert!(crate::dstack::problems(&written).is_empty());
    assert_eq!(
        made.cleanup.unwrap().argv,
        ["dstack", "stop", "-y", "sota-1-vllm-0001"]
    );
}

#[test]
fn a_name_is_one_that_docker_and_dstack_take() {
    for id in [
        "vllm-0001",
        "Llama.cpp_x-0001",
        "a-very-long-name-of-a-framework-that-somebody-chose-0001",
    ] {
        let name = unique_name(id, 65535);
        assert!(
            name.len() <= 41 && name.starts_with("sota-") && !name.ends_with('-'),
            "{name}"
        );
        assert!(
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{name}"
        );
    }
}

#[test]
fn fields_of_other_launchers_and_values_on_the_command_line_are_refused() {
    let count = |framework: &Framework| check(framework).len();
    let mut docker = framework("docker");
    assert_eq!(count(&docker), 1, "no image");
    docker.image = Some("--privileged".to_owned());
    assert_eq!(count(&docker), 1, "no image");
    docker.image = Some("org/image".to_owned());
    assert_eq!(count(&docker), 0);
    for words in [
        &["-e", "A=b"][..],
        &["--env=A=b"],
        &["-eA=b"],
        &["--name", "x"],
        &["-d"],
    ] {
        docker.launcher_args = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(count(&docker), 1, "{words:?}");
    }
    let mut ssh = framework("ssh");
    for host in [None, Some("-oProxyCommand=x"), Some("a b"), Some("")] {
        ssh.host = host.map(str::to_owned);
        assert_eq!(count(&ssh), 1, "{host:?}");
    }
    ssh.host = Some("me@gpu1".to_owned());
    assert_eq!(count(&ssh), 0);
    ssh.image = Some("i".to_owned());
    assert_eq!(count(&ssh), 1);
    let mut dstack = framework("dstack");
    assert_eq!(count(&dstack), 0);
    dstack.launcher_config = Some(BTreeMap::from([("resources".to_owned(), json!({"gpu": 1.5}))]));
    assert_eq!(count(&dstack), 1);
    dstack.launcher_config = Some(BTreeMap::from([("commands".to_owned(), json!(["x"]))]));
    assert_eq!(count(&dstack), 1);
}
