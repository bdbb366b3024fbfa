//! How much mail goes to whom at a time: rules for single destinations, and for groups that share hosts or an address of
//! ours.

use crate::{Courier, clock};
use model::Domain;
use queue::schedule::{Job, Limits, Rate};
use route::Pattern;
use std::net::IpAddr;

/// What a rule is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Limited {
    /// Each of these destinations: the recipients' domains, or a next hop as a route names it.
    Destination(Option<Pattern>, String),
    /// All destinations together whose hosts (MX) are named so.
    Hosts(Pattern),
    /// All that is sent from this address of ours. What may go from several counts for each.
    Source(IpAddr),
}

/// A rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitRule {
    /// For what it holds.
    pub of: Limited,
    /// Connections at a time.
    pub connections: Option<u32>,
    /// Messages in a time.
    pub rate: Option<Rate>,
}

/// All rules, in order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LimitRules(pub Vec<LimitRule>);

impl LimitRules {
    /// What holds for one destination instead of `usual`: the first rule that fits.
    pub(crate) fn of(&self, destination: &str, domain: &str, usual: &Limits) -> Option<Limits> {
        let domain = Domain::new(domain).ok();
        let fits = |rule: &&LimitRule| match &rule.of {
            Limited::Destination(pattern, name) => {
                name == destination
                    || domain
                        .as_ref()
                        .zip(pattern.as_ref())
                        .is_some_and(|(domain, pattern)| pattern.fits(domain))
            }
            _ => false,
        };
        let rule = self.0.iter().find(fits)?;
        let jobs_max = rule.connections.unwrap_or(usual.jobs_max).max(1);
        Some(Limits { jobs_at_first: usual.jobs_at_first.min(jobs_max), jobs_max, rate: rule.rate })
    }

    /// The groups that a destination with these hosts belongs to.
    fn groups_of<'a>(&self, hosts: impl Iterator<Item = &'a str> + Clone, sources: &[IpAddr]) -> Vec<String> {
        let fits = |rule: &&LimitRule| match &rule.of {
            Limited::Destination(..) => false,
            Limited::Hosts(pattern) => {
                hosts.clone().any(|host| Domain::new(host).is_ok_and(|host| pattern.fits(&host)))
            }
            Limited::Source(address) => sources.contains(address),
        };
        self.0.iter().filter(fits).filter_map(LimitRule::group).collect()
    }

    /// The groups, each with what holds for it.
    fn groups(&self) -> Vec<(String, Limits)> {
        let limits = |rule: &LimitRule| {
            let jobs_max = rule.connections.unwrap_or(u32::MAX).max(1);
            Limits { jobs_at_first: jobs_max, jobs_max, rate: rule.rate }
        };
        self.0.iter().filter_map(|rule| Some((rule.group()?, limits(rule)))).collect()
    }
}

impl LimitRule {
    fn group(&self) -> Option<String> {
        match &self.of {
            Limited::Destination(..) => None,
            Limited::Hosts(pattern) => Some(format!("mx {pattern}")),
            Limited::Source(address) => Some(format!("source {address}")),
        }
    }
}

impl Courier {
    /// Tells the scheduler which groups there are.
    pub(crate) fn limit_groups(&self, rules: &LimitRules) {
        self.world.queue.scheduler().limit_groups(&rules.groups());
    }

    /// Tells the scheduler in which groups a job's destination is, now that its hosts are known. False: one of them has
    /// no room for the job.
    pub(crate) fn regroup<'a>(
        &self,
        rules: &LimitRules,
        job: &Job,
        hosts: impl Iterator<Item = &'a str> + Clone,
        sources: &[IpAddr],
    ) -> bool {
        if rules.0.is_empty() {
            return true;
        }
        let groups = rules.groups_of(hosts, sources);
        let names: Vec<&str> = groups.iter().map(String::as_str).collect();
        self.world.queue.scheduler().regroup(job.id, &names, clock::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_first_rule_that_fits_a_destination_and_all_groups() {
        let rule = |of, connections| LimitRule { of, connections, rate: None };
        let named = |text: &str| Limited::Destination(text.parse().ok(), text.to_owned());
        let below = |text: &str| Limited::Hosts(text.parse().unwrap());
        let source = IpAddr::from([192, 0, 2, 7]);
        let mut rules = LimitRules(vec![
            rule(named("*.x.test"), Some(3)),
            rule(named("127.0.0.1:25"), Some(4)),
            rule(named("y.test"), Some(50)),
            rule(below("*.google.test"), Some(7)),
            rule(Limited::Source(source), None),
        ]);
        rules.0[2].rate = Some(Rate { messages: 9, per: Duration::from_secs(60) });
        let usual = Limits::default();
        let of = |destination: &str| rules.of(destination, destination, &usual);
        assert_eq!(of("a.x.test").map(|limits| (limits.jobs_at_first, limits.jobs_max)), Some((3, 3)));
        assert_eq!(of("y.test").map(|limits| (limits.jobs_at_first, limits.jobs_max)), Some((5, 50)));
        assert_eq!(of("y.test").and_then(|limits| limits.rate), rules.0[2].rate);
        assert_eq!(rules.of("127.0.0.1:25", "far.test", &usual).map(|limits| limits.jobs_max), Some(4));
        assert_eq!(of("x.test"), None, "what stands below, not itself");
        let hosts = ["mx1.google.test", "other.test"];
        assert_eq!(rules.groups_of(hosts.into_iter(), &[source]), ["mx *.google.test", "source 192.0.2.7"]);
        assert_eq!(rules.groups_of(["google.test"].into_iter(), &[]), [""; 0]);
        assert_eq!(
            rules.groups()[0],
            ("mx *.google.test".into(), Limits { jobs_at_first: 7, jobs_max: 7, rate: None })
        );
    }
}
