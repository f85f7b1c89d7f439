//! One case in a process of its own: both ends of it.
//!
//! The program starts itself once for every case. The child runs it and says what became of it in one line of JSON on its
//! standard output; all that the case said besides (panics, on whatever thread; what the unhandled-outcome hook heard)
//! goes to its standard error, which becomes the transcript. So a case may hang, abort or overflow its stack, its panics
//! never reach the terminal, and cases share no global executor.

use std::io::{self, Read};
use std::panic::{self, PanicHookInfo};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyio_conformance::{CASES, Case, Outcome, run_case};
use serde::{Deserialize, Serialize};

use crate::cli;
use crate::flavours::Flavour;
use crate::report::{Status, Verdict};

/// How much longer than the case the process around it may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of what a case says is kept, in bytes.
const ATTENTION: usize = 64 * 1024;

/// What the child tells.
#[derive(Debug, Serialize, Deserialize)]
struct Message {
    status: Status,
    seconds: f64,
    said: Option<String>,
}

/// The child's end: a case to be run in this process.
#[derive(Debug)]
pub(crate) struct Alone {
    case: &'static Case,
    flavour: Flavour,
    limit: Duration,
}

impl Alone {
    /// The case of this name on the backend of this name.
    pub(crate) fn new(backend: &str, case: &str, limit: Duration) -> Result<Self, String> {
        let flavour = cli::flavour(backend).ok_or_else(|| format!("there is no backend '{backend}'"))?;
        let case = CASES.iter().find(|known| known.name == case).ok_or_else(|| format!("there is no case '{case}'"))?;
        Ok(Alone { case, flavour, limit })
    }

    /// Runs it and tells. A case that hangs ends with the process.
    pub(crate) fn run(&self) -> ExitCode {
        panic::set_hook(Box::new(tell_panic));
        anyio::set_unhandled_hook(|outcome| eprintln!("unhandled: {outcome}"));
        let start = Instant::now();
        let outcome = run_case(self.case, self.flavour.recipe(), self.limit);
        let seconds = start.elapsed().as_secs_f64();
        let message = match outcome {
            // Whether the clock or the case was first should not be a matter of luck.
            Outcome::Held(time) if time > self.limit => Message { status: Status::Hung, seconds, said: None },
            Outcome::Held(time) => Message { status: Status::Held, seconds: time.as_secs_f64(), said: None },
            Outcome::Failed(said) => Message { status: Status::Failed, seconds, said: Some(said) },
            Outcome::Hung => Message { status: Status::Hung, seconds, said: None },
        };
        // On a line of its own, whatever the case has printed.
        println!("\n{}", serde_json::to_string(&message).expect("a message is plain data"));
        ExitCode::SUCCESS
    }
}

/// Without the thread's number, so that the same panic reads the same everywhere.
fn tell_panic(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let name = thread.name().unwrap_or("(unnamed)");
    let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let said = panic.payload_as_str().unwrap_or("(no text)").replace('\n', "\n  ");
    eprintln!("panic in thread {name}{place}:\n  {said}");
}

/// The parent's end: runs `case` on the backend of this name, in a process of its own.
pub(crate) fn run(case: &Case, backend: &str, limit: Duration) -> Verdict {
    let start = Instant::now();
    let ended = start_child(case, backend, limit).and_then(|child| watch(child, limit.saturating_add(PATIENCE)));
    let seconds = start.elapsed().as_secs_f64();
    match ended {
        Ok(ended) => ended.verdict(seconds),
        Err(error) => Verdict::aborted(format!("no process could be started: {error}"), String::new(), seconds),
    }
}

