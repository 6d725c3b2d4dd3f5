'use strict';
/** What a hub does with its devices, played by a client behind a broker. */

const { once } = require('node:events');
const { PATIENCE } = require('./servers.js');
const mqtt = require('mqtt');

const TOPICS = ['devices/+/messages/events/#', '$iothub/twin/GET/#', '$iothub/twin/PATCH/properties/reported/#', '$iothub/methods/res/#'];

/** What was put is taken in the same order, by whoever waits for it. */
class Queue {
  #values = [];
  #waiting = [];

  put(value) {
    const next = this.#waiting.shift();
    if (next === undefined) this.#values.push(value);
    else next(value);
  }

  get size() {
    return this.#values.length;
  }

  take() {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Keeps one twin for all devices, and what they sent. */
class Hub {
  telemetry = new Queue();
  reported = new Queue();
  responses = new Queue();
  twin = { desired: { interval: 5, $version: 2 }, reported: { $version: 1 } };
  #numbers = 0;

  /** A hub behind the broker whose listener without TLS is at `plain`. */
  static async playing(t, { plain }) {
    const hub = new Hub();
    hub.client = mqtt.connect(`mqtt://127.0.0.1:${plain}`);
    t.after(() => hub.client.endAsync(true));
    hub.client.on('message', (topic, payload) => hub.#take(topic, payload));
    await once(hub.client, 'connect', { signal: AbortSignal.timeout(PATIENCE) });
    await hub.client.subscribeAsync(TOPICS, { qos: 1 });
    return hub;
  }

  #take(topic, payload) {
    let match;
    if ((match = /^\$iothub\/twin\/GET\/\?\$rid=(.*)$/.exec(topic))) {
      this.client.publish(`$iothub/twin/res/200/?$rid=${match[1]}`, JSON.stringify(this.twin), { qos: 1 });
    } else if ((match = /^\$iothub\/twin\/PATCH\/properties\/reported\/\?\$rid=(.*)$/.exec(topic))) {
      this.reported.put(JSON.parse(payload));
      this.client.publish(`$iothub/twin/res/204/?$rid=${match[1]}&$version=2`, '', { qos: 1 });
    } else if ((match = /^\$iothub\/methods\/res\/(\d+)\//.exec(topic))) {
      this.responses.put([match[1], JSON.parse(payload)]);
    } else if ((match = /^devices\/(.*?)\/messages\/events\//.exec(topic))) {
      this.telemetry.put([match[1], String(payload)]);
    }
  }

  /** A message from the cloud to the device. */
  send(device, payload) {
    return this.client.publishAsync(`devices/${device}/messages/devicebound/%24.mid=1`, payload, { qos: 1 });
  }

  /** A patch of the twin's desired properties. */
  desire(properties) {
    const patch = JSON.stringify({ ...properties, $version: 3 });
    return this.client.publishAsync('$iothub/twin/PATCH/properties/desired/?$version=3', patch, { qos: 1 });
  }

  /** Calls a direct method; the status and what the device answered. */
  async call(method, payload) {
    this.#numbers += 1;
    await this.client.publishAsync(`$iothub/methods/POST/${method}/?$rid=${this.#numbers}`, JSON.stringify(payload), { qos: 1 });
    return this.responses.take();
  }
}

module.exports = { Hub, Queue };
