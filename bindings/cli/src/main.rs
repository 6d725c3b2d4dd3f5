//! The `hubtls` command: shows what a hardened Azure IoT Hub accepts and refuses, and why.

mod certificate;
mod connect;
mod demo;
mod exit;
mod files;
mod output;
mod policy;
mod roots;

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use hubtls::{Error, ErrorCode};

use exit::Exit;
use output::Failure;

/// TLS as Azure IoT Hub demands it
#[derive(Parser)]
#[command(name = "hubtls", version, after_help = exit::HELP, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    /// Write JSON, and only JSON, to stdout
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show what a hub accepts and refuses, with a stand-in for one in this process
    Demo,
    /// Connect, show what was agreed and who the server is, and disconnect
    Connect(Box<connect::Connect>),
    /// Show the policies
    #[command(subcommand)]
    Policy(policy::Command),
    /// Show the roots that hubtls ships and when they expire
    Roots(roots::Roots),
    /// Write a script that completes this command in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let result = match cli.command {
        Command::Demo => demo::run(cli.json),
        Command::Connect(connect) => connect.run(cli.json),
        Command::Policy(policy) => policy.run(cli.json),
        Command::Roots(roots) => roots.run(cli.json),
        Command::Completions { shell } => completions(shell, cli.json),
    };
    result
        .unwrap_or_else(|failure| output::report(&failure, cli.json))
        .into()
}

fn completions(shell: Shell, json: bool) -> Result<Exit, Failure> {
    if json {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "a completion script cannot be written as JSON",
            "leave out --json",
        )
        .into());
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hubtls", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// What the command line parser has to say: help and the version, or what is wrong with the command line.
fn refuse(error: &clap::Error) -> ExitCode {
    // The command line could not be parsed, so that there is no `Cli` to ask.
    let json = std::env::args_os().any(|argument| argument == OsStr::new("--json"));
    if !error.use_stderr() || !json {
        // A closed pipe is no failure.
        let _ = error.print();
        return if error.use_stderr() {
            Exit::Usage
        } else {
            Exit::Done
        }
        .into();
    }
    let text = error.to_string();
    let message = text.lines().next().unwrap_or_default();
    let error = Error::new(
        ErrorCode::InvalidArgument,
        message
            .strip_prefix("error: ")
            .unwrap_or(message)
            .to_owned(),
        "`hubtls help` shows the commands and their options",
    );
    output::report(&error.into(), json).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
