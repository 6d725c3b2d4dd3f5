/* The four packets of MQTT 3.1.1 that a small device sends, and the two that it waits for. A real device takes a library for this. */
#ifndef MQTT_H
#define MQTT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Room for the packets here: the names of hub and device have at most 255 bytes, a message as many. */
#define MQTT_PACKET 1024

static inline size_t mqtt_text(uint8_t *packet, size_t at, const char *text) {
    size_t len = strlen(text);
    packet[at] = (uint8_t)(len >> 8);
    packet[at + 1] = (uint8_t)len;
    memcpy(packet + at + 2, text, len);
    return at + 2 + len;
}

/* Puts kind and length before a body that begins at byte 3; returns the packet's length. */
static inline size_t mqtt_packet(uint8_t *packet, uint8_t kind, size_t end) {
    size_t len = end - 3;
    packet[0] = kind;
    packet[1] = (uint8_t)((len & 0x7F) | 0x80);
    packet[2] = (uint8_t)(len >> 7);
    return end;
}

static inline size_t mqtt_connect(uint8_t *packet, const char *device, const char *user) {
    size_t at = mqtt_text(packet, 3, "MQTT");
    /* MQTT 3.1.1; a clean session with a user's name; a minute between signs of life. */
    memcpy(packet + at, "\x04\x82\x00\x3C", 4);
    at = mqtt_text(packet, at + 4, device);
    at = mqtt_text(packet, at, user);
    return mqtt_packet(packet, 0x10, at);
}

/* Quality of service 1: the answer confirms that the message has arrived. */
static inline size_t mqtt_publish(uint8_t *packet, uint16_t id, const char *topic, const char *message) {
    size_t at = mqtt_text(packet, 3, topic), len = strlen(message);
    packet[at] = (uint8_t)(id >> 8);
    packet[at + 1] = (uint8_t)id;
    memcpy(packet + at + 2, message, len);
    return mqtt_packet(packet, 0x32, at + 2 + len);
}

/* The answer to CONNECT says that the connection is accepted; this is all of it. */
static const uint8_t mqtt_accepted[4] = {0x20, 2, 0, 0};

/* The answer to the message of number 1. */
static const uint8_t mqtt_delivered[4] = {0x40, 2, 0, 1};

static const uint8_t mqtt_disconnect[2] = {0xE0, 0};

#endif
