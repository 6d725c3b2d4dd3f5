//! The JSON Schema of policy documents.

use schemars::{Schema, SchemaGenerator, json_schema, schema_for};

use super::super::{ALL, IOTHUB_2025_08};
use super::{Document, texts};
use crate::fingerprint;
use crate::policy::{FragmentLength, Policy};

impl Policy {
    /// The JSON Schema (2020-12) of the documents, with the values that each field may hold.
    ///
    /// Needs the cargo feature `json-schema`.
    pub fn json_schema() -> String {
        format!("{:#}\n", schema_for!(Document).to_value())
    }
}

// What a document may hold is what the widest policy holds.

pub(super) fn policy_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ALL.each_ref().map(Policy::name) })
}

pub(super) fn versions(_: &mut SchemaGenerator) -> Schema {
    some_of(texts(IOTHUB_2025_08.versions()))
}

pub(super) fn suites(_: &mut SchemaGenerator) -> Schema {
    some_of(texts(IOTHUB_2025_08.suites()))
}

pub(super) fn groups(_: &mut SchemaGenerator) -> Schema {
    some_of(texts(IOTHUB_2025_08.groups()))
}

pub(super) fn signature_schemes(_: &mut SchemaGenerator) -> Schema {
    some_of(texts(IOTHUB_2025_08.signature_schemes()))
}

pub(super) fn roots(_: &mut SchemaGenerator) -> Schema {
    some_of(
        IOTHUB_2025_08
            .roots()
            .iter()
            .map(fingerprint::written)
            .collect(),
    )
}

fn some_of(values: Vec<String>) -> Schema {
    json_schema!({ "type": "array", "minItems": 1, "items": { "type": "string", "enum": values } })
}

pub(super) fn fragment_bytes(_: &mut SchemaGenerator) -> Schema {
    let lengths: Vec<_> = FragmentLength::ALL
        .iter()
        .map(|length| length.bytes())
        .collect();
    json_schema!({ "type": "integer", "enum": lengths })
}
