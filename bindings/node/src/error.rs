//! The one funnel from core's errors to `HubTlsError`.

use hubtls::{Alert, Error, ErrorCode};
use napi::bindgen_prelude::{FnArgs, Function, FunctionRef, Unknown};
use napi::{Env, Status};
use napi_derive::napi;

type Arguments = FnArgs<(String, u32, String, String, Option<String>, bool)>;

/// Of each environment: a worker thread has classes of its own.
struct ErrorClass(FunctionRef<Arguments, Unknown<'static>>);

/// Says which class errors are made of: its constructor gets code, number, message, hint, alert, and whether the peer sent that.
#[napi(catch_unwind)]
pub fn set_error_class(
    env: Env,
    #[napi(ts_arg_type = "new (...values: any[]) => Error")] constructor: Function<
        Arguments,
        Unknown<'static>,
    >,
) -> napi::Result<()> {
    env.set_instance_data(ErrorClass(constructor.create_ref()?), (), |_| ())
}

/// Name and number of an error code.
#[napi(object)]
pub struct NamedCode {
    pub name: String,
    pub number: u32,
}

/// Every error code, by ascending number.
#[napi(catch_unwind)]
pub fn error_codes() -> Vec<NamedCode> {
    let codes = ErrorCode::ALL.iter();
    codes
        .map(|code| NamedCode {
            name: code.name().to_owned(),
            number: code.number().into(),
        })
        .collect()
}

/// `error` as an exception of JavaScript.
pub(crate) fn raise(env: &Env, error: &Error) -> napi::Error {
    made(env, error).unwrap_or_else(|problem| problem)
}

fn made(env: &Env, error: &Error) -> napi::Result<napi::Error> {
    let Some(class) = env.get_instance_data::<ErrorClass>()? else {
        // The facade has always set it.
        return Ok(napi::Error::new(Status::GenericFailure, error.to_string()));
    };
    let arguments = FnArgs::from((
        error.code().name().to_owned(),
        u32::from(error.code().number()),
        error.message().to_owned(),
        error.hint().to_owned(),
        error.alert().map(|alert| Alert::name(alert).to_owned()),
        error.alert_received(),
    ));
    Ok(class.0.borrow_back(env)?.new_instance(arguments)?.into())
}

/// Short for the end of a call into core.
pub(crate) trait OrRaise<T> {
    /// The value, or the error as an exception.
    fn or_raise(self, env: &Env) -> napi::Result<T>;
}

impl<T> OrRaise<T> for hubtls::Result<T> {
    fn or_raise(self, env: &Env) -> napi::Result<T> {
        self.map_err(|error| raise(env, &error))
    }
}

/// An argument that cannot be right.
pub(crate) fn invalid(env: &Env, message: String, hint: &'static str) -> napi::Error {
    raise(env, &Error::new(ErrorCode::InvalidArgument, message, hint))
}
