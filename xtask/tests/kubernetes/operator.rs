//! The objects of the Prometheus Operator say what `prometheus/` says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Map, Value, json};
use xtask::{kubernetes, rules, workspace, yaml};

use crate::model::{OVERLAYS, list, object, objects, of_kind, text, title};

#[test]
fn rules_are_up_to_date() {
    for file in kubernetes::generate().expect("the rules") {
        let current = fs::read_to_string(workspace::root().join(file.path));
        let fresh = current.is_ok_and(|current| current == file.content);
        assert!(
            fresh,
            "{} is stale: run `cargo xtask kubernetes`",
            file.path
        );
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn rules_are_those_of_the_rule_files() {
    let files: BTreeMap<_, _> = rules::files()
        .expect("the rule files")
        .into_iter()
        .map(|path| {
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .replace('_', "-");
            let text = fs::read_to_string(&path).expect("the file");
            (name, yaml::parse(&text).expect("YAML"))
        })
        .collect();
    assert_eq!(files.len(), list(&prometheus_yml()["rule_files"]).len());
    for overlay in OVERLAYS {
        let objects = of_kind(objects(overlay), "PrometheusRule");
        let specs: BTreeMap<_, _> = objects
            .map(|rule| {
                (
                    text(&rule["metadata"]["name"]).to_owned(),
                    rule["spec"].clone(),
                )
            })
            .collect();
        assert!(specs == files, "{overlay}: {:?}", specs.keys());
    }
}

/// Dashboards and rules know the jobs by these names.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn jobs_are_scraped_as_in_prometheus_yml() {
    let config = prometheus_yml();
    let jobs: BTreeMap<_, _> = list(&config["scrape_configs"])
        .iter()
        .map(|job| (text(&job["job_name"]), job))
        .collect();
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        let monitors: BTreeSet<_> = of_kind(objects, "PodMonitor")
            .map(|monitor| text(&monitor["metadata"]["name"]))
            .collect();
        assert_eq!(monitors, jobs.keys().copied().collect());
        for (name, job) in &jobs {
            let spec = &object(objects, "PodMonitor", name)["spec"];
            let [endpoint] = list(&spec["podMetricsEndpoints"]) else {
                panic!("{name}: one endpoint");
            };
            for (ours, theirs, configured) in [
                (
                    "honorLabels",
                    &endpoint["honorLabels"],
                    &job["honor_labels"],
                ),
                ("path", &endpoint["path"], &job["metrics_path"]),
                (
                    "scrapeProtocols",
                    &spec["scrapeProtocols"],
                    &job["scrape_protocols"],
                ),
                (
                    "metricRelabelings",
                    &snake_case(&endpoint["metricRelabelings"]),
                    &job["metric_relabel_configs"],
                ),
            ] {
                assert_eq!(theirs, configured, "{name}: {ours}");
            }
            let set = list(&endpoint["relabelings"]).iter();
            let mut set = set.filter(|one| one["targetLabel"] == "job");
            let set = set.next().expect("a job");
            match *name {
                // From the pod's label.
                "services" => assert_eq!(
                    set["sourceLabels"],
                    json!(["__meta_kubernetes_pod_label_app_kubernetes_io_name"])
                ),
                _ => assert_eq!(set["replacement"], *name),
            }
        }
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn prometheus_has_the_settings_of_prometheus_yml() {
    let config = prometheus_yml();
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        let spec = &object(objects, "Prometheus", "rustok")["spec"];
        let (global, tsdb) = (&config["global"], &config["storage"]["tsdb"]);
        for (ours, theirs) in [
            (&spec["scrapeInterval"], &global["scrape_interval"]),
            (&spec["scrapeTimeout"], &global["scrape_timeout"]),
            (&spec["evaluationInterval"], &global["evaluation_interval"]),
            (&spec["retention"], &tsdb["retention"]["time"]),
            (
                &spec["exemplars"]["maxSize"],
                &config["storage"]["exemplars"]["max_exemplars"],
            ),
        ] {
            assert_eq!(ours, theirs, "{overlay}");
        }
        assert_eq!(spec["enableFeatures"], json!(["exemplar-storage"]));
        for (kind, selector) in [
            ("PodMonitor", &spec["podMonitorSelector"]),
            ("PrometheusRule", &spec["ruleSelector"]),
        ] {
            let wanted = selector["matchLabels"].as_object().expect("labels");
            for one in of_kind(objects, kind) {
                for (label, value) in wanted {
                    assert_eq!(&one["metadata"]["labels"][label], value, "{}", title(one));
                }
            }
        }
    }
}

/// The keys of relabelings as Prometheus spells them.
fn snake_case(relabelings: &Value) -> Value {
    let spelled = |one: &Value| {
        let entries = one.as_object().expect("a relabeling").iter();
        let entries = entries.map(|(key, value)| {
            let key = key.replace("sourceLabels", "source_labels");
            (key.replace("targetLabel", "target_label"), value.clone())
        });
        Value::Object(entries.collect::<Map<_, _>>())
    };
    match relabelings.as_array() {
        Some(relabelings) => relabelings.iter().map(spelled).collect(),
        None => Value::Null,
    }
}

fn prometheus_yml() -> Value {
    let path = workspace::root().join("prometheus/prometheus.yml");
    yaml::parse(&fs::read_to_string(path).expect("the file")).expect("YAML")
}
