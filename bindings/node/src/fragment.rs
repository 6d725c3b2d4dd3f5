//! The maximum fragment length in words: `off`, `512` to `4096`, `512:require` and so on.

use hubtls::{Error, ErrorCode, FragmentLength, FragmentMode};

pub(crate) fn mode_of(text: &str) -> hubtls::Result<FragmentMode> {
    let (length, required) = match text.split_once(':') {
        Some((length, "require")) => (length, true),
        Some((length, "request")) => (length, false),
        None if text == "off" => return Ok(FragmentMode::Off),
        None => (text, false),
        Some(_) => return Err(wrong(text)),
    };
    let bytes: usize = length.parse().map_err(|_| wrong(text))?;
    let length = FragmentLength::from_bytes(bytes)?;
    Ok(if required {
        FragmentMode::Require(length)
    } else {
        FragmentMode::Request(length)
    })
}

fn wrong(text: &str) -> Error {
    Error::new(
        ErrorCode::InvalidFragmentLength,
        format!("`{text}` is no maximum fragment length"),
        "it is 'off', '512', '1024', '2048' or '4096', with ':require' to insist",
    )
}

pub(crate) fn written(mode: FragmentMode) -> String {
    match mode {
        FragmentMode::Off => "off".into(),
        FragmentMode::Request(length) => length.bytes().to_string(),
        FragmentMode::Require(length) => format!("{}:require", length.bytes()),
    }
}
