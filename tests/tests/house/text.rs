//! Source files, with code and comments told apart.

use std::fs;
use std::path::{Path, PathBuf};

/// One line: what the compiler reads, with literals emptied, and the comment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) code: String,
    pub(crate) comment: String,
}

/// A file of the workspace.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the root of the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) lines: Vec<Line>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let is_rust = path.ends_with(".rs");
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            lines: if is_rust { split(text) } else { Vec::new() },
        }
    }

    /// All code, with what begins each line.
    pub(crate) fn code(&self) -> (String, Vec<usize>) {
        let (mut code, mut starts) = (String::new(), Vec::new());
        for line in &self.lines {
            starts.push(code.len());
            code.push_str(&line.code);
            code.push('\n');
        }
        (code, starts)
    }

    /// A complaint about a line, counted from 0.
    pub(crate) fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, line + 1)
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file of the project.
pub(crate) fn workspace() -> Vec<Source> {
    let mut sources = Vec::new();
    walk(&root(), "", &mut sources);
    assert!(sources.len() > 50, "the workspace was not found");
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn walk(directory: &Path, prefix: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(directory).expect("the workspace can be read") {
        let entry = entry.expect("the workspace can be read");
        let name = entry.file_name().into_string().expect("names are UTF-8");
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            // Hidden ones but for our own, and what is built.
            let skipped = name == "target" || (name.starts_with('.') && name != ".ci");
            if !skipped {
                walk(&entry.path(), &format!("{path}/"), sources);
            }
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            sources.push(Source::new(&path, &text));
        }
    }
}

enum State {
    Code,
    Block { depth: u32 },
    Text { hashes: Option<usize> },
}

/// Tells code and comments apart. Literals are left empty: `"abc"` as `""`.
fn split(text: &str) -> Vec<Line> {
    let chars: Vec<char> = text.chars().collect();
    let mut lines = vec![Line::default()];
    let mut state = State::Code;
    let mut at = 0;
    let starts_with = |at: usize, what: &str| {
        let mut rest = chars[at..].iter();
        what.chars().all(|c| rest.next() == Some(&c))
    };
    while at < chars.len() {
        let c = chars[at];
        if c == '\n' {
            lines.push(Line::default());
            at += 1;
            continue;
        }
        let line = lines.last_mut().expect("there is a line");
        match &mut state {
            State::Code if starts_with(at, "//") => {
                let end = chars[at..].iter().position(|c| *c == '\n');
                let end = end.map_or(chars.len(), |length| at + length);
                line.comment.extend(&chars[at..end]);
                at = end;
            }
            State::Code if starts_with(at, "/*") => {
                state = State::Block { depth: 1 };
                at += 2;
            }
            State::Code if c == '"' => {
                line.code.push('"');
                state = State::Text { hashes: None };
                at += 1;
            }
            State::Code
                if c == 'r' && !line.code.ends_with(is_word) && raw(&chars, at).is_some() =>
            {
                let hashes = raw(&chars, at);
                line.code.push('"');
                at += 2 + hashes.unwrap_or(0);
                state = State::Text { hashes };
            }
            State::Code if c == '\'' => match char_literal(&chars, at) {
                Some(length) => {
                    line.code.push_str("''");
                    at += length;
                }
                None => {
                    line.code.push(c);
                    at += 1;
                }
            },
            State::Code => {
                line.code.push(c);
                at += 1;
            }
            State::Block { depth } => {
                if starts_with(at, "*/") {
                    *depth -= 1;
                    at += 2;
                    if *depth == 0 {
                        state = State::Code;
                    }
                } else if starts_with(at, "/*") {
                    *depth += 1;
                    at += 2;
                } else {
                    line.comment.push(c);
                    at += 1;
                }
            }
            State::Text { hashes: None } => match c {
                '\\' if chars.get(at + 1) != Some(&'\n') => at += 2,
                '"' => {
                    line.code.push('"');
                    state = State::Code;
                    at += 1;
                }
                _ => at += 1,
            },
            State::Text {
                hashes: Some(hashes),
            } => {
                let closes = c == '"' && (1..=*hashes).all(|i| chars.get(at + i) == Some(&'#'));
                at += 1;
                if closes {
                    line.code.push('"');
                    at += *hashes;
                    state = State::Code;
                }
            }
        }
    }
    lines
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The number of hashes, if a raw string begins here.
fn raw(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// The length of the character literal that begins here; `None` for a lifetime.
fn char_literal(chars: &[char], at: usize) -> Option<usize> {
    if chars.get(at + 1) == Some(&'\\') {
        let end = chars[at + 3..].iter().position(|c| *c == '\'')?;
        return Some(end + 4);
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(3)
}

#[cfg(test)]
mod tests {
    use super::{Line, split};

    fn line(code: &str, comment: &str) -> Line {
        Line {
            code: code.into(),
            comment: comment.into(),
        }
    }

    #[test]
    fn comments_and_code_are_told_apart() {
        let text = "let a = 1; // one\n/* two\n /* 2b */ */ b();\n//! doc";
        let expected = [
            line("let a = 1; ", "// one"),
            line("", " two"),
            line(" b();", "  2b  "),
            line("", "//! doc"),
        ];
        assert_eq!(split(text), expected);
    }

    #[test]
    fn literals_are_emptied() {
        let text = r###"f("// no \" comment", r#"raw " // too"#, b"x", '"', '\'', 'a');"###;
        assert_eq!(split(text), [line(r#"f("", "", b"", '', '', '');"#, "")]);
        assert_eq!(
            split("fn f<'a>(r: &'a str) {}")[0].code,
            "fn f<'a>(r: &'a str) {}"
        );
        let lines = split("let s = \"one\ntwo // text\"; // end");
        assert_eq!(lines[1], line("\"; ", "// end"));
    }
}
