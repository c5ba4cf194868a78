//! A process of this program that takes orders from its standard input, and gives an answer to each in a line.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio},
};

/// The parent's end.
pub(crate) struct Child {
    process: Process,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts this program with other arguments.
    pub(crate) fn start(arguments: &[&str], errors: Stdio) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .args(arguments)
            .args(std::env::args().find(|argument| argument == "--quick"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("it starts");
        let orders = process.stdin.take().expect("piped");
        let answers = process.stdout.take().expect("piped");
        Self {
            process,
            orders,
            answers: BufReader::new(answers).lines(),
        }
    }

    /// Gives an order, and waits for the answer.
    pub(crate) fn ask(&mut self, order: &str) -> String {
        writeln!(self.orders, "{order}").expect("it listens");
        let answer = self.answers.next();
        answer.expect("it answers").expect("text")
    }

    /// Waits for the end, after the last order.
    pub(crate) fn assert_ends(mut self) {
        let status = self.process.wait().expect("it ends");
        assert!(status.success(), "it checked: {status}");
    }
}
