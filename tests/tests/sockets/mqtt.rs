//! MQTT 3.1.1 through `Stream` against mosquitto with required client certificates.

use std::io::Write;
use std::net::TcpStream;

use hubtls::{Config, Policy, Stream};
use hubtls_tests::client::{builder, connect, identity};
use hubtls_tests::server::{Options, Server};
use mqtt_codec_kit::common::qos::QoSWithPacketIdentifier;
use mqtt_codec_kit::common::{Decodable, Encodable, QualityOfService, TopicFilter, TopicName};
use mqtt_codec_kit::v4::control::ConnectReturnCode;
use mqtt_codec_kit::v4::packet::{
    ConnectPacket, DisconnectPacket, PublishPacket, SubscribePacket, VariablePacket,
};

const TOPIC: &str = "devices/device-p256/messages";

/// A device that speaks MQTT over hubtls.
struct Device(Stream<TcpStream>);

impl Device {
    fn connect(config: &Config, broker: &Server, client_id: &str) -> Self {
        let mut device = Self(connect(config, broker.address()));
        let mut packet = ConnectPacket::new(client_id);
        packet.set_clean_session(true);
        device.send(&packet);
        match device.receive() {
            VariablePacket::ConnackPacket(answer) => assert_eq!(
                answer.connect_return_code(),
                ConnectReturnCode::ConnectionAccepted
            ),
            other => panic!(
                "{other:?} instead of CONNACK; the broker printed:\n{}",
                broker.output()
            ),
        }
        device
    }

    fn send(&mut self, packet: &impl Encodable) {
        let mut bytes = Vec::new();
        packet.encode(&mut bytes).unwrap();
        self.0.write_all(&bytes).unwrap();
    }

    fn receive(&mut self) -> VariablePacket {
        VariablePacket::decode(&mut self.0).unwrap()
    }

    fn subscribe(&mut self) {
        let filter = TopicFilter::new(TOPIC).unwrap();
        self.send(&SubscribePacket::new(
            1,
            vec![(filter, QualityOfService::Level1)],
        ));
        match self.receive() {
            VariablePacket::SubackPacket(answer) => assert_eq!(answer.packet_identifier(), 1),
            other => panic!("{other:?} instead of SUBACK"),
        }
    }

    fn publish(&mut self, payload: &[u8]) {
        let topic = TopicName::new(TOPIC).unwrap();
        self.send(&PublishPacket::new(
            topic,
            QoSWithPacketIdentifier::Level1(2),
            payload,
        ));
    }

    fn disconnect(mut self) {
        self.send(&DisconnectPacket::new());
        self.0.finish().unwrap();
    }
}

/// Publishes to itself and gets the message back.
fn round_trip(config: &Config, broker: &Server, payload: &[u8]) {
    let mut device = Device::connect(config, broker, "device-p256");
    device.subscribe();
    device.publish(payload);
    let (mut acknowledged, mut delivered) = (false, false);
    while !(acknowledged && delivered) {
        match device.receive() {
            VariablePacket::PubackPacket(answer) => {
                assert_eq!(answer.packet_identifier(), 2);
                acknowledged = true;
            }
            VariablePacket::PublishPacket(message) => {
                assert_eq!(&message.topic_name()[..], TOPIC);
                assert!(
                    message.payload() == payload,
                    "the payload came back as it was"
                );
                delivered = true;
            }
            other => panic!("{other:?} instead of PUBACK or PUBLISH"),
        }
    }
    device.disconnect();
}

fn broker(lines: &[&str]) -> Server {
    Server::start(&Options::mosquitto("rsa", lines).with_client_certificates())
}

fn config(policy: &str) -> Config {
    let policy = Policy::named(policy).unwrap();
    builder()
        .policy(policy)
        .identity(identity("p256"))
        .build()
        .unwrap()
}

#[test]
fn a_message_goes_round_through_mosquitto_in_tls12() {
    round_trip(
        &config("iothub-tls12"),
        &broker(&[]),
        br#"{"temperature":22}"#,
    );
}

#[test]
fn a_message_goes_round_through_mosquitto_in_tls13() {
    let broker = broker(&["tls_version tlsv1.3"]);
    round_trip(&config("iothub"), &broker, br#"{"temperature":22}"#);
}

#[test]
fn a_message_of_many_records_goes_round_through_mosquitto() {
    let payload: Vec<u8> = (0..=u8::MAX).cycle().take(250_000).collect();
    round_trip(&config("iothub"), &broker(&[]), &payload);
}

#[test]
fn the_broker_takes_the_device_by_its_certificate() {
    let broker = broker(&[]);
    Device::connect(&config("iothub"), &broker, "device-p256").disconnect();
    broker.wait_for_output("u'device-p256'");
}
