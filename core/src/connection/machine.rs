//! rustls's unbuffered connection, turned step by step until it can do no more.
//!
//! Rules of that interface which its documentation does not spell out: what was shown once must be shown again until it is discarded
//! (a shorter slice panics); an `EncodeTlsData` that is dropped takes its record along; errors of single records are not latched; after our
//! close_notify it would still encrypt; more than one record at a time hides the state in which one can write.

use pki_types::ServerName;
use rustls::HandshakeKind;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic,
};

use super::buffer::Queue;
use crate::config::Config;
use crate::engine::fragment::{Agreement, Shim};
use crate::engine::scope::{Peer, Scope};
use crate::error::{Alert, Error, tls};
use crate::policy::FragmentLength;

/// What to do once the connection can write.
pub(super) enum Task<'a> {
    /// Encrypt this as one record: at most 2^14 bytes.
    Write(&'a [u8]),
    /// Send close_notify.
    CloseNotify,
}

/// More than any record grows by encryption: header, explicit nonce, content type and tag.
const OVERHEAD: usize = 64;

/// rustls, what it has to send, and what its callbacks know of this connection.
pub(super) struct Machine {
    tls: UnbufferedClientConnection,
    peer: Option<Box<Peer>>,
    /// Present if a fragment length is negotiated.
    shim: Option<Box<Shim>>,
    pub(super) output: Queue,
    /// The peer sent close_notify.
    pub(super) peer_finished: bool,
    /// The peer sent application data.
    heard: bool,
}

/// Why a step failed.
enum Fault {
    Tls(rustls::Error),
    /// The keys have done what they may.
    Exhausted,
}

impl From<rustls::Error> for Fault {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}

impl Machine {
    /// Makes the ClientHello: `sent_name` goes into it as SNI, `verified_name` must be in the peer's certificate.
    pub(super) fn new(
        config: &Config,
        verified_name: ServerName<'static>,
        sent_name: ServerName<'static>,
    ) -> Result<Self, Error> {
        let fragment = Agreement::asked_for(config.policy().fragment_length());
        let mut peer = Some(Box::new(Peer::new(verified_name, fragment)));
        let tls = {
            let _scope = Scope::enter(&mut peer);
            UnbufferedClientConnection::new(config.tls().clone(), sent_name)
                .map_err(|error| tls::from_rustls(error, Self::before_the_start(config)))?
        };
        let mut machine = Self {
            tls,
            peer,
            shim: fragment.as_ref().map(Shim::boxed),
            output: Queue::default(),
            peer_finished: false,
            heard: false,
        };
        machine.step(config, &mut [], 0, None, &mut |_| ())?;
        Ok(machine)
    }

    fn before_the_start(config: &Config) -> tls::Moment {
        tls::Moment {
            handshaking: true,
            server_hello_seen: false,
            certificate_requested: false,
            has_identity: config.identity().is_some(),
        }
    }

