//! A small device: connects to Azure IoT Hub, or to any MQTT 3.1.1 broker, with its certificate, and sends one telemetry message.
//!
//! ```text
//! hubtls-example my-hub.azure-devices.net device-01 device-01.pem device-01.key [private-root.pem]
//! ```

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever runs it"
)]

use std::error::Error;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use hubtls::{Config, Connection, Identity, Roots, Stream};
use mqtt_codec_kit::common::qos::QoSWithPacketIdentifier;
use mqtt_codec_kit::common::{Decodable, Encodable, TopicName};
use mqtt_codec_kit::v4::control::ConnectReturnCode;
use mqtt_codec_kit::v4::packet::{ConnectPacket, DisconnectPacket, PublishPacket, VariablePacket};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: hubtls-example HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]";
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, device, certificate, key, root @ ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) => (host, port.parse()?),
        None => (address.as_str(), 8883),
    };

    // The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them.
    let identity = Identity::from_pem(&fs::read(certificate)?, &fs::read(key)?, None)?;
    let mut config = Config::builder().identity(identity);
    for path in root {
        config = config.add_roots(Roots::from_pem(&fs::read(path)?)?);
    }
    let config = config.build()?; // A program builds it once and shares it by all its connections.
    for warning in config.warnings() {
        eprintln!("warning: {warning}");
    }

    let socket = TcpStream::connect((host, port))?;
    let mut stream = Stream::new(Connection::new(&config, host)?, socket);
    stream.set_handshake_timeout(Some(PATIENCE))?;
    stream.set_timeout(Some(PATIENCE))?;
    let negotiated = stream.handshake()?;
    let (version, suite) = (negotiated.version(), negotiated.cipher_suite());
    println!("connected: {version}, {suite}");

    let mut connect = ConnectPacket::new(device.as_str());
    connect.set_username(Some(format!("{host}/{device}/?api-version=2021-04-12")));
    connect.set_clean_session(true);
    connect.set_keep_alive(60);
    send(&mut stream, &connect)?;
    match VariablePacket::decode(&mut stream)? {
        VariablePacket::ConnackPacket(answer)
            if answer.connect_return_code() == ConnectReturnCode::ConnectionAccepted => {}
        other => return Err(format!("not accepted: {other:?}").into()),
    }

    // Quality of service 1: the hub confirms that it has the message.
    let topic = TopicName::new(format!("devices/{device}/messages/events/"))?;
    let quality = QoSWithPacketIdentifier::Level1(1);
    let message = PublishPacket::new(topic, quality, r#"{"temperature":21.5}"#);
    send(&mut stream, &message)?;
    match VariablePacket::decode(&mut stream)? {
        VariablePacket::PubackPacket(answer) if answer.packet_identifier() == 1 => {
            println!("telemetry delivered");
        }
        other => return Err(format!("not delivered: {other:?}").into()),
    }

    send(&mut stream, &DisconnectPacket::new())?;
    stream.finish()?; // Says that nothing more comes, so that the hub can tell this end from a cut connection.
    Ok(())
}

/// Sends a packet in one piece, so that it travels in one TLS record.
fn send(stream: &mut impl Write, packet: &impl Encodable) -> Result<()> {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes)?;
    stream.write_all(&bytes)?;
    Ok(())
}
