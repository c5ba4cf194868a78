//! The stack in containers is the stack without: the same files, the same ports, nothing for show.
//!
//! No container engine is needed. The compose file is read by the library that Docker Compose reads it
//! with, and what it says is held against the files, the programs' versions and their ports.

mod files;
mod images;
mod limits;
mod model;
mod network;
mod programs;
mod variables;
