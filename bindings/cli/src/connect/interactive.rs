//! `hubtls connect --interactive`: stdin to the server, what comes back to stdout.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use hubtls::{Error, ErrorCode, Stream};

use crate::output::Failure;

/// How often the reader looks up whether stdin has ended.
const LOOK_UP: Duration = Duration::from_millis(200);

/// Returns when the server ends, or when it is silent for `limit` after stdin has ended.
pub(super) fn run(mut stream: Stream<TcpStream>, limit: Duration) -> Result<(), Failure> {
    stream.set_write_timeout(Some(limit))?;
    stream.set_read_timeout(Some(LOOK_UP))?;
    let (mut reader, mut writer) = stream.split()?;
    let mut stdout = io::stdout().lock();

    let stdin_ended = Arc::new(OnceLock::new());
    let ended = Arc::clone(&stdin_ended);
    // Not joined: it may wait for a key press when the server has ended.
    thread::spawn(move || {
        // The reader learns from the server what became of the connection.
        let _ = io::copy(&mut io::stdin().lock(), &mut writer);
        let _ = writer.finish();
        let _ = ended.set(Instant::now());
    });

    let mut last_heard = Instant::now();
    let mut buffer = vec![0; 16_384];
    loop {
        match reader.read(&mut buffer).map_err(Error::from) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                stdout.write_all(&buffer[..count])?;
                stdout.flush()?;
                last_heard = Instant::now();
            }
            Err(error) if error.code() == ErrorCode::Timeout => {
                if stdin_ended
                    .get()
                    .is_some_and(|&ended| last_heard.max(ended).elapsed() > limit)
                {
                    return Ok(());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}
