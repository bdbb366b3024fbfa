//! VRFY and EXPN (RFC 5321 §3.5).

use crate::refusal::refuse;
use crate::{Client, Decider, Verdict, VerifyRule};
use directory::{Error, ListTarget, LocalTarget, Resolution};
use model::{EmailAddress, Path};

/// Lines of an answer at most.
const LINES_MAX: usize = 1000;

/// What the peer hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verified {
    /// 252 2.5.0: not said, but mail will be tried (RFC 5321 §3.5.3).
    CannotVerify,
    /// 250 2.5.0: one line for each, `Name <address>` or `<address>`. May hold UTF-8: for who asked with SMTPUTF8
    /// (RFC 6531 §3.7.4.2), others get [`Verified::CannotVerify`].
    Mailboxes(Vec<String>),
}

/// The members of a list that a client may see, for [`Decider::expn`].
pub type Members<'a> = &'a dyn Fn(&ListTarget) -> Result<Option<Vec<EmailAddress>>, Error>;

impl Decider<'_> {
    /// The answer to `VRFY argument`.
    ///
    /// # Errors
    /// The directory could not be read.
    pub fn vrfy(&self, client: &Client, argument: &str) -> Result<Verdict<Verified>, Error> {
        if !self.may_verify(client) {
            // RFC 5321 §7.3: 252 tells strangers nothing.
            return Ok(Verdict::Accept(Verified::CannotVerify));
        }
        let Some(path) = self.meant(argument)? else { return Ok(not_an_address(argument)) };
        Ok(match &self.directory.members(&path)? {
            Resolution::Deliver { local, remote, .. } => match (&local[..], &remote[..]) {
                ([only], []) => Verdict::Accept(Verified::Mailboxes(vec![self.line(only)?])),
                // Who stands behind it is what EXPN tells.
                _ => Verdict::Accept(Verified::Mailboxes(vec![format!("<{path}>")])),
            },
            Resolution::NotLocal | Resolution::Relay(_) => Verdict::Accept(Verified::CannotVerify),
            Resolution::NoSuchUser => refuse(550, [5, 1, 1], format!("There is no <{path}> here")),
            Resolution::Disabled => refuse(550, [5, 2, 1], format!("<{path}> is disabled")),
        })
    }

    /// The answer to `EXPN argument`: the members of an alias, a group or a mailing list. `members` answers those of a list
    /// as addresses; None: this client may not see them.
    ///
    /// # Errors
    /// The directory could not be read.
    pub fn expn(
        &self,
        client: &Client,
        argument: &str,
        members: Members<'_>,
    ) -> Result<Verdict<Verified>, Error> {
        if !self.may_verify(client) {
            return Ok(refuse(550, [5, 7, 2], "Lists are not expanded for you"));
        }
        let Some(path) = self.meant(argument)? else { return Ok(not_an_address(argument)) };
        Ok(match &self.directory.members(&path)? {
            Resolution::Deliver { local, remote, lists } => {
                let local = local.iter().take(LINES_MAX).map(|target| self.line(target));
                let mut lines: Vec<String> = local.collect::<Result<_, _>>()?;
                lines.extend(
                    remote.iter().take(LINES_MAX - lines.len()).map(|address| format!("<{address}>")),
                );
                let mut hidden = false;
                for target in lists {
                    match members(target)? {
                        Some(found) => lines.extend(found.iter().map(|address| format!("<{address}>"))),
                        None => hidden = true,
                    }
                }
                lines.truncate(LINES_MAX);
                if lines.is_empty() && hidden {
                    return Ok(refuse(
                        550,
                        [5, 7, 2],
                        format!("The members of <{path}> are not shown to you"),
                    ));
                }
                Verdict::Accept(Verified::Mailboxes(lines))
            }
            Resolution::NotLocal | Resolution::Relay(_) => {
                refuse(550, [5, 1, 2], format!("<{path}> is no list of ours"))
            }
            Resolution::NoSuchUser => refuse(550, [5, 1, 1], format!("There is no <{path}> here")),
            Resolution::Disabled => refuse(550, [5, 2, 1], format!("<{path}> is disabled")),
        })
    }

    fn may_verify(&self, client: &Client) -> bool {
        self.policy.verify_rule == VerifyRule::Users && client.user.is_some()
    }

    /// An address with or without angle brackets, or a user of the default domain.
    fn meant(&self, argument: &str) -> Result<Option<Path>, Error> {
        let text = argument.trim();
        let text = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
        if text.eq_ignore_ascii_case("postmaster") {
            return Ok(Some(Path::Postmaster));
        }
        if text.contains('@') {
            return Ok(EmailAddress::parse(text).ok().map(Path::Mailbox));
        }
        Ok(self.directory.login_account(text)?.map(|account| Path::Mailbox(account.address)))
    }

    fn line(&self, target: &LocalTarget) -> Result<String, Error> {
        let account = self.directory.account_by_id(target.account)?;
        let name = account.map(|account| account.display_name).unwrap_or_default();
        Ok(if name.is_empty() {
            format!("<{}>", target.address)
        } else {
            format!("{name} <{}>", target.address)
        })
    }
}

