//! Servers that bind every address, kept in a network namespace of their own and reached through a relay on loopback.
//!
//! `gnutls-serv` cannot be told to bind loopback alone, and mosquitto cannot be told to let the kernel choose a port. In a namespace neither
//! matters. A socket stays in the namespace in which it was made, so a thread enters, connects and ends.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::acceptor::Acceptor;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The command that runs `program` in a network namespace of its own with loopback up. Needs root.
pub fn command(program: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args([
        "--net",
        "sh",
        "-c",
        r#"ip link set lo up && exec "$0" "$@""#,
        program,
    ]);
    command
}

/// Connects to `port` on loopback as the process `pid` sees it.
fn connect_inside(pid: u32, port: u16) -> io::Result<TcpStream> {
    let inside = thread::spawn(move || {
        let namespace = File::open(format!("/proc/{pid}/ns/net"))?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), CONNECT_TIMEOUT)
    });
    inside
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the connecting thread panicked")))
}

/// A port on loopback that leads to `port` in the namespace of the process `pid`; closes when dropped.
pub fn relay_to(pid: u32, port: u16) -> Acceptor {
    Acceptor::start(move |outside| {
        connect_inside(pid, port)
            .and_then(|inside| relay(&outside, &inside))
            .unwrap_or_else(|error| panic!("cannot relay to port {port}: {error}"));
    })
}

fn relay(outside: &TcpStream, inside: &TcpStream) -> io::Result<()> {
    for (mut from, mut to) in [
        (outside.try_clone()?, inside.try_clone()?),
        (inside.try_clone()?, outside.try_clone()?),
    ] {
        from.set_nodelay(true)?;
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    Ok(())
}
