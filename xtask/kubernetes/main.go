// Reads rendered Kubernetes manifests as the API server does, with Kubernetes' own code, and prints the objects as a
// JSON list, defaults included.
//
//	kubernetes-model FILE.yaml
//
// It fails if an object has an unknown or duplicate field, is invalid, or has a pod that violates the Pod Security
// Standard "restricted". Objects of the Prometheus Operator are decoded strictly into its published types.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// The version of Kubernetes; go.mod has the same.
const version = "1.37.2"

func main() {
	if len(os.Args) != 2 {
		fail("usage: kubernetes-model FILE.yaml")
	}
	if os.Args[1] == "--version" {
		fmt.Println("kubernetes-model", version)
		return
	}
	file, err := os.Open(os.Args[1])
	if err != nil {
		fail(err)
	}
	objects, problems := read(file)
	if len(problems) > 0 {
		fail(strings.Join(problems, "\n"))
	}
	if err := json.NewEncoder(os.Stdout).Encode(objects); err != nil {
		fail(err)
	}
}

// Returns the objects of all documents, and a line for each problem.
func read(file io.Reader) (objects []runtime.Object, problems []string) {
	if err := monitoring.AddToScheme(legacyscheme.Scheme); err != nil {
		return nil, []string{err.Error()}
	}
	strict := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	security, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, []string{err.Error()}
	}
	documents := yaml.NewYAMLReader(bufio.NewReader(file))
	for number := 1; ; number++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, problems
		}
		var object runtime.Object
		if err == nil {
			object, _, err = strict.Decode(document, nil, nil)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("document %d: %v", number, err))
			if object == nil {
				continue
			}
		}
		for _, problem := range append(invalid(object), insecure(security, object)...) {
			problems = append(problems, name(object)+": "+problem)
		}
		objects = append(objects, object)
	}
}

// Fills in the defaults of the object and returns the errors of its validation.
func invalid(object runtime.Object) (problems []string) {
	kind := object.GetObjectKind().GroupVersionKind()
	if kind.Group == monitoring.SchemeGroupVersion.Group {
		return nil
	}
	legacyscheme.Scheme.Default(object)
	internal, err := legacyscheme.Scheme.ConvertToVersion(object, runtime.InternalGroupVersioner)
	if err != nil {
		return []string{err.Error()}
	}
	errs, known := validate(internal)
	if !known {
		return []string{fmt.Sprintf("no validation for %s; add it to validate.go", kind)}
	}
	for _, err := range errs {
		problems = append(problems, err.Error())
	}
	return problems
}

// Returns why the object's pods violate the Pod Security Standard "restricted".
func insecure(security policy.Evaluator, object runtime.Object) (problems []string) {
	var template *core.PodTemplateSpec
	switch object := object.(type) {
	case *apps.DaemonSet:
		template = &object.Spec.Template
	case *apps.Deployment:
		template = &object.Spec.Template
	case *apps.StatefulSet:
		template = &object.Spec.Template
	default:
		return nil
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, result := range security.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
		if !result.Allowed {
			problems = append(problems, fmt.Sprintf("%s: %s", result.ForbiddenReason, result.ForbiddenDetail))
		}
	}
	return problems
}

func name(object runtime.Object) string {
	kind := object.GetObjectKind().GroupVersionKind().Kind
	accessor, err := meta.Accessor(object)
	if err != nil {
		return kind
	}
	return fmt.Sprintf("%s %s/%s", kind, accessor.GetNamespace(), accessor.GetName())
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}
