//! The version of each program, and its build.

use std::fmt;
use std::path::PathBuf;

use crate::workspace;

/// A program in its pinned version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Program {
    /// The OpenTelemetry Collector.
    Otelcol,
    /// Jaeger, the v2 line.
    Jaeger,
    /// Prometheus.
    Prometheus,
    /// Prometheus' tool for checking configurations and testing rules.
    Promtool,
    /// VictoriaMetrics, the single node, for its web page vmui.
    VictoriaMetrics,
    /// VictoriaMetrics' evaluation of rules.
    VmAlert,
    /// Thanos: receivers of remote write, a querier, a ruler.
    Thanos,
    /// Grafana's published types of dashboards, as a program that decodes files with them.
    GrafanaSchema,
    /// The library with which Docker Compose reads its files, as a program that prints what it read.
    ComposeModel,
    /// Renders the Kubernetes manifests.
    Kustomize,
    /// Kubernetes' own decoding, defaults and validation, as a program that prints the objects that it read.
    KubernetesModel,
}

impl Program {
    /// The programs of the stack and of its tests. Others are built by the command that runs them.
    pub const ALL: [Self; 9] = [
        Self::Otelcol,
        Self::Jaeger,
        Self::Prometheus,
        Self::Promtool,
        Self::VictoriaMetrics,
        Self::GrafanaSchema,
        Self::ComposeModel,
        Self::Kustomize,
        Self::KubernetesModel,
    ];