fn start_child(case: &Case, backend: &str, limit: Duration) -> io::Result<Child> {
    // On Linux this very program, also if the file that it was started from has been replaced.
    let program = if cfg!(target_os = "linux") { PathBuf::from("/proc/self/exe") } else { std::env::current_exe()? };
    Command::new(program)
        .args(["--alone", backend, case.name, "--limit", &limit.as_secs_f64().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Waits for the end of the child, for so long; then kills it.
fn watch(mut child: Child, patience: Duration) -> io::Result<Ended> {
    let told = listen(child.stdout.take());
    let said = listen(child.stderr.take());
    // It has ended when it can tell no more.
    let told = told.recv_timeout(patience).ok();
    if told.is_none() {
        child.kill()?;
    }
    let status = child.wait()?;
    // A grandchild might have the other end: nobody waits for that.
    let transcript = condensed(&said.recv_timeout(Duration::from_secs(1)).unwrap_or_default());
    Ok(Ended { told, transcript, status })
}

/// Collects what comes out of a pipe, on a thread of its own, so that the child never waits.
fn listen(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut pipe = pipe.expect("the pipe was asked for");
        // What cannot be read was not said.
        let _ = pipe.by_ref().take(ATTENTION as u64).read_to_end(&mut kept);
        let _ = io::copy(&mut pipe, &mut io::sink());
        // Nobody may be left to hear of it.
        let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
    });
    receiver
}

/// What was said over and over is said once, and threads have no numbers, which differ from run to run.
fn condensed(transcript: &str) -> String {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for line in transcript.lines().map(unnumbered) {
        match lines.last_mut() {
            Some((last, times)) if *last == line => *times += 1,
            _ => lines.push((line, 1)),
        }
    }
    let lines = lines.into_iter().map(|(line, times)| match times {
        1 => format!("{line}\n"),
        _ => format!("{line} (×{times})\n"),
    });
    lines.collect()
}

/// The line without the number of the thread that the runtime library speaks of: `thread 'main' (1234) has …`.
fn unnumbered(line: &str) -> String {
    let parts = line.split_once("' (").and_then(|(thread, rest)| Some((thread, rest.split_once(") ")?)));
    match parts {
        Some((thread, (number, rest))) if line.starts_with("thread '") && number.parse::<u64>().is_ok() => {
            format!("{thread}' {rest}")
        }
        _ => line.to_owned(),
    }
}

/// What is known when a child has ended.
struct Ended {
    /// What it told; `None` if it had to be killed.
    told: Option<String>,
    transcript: String,
    status: ExitStatus,
}

impl Ended {
    fn verdict(self, seconds: f64) -> Verdict {
        let Some(told) = self.told else {
            return Verdict { status: Status::Hung, seconds, said: None, transcript: self.transcript };
        };
        match told.lines().last().and_then(|line| serde_json::from_str::<Message>(line).ok()) {
            Some(Message { status: Status::Held, seconds, .. }) => Verdict::held(seconds),
            Some(Message { status, seconds, said }) => Verdict { status, seconds, said, transcript: self.transcript },
            None => Verdict::aborted(format!("the process ended by {}", self.status), self.transcript, seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transcripts_are_condensed() {
        let said = "a\na\nb\nthread 'main' (123) has overflowed its stack\n";
        assert_eq!(condensed(said), "a (×2)\nb\nthread 'main' has overflowed its stack\n");
        assert_eq!(unnumbered("see 'this' (1) and that"), "see 'this' (1) and that");
    }

    #[cfg(unix)]
    fn watched(script: &str, patience: Duration) -> Verdict {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        watch(shell.spawn().unwrap(), patience).unwrap().verdict(1.5)
    }

    #[cfg(unix)]
    #[test]
    fn a_process_that_ends_without_a_word_has_aborted() {
        let verdict = watched("echo said >&2; kill -ABRT $$", PATIENCE);
        assert_eq!((verdict.status, &*verdict.transcript), (Status::Aborted, "said\n"));
        assert!(verdict.said.unwrap().contains("signal: 6"));
    }

    #[cfg(unix)]
    #[test]
    fn a_process_that_does_not_end_is_killed_and_has_hung() {
        assert_eq!(watched("exec sleep 600", Duration::from_millis(1)).status, Status::Hung);
    }

    #[cfg(unix)]
    #[test]
    fn the_last_line_is_what_counts() {
        let told = r#"echo '{"status":"held"'; echo '{"status":"failed","seconds":2.5,"said":"why"}'"#;
        let verdict = watched(told, PATIENCE);
        assert_eq!((verdict.status, verdict.seconds, verdict.said.as_deref()), (Status::Failed, 2.5, Some("why")));
    }
}
