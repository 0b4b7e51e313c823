//! Everything that is written to people and programs goes through here: results to standard output, all else to
//! standard error, colours and a moving progress bar only where there is a terminal.

use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::span::Sources;
use std::io::{self, IsTerminal, Write};

const BAR: usize = 24;
/// The width of a page that nobody looks at in a terminal.
const WIDTH: usize = 100;

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal.
    Auto,
    /// Also in files and pipes.
    Always,
    /// Nowhere.
    Never,
}

/// The terminal, files or pipes that the command talks to.
pub struct Shell {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    asks: bool,
    colour_out: bool,
    colour_err: bool,
    moving: bool,
    json: bool,
    width: usize,
    bar_shown: bool,
}

impl Shell {
    /// What the environment and the arguments say about the outputs.
    pub fn new(colour: Colour, json: bool) -> Self {
        let capable = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let said = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let refused = said("NO_COLOR").is_some();
        let forced = said("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let wanted = said("CLICOLOR").is_none_or(|value| value != "0");
        let on = |terminal: bool| match colour {
            Colour::Auto => !refused && (forced || terminal && capable && wanted),
            Colour::Always => true,
            Colour::Never => false,
        };
        let width =
            terminal_size::terminal_size_of(io::stdout()).map_or(WIDTH, |(width, _)| usize::from(width.0));
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            asks: io::stdin().is_terminal(),
            colour_out: on(io::stdout().is_terminal()),
            colour_err: on(io::stderr().is_terminal()),
            moving: capable && io::stderr().is_terminal(),
            json,
            width: width.max(40),
            bar_shown: false,
        }
    }

    /// Whether standard output shall be JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether what goes to standard output may have colours.
    pub fn colour(&self) -> bool {
        self.colour_out && !self.json
    }

    /// How many columns a page of standard output has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Writes a result.
    ///
    /// # Errors
    /// When it cannot be written; a reader who has gone away is `BrokenPipe`.
    pub fn out(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Writes a result as JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn out_json(&mut self, value: &serde_json::Value) -> io::Result<()> {
        self.out(&format!("{value:#}\n"))
    }

    /// Says something beside the result. It may go unheard.
    pub fn say(&mut self, text: &str) {
        self.clear();
        let _ = writeln!(self.err, "{}", text.trim_end());
    }

    /// Says what went wrong, and what may help.
    pub fn error(&mut self, message: &str, help: Option<&str>) {
        let head = self.paint("1;31", "error:");
        self.say(&format!("{head} {message}"));
        if let Some(help) = help {
            let head = self.paint("1;36", "help:");
            self.say(&format!("{head} {help}"));
        }
    }

    /// Says diagnostics, with a blank line between two.
    pub fn diagnostics(&mut self, diagnostics: &[Diagnostic], sources: &Sources) {
        for (index, diagnostic) in diagnostics.iter().enumerate() {
            let gap = if index > 0 { "\n" } else { "" };
            self.say(&format!("{gap}{}", diagnostic.render(sources, self.colour_err)));
        }
    }

    /// Whether somebody can answer a question.
    pub fn can_ask(&self) -> bool {
        self.asks
    }

    /// Asks a question that is answered by y or, as anything else counts, no.
    pub fn confirm(&mut self, question: &str) -> bool {
        self.clear();
        let asked = write!(self.err, "{question} [y/N] ").and_then(|()| self.err.flush());
        let mut answer = String::new();
        let heard = asked.and_then(|()| io::stdin().read_line(&mut answer));
        heard.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Shows how far the work is: a bar that moves on a terminal, else a line.
    pub fn progress(&mut self, done: usize, of: usize, now: &str) {
        if !self.moving {
            return self.say(&format!("[{done}/{of}] {now}"));
        }
        let filled = (BAR * done).checked_div(of).unwrap_or(BAR).min(BAR);
        let bar = format!("[{}{}] {done}/{of} ", "#".repeat(filled), "-".repeat(BAR - filled));
        let room = self.width.saturating_sub(bar.chars().count() + 1);
        let now: String = now.chars().take(room).collect();
        let bar = self.paint("32", &bar);
        let _ = write!(self.err, "\r\x1b[2K{bar}{now}").and_then(|()| self.err.flush());
        self.bar_shown = true;
    }

    /// Takes the bar away.
    pub fn clear(&mut self) {
        if self.bar_shown {
            let _ = write!(self.err, "\r\x1b[2K").and_then(|()| self.err.flush());
            self.bar_shown = false;
        }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour_err { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// What was written so far.
    #[derive(Clone, Default)]
    pub struct Heard(Rc<RefCell<Vec<u8>>>);

    impl Heard {
        pub fn text(&self) -> String {
            String::from_utf8_lossy(&self.0.borrow()).into_owned()
        }
    }

    impl Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A shell without a terminal, and what it writes to standard output and standard error.
    pub fn heard(json: bool) -> (Shell, Heard, Heard) {
        let (out, err) = (Heard::default(), Heard::default());
        let shell = Shell {
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            asks: false,
            colour_out: false,
            colour_err: false,
            moving: false,
            json,
            width: 80,
            bar_shown: false,
        };
        (shell, out, err)
    }

    #[test]
    fn the_bar_moves_on_a_terminal_and_goes_before_other_words() {
        let (mut shell, out, err) = heard(false);
        shell.progress(1, 2, "one");
        assert_eq!(err.text(), "[1/2] one\n");
        shell.moving = true;
        shell.progress(1, 2, &"x".repeat(200));
        shell.say("said");
        let bar =
            format!("[1/2] one\n\r\x1b[2K[{}{}] 1/2 {}", "#".repeat(12), "-".repeat(12), "x".repeat(48));
        assert_eq!(err.text(), format!("{bar}\r\x1b[2Ksaid\n"));
        shell.progress(0, 0, "");
        assert_eq!(out.text(), "");
    }
}