    pub(super) fn tls(&self) -> &rustls::CommonState {
        &self.tls
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// The root that vouches for the peer, as an index into the configuration's.
    pub(super) fn root(&self) -> Option<usize> {
        self.peer.as_ref()?.root()
    }

    pub(super) fn certificate_requested(&self) -> bool {
        self.peer
            .as_ref()
            .is_some_and(|peer| peer.certificate_requested)
    }

    /// The server asked for a client certificate, and nothing that it said since shows that it is content with what it got.
    pub(super) fn certificate_is_due(&self) -> bool {
        !self.heard && self.certificate_requested()
    }

    /// Shows `input` to rustls and does `task`; plaintext goes to `each`. From position `new` on, `input` is at most one record that rustls
    /// has not seen.
    ///
    /// Returns how many bytes at the front of `input` are done with; the rest is to be shown again.
    pub(super) fn step(
        &mut self,
        config: &Config,
        input: &mut [u8],
        new: usize,
        task: Option<Task<'_>>,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, Error> {
        let sent = self.output.len();
        if let (Some(shim), Some(agreement)) = (&mut self.shim, fragment_of(&mut self.peer))
            && let Err(refused) = shim.incoming(&mut input[new..], agreement)
        {
            self.output.push(&refused.alert);
            return Err(refused.error);
        }
        let result = self.turn(input, task, each);
        let result = result.map_err(|fault| self.explain(config, fault));
        if let (Some(shim), Some(agreement)) = (&mut self.shim, fragment_of(&mut self.peer))
            && let Some(records) = shim.outgoing(&self.output.as_slice()[sent..], agreement)
        {
            self.output.replace_from(sent, &records);
        }
        self.carry_over();
        result
    }

    /// A resumed session keeps the fragment length that it began with, whether the server acknowledges it again or not.
    fn carry_over(&mut self) {
        let resumed = self.tls.handshake_kind() == Some(HandshakeKind::Resumed);
        if let Some(peer) = &mut self.peer
            && let (Some(agreement), Some(offered)) = (&mut peer.fragment, peer.offered)
        {
            agreement.carry_over(resumed && offered.fragment_acknowledged);
        }
    }

    /// The fragment length that was agreed on.
    pub(super) fn fragment_length(&self) -> Option<FragmentLength> {
        self.peer.as_ref()?.fragment?.agreed()
    }

    /// The longest payload of a record that the server may send, if that is less than TLS allows.
    pub(super) fn record_limit(&self) -> Option<usize> {
        Shim::record_limit(self.peer.as_ref()?.fragment.as_ref()?)
    }

    fn turn(
        &mut self,
        input: &mut [u8],
        mut task: Option<Task<'_>>,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, Fault> {
        let _scope = Scope::enter(&mut self.peer);
        let mut discarded = 0;
        loop {
            let UnbufferedStatus { discard, state } =
                self.tls.process_tls_records(&mut input[discarded..]);
            discarded += discard;
            match state? {
                ConnectionState::EncodeTlsData(data) => encode(data, &mut self.output),
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::ReadTraffic(mut traffic) => {
                    self.heard = true;
                    while let Some(record) = traffic.next_record() {
                        each(record?.payload);
                    }
                    if discarded == input.len() && task.is_none() {
                        return Ok(discarded);
                    }
                }
                ConnectionState::PeerClosed => self.peer_finished = true,
                ConnectionState::WriteTraffic(traffic) => {
                    if let Some(task) = task.take() {
                        write(traffic, &task, &mut self.output)?;
                    }
                    return Ok(discarded);
                }
                ConnectionState::BlockedHandshake | ConnectionState::Closed if task.is_none() => {
                    return Ok(discarded);
                }
                other => return Err(rustls::Error::General(format!("{other:?}")).into()),
            }
        }
    }

    /// Turns a fault into our error, with the alert for the peer in the output.
    fn explain(&mut self, config: &Config, fault: Fault) -> Error {
        let moment = tls::Moment {
            handshaking: self.is_handshaking(),
            server_hello_seen: self.server_hello_seen(),
            certificate_requested: self.certificate_is_due(),
            has_identity: config.identity().is_some(),
        };
        let queued = self.output.len();
        self.flush_alert();
        let alert_sent = self.output.len() > queued;
        self.forget_session(config);
        let callback = self.peer.as_mut().and_then(|peer| peer.failure.take());
        match (callback, fault) {
            (Some(error), _) => error,
            (None, Fault::Tls(rustls::Error::AlertReceived(alert))) => {
                tls::from_alert(Alert::from_code(alert.into()), moment)
            }
            (None, Fault::Tls(error)) => {
                let error = tls::from_rustls(error, moment);
                let alert = error.alert().filter(|_| alert_sent);
                error.with_alert(alert)
            }
            (None, Fault::Exhausted) => tls::record_limit(),
        }
    }

    /// A HelloRetryRequest sets the version as well, but nothing is settled with it.
    fn server_hello_seen(&self) -> bool {
        let retried = self.tls.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest);
        let settled = self.tls.negotiated_key_exchange_group().is_some();
        self.tls.protocol_version().is_some() && (settled || !retried)
    }

    /// After a handshake that failed: a server that chokes on the offered session must not be offered it again.
    pub(super) fn forget_session(&self, config: &Config) {
        if self.is_handshaking()
            && let (Some(sessions), Some(peer)) = (config.sessions(), &self.peer)
        {
            sessions.forget_tls12(&peer.name);
        }
    }

    fn flush_alert(&mut self) {
        let _scope = Scope::enter(&mut self.peer);
        // Nothing may be shown as nothing is left to read: rustls only encodes what it still has to send.
        while self.tls.wants_write() {
            match self.tls.process_tls_records(&mut []).state {
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.output),
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while traffic.next_record().is_some() {}
                }
                _ => break,
            }
        }
    }
}

fn fragment_of(peer: &mut Option<Box<Peer>>) -> Option<&mut Agreement> {
    peer.as_mut()?.fragment.as_mut()
}

fn encode(mut data: EncodeTlsData<'_, ClientConnectionData>, output: &mut Queue) {
    // The first attempt only tells the size: the record must not be lost.
    if let Err(EncodeError::InsufficientSize(needed)) = data.encode(&mut []) {
        let encoded = output.push_with(needed.required_size, |space| data.encode(space));
        debug_assert!(encoded.is_ok(), "the size was asked for");
    }
}

fn write(
    mut traffic: WriteTraffic<'_, ClientConnectionData>,
    task: &Task<'_>,
    output: &mut Queue,
) -> Result<(), Fault> {
    let mut size = match task {
        Task::Write(data) => data.len() + OVERHEAD,
        Task::CloseNotify => OVERHEAD,
    };
    loop {
        let written = output.push_with(size, |space| match task {
            Task::Write(data) => traffic.encrypt(data, space),
            Task::CloseNotify => traffic.queue_close_notify(space),
        });
        match written {
            Ok(()) => return Ok(()),
            // A key update goes first.
            Err(EncryptError::InsufficientSize(needed)) if needed.required_size > size => {
                size = needed.required_size
            }
            Err(EncryptError::InsufficientSize(_)) => {
                return Err(rustls::Error::EncryptError.into());
            }
            Err(EncryptError::EncryptExhausted) => return Err(Fault::Exhausted),
        }
    }
}
