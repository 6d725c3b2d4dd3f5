//! A certificate as the dictionary of `ssl.SSLSocket.getpeercert()`, key for key.

use hubtls::{Error, ErrorCode};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};
use x509_parser::time::ASN1Time;

use crate::error::Failure;

const OCSP: &str = "1.3.6.1.5.5.7.48.1";
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

/// OpenSSL's long names of the attributes that names are made of (RFC 4519, RFC 5280, CA/Browser Forum).
const ATTRIBUTES: &[(&str, &str)] = &[
    ("2.5.4.3", "commonName"),
    ("2.5.4.4", "surname"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "countryName"),
    ("2.5.4.7", "localityName"),
    ("2.5.4.8", "stateOrProvinceName"),
    ("2.5.4.9", "streetAddress"),
    ("2.5.4.10", "organizationName"),
    ("2.5.4.11", "organizationalUnitName"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.16", "postalAddress"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.20", "telephoneNumber"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "givenName"),
    ("2.5.4.43", "initials"),
    ("2.5.4.44", "generationQualifier"),
    ("2.5.4.45", "x500UniqueIdentifier"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.65", "pseudonym"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "userId"),
    ("0.9.2342.19200300.100.1.25", "domainComponent"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionLocalityName"),
    (
        "1.3.6.1.4.1.311.60.2.1.2",
        "jurisdictionStateOrProvinceName",
    ),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionCountryName"),
];

pub(crate) fn certificate<'py>(py: Python<'py>, der: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|error| {
        Failure::of_connection(Error::new(
            ErrorCode::InvalidCertificate,
            format!("the certificate cannot be read: {error}"),
            "ask for it in binary form: getpeercert(True)",
        ))
    })?;
    let dict = PyDict::new(py);
    dict.set_item("subject", name(py, certificate.subject())?)?;
    dict.set_item("issuer", name(py, certificate.issuer())?)?;
    dict.set_item("version", certificate.version().0 + 1)?;
    dict.set_item(
        "serialNumber",
        serial(certificate.tbs_certificate.raw_serial()),
    )?;
    dict.set_item("notBefore", time(certificate.validity().not_before))?;
    dict.set_item("notAfter", time(certificate.validity().not_after))?;
    let (mut ocsp, mut issuers, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => {
                let names = names.general_names.iter().map(|it| general(py, it));
                let names = names.collect::<PyResult<Vec<_>>>()?;
                dict.set_item("subjectAltName", PyTuple::new(py, names)?)?;
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                for description in access.iter() {
                    if let GeneralName::URI(uri) = description.access_location {
                        match description.access_method.to_id_string().as_str() {
                            OCSP => ocsp.push(uri),
                            CA_ISSUERS => issuers.push(uri),
                            _ => {}
                        }
                    }
                }
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                for point in points.iter() {
                    if let Some(DistributionPointName::FullName(names)) = &point.distribution_point
                    {
                        lists.extend(names.iter().filter_map(|name| match name {
                            GeneralName::URI(uri) => Some(*uri),
                            _ => None,
                        }));
                    }
                }
            }
            _ => {}
        }
    }
    for (key, uris) in [
        ("OCSP", ocsp),
        ("caIssuers", issuers),
        ("crlDistributionPoints", lists),
    ] {
        if !uris.is_empty() {
            dict.set_item(key, PyTuple::new(py, uris)?)?;
        }
    }
    Ok(dict)
}

fn name<'py>(py: Python<'py>, name: &X509Name<'_>) -> PyResult<Bound<'py, PyTuple>> {
    let mut relative = Vec::new();
    for attributes in name.iter() {
        let pairs = attributes.iter().map(|attribute| {
            let id = attribute.attr_type().to_id_string();
            let known = ATTRIBUTES.iter().find(|(known, _)| *known == id);
            let value = match attribute.as_str() {
                Ok(value) => value.to_owned(),
                Err(_) => text(attribute.attr_value().tag().0, attribute.as_slice()),
            };
            (known.map_or(id, |(_, name)| (*name).to_owned()), value)
        });
        relative.push(PyTuple::new(py, pairs.collect::<Vec<_>>())?);
    }
    PyTuple::new(py, relative)
}

/// The older string types of ASN.1: BMPString is UTF-16, the others are read as Latin-1, as OpenSSL does.
fn text(tag: u32, bytes: &[u8]) -> String {
    const BMP_STRING: u32 = 30;
    if tag == BMP_STRING {
        let units = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        return char::decode_utf16(units)
            .map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
    }
    bytes.iter().copied().map(char::from).collect()
}

fn serial(bytes: &[u8]) -> String {
    // A leading zero only keeps the number positive.
    let digits = match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    data_encoding::HEXUPPER.encode(digits)
}

fn time(time: ASN1Time) -> String {
    time.to_string().replace("+00:00", "GMT")
}

fn general<'py>(py: Python<'py>, name: &GeneralName<'_>) -> PyResult<Bound<'py, PyTuple>> {
    let pair = |kind: &str, value: &str| PyTuple::new(py, [kind, value]);
    match name {
        GeneralName::DNSName(host) => pair("DNS", host),
        GeneralName::RFC822Name(address) => pair("email", address),
        GeneralName::URI(uri) => pair("URI", uri),
        GeneralName::RegisteredID(id) => pair("Registered ID", &id.to_id_string()),
        GeneralName::IPAddress(bytes) => pair("IP Address", &address(bytes)),
        GeneralName::DirectoryName(directory) => {
            let directory = self::name(py, directory)?;
            PyTuple::new(
                py,
                [
                    "DirName".into_pyobject(py)?.into_any(),
                    directory.into_any(),
                ],
            )
        }
        GeneralName::OtherName(..) => pair("othername", "<unsupported>"),
        GeneralName::X400Address(_) => pair("X400Name", "<unsupported>"),
        _ => pair("EdiPartyName", "<unsupported>"),
    }
}

fn address(bytes: &[u8]) -> String {
    match bytes.len() {
        4 => bytes
            .iter()
            .map(u8::to_string)
            .collect::<Vec<_>>()
            .join("."),
        16 => bytes
            .chunks_exact(2)
            .map(|pair| format!("{:X}", u16::from_be_bytes([pair[0], pair[1]])))
            .collect::<Vec<_>>()
            .join(":"),
        _ => "<invalid>".into(),
    }
}