/// Also a user without domain who is not here: the two can't be told apart, and need not.
fn not_an_address(argument: &str) -> Verdict<Verified> {
    let shown: String = argument.chars().take(100).collect();
    refuse(550, [5, 1, 1], format!("There is no {shown} here"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, OUTSIDE, OWN};
    use crate::{Policy, Role};

    fn lines(verdict: Verdict<Verified>) -> String {
        match verdict {
            Verdict::Accept(Verified::Mailboxes(lines)) => lines.join(", "),
            Verdict::Accept(Verified::CannotVerify) => "252".to_owned(),
            Verdict::Refuse(refusal) => refusal.code.to_string(),
        }
    }

    #[test]
    fn strangers_learn_nothing() {
        for verify_rule in [VerifyRule::Nobody, VerifyRule::Users] {
            let bench = Bench::new(Policy { verify_rule, ..Policy::default() });
            let stranger = bench.client(Role::Relay, OWN, None);
            for name in ["anna@x.test", "nobody@x.test", "anna", "team@x.test", ""] {
                assert_eq!(lines(bench.decider().vrfy(&stranger, name).unwrap()), "252");
                assert_eq!(lines(bench.decider().expn(&stranger, name, &|_| Ok(None)).unwrap()), "550");
            }
        }
        let bench = Bench::new(Policy::default());
        let anna = bench.client(Role::Submission, OUTSIDE, Some(bench.anna));
        assert_eq!(lines(bench.decider().vrfy(&anna, "anna@x.test").unwrap()), "252", "off is off");
    }

    #[test]
    fn users_ask_when_they_may() {
        let bench = Bench::new(Policy { verify_rule: VerifyRule::Users, ..Policy::default() });
        let anna = bench.client(Role::Submission, OUTSIDE, Some(bench.anna));
        for (argument, wanted) in [
            ("<Anna@x.test>", "Anna A. <anna@x.test>"),
            ("anna", "Anna A. <anna@x.test>"),
            ("Postmaster", "Anna A. <anna@x.test>"),
            ("team@x.test", "<team@x.test>"),
            ("nobody@x.test", "550"),
            ("nobody", "550"),
            ("far@y.test", "252"),
        ] {
            assert_eq!(lines(bench.decider().vrfy(&anna, argument).unwrap()), wanted, "{argument}");
        }
        for (argument, wanted) in [
            ("team@x.test", "Anna A. <anna@x.test>, <bert@x.test>"),
            ("away@x.test", "<far@y.test>"),
            ("far@y.test", "550"),
        ] {
            assert_eq!(
                lines(bench.decider().expn(&anna, argument, &|_| Ok(None)).unwrap()),
                wanted,
                "{argument}"
            );
        }
    }
}
