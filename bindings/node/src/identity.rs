//! Client certificates, with their keys or with a function of JavaScript that signs.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::ThreadId;

use hubtls::{SignatureScheme, Signer};
use napi::bindgen_prelude::{Buffer, Function, Object, Uint8Array};
use napi::threadsafe_function::{
    ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue,
};
use napi::{Either, Env, Status};
use napi_derive::napi;

use crate::certificate::Certificate;
use crate::error::{OrRaise, invalid};

/// A client's certificate chain and its key, or a function that signs with a key held elsewhere. Immutable; shows no key.
#[napi]
pub struct Identity {
    pub(crate) identity: hubtls::Identity,
    /// Whether JavaScript signs: then no handshake may run on its thread.
    pub(crate) asks: bool,
}

pub(crate) fn bytes_of(text: &Either<String, Uint8Array>) -> &[u8] {
    match text {
        Either::A(text) => text.as_bytes(),
        Either::B(bytes) => bytes,
    }
}

impl Identity {
    fn of(env: &Env, identity: hubtls::Result<hubtls::Identity>) -> napi::Result<Self> {
        Ok(Self {
            identity: identity.or_raise(env)?,
            asks: false,
        })
    }
}

#[napi]
impl Identity {
    /// From PEM: the chain's certificates, the client's own first, and the key as PKCS#8, PKCS#1 or SEC1, encrypted or not.
    #[napi(factory, catch_unwind)]
    pub fn from_pem(
        env: Env,
        chain: Either<String, Uint8Array>,
        key: Either<String, Uint8Array>,
        passphrase: Option<String>,
    ) -> napi::Result<Self> {
        let (chain, key) = (bytes_of(&chain), bytes_of(&key));
        Self::of(
            &env,
            hubtls::Identity::from_pem(chain, key, passphrase.as_deref()),
        )
    }

    /// From DER: certificates, the client's own first, and the key.
    #[napi(factory, catch_unwind)]
    pub fn from_der(
        env: Env,
        chain: Vec<Uint8Array>,
        key: Uint8Array,
        passphrase: Option<String>,
    ) -> napi::Result<Self> {
        let identity = hubtls::Identity::from_der(&chain, &key, passphrase.as_deref());
        Self::of(&env, identity)
    }

    /// From the content of a PKCS#12 file (`.pfx`, `.p12`) with one private key.
    #[napi(factory, catch_unwind)]
    pub fn from_pkcs12(
        env: Env,
        data: Uint8Array,
        passphrase: Option<String>,
    ) -> napi::Result<Self> {
        Self::of(
            &env,
            hubtls::Identity::from_pkcs12(&data, passphrase.as_deref()),
        )
    }

    /// From a chain in PEM and a function that is given requests to sign; lib/ makes one of the user's.
    #[napi(catch_unwind, ts_return_type = "Promise<Identity>")]
    pub fn asking<'env>(
        env: &'env Env,
        chain: Either<String, Uint8Array>,
        #[napi(ts_arg_type = "(request: SignRequest) => void")] ask: Function<
            'env,
            SignRequest,
            UnknownReturnValue,
        >,
        schemes: Option<Vec<String>>,
    ) -> napi::Result<Object<'env>> {
        let schemes = schemes
            .map(|names| {
                let schemes = names.iter().map(|name| SignatureScheme::from_name(name));
                schemes.collect::<hubtls::Result<Vec<_>>>()
            })
            .transpose()
            .or_raise(env)?;
        let ask = ask
            .build_threadsafe_function::<SignRequest>()
            .weak::<true>()
            .build()?;
        let signer: Arc<dyn Signer> = Arc::new(Asking {
            ask,
            schemes,
            script: std::thread::current().id(),
        });
        let chain = bytes_of(&chain).to_vec();
        later(env, move || {
            let identity = hubtls::Identity::from_signer(&chain, signer);
            move |env: &Env| {
                let identity = identity.or_raise(env)?;
                let asks = true;
                Ok(Self { identity, asks })
            }
        })
    }

    /// The chain, the client's own certificate first.
    #[napi(getter, catch_unwind)]
    pub fn chain(&self) -> Vec<Certificate> {
        Certificate::all(self.identity.chain())
    }

    /// The common name of the client's certificate, or its whole subject if that has none.
    #[napi(getter, catch_unwind)]
    pub fn subject(&self) -> String {
        self.identity.subject().into()
    }

    /// The kind of key: `RSA-2048` and the like, `P-256`, `P-384` or `Ed25519`.
    #[napi(getter, catch_unwind)]
    pub fn key_algorithm(&self) -> String {
        self.identity.key_algorithm().into()
    }
}

