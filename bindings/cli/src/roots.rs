//! `hubtls roots`: the roots that are shipped, and whether a policy's survive the loss of one.

use clap::Args;
use hubtls::{Clock, Policy, Readiness, Root};
use serde_json::{Value, json};

use crate::certificate::rfc3339;
use crate::exit::Exit;
use crate::output::{self, BAD, BOLD, Failure, GOOD, styled};
use crate::policy;

const SECONDS_PER_DAY: i64 = 86_400;

#[derive(Args)]
pub(crate) struct Roots {
    /// The policy whose trust is shown: a name, or a policy document in a file NAME.json
    #[arg(long, value_name = "NAME", default_value = "iothub")]
    policy: String,
    /// Say whether at least two independent roots of the policy stay valid for so many days; exits with 1 if not
    #[arg(long, value_name = "DAYS")]
    within: Option<u32>,
    /// Write the certificates of the policy's roots as PEM, for another TLS stack
    #[arg(long, conflicts_with_all = ["within", "json"])]
    pem: bool,
}

impl Roots {
    pub(crate) fn run(self, json: bool) -> Result<Exit, Failure> {
        let policy = policy::load(&self.policy)?;
        let trusted = hubtls::Roots::of_policy(&policy);
        if self.pem {
            let sections = trusted
                .iter()
                .filter_map(|root| Some(format!("# {}\n{}", root.subject(), root.pem()?)));
            output::print(&sections.collect::<Vec<_>>().join("\n"))?;
            return Ok(Exit::Done);
        }
        let now = Clock::system().now()?;
        let shipped = hubtls::Roots::embedded();
        let readiness = self.within.map(|days| trusted.readiness(now, days));
        let views: Vec<_> = shipped
            .iter()
            .map(|root| View::of(root, &policy, now))
            .collect();
        if json {
            let roots: Vec<_> = views.iter().map(View::value).collect();
            output::print_json(&json!({
                "policy": policy.name(),
                "roots": roots,
                "readiness": readiness.as_ref().map(readiness_value),
            }))?;
        } else {
            let mut text = views.iter().map(View::text).collect::<Vec<_>>().join("\n");
            if let (Some(readiness), Some(days)) = (&readiness, self.within) {
                text += &format!("\n{}", verdict(readiness, policy.name(), days));
            }
            output::print(&text)?;
        }
        Ok(match readiness {
            Some(readiness) if !readiness.ready => Exit::No,
            _ => Exit::Done,
        })
    }
}

/// A root as it is shown.
struct View<'a> {
    root: &'a Root,
    policy: &'a str,
    trusted: bool,
    sha256: String,
    not_after: Option<u64>,
    days_left: Option<i64>,
}

impl<'a> View<'a> {
    fn of(root: &'a Root, policy: &'a Policy, now: u64) -> Self {
        let trusted = root
            .sha256()
            .is_some_and(|sha256| policy.roots().contains(&sha256));
        let days_left = |not_after: u64| {
            let seconds = not_after.cast_signed() - now.cast_signed();
            seconds.div_euclid(SECONDS_PER_DAY)
        };
        Self {
            root,
            policy: policy.name(),
            trusted,
            sha256: root.fingerprint().unwrap_or_default(),
            not_after: root.not_after(),
            days_left: root.not_after().map(days_left),
        }
    }

    fn value(&self) -> Value {
        json!({
            "subject": self.root.subject(),
            "trusted": self.trusted,
            "not_after": self.not_after.and_then(rfc3339),
            "days_left": self.days_left,
            "sha256": self.sha256,
            "pin": self.root.pin().to_string(),
        })
    }

    fn text(&self) -> String {
        let until = self.not_after.and_then(rfc3339).unwrap_or_default();
        let until = match self.days_left {
            Some(days) if days < 0 => format!("{until} ({})", styled(BAD, "expired")),
            Some(days) => format!("{until} (in {days} days)"),
            None => until,
        };
        let trust = match self.trusted {
            true => format!("by {}", self.policy),
            false => "only where a program adds it".into(),
        };
        format!("{}\n", styled(BOLD, self.root.subject()))
            + &output::pairs([
                ("  trusted", trust),
                ("  not after", until),
                ("  SHA-256", self.sha256.clone()),
                ("  pin", self.root.pin().to_string()),
            ])
    }
}

fn readiness_value(readiness: &Readiness) -> Value {
    let subjects = |roots: &[Root]| {
        roots
            .iter()
            .map(|root| root.subject().to_owned())
            .collect::<Vec<_>>()
    };
    json!({
        "ready": readiness.ready,
        "independent": readiness.independent,
        "expired": subjects(&readiness.expired),
        "expiring": subjects(&readiness.expiring),
    })
}

fn verdict(readiness: &Readiness, policy: &str, days: u32) -> String {
    let subjects = |roots: &[Root]| {
        roots
            .iter()
            .map(Root::subject)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut text = match readiness.ready {
        true => format!("{}: ", styled(GOOD, "ready")),
        false => format!("{}: ", styled(BAD, "not ready")),
    };
    let count = readiness.independent;
    text += &format!(
        "independent roots of {policy} that stay valid for {days} days: {count}; at least 2 are needed\n"
    );
    for (what, roots) in [
        ("expired", &readiness.expired),
        ("expiring", &readiness.expiring),
    ] {
        if !roots.is_empty() {
            text += &format!("{what}: {}\n", subjects(roots));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_until_expiry_are_counted_and_an_expired_root_is_called_so() {
        let policy = Policy::default();
        let roots = hubtls::Roots::azure();
        let root = roots.iter().next().unwrap();
        let last = root.not_after().unwrap();
        let view = |now| View::of(root, &policy, now);
        assert_eq!(view(last - 86_400).days_left, Some(1));
        assert!(view(last - 86_400).text().contains("(in 1 days)"));
        assert!(view(last + 1).text().contains("expired"));
    }

    #[test]
    fn the_verdict_names_what_expires() {
        let roots = hubtls::Roots::azure();
        let last = roots.iter().next().unwrap().not_after().unwrap();
        let readiness = roots.readiness(last - 10, 1);
        let text = verdict(&readiness, "iothub", 1);
        assert!(
            text.contains("not ready") && text.contains("expiring: DigiCert Global Root G2"),
            "{text}"
        );
        assert_eq!(readiness_value(&readiness)["ready"], false);
        let text = verdict(&roots.readiness(last - 10, 0), "iothub", 0);
        assert!(!text.contains("not ready"), "{text}");
    }
}
