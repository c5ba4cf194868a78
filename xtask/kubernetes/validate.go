package main

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	autoscalingvalidation "k8s.io/kubernetes/pkg/apis/autoscaling/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
	"k8s.io/kubernetes/pkg/apis/rbac"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	rbacvalidation "k8s.io/kubernetes/pkg/apis/rbac/validation"
)

// Runs the validation that the API server runs for a new object of this kind. Returns false for other kinds.
func validate(object runtime.Object) (field.ErrorList, bool) {
	switch object := object.(type) {
	case *apps.DaemonSet:
		return appsvalidation.ValidateDaemonSet(object, podOptions(&object.Spec.Template)), true
	case *apps.Deployment:
		return appsvalidation.ValidateDeployment(object, podOptions(&object.Spec.Template)), true
	case *apps.StatefulSet:
		options := appsvalidation.StatefulSetValidationOptions{}
		return appsvalidation.ValidateStatefulSet(object, options, podOptions(&object.Spec.Template)), true
	case *autoscaling.HorizontalPodAutoscaler:
		options := autoscalingvalidation.HorizontalPodAutoscalerSpecValidationOptions{MinReplicasLowerBound: 1}
		return autoscalingvalidation.ValidateHorizontalPodAutoscaler(object, options), true
	case *core.ConfigMap:
		return corevalidation.ValidateConfigMap(object), true
	case *core.Namespace:
		return corevalidation.ValidateNamespace(object), true
	case *core.PersistentVolumeClaim:
		options := corevalidation.PersistentVolumeClaimSpecValidationOptions{}
		return corevalidation.ValidatePersistentVolumeClaim(object, options), true
	case *core.Secret:
		return corevalidation.ValidateSecret(object), true
	case *core.Service:
		// The API server fills in the list before it validates.
		if object.Spec.ClusterIP != "" && len(object.Spec.ClusterIPs) == 0 {
			object.Spec.ClusterIPs = []string{object.Spec.ClusterIP}
		}
		return corevalidation.ValidateServiceCreate(object), true
	case *core.ServiceAccount:
		return corevalidation.ValidateServiceAccount(object), true
	case *networking.NetworkPolicy:
		options := networkingvalidation.NetworkPolicyValidationOptions{}
		return networkingvalidation.ValidateNetworkPolicy(object, options), true
	case *policy.PodDisruptionBudget:
		options := policyvalidation.PodDisruptionBudgetValidationOptions{}
		return policyvalidation.ValidatePodDisruptionBudget(object, options), true
	case *rbac.ClusterRole:
		return rbacvalidation.ValidateClusterRole(object, rbacvalidation.ClusterRoleValidationOptions{}), true
	case *rbac.ClusterRoleBinding:
		return rbacvalidation.ValidateClusterRoleBinding(object), true
	case *rbac.Role:
		return rbacvalidation.ValidateRole(object), true
	case *rbac.RoleBinding:
		return rbacvalidation.ValidateRoleBinding(object), true
	}
	return nil, false
}

func podOptions(template *core.PodTemplateSpec) corevalidation.PodValidationOptions {
	return pod.GetValidationOptionsFromPodTemplate(template, nil)
}
