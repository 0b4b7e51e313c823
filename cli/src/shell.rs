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
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let on = |terminal: bool| match colour {
            Colour::Auto => terminal && capable && wanted,
            Colour::Always => true,
            Colour::Never => false,
        };
        let width =
            terminal_size::terminal_size_of(io::stdout()).map_or(WIDTH, |(width, _)| usize::from(width.0));
        Self {
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
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
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
        let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
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
        io::stdin().is_terminal()
    }

    /// Asks a question that is answered by y or, as anything else counts, no.
    pub fn confirm(&mut self, question: &str) -> bool {
        self.clear();
        let mut err = io::stderr().lock();
        let asked = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
        let mut answer = String::new();
        let heard = asked.and_then(|()| io::stdin().read_line(&mut answer));
        heard.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Shows how far the work is: a bar that moves on a terminal, else a line.
    pub fn progress(&mut self, done: usize, of: usize, now: &str) {
        if !self.moving {
            return self.say(&format!("[{done}/{of}] {now}"));
        }
        let filled = if of == 0 { BAR } else { (BAR * done / of).min(BAR) };
        let bar = format!("[{}{}] {done}/{of} ", "#".repeat(filled), "-".repeat(BAR - filled));
        let room = self.width.saturating_sub(bar.chars().count() + 1);
        let now: String = now.chars().take(room).collect();
        let bar = self.paint("32", &bar);
        let mut err = io::stderr().lock();
        let _ = write!(err, "\r\x1b[2K{bar}{now}").and_then(|()| err.flush());
        self.bar_shown = true;
    }

    /// Takes the bar away.
    pub fn clear(&mut self) {
        if self.bar_shown {
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r\x1b[2K").and_then(|()| err.flush());
            self.bar_shown = false;
        }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour_err { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