/// Runs `work` in a thread of its own, so that it may ask JavaScript; the promise is settled by what `work` returns.
pub(crate) fn later<'env, T, F>(
    env: &'env Env,
    work: impl FnOnce() -> F + Send + 'static,
) -> napi::Result<Object<'env>>
where
    T: napi::bindgen_prelude::ToNapiValue + 'static,
    F: FnOnce(&Env) -> napi::Result<T> + Send + 'static,
{
    let (deferred, promise) = env.create_deferred()?;
    let spawned = std::thread::Builder::new()
        .name("hubtls".into())
        .spawn(move || {
            let settle = work();
            deferred.resolve(move |env| settle(&env));
        });
    spawned.map_err(|error| invalid(env, error.to_string(), "let fewer handshakes run at once"))?;
    Ok(promise)
}

/// Something to sign, for a function of JavaScript: to be resolved or rejected once.
#[napi]
pub struct SignRequest {
    scheme: SignatureScheme,
    message: Vec<u8>,
    answer: Option<SyncSender<Result<Vec<u8>, String>>>,
}

#[napi]
impl SignRequest {
    /// The scheme's name, as in `ecdsa_secp256r1_sha256`.
    #[napi(getter, catch_unwind)]
    pub fn scheme(&self) -> &'static str {
        self.scheme.name()
    }

    /// What is to be signed, not hashed yet.
    #[napi(getter, catch_unwind)]
    pub fn message(&self) -> Buffer {
        self.message.as_slice().into()
    }

    /// The signature.
    #[napi(catch_unwind)]
    pub fn resolve(&mut self, signature: Uint8Array) {
        self.answer(Ok(signature.to_vec()));
    }

    /// Why there is none.
    #[napi(catch_unwind)]
    pub fn reject(&mut self, reason: String) {
        self.answer(Err(reason));
    }
}

impl SignRequest {
    fn answer(&mut self, answer: Result<Vec<u8>, String>) {
        if let Some(sender) = self.answer.take() {
            // The handshake may have been given up.
            let _ = sender.send(answer);
        }
    }
}

/// A function of JavaScript as a signer. Weak: it does not keep the process alive.
type Ask = ThreadsafeFunction<SignRequest, UnknownReturnValue, SignRequest, Status, false, true>;

struct Asking {
    ask: Ask,
    schemes: Option<Vec<SignatureScheme>>,
    script: ThreadId,
}

impl Signer for Asking {
    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        if std::thread::current().id() == self.script {
            return Err(
                "the thread of JavaScript cannot wait for itself: shake hands with receiveLater"
                    .into(),
            );
        }
        let (sender, answer) = sync_channel(1);
        let request = SignRequest {
            scheme,
            message: message.to_vec(),
            answer: Some(sender),
        };
        match self
            .ask
            .call(request, ThreadsafeFunctionCallMode::NonBlocking)
        {
            Status::Ok => {}
            status => return Err(format!("JavaScript cannot be asked: {status}").into()),
        }
        match answer.recv() {
            Ok(answer) => answer.map_err(Into::into),
            Err(_) => Err("it was neither resolved nor rejected".into()),
        }
    }

    fn schemes(&self) -> Option<Vec<SignatureScheme>> {
        self.schemes.clone()
    }
}
