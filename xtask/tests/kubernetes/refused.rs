//! A check that accepts everything would prove nothing.

use crate::model::{read, rendered};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn invalid_and_insecure_objects_are_refused() {
    let manifests = rendered("dev");
    for (good, bad, message) in [
        // Decoding.
        (
            "readOnlyRootFilesystem: true",
            "readOnlyRootFileSystem: true",
            "unknown field",
        ),
        (
            "  serviceName: jaeger\n",
            "  serviceName: jaeger\n  serviceName: jaeger\n",
            "already set",
        ),
        ("replicas: 1", "replicas: one", "of type int32"),
        (
            "kind: DaemonSet",
            "kind: DaemonsSet",
            "no kind \"DaemonsSet\"",
        ),
        (
            "  podMetricsEndpoints:",
            "  podMetricEndpoints:",
            "unknown field",
        ),
        (
            "    - alert: CollectorDown",
            "    - alerts: CollectorDown",
            "unknown field",
        ),
        ("  retention: 35d", "  retentions: 35d", "unknown field"),
        // Validation.
        (
            "containerPort: 4317",
            "containerPort: 70000",
            "must be between 1 and 65535",
        ),
        (
            "memory: 640Mi",
            "memory: 64Mi",
            "must be less than or equal to memory limit",
        ),
        (
            "mountPath: /var/lib/jaeger",
            "mountPath: ''",
            "Required value",
        ),
        (
            "          name: traces\n",
            "          name: spans\n",
            "Not found",
        ),
        (
            "internalTrafficPolicy: Local",
            "internalTrafficPolicy: Node",
            "Unsupported value",
        ),
        // The Pod Security Standard "restricted".
        (
            "allowPrivilegeEscalation: false",
            "allowPrivilegeEscalation: true",
            "allowPrivilegeEscalation != false",
        ),
        (
            "allowPrivilegeEscalation: false",
            "privileged: true",
            "privileged",
        ),
        (
            "runAsNonRoot: true",
            "runAsNonRoot: false",
            "runAsNonRoot != true",
        ),
        ("type: RuntimeDefault", "type: Unconfined", "seccompProfile"),
        (
            "            - ALL\n",
            "            - NET_RAW\n",
            "unrestricted capabilities",
        ),
        (
            "emptyDir:\n          sizeLimit: 2Gi",
            "hostPath:\n          path: /var/lib/otelcol",
            "hostPath",
        ),
        (
            "        - containerPort: 4317\n",
            "        - hostPort: 4317\n          containerPort: 4317\n",
            "hostPort",
        ),
    ] {
        assert!(manifests.contains(good), "no {good:?}");
        let output = read(&manifests.replacen(good, bad, 1), "refused");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{bad} is accepted");
        assert!(said.contains(message), "{bad}: {said}");
    }
}
