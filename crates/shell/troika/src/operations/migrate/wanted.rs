//! Which accounts are copied: one from the command line, or many from a CSV file (RFC 4180, one record a line).

use crate::control::Failure;
use crate::control::request::Password;
use mover::Address;

/// Accounts of one list.
const LIST_MAX: usize = 100_000;

/// An account to be copied.
pub(super) struct Wanted {
    /// Who has it at the source.
    pub(super) user: String,
    /// His password there, or the master's.
    pub(super) password: Password,
    /// Its address here.
    pub(super) account: String,
}

/// The one that the command line names.
pub(super) fn one(address: &Address, account: &str, password: Option<String>) -> Result<Wanted, Failure> {
    let Some(user) = address.user.clone() else {
        return Err(Failure::new("--from has to name the user: imaps://user@host"));
    };
    let Some(password) = password else {
        return Err(Failure::new("say --password-stdin and write the password there on standard input"));
    };
    Ok(Wanted { user, password: Password(password), account: account.to_owned() })
}

/// Those of a list with lines `user there,password there,address here`. With a master's password (`master`), that of a
/// line may be empty.
pub(super) fn list(body: &[u8], master: Option<&str>, is_master: bool) -> Result<Vec<Wanted>, Failure> {
    let text = str::from_utf8(body).map_err(|_| Failure::new("the list of accounts is not UTF-8"))?;
    if is_master && master.is_none() {
        return Err(Failure::new("say --password-stdin and write the master's password on standard input"));
    }
    let mut list = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let wrong = |why: &str| Failure::new(format!("the list of accounts, line {}: {why}", at + 1));
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields = fields(line).ok_or_else(|| wrong("a quotation mark is not closed"))?;
        let [user, password, account] = fields.as_slice() else {
            return Err(wrong("it needs three fields: user there, password there, address here"));
        };
        let password = match master {
            Some(master) if is_master => master,
            _ if password.is_empty() => return Err(wrong("the password is missing")),
            _ => password,
        };
        if user.is_empty() || account.is_empty() {
            return Err(wrong("a field is empty"));
        }
        list.push(Wanted {
            user: user.clone(),
            password: Password(password.to_owned()),
            account: account.clone(),
        });
        if list.len() > LIST_MAX {
            return Err(wrong("the list is too long; cut it in pieces"));
        }
    }
    if list.is_empty() {
        return Err(Failure::new("the list of accounts is empty"));
    }
    Ok(list)
}

/// RFC 4180 §2: fields in quotation marks may hold commas, and quotation marks twice. None: one is not closed.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut signs = line.trim_end_matches('\r').chars().peekable();
    let mut is_quoted = false;
    while let Some(sign) = signs.next() {
        let field = fields.last_mut()?;
        match sign {
            '"' if is_quoted && signs.peek() == Some(&'"') => {
                signs.next();
                field.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if field.is_empty() => is_quoted = true,
            ',' if !is_quoted => fields.push(String::new()),
            sign => field.push(sign),
        }
    }
    (!is_quoted).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, master: Option<&str>) -> Result<Vec<(String, String, String)>, String> {
        list(text.as_bytes(), master, master.is_some())
            .map(|list| list.into_iter().map(|one| (one.user, one.password.0, one.account)).collect())
            .map_err(|failure| failure.0)
    }

    fn row(user: &str, password: &str, account: &str) -> (String, String, String) {
        (user.into(), password.into(), account.into())
    }

    #[test]
    fn lists_are_read() {
        let text =
            "\u{feff}# from the old server\r\nanna,\"a,\"\"b\",anna@x.test\r\n\nboris, x\"y ,boris@x.test\n";
        let expected = [row("anna", "a,\"b", "anna@x.test"), row("boris", " x\"y ", "boris@x.test")];
        assert_eq!(read(text, None).unwrap(), expected);
        assert_eq!(read("anna,,anna@x.test", Some("m")).unwrap(), [row("anna", "m", "anna@x.test")]);
    }

    #[test]
    fn what_is_wrong_with_a_list_is_told_by_line() {
        for (text, part) in [
            ("", "is empty"),
            ("a,b,c\na,b", "line 2: it needs three fields"),
            ("a,,c", "line 1: the password is missing"),
            (",b,c", "line 1: a field is empty"),
            ("a,\"b,c", "line 1: a quotation mark"),
        ] {
            let error = read(text, None).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
        assert!(list(b"a,b,c", None, true).is_err());
    }
}
