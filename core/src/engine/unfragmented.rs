//! What stands for [`fragment`](super::fragment) in a build without it. No configuration asks for a fragment length there, so there is no
//! value of these types, and the compiler drops whatever would handle one.

use std::sync::Arc;

use rustls::SupportedCipherSuite;
use rustls::sign::CertifiedKey;

use crate::error::Error;
use crate::policy::{FragmentLength, FragmentMode};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Agreement {}

impl Agreement {
    pub(crate) fn asked_for(_: FragmentMode) -> Option<Self> {
        None
    }

    pub(crate) fn carry_over(&mut self, _: bool) {
        match *self {}
    }

    pub(crate) fn agreed(&self) -> Option<FragmentLength> {
        match *self {}
    }

    pub(crate) fn refusal(&self) -> Option<Error> {
        match *self {}
    }
}

#[derive(Debug)]
pub(crate) enum Shim {}

pub(crate) struct Refused {
    pub(crate) error: Error,
    pub(crate) alert: [u8; 7],
}

impl Shim {
    pub(crate) fn boxed(agreement: &Agreement) -> Box<Self> {
        match *agreement {}
    }

    pub(crate) fn record_limit(agreement: &Agreement) -> Option<usize> {
        match *agreement {}
    }

    pub(crate) fn outgoing(&mut self, _: &[u8], _: &Agreement) -> Option<Vec<u8>> {
        match *self {}
    }

    pub(crate) fn incoming(&mut self, _: &mut [u8], _: &mut Agreement) -> Result<(), Refused> {
        match *self {}
    }
}

pub(crate) fn wrapped(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    suite
}

pub(crate) fn wire_key(certified: &Arc<CertifiedKey>) -> Arc<CertifiedKey> {
    Arc::clone(certified)
}
