//! MQTT 3.1.1 through `Stream` against mosquitto with required client certificates.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hubtls::{Config, Policy, Stream};
use hubtls_tests::client::{builder, connect, identity};
use hubtls_tests::server::{Options, Server};
use mqute_codec::Error;
use mqute_codec::codec::PacketCodec;
use mqute_codec::protocol::v4::{
    Connect, ConnectReturnCode, Disconnect, Packet, Publish, Subscribe, TopicQosFilter,
};
use mqute_codec::protocol::{Flags, QoS};

const TOPIC: &str = "devices/device-p256/messages";

/// A device that speaks MQTT over hubtls.
struct Device {
    stream: Stream<TcpStream>,
    received: BytesMut,
}

impl Device {
    fn connect(config: &Config, broker: &Server, client_id: &str) -> Self {
        let mut device = Self {
            stream: connect(config, broker.address()),
            received: BytesMut::new(),
        };
        let keep_alive = Duration::from_secs(60);
        device.send(&Packet::Connect(Connect::new(
            client_id, None, None, keep_alive, true,
        )));
        match device.receive() {
            Packet::ConnAck(answer) => assert_eq!(answer.code(), ConnectReturnCode::Success),
            other => panic!(
                "{other:?} instead of CONNACK; the broker printed:\n{}",
                broker.output()
            ),
        }
        device
    }

    fn send(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        packet.encode(&mut bytes).unwrap();
        self.stream.write_all(&bytes).unwrap();
        self.stream.flush().unwrap();
    }

    fn receive(&mut self) -> Packet {
        let codec = PacketCodec::new(None, None);
        let mut buffer = [0; 4096];
        loop {
            match codec.try_decode(&mut self.received) {
                Ok(packet) => return Packet::decode(packet).unwrap(),
                Err(Error::NotEnoughBytes(_)) => {}
                Err(error) => panic!("{error}"),
            }
            let length = self.stream.read(&mut buffer).unwrap();
            assert!(length > 0, "the broker closed the connection");
            self.received.extend_from_slice(&buffer[..length]);
        }
    }

    fn subscribe(&mut self) {
        let filter = TopicQosFilter::new(TOPIC, QoS::AtLeastOnce);
        self.send(&Packet::Subscribe(Subscribe::new(1, [filter])));
        match self.receive() {
            Packet::SubAck(answer) => assert_eq!(answer.packet_id(), 1),
            other => panic!("{other:?} instead of SUBACK"),
        }
    }

    fn publish(&mut self, payload: &Bytes) {
        let publish = Publish::new(TOPIC, 2, payload.clone(), Flags::new(QoS::AtLeastOnce));
        self.send(&Packet::Publish(publish));
    }

    fn disconnect(mut self) {
        self.send(&Packet::Disconnect(Disconnect {}));
        self.stream.finish().unwrap();
        assert_eq!(
            self.stream.read(&mut [0; 64]).unwrap_or(0),
            0,
            "the broker has no more to say"
        );
    }
}

/// Publishes to itself and gets the message back.
fn round_trip(config: &Config, broker: &Server, payload: &Bytes) {
    let mut device = Device::connect(config, broker, "device-p256");
    device.subscribe();
    device.publish(payload);
    let (mut acknowledged, mut delivered) = (false, false);
    while !(acknowledged && delivered) {
        match device.receive() {
            Packet::PubAck(answer) => {
                assert_eq!(answer.packet_id(), 2);
                acknowledged = true;
            }
            Packet::Publish(message) => {
                assert_eq!(message.topic(), TOPIC);
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
        &Bytes::from_static(b"{\"temperature\":22}"),
    );
}

#[test]
fn a_message_goes_round_through_mosquitto_in_tls13() {
    let broker = broker(&["tls_version tlsv1.3"]);
    round_trip(
        &config("iothub"),
        &broker,
        &Bytes::from_static(b"{\"temperature\":22}"),
    );
}

#[test]
fn a_message_of_many_records_goes_round_through_mosquitto() {
    let payload: Bytes = (0..=u8::MAX).cycle().take(250_000).collect();
    round_trip(&config("iothub"), &broker(&[]), &payload);
}

#[test]
fn the_broker_takes_the_device_by_its_certificate() {
    let broker = broker(&[]);
    Device::connect(&config("iothub"), &broker, "device-p256").disconnect();
    broker.wait_for_output("u'device-p256'");
}
