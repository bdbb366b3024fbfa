//! A transcript's text as a list of events.

use crate::Header;
use crate::play::Failure;

/// A transcript.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) header: Header,
    pub(crate) events: Vec<Event>,
}

/// One line of it.
#[derive(Debug)]
pub(crate) struct Event {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) client: u8,
    pub(crate) kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Send(Vec<u8>),
    Line(String),
    Glob(String),
    Bytes(Vec<u8>),
    StartTls,
    Deflate,
    Close,
    Change(String),
    ShutDown,
    TimeOut,
    Later(i64),
}

/// Reads a transcript.
pub(crate) fn parse(name: &str, text: &str) -> Result<Script, Failure> {
    let mut script = Script { name: name.to_owned(), header: Header::default(), events: Vec::new() };
    let mut in_head = true;
    for (number, line) in text.lines().enumerate() {
        let bad = |why: String| Failure::script(name, number + 1, why);
        if line.starts_with('#') {
            continue;
        }
        if line.is_empty() {
            in_head = false;
        } else if in_head {
            let (key, value) = strip_comment(line)
                .split_once(':')
                .ok_or_else(|| bad("the head has `key: value` lines up to a blank one".into()))?;
            script.header.values.insert(key.trim().to_owned(), value.trim().to_owned());
        } else {
            let (client, kind) = event(line).map_err(bad)?;
            script.events.push(Event { line: number + 1, client, kind });
        }
    }
    if script.events.is_empty() {
        return Err(Failure::script(
            name,
            1,
            "nothing happens: is the blank line after the head missing?".into(),
        ));
    }
    Ok(script)
}

fn event(line: &str) -> Result<(u8, Kind), String> {
    let unknown = || format!("no such line: {line:?}");
    let mut signs = line.chars();
    let letter = signs.next().ok_or_else(unknown)?;
    let (client, mark) = match signs.next().ok_or_else(unknown)? {
        digit @ '1'..='9' => (digit as u8 - b'0', signs.next().ok_or_else(unknown)?),
        mark => (1, mark),
    };
    let rest = signs.as_str();
    let raw = rest.strip_prefix(' ').unwrap_or(rest);
    if !rest.is_empty() && raw.len() == rest.len() {
        return Err(unknown());
    }
    let text = strip_comment(raw);
    let alone = |kind| if text.is_empty() { Ok(kind) } else { Err(format!("nothing may follow: {text:?}")) };
    let kind = match (letter, mark) {
        ('C', ':') => Kind::Send([text.as_bytes(), b"\r\n"].concat()),
        ('C', '<') => Kind::Send(unescape(raw)?),
        ('S', ':') => Kind::Line(text.to_owned()),
        ('S', '~') => Kind::Glob(text.to_owned()),
        ('S', '<') => Kind::Bytes(unescape(raw)?),
        ('T', ':') => alone(Kind::StartTls)?,
        ('Z', ':') => alone(Kind::Deflate)?,
        ('E', ':') => alone(Kind::Close)?,
        ('W', ':') => Kind::Change(text.to_owned()),
        ('D', ':') => alone(Kind::ShutDown)?,
        ('L', ':') => alone(Kind::TimeOut)?,
        ('N', ':') => Kind::Later(text.parse().map_err(|_| format!("seconds: {text:?}"))?),
        _ => return Err(unknown()),
    };
    Ok((client, kind))
}

/// Cuts off two or more spaces, `# ` and what follows.
fn strip_comment(text: &str) -> &str {
    // At a line's start the spaces may be those behind the `C:`.
    if text.starts_with("# ") || text.starts_with(" # ") {
        return "";
    }
    text.find("  # ").map_or(text, |at| text[..at].trim_end_matches(' '))
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        rest = match rest.strip_prefix("\\{") {
            Some(repeat) => {
                let (count, repeat) = repeat.split_once(':').ok_or("a repeat is \\{count:x}")?;
                let count: usize = count.parse().map_err(|_| format!("count {count:?}"))?;
                let mut piece = Vec::new();
                let rest = unescape_one(repeat, &mut piece)?;
                out.extend_from_slice(&piece.repeat(count));
                rest.strip_prefix('}').ok_or("a repeat is \\{count:x}")?
            }
            None => unescape_one(rest, &mut out)?,
        };
    }
    Ok(out)
}

/// Takes one character or escape off the front.
fn unescape_one<'a>(text: &'a str, out: &mut Vec<u8>) -> Result<&'a str, String> {
    let mut signs = text.chars();
    let sign = signs.next().ok_or("something is missing")?;
    if sign != '\\' {
        out.extend_from_slice(sign.encode_utf8(&mut [0; 4]).as_bytes());
        return Ok(signs.as_str());
    }
    out.push(match signs.next() {
        Some('r') => b'\r',
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('0') => 0,
        Some('\\') => b'\\',
        Some('x') => {
            let digits = signs.as_str().get(..2).ok_or("\\xNN has two digits")?;
            signs = signs.as_str()[2..].chars();
            u8::from_str_radix(digits, 16).map_err(|_| format!("\\x{digits}"))?
        }
        other => return Err(format!("no such escape: {other:?}")),
    });
    Ok(signs.as_str())
}

/// Whether `line` is `pattern`, in which `*` stands for any text.
pub(crate) fn glob(pattern: &str, line: &[u8]) -> bool {
    let mut pieces = vec![Vec::new()];
    let mut signs = pattern.bytes().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            b'\\' if signs.next_if_eq(&b'*').is_some() => pieces.last_mut().expect("never empty").push(b'*'),
            b'*' => pieces.push(Vec::new()),
            _ => pieces.last_mut().expect("never empty").push(sign),
        }
    }
    let [first, middle @ .., last] = pieces.as_slice() else {
        return pieces[0] == line;
    };
    let Some(mut rest) =
        line.strip_prefix(first.as_slice()).and_then(|rest| rest.strip_suffix(last.as_slice()))
    else {
        return false;
    };
    for piece in middle {
        let found = (0..=rest.len().saturating_sub(piece.len())).find(|&at| rest[at..].starts_with(piece));
        let Some(at) = found else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}
