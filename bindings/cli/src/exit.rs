//! The exit codes: what a script can tell apart without reading the output.

use std::process::ExitCode;

use hubtls::ErrorCode;

/// Shown at the end of `--help`, and the same in README.md.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  no: `demo` saw the unexpected, `roots --within` found too few roots
  2  the command line or a file that it names is wrong (errors 1xx)
  3  policy, roots, certificate, key or passphrase are wrong (2xx)
  4  the peer is not to be trusted or does not speak what it must (3xx)
  5  the transport failed: try again (4xx)
  6  a fault of hubtls or of this machine (9xx)";

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    /// Also: the output could not be written.
    No = 1,
    Usage = 2,
    Configuration = 3,
    Peer = 4,
    Transport = 5,
    Fault = 6,
}

impl From<ErrorCode> for Exit {
    fn from(code: ErrorCode) -> Self {
        match code.number() / 100 {
            1 => Self::Usage,
            2 => Self::Configuration,
            3 => Self::Peer,
            4 => Self::Transport,
            _ => Self::Fault,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hundred_of_error_codes_has_its_exit_code() {
        for &code in ErrorCode::ALL {
            let expected = match code.number() {
                100..200 => Exit::Usage,
                200..300 => Exit::Configuration,
                300..400 => Exit::Peer,
                400..500 => Exit::Transport,
                _ => Exit::Fault,
            };
            assert_eq!(Exit::from(code), expected, "{code}");
        }
    }

    #[test]
    fn the_help_names_every_exit_code() {
        for exit in 0..=6 {
            assert!(HELP.contains(&format!("\n  {exit}  ")), "{exit}");
        }
        assert_eq!(Exit::Fault as u8, 6);
    }
}
