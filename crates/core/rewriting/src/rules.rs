//! The operator's rules that turn one address into another: `*@old.test` into `*@new.test`, `j.doe@x.test` into
//! `john@x.test`, `sales-*@x.test` into `*@sales.test`.
//!
//! A pattern and its replacement each have one `*` at most, before the `@`. The first rule that
//! fits decides; its result is not rewritten again, so no set of rules can loop.

use model::{Domain, EmailAddress, LocalPart};
use std::fmt;

/// Why a rule can't be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleError(pub String);

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RuleError {}

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    from: Pattern,
    to: Pattern,
}

/// Rules in order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Rules(pub Vec<Rule>);

/// `before*behind@domain`; without a star, `before@domain`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Pattern {
    before: String,
    /// None: no star.
    behind: Option<String>,
    domain: Domain,
}

impl Rule {
    /// From the two texts.
    ///
    /// # Errors
    /// One of them is no pattern, or the replacement has a star and the pattern has none.
    pub fn new(from: &str, to: &str) -> Result<Rule, RuleError> {
        let (from_pattern, to_pattern) = (Pattern::new(from)?, Pattern::new(to)?);
        if to_pattern.behind.is_some() && from_pattern.behind.is_none() {
            return Err(RuleError(format!("{to} has a * that nothing in {from} stands for")));
        }
        Ok(Rule { from: from_pattern, to: to_pattern })
    }

    /// The new address, if the rule fits and the result is an address.
    fn apply(&self, address: &EmailAddress) -> Option<EmailAddress> {
        let star = self.from.star(address)?;
        let local = match &self.to.behind {
            Some(behind) => format!("{}{star}{behind}", self.to.before),
            None => self.to.before.clone(),
        };
        Some(EmailAddress { local: LocalPart::new(&local).ok()?, domain: self.to.domain.clone() })
    }
}

impl Rules {
    /// What the first rule that fits makes of an address; None: it stays as it is.
    pub fn apply(&self, address: &EmailAddress) -> Option<EmailAddress> {
        self.0.iter().find_map(|rule| rule.apply(address)).filter(|changed| changed != address)
    }
}

impl Pattern {
    fn new(text: &str) -> Result<Pattern, RuleError> {
        let wrong = |why: &str| RuleError(format!("{text}: {why}"));
        let (local, domain) = text.rsplit_once('@').ok_or_else(|| wrong("an @ is missing"))?;
        let domain = Domain::new(domain).map_err(|error| wrong(&error.to_string()))?;
        let mut parts = local.split('*');
        let (before, behind) = (parts.next().unwrap_or_default(), parts.next());
        if parts.next().is_some() {
            return Err(wrong("more than one *"));
        }
        if behind.is_none() && LocalPart::new(before).is_err() {
            return Err(wrong("nothing usable stands before the @"));
        }
        Ok(Pattern { before: before.to_owned(), behind: behind.map(str::to_owned), domain })
    }

    /// What the star stands for (nothing without one), if the pattern fits. Case does not count (the operator knows his
    /// own names), but what the star stands for keeps it.
    fn star<'a>(&self, address: &'a EmailAddress) -> Option<&'a str> {
        if address.domain != self.domain {
            return None;
        }
        let local = address.local.as_str();
        let Some(behind) = &self.behind else {
            return (local.to_lowercase() == self.before.to_lowercase()).then_some("");
        };
        let (start, rest) = local.split_at_checked(self.before.len())?;
        let (star, end) = rest.split_at_checked(rest.len().checked_sub(behind.len())?)?;
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        (same(start, &self.before) && same(end, behind)).then_some(star)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(list: &[(&str, &str)]) -> Rules {
        Rules(list.iter().map(|(from, to)| Rule::new(from, to).unwrap()).collect())
    }

    fn apply(rules: &Rules, text: &str) -> Option<String> {
        rules.apply(&EmailAddress::parse(text).unwrap()).map(|address| address.to_string())
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules = rules(&[
            ("J.Doe@x.test", "john@x.test"),
            ("sales-*@x.test", "*@sales.test"),
            ("*-old@x.test", "old-*@x.test"),
            ("*@old.test", "*@new.test"),
            ("*@new.test", "never@x.test"),
            ("*@gone.test", "postmaster@x.test"),
            ("*@пример.рф", "*+рф@x.test"),
        ]);
        for (given, wanted) in [
            ("j.doe@x.test", Some("john@x.test")),
            ("john@x.test", None),
            ("Sales-Ann@X.test", Some("Ann@sales.test")),
            ("a-old@x.test", Some("old-a@x.test")),
            ("Anna+tag@old.test", Some("Anna+tag@new.test")),
            ("anna@sub.old.test", None),
            ("who@gone.test", Some("postmaster@x.test")),
            ("a@xn--e1afmkfd.xn--p1ai", Some("a+рф@x.test")),
            ("é@x.test", None),
            // Nothing for the star: no local part.
            ("sales-@x.test", None),
        ] {
            assert_eq!(apply(&rules, given).as_deref(), wanted, "{given}");
        }
    }

    #[test]
    fn what_is_no_rule_is_told() {
        for (from, to) in
            [("a", "b@x.test"), ("*@x.test", "b"), ("**@x.test", "*@y.test"), ("@x.test", "a@x.test")]
        {
            assert!(Rule::new(from, to).is_err(), "{from}");
        }
        assert!(Rule::new("a@x.test", "*@y.test").is_err());
        assert!(Rule::new("*@x y", "*@y.test").is_err());
    }
}
