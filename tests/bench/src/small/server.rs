//! A server of OpenSSL, which keeps to the fragment length that a client asks for.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::{fs, thread};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    Ssl, SslContext, SslMethod, SslOptions, SslSessionCacheMode, SslStream, SslVersion,
};
use openssl::x509::X509;

use crate::peer::Tls;
use crate::pki::Pki;

/// How much a connection sends on demand.
pub const MEGABYTE: usize = 1024 * 1024;

/// Listens at `path` for as long as the process lives. Each connection answers 1 KB with 1 KB, and a byte after that with [`MEGABYTE`].
pub(super) fn start(pki: &Pki, tls: Tls, path: &Path) {
    let context = context(pki, tls).expect("a sound context");
    // Left behind by an earlier run.
    let _ = fs::remove_file(path);
    let listener = UnixListener::bind(path).expect("a writable directory");
    thread::spawn(move || {
        for socket in listener.incoming() {
            // A client that gives up reports by itself.
            let _ = serve(&context, socket.expect("a connection"));
        }
    });
}

fn context(pki: &Pki, tls: Tls) -> Result<SslContext, ErrorStack> {
    let mut builder = SslContext::builder(SslMethod::tls_server())?;
    let version = match tls {
        Tls::V12 | Tls::V12Cbc => SslVersion::TLS1_2,
        Tls::V13 => SslVersion::TLS1_3,
    };
    builder.set_min_proto_version(Some(version))?;
    builder.set_max_proto_version(Some(version))?;
    builder.set_cipher_list("ECDHE-ECDSA-AES128-GCM-SHA256")?;
    builder.set_ciphersuites("TLS_AES_128_GCM_SHA256")?;
    builder.set_groups_list("X25519")?;
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    builder.set_options(SslOptions::NO_TICKET);
    builder.set_num_tickets(0)?;
    let [server, intermediate] = &pki.chain[..] else {
        panic!("a server below an intermediate");
    };
    builder.set_certificate(X509::from_der(server)?.as_ref())?;
    builder.add_extra_chain_cert(X509::from_der(intermediate)?)?;
    let key = PKey::private_key_from_der(pki.key().secret_der())?;
    builder.set_private_key(&key)?;
    Ok(builder.build())
}

fn serve(context: &SslContext, socket: UnixStream) -> io::Result<()> {
    let mut stream = SslStream::new(Ssl::new(context)?, socket)?;
    stream.accept().map_err(io::Error::other)?;
    let mut message = [0; 1024];
    stream.read_exact(&mut message)?;
    stream.write_all(&message)?;
    stream.read_exact(&mut message[..1])?;
    stream.write_all(&vec![0x5a; MEGABYTE])
}
