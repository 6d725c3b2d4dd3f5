//! Whether a set of roots survives the loss of one.

use super::{Root, Roots};

const SECONDS_PER_DAY: u64 = 86_400;

/// How well a set of roots is prepared for the expiry of some and for an emergency change of one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Readiness {
    /// The roots that have expired: no chain that ends in them is accepted by a peer that checks.
    pub expired: Vec<Root>,
    /// The roots that expire before the horizon.
    pub expiring: Vec<Root>,
    /// How many independent roots, of different organizations and keys, are valid now and still at the horizon. Roots whose certificate is
    /// not known do not count.
    pub independent: usize,
    /// Whether at least two independent ones remain, so that losing one organization's leaves a way to connect.
    pub ready: bool,
}

impl Roots {
    /// Says which roots have expired at `now` (seconds since 1970) or expire within the next `within_days` days, and whether at
    /// least two independent ones remain after that.
    pub fn readiness(&self, now: u64, within_days: u32) -> Readiness {
        let horizon = now.saturating_add(u64::from(within_days) * SECONDS_PER_DAY);
        let mut expired = Vec::new();
        let mut expiring = Vec::new();
        let mut independent: Vec<&Root> = Vec::new();
        for root in self {
            let Some((not_before, not_after)) = root.validity else {
                continue;
            };
            if not_after < now {
                expired.push(root.clone());
            } else if not_after < horizon {
                expiring.push(root.clone());
            } else if not_before <= now && !independent.iter().any(|other| depends(root, other)) {
                independent.push(root);
            }
        }
        Readiness {
            expired,
            expiring,
            independent: independent.len(),
            ready: independent.len() >= 2,
        }
    }
}

/// Whether what befalls one is likely to befall the other: the same key, or the same organization behind both.
fn depends(one: &Root, other: &Root) -> bool {
    one.spki_sha256() == other.spki_sha256()
        || (one.organization().is_some() && one.organization() == other.organization())
}

#[cfg(test)]
mod tests {
    use rcgen::{DnType, date_time_ymd};

    use super::*;
    use crate::testing::{Party, params};

    const YEAR_2026: u64 = 1_767_225_600;
    const DAY: u64 = SECONDS_PER_DAY;

    fn root_of(organization: Option<&str>, last_year: i32) -> Party {
        let mut params = params("a root", true);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        if let Some(organization) = organization {
            let name = &mut params.distinguished_name;
            name.push(DnType::OrganizationName, organization);
        }
        Party::self_signed(params, &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    #[test]
    fn azures_roots_are_ready_and_their_expiry_is_reported() {
        let roots = Roots::azure();
        let readiness = roots.readiness(YEAR_2026, 365);
        assert!(readiness.ready);
        assert_eq!(readiness.independent, 2);
        assert!(readiness.expired.is_empty() && readiness.expiring.is_empty());

        let late = roots.0[0].not_after().unwrap() - 10 * DAY;
        let readiness = roots.readiness(late, 30);
        assert_eq!(readiness.expiring[0].subject(), "DigiCert Global Root G2");
        assert_eq!((readiness.independent, readiness.ready), (1, false));

        let after = roots.readiness(late + 11 * DAY, 0);
        assert_eq!(after.expired.len(), 1);
        let never = roots.readiness(u64::MAX, u32::MAX);
        assert_eq!(never.expired.len(), 2);
    }

    #[test]
    fn a_root_is_valid_through_its_last_second() {
        let roots = Roots::from_der(&[root_of(None, 2030).der()]).unwrap();
        let last = roots.0[0].not_after().unwrap();
        assert!(roots.readiness(last, 0).expired.is_empty());
        assert_eq!(roots.readiness(last, 0).independent, 1);
        assert_eq!(roots.readiness(last + 1, 0).expired.len(), 1);
        assert_eq!(
            roots
                .readiness(roots.0[0].not_before().unwrap() - 1, 0)
                .independent,
            0
        );
    }

    #[test]
    fn roots_of_one_organization_are_not_independent() {
        let count = |parties: &[&Party]| {
            let ders: Vec<_> = parties.iter().map(|party| party.der()).collect();
            let roots = Roots::from_der(&ders).unwrap();
            assert_eq!(roots.len(), parties.len());
            roots.readiness(YEAR_2026, 30).independent
        };
        let (a1, a2) = (root_of(Some("A"), 2040), root_of(Some("A"), 2041));
        let b = root_of(Some("B"), 2040);
        let (none1, none2) = (root_of(None, 2040), root_of(None, 2041));
        assert_eq!(count(&[&a1, &a2]), 1);
        assert_eq!(count(&[&a1, &a2, &b]), 2);
        assert_eq!(count(&[&none1, &none2]), 2);
        assert_eq!(Roots::embedded().readiness(YEAR_2026, 30).independent, 2);
    }

    #[test]
    fn an_expired_root_may_be_added_and_is_reported() {
        let roots = Roots::from_der(&[root_of(None, 2021).der()]).unwrap();
        assert_eq!(roots.readiness(YEAR_2026, 30).expired.len(), 1);
    }
}
