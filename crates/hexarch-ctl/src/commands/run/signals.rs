//! Signals and the end of a process, passed through.

use std::io::IsTerminal as _;
use std::process::{Child, ExitStatus};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::{Handle, Signals};

use crate::failure::Failure;

/// From here on signals do not end this process, and go to the command.
pub(super) struct Forwarding {
    signals: Signals,
}

impl Forwarding {
    pub(super) fn begin() -> Result<Self, Failure> {
        let signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2])?;
        Ok(Self { signals })
    }

    /// Waits for the command's end.
    pub(super) fn wait(self, child: &mut Child) -> Result<ExitStatus, Failure> {
        let handle = self.signals.handle();
        let forwarding = forward(self.signals, child);
        let status = child.wait();
        end(&handle, forwarding);
        Ok(status?)
    }
}

fn end(handle: &Handle, forwarding: Option<JoinHandle<()>>) {
    handle.close();
    if let Some(thread) = forwarding {
        // It does nothing that could panic.
        let _ = thread.join();
    }
}

fn forward(mut signals: Signals, child: &Child) -> Option<JoinHandle<()>> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw)?;
    // What is typed at a terminal goes to the command already: it is in the same group.
    let typed = std::io::stdin().is_terminal();
    let work = move || {
        for number in signals.forever() {
            let sent_to_both = typed && matches!(number, SIGINT | SIGQUIT);
            if let (false, Some(signal)) = (sent_to_both, Signal::from_named_raw(number)) {
                // A command that has just ended needs no signal.
                let _ = kill_process(pid, signal);
            }
        }
    };
    std::thread::Builder::new().name("hexarch-signals".to_owned()).spawn(work).ok()
}

/// Ends this process as the command ended: by its exit code, or by the signal that killed it.
pub(super) fn ended(status: ExitStatus) -> Result<(), Failure> {
    use std::os::unix::process::ExitStatusExt as _;

    if let Some(signal) = status.signal() {
        // Comes back only for signals that do not end a process.
        let _ = signal_hook::low_level::emulate_default_handler(signal);
        let code = u8::try_from(signal.saturating_add(128)).unwrap_or(1);
        return Err(Failure::Exit(code, String::new()));
    }
    match status.code() {
        Some(0) => Ok(()),
        code => Err(Failure::Exit(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1), String::new())),
    }
}
