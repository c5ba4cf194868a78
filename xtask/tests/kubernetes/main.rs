//! The Kubernetes manifests: kustomize renders them, Kubernetes' own code accepts them, and what they name exists.
//!
//! No cluster is needed.

mod files;
mod model;
mod network;
mod operator;
mod policy;
mod refused;
mod service;
