//! Programs that end with this one.

use std::io;
use std::process::{Child, Command, exit};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::stack::process::{ProcessId, Stopped};

static STARTED: Mutex<Vec<ProcessId>> = Mutex::new(Vec::new());
/// Whether a signal ends this program.
static SIGNALLED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Starts a program.
///
/// # Errors
///
/// If it cannot be started.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut started = started();
    started.retain(ProcessId::is_running);
    let child = command.spawn()?;
    started.extend(ProcessId::of(child.id()));
    Ok(child)
}

/// At the first SIGINT or SIGTERM, kills what [`spawn`] started and still runs, then ends this program with 130.
///
/// # Errors
///
/// If the signals cannot be received.
#[allow(clippy::print_stderr, reason = "the program says why it ends")]
pub fn end_with_signals() -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&SIGNALLED))?;
    }
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            // Nothing can start any more.
            let started = started();
            let killed = started.iter().rev().map(ProcessId::kill);
            let killed = killed.filter(|&how| how != Stopped::Already).count();
            eprintln!("ended by a signal, with {killed} programs");
            exit(130);
        }
    });
    Ok(())
}

/// Does not return if a signal ends this program: what fails then, fails because of it.
pub fn wait_if_signalled() {
    while SIGNALLED.load(Ordering::Relaxed) {
        thread::park();
    }
}

fn started() -> MutexGuard<'static, Vec<ProcessId>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}
