//! The Kubernetes manifests: kustomize renders them, Kubernetes' own code accepts them, and what they name exists.
//!
//! No cluster is needed. The API server itself accepted them once: `docs/kubernetes.md` says how.

mod files;
mod model;
mod network;
mod operator;
mod policy;
mod refused;
mod service;
