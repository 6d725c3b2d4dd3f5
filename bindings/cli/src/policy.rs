//! `hubtls policy`: what the policies hold.

use std::path::Path;

use clap::Subcommand;
use hubtls::{CipherSuite, FragmentMode, Policy, Result, Roots, Strength};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::files::read_text;
use crate::output::{self, BOLD, Failure, styled};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the policies and their aliases
    List,
    /// Show what a policy offers and trusts
    Show {
        /// A dated name, an alias, or a policy document in a file NAME.json
        name: String,
    },
    /// Write a policy as a JSON document, to be narrowed and used with `hubtls connect --policy FILE.json`
    Json {
        /// A dated name, an alias, or a policy document in a file NAME.json
        name: String,
    },
    /// Write the JSON Schema of policy documents
    Schema,
}

impl Command {
    pub(crate) fn run(self, json: bool) -> std::result::Result<Exit, Failure> {
        match self {
            Self::List if json => {
                output::print_json(&Policy::all().iter().map(summary).collect::<Vec<_>>())?
            }
            Self::List => output::print(&list())?,
            Self::Show { name } if json => output::print_json(&details(&load(&name)?)?)?,
            Self::Show { name } => output::print(&show(&load(&name)?)?)?,
            Self::Json { name } => output::print(&load(&name)?.to_json())?,
            Self::Schema => output::print(&Policy::json_schema())?,
        }
        Ok(Exit::Done)
    }
}

/// The policy of that name, or of the document in that file.
pub(crate) fn load(name: &str) -> Result<Policy> {
    let path = Path::new(name);
    if path.extension().is_none_or(|extension| extension != "json") {
        return Policy::named(name);
    }
    Policy::from_json(&read_text(path)?).map_err(|error| error.within(path.display()))
}

/// How a policy is called where people read it.
pub(crate) fn title(name: &str, narrowed: bool) -> String {
    match narrowed {
        true => format!("{name}, narrowed"),
        false => name.to_owned(),
    }
}

fn summary(policy: &Policy) -> Value {
    json!({
        "policy": policy.name(),
        "aliases": aliases(policy),
        "versions": names(policy.versions()),
        "suites": names(policy.suites()),
    })
}

fn list() -> String {
    let rows = Policy::all().iter().map(|policy| {
        let suites = policy.suites().len().to_string();
        [
            policy.name().to_owned(),
            aliases(policy).join(", "),
            names(policy.versions()).join(", "),
            suites,
        ]
    });
    output::table(["policy", "alias", "versions", "suites"], rows)
}

fn details(policy: &Policy) -> Result<Value> {
    let suite = |suite: &CipherSuite| {
        json!({
            "name": suite.iana_name(),
            "code": code(*suite),
            "openssl": suite.openssl_name(),
            "gnutls": suite.gnutls_name(),
            "jsse": suite.jsse_name(),
            "version": suite.version().name(),
            "strength": strength(*suite),
        })
    };
    let roots = Roots::of_policy(policy);
    let root =
        |root: &hubtls::Root| json!({ "subject": root.subject(), "sha256": root.fingerprint() });
    Ok(json!({
        "policy": policy.name(),
        "narrowed": policy.is_narrowed(),
        "versions": names(policy.versions()),
        "suites": policy.suites().iter().map(suite).collect::<Vec<_>>(),
        "groups": names(policy.groups()),
        "signature_schemes": names(policy.signature_schemes()),
        "roots": roots.iter().map(root).collect::<Vec<_>>(),
        "fragment_length": fragment_length(policy),
    }))
}

fn show(policy: &Policy) -> Result<String> {
    let roots = Roots::of_policy(policy);
    let subjects: Vec<_> = roots.iter().map(|root| root.subject().to_owned()).collect();
    let mut text = format!(
        "{}\n\n",
        styled(BOLD, title(policy.name(), policy.is_narrowed()))
    );
    text += &output::pairs([
        ("versions", names(policy.versions()).join(", ")),
        ("groups", names(policy.groups()).join(", ")),
        (
            "signature schemes",
            names(policy.signature_schemes()).join("\n"),
        ),
        ("roots", subjects.join("\n")),
        ("fragment length", fragment_length(policy)),
    ]);
    let rows = policy.suites().iter().map(|suite| {
        let names = [
            suite.iana_name(),
            &code(*suite),
            suite.openssl_name(),
            strength(*suite),
        ];
        names.map(str::to_owned)
    });
    text += &format!(
        "\n{}",
        output::table(["cipher suite", "code", "in OpenSSL", "strength"], rows)
    );
    Ok(text)
}

fn aliases(policy: &Policy) -> Vec<&'static str> {
    let aliases = Policy::aliases()
        .iter()
        .filter(|(_, dated)| *dated == policy.name());
    aliases.map(|(alias, _)| *alias).collect()
}

fn names(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn code(suite: CipherSuite) -> String {
    format!("0x{:04X}", suite.code())
}

fn strength(suite: CipherSuite) -> &'static str {
    match suite.strength() {
        Strength::Recommended => "recommended",
        Strength::Retired => "retired",
    }
}

fn fragment_length(policy: &Policy) -> String {
    match policy.fragment_length() {
        FragmentMode::Off => "not negotiated".into(),
        FragmentMode::Request(length) => format!("{} bytes if the server agrees", length.bytes()),
        FragmentMode::Require(length) => format!("{} bytes, or no connection", length.bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_listed_with_its_alias() {
        let text = list();
        for (alias, dated) in Policy::aliases() {
            assert!(
                text.lines()
                    .any(|line| line.contains(alias) && line.contains(dated)),
                "{text}"
            );
        }
    }

    #[test]
    fn every_suite_is_shown_with_code_and_openssl_name() {
        let text = show(&Policy::default()).unwrap();
        let row = text
            .lines()
            .find(|line| line.contains("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"))
            .unwrap();
        assert!(
            row.contains("0xC02B")
                && row.contains("ECDHE-ECDSA-AES128-GCM-SHA256")
                && row.contains("recommended"),
            "{row}"
        );
        assert_eq!(text.matches("0x").count(), Policy::default().suites().len());
    }

    #[test]
    fn the_details_in_json_name_roots_and_suites() {
        let details = details(&Policy::default()).unwrap();
        assert_eq!(details["roots"][0]["subject"], "DigiCert Global Root G2");
        assert_eq!(details["suites"][0]["code"], "0x1301");
        assert_eq!(details["narrowed"], false);
    }
}