    /// Returns the name of the built file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Otelcol => "otelcol",
            Self::Jaeger => "jaeger",
            Self::Prometheus => "prometheus",
            Self::Promtool => "promtool",
            Self::VictoriaMetrics => "victoria-metrics",
            Self::VmAlert => "vmalert",
            Self::Thanos => "thanos",
            Self::GrafanaSchema => "grafana-schema",
            Self::ComposeModel => "compose-model",
            Self::Kustomize => "kustomize",
            Self::KubernetesModel => "kubernetes-model",
        }
    }

    /// Returns the pinned version.
    pub fn version(self) -> &'static str {
        match self {
            Self::Otelcol => "0.158.0",
            Self::Jaeger => "1.76.0",
            Self::Prometheus | Self::Promtool => "3.16.0",
            Self::VictoriaMetrics | Self::VmAlert => "1.151.0",
            Self::Thanos => "0.42.0",
            Self::GrafanaSchema => "0.0.22",
            Self::ComposeModel => "2.16.2",
            Self::Kustomize => "5.8.1",
            Self::KubernetesModel => "1.37.2",
        }
    }

    /// Returns the name on the `PATH`. Only the Collector's contrib distribution has all required components.
    pub(super) fn name_on_path(self) -> &'static str {
        match self {
            Self::Otelcol => "otelcol-contrib",
            // The name in the published archives.
            Self::VictoriaMetrics => "victoria-metrics-prod",
            Self::VmAlert => "vmalert-prod",
            other => other.name(),
        }
    }

    /// Returns the argument that prints the version.
    pub(super) fn version_argument(self) -> &'static str {
        match self {
            Self::Jaeger | Self::Kustomize => "version",
            _ => "--version",
        }
    }

    /// Returns the versions that it may print: 1.76.0 and 2.13.0 are the same release of Jaeger.
    pub(super) fn printed_versions(self) -> &'static [&'static str] {
        match self {
            Self::Otelcol => &["0.158.0"],
            Self::Jaeger => &["1.76.0", "2.13.0"],
            Self::Prometheus | Self::Promtool => &["3.16.0"],
            Self::VictoriaMetrics | Self::VmAlert => &["1.151.0"],
            Self::Thanos => &["0.42.0"],
            Self::GrafanaSchema => &["0.0.22"],
            Self::ComposeModel => &["2.16.2"],
            Self::Kustomize => &["5.8.1"],
            Self::KubernetesModel => &["1.37.2"],
        }
    }

    /// Returns the folder of its Go module.
    pub(super) fn module(self) -> PathBuf {
        workspace::root().join(match self {
            Self::Otelcol => "collector/build",
            Self::Jaeger => "jaeger/build",
            Self::Prometheus | Self::Promtool => "prometheus/build",
            Self::VictoriaMetrics | Self::VmAlert => "xtask/victoria-metrics",
            Self::Thanos => "xtask/thanos",
            Self::GrafanaSchema => "grafana/build",
            Self::ComposeModel => "xtask/compose",
            Self::Kustomize => "xtask/kustomize",
            Self::KubernetesModel => "xtask/kubernetes",
        })
    }

    /// Returns the Go package to build.
    pub(super) fn package(self) -> &'static str {
        match self {
            Self::Otelcol | Self::GrafanaSchema | Self::ComposeModel | Self::KubernetesModel => ".",
            Self::Kustomize => "sigs.k8s.io/kustomize/kustomize/v5",
            Self::Jaeger => "github.com/jaegertracing/jaeger/cmd/jaeger",
            Self::Prometheus => "github.com/prometheus/prometheus/cmd/prometheus",
            Self::Promtool => "github.com/prometheus/prometheus/cmd/promtool",
            Self::VictoriaMetrics => {
                "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics"
            }
            Self::VmAlert => "github.com/VictoriaMetrics/VictoriaMetrics/app/vmalert",
            Self::Thanos => "github.com/thanos-io/thanos/cmd/thanos",
        }
    }

    /// Returns the program's additional arguments of `go build`.
    pub(super) fn build_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Otelcol | Self::GrafanaSchema | Self::ComposeModel | Self::KubernetesModel => {
                &["-ldflags=-s -w"]
            }
            Self::Kustomize => &["-ldflags=-s -w \
                 -X sigs.k8s.io/kustomize/api/provenance.version=v5.8.1"],
            Self::Jaeger => &["-ldflags=-s -w \
                 -X github.com/jaegertracing/jaeger/internal/version.latestVersion=v1.76.0"],
            // Excludes service discovery for some thirty clouds. Files, DNS and Kubernetes stay.
            Self::Prometheus | Self::Promtool => &[
                "-tags=remove_all_sd,enable_dns_sd,enable_kubernetes_sd",
                "-ldflags=-s -w -X github.com/prometheus/common/version.Version=3.16.0",
            ],
            Self::VictoriaMetrics => &["-ldflags=-s -w \
                 -X github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=victoria-metrics-v1.151.0"],
            Self::VmAlert => &["-ldflags=-s -w \
                 -X github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=vmalert-v1.151.0"],
            // As its own build: one string for all labels of a series.
            Self::Thanos => &[
                "-tags=netgo,slicelabels",
                "-ldflags=-s -w -X github.com/prometheus/common/version.Version=0.42.0",
            ],
        }
    }

    /// Returns about how many minutes a first build takes on two cores.
    pub(super) fn build_minutes(self) -> u32 {
        match self {
            Self::Otelcol => 6,
            Self::Jaeger => 4,
            Self::Prometheus | Self::Thanos => 4,
            Self::KubernetesModel => 2,
            Self::Promtool
            | Self::VictoriaMetrics
            | Self::VmAlert
            | Self::GrafanaSchema
            | Self::ComposeModel
            | Self::Kustomize => 1,
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.version())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Go modules have the versions of this file.
    #[test]
    fn go_modules_have_the_pinned_versions() {
        for (program, line) in [
            (
                Program::Otelcol,
                "go.opentelemetry.io/collector/receiver/otlpreceiver v0.158.0",
            ),
            (Program::Jaeger, "github.com/jaegertracing/jaeger v1.76.0"),
            (
                Program::Prometheus,
                "github.com/prometheus/prometheus v0.316.0",
            ),
            (
                Program::VictoriaMetrics,
                "github.com/VictoriaMetrics/VictoriaMetrics v1.151.0",
            ),
            (Program::Thanos, "github.com/thanos-io/thanos v0.42.0"),
            (
                Program::GrafanaSchema,
                "github.com/grafana/grafana-foundation-sdk/go v0.0.22",
            ),
            (
                Program::ComposeModel,
                "github.com/compose-spec/compose-go/v2 v2.16.2",
            ),
            (
                Program::Kustomize,
                "sigs.k8s.io/kustomize/kustomize/v5 v5.8.1",
            ),
            (Program::KubernetesModel, "k8s.io/kubernetes v1.37.2"),
        ] {
            let module = std::fs::read_to_string(program.module().join("go.mod")).expect("go.mod");
            assert!(module.contains(line), "{program}");
        }
    }

    #[test]
    fn build_flags_carry_the_pinned_version() {
        for program in [
            Program::Jaeger,
            Program::Prometheus,
            Program::Promtool,
            Program::VictoriaMetrics,
            Program::VmAlert,
            Program::Thanos,
            Program::Kustomize,
        ] {
            let flags = program.build_arguments().join(" ");
            assert!(flags.contains(program.version()), "{program}");
        }
    }
}
