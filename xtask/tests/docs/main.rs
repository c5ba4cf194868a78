//! The documentation: what it links to exists, what it shows compiles and runs, and what it claims holds.

mod book;
mod claims;
mod code;
mod commands;
mod links;
mod page;
mod readme;
