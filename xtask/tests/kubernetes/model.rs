//! The overlays, as the API server would read them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use xtask::stack::programs::{self, Program};
use xtask::workspace;

pub(crate) const OVERLAYS: [&str; 2] = ["dev", "production"];

/// The objects of an overlay, with defaults. They are rendered and read once.
pub(crate) fn objects(overlay: &str) -> &'static [Value] {
    static OBJECTS: [OnceLock<Vec<Value>>; 2] = [OnceLock::new(), OnceLock::new()];
    let index = OVERLAYS.iter().position(|&known| known == overlay);
    OBJECTS[index.expect("an overlay")].get_or_init(|| {
        let output = read(&rendered(overlay), overlay);
        let problems = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{overlay}:\n{problems}");
        serde_json::from_slice(&output.stdout).expect("a list of objects")
    })
}

/// The manifests of an overlay, as `kubectl apply -k` sends them: without options.
pub(crate) fn rendered(overlay: &str) -> String {
    let output = Command::new(programs::path(Program::Kustomize).expect("kustomize"))
        .arg("build")
        .arg(workspace::root().join("kubernetes/overlays").join(overlay))
        // A remote base would be fetched by `git`.
        .env_clear()
        .output()
        .expect("it runs");
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && problems.is_empty(),
        "{overlay}: {problems}"
    );
    String::from_utf8(output.stdout).expect("text")
}

/// What Kubernetes' own code makes of manifests.
pub(crate) fn read(manifests: &str, name: &str) -> Output {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "kubernetes-{name}-{:?}.yaml",
        std::thread::current().id()
    ));
    fs::write(&file, manifests).expect("a file");
    let program = programs::path(Program::KubernetesModel).expect("the program");
    Command::new(program).arg(&file).output().expect("it runs")
}

/// The objects of a kind.
pub(crate) fn of_kind<'a>(objects: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["kind"] == kind)
}

/// The one object of this kind and name.
pub(crate) fn object<'a>(objects: &'a [Value], kind: &'a str, name: &str) -> &'a Value {
    let mut found = of_kind(objects, kind).filter(|object| object["metadata"]["name"] == name);
    let object = found.next().unwrap_or_else(|| panic!("no {kind} {name}"));
    assert!(found.next().is_none(), "several {kind} {name}");
    object
}

/// The objects that run pods.
pub(crate) fn workloads(objects: &[Value]) -> impl Iterator<Item = &Value> {
    let with_pods = |object: &&Value| !object["spec"]["template"]["spec"].is_null();
    objects.iter().filter(with_pods)
}

/// The pod of an object.
pub(crate) fn pod(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]
}

/// The only container of an object's pod.
pub(crate) fn container(workload: &Value) -> &Value {
    let containers = list(&pod(workload)["containers"]);
    assert_eq!(containers.len(), 1, "{}", title(workload));
    &containers[0]
}

/// The value of an environment variable.
pub(crate) fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let found = list(&container["env"])
        .iter()
        .find(|variable| variable["name"] == name);
    found?["value"].as_str()
}

/// Kind and name, for messages.
pub(crate) fn title(object: &Value) -> String {
    let kind = text(&object["kind"]);
    format!("{kind} {}", text(&object["metadata"]["name"]))
}

/// A list, empty if it is missing.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
