'use strict';
/** A folder of a user's, in which the package and its companions are installed: links to what is here. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');

const { PATIENCE, directory } = require('./servers.js');

const PACKAGE = path.join(__dirname, '..');
const ROOT = path.join(PACKAGE, '../..');
const EXAMPLES = path.join(ROOT, 'examples/node');
const INSTALLED = ['@types', 'azure-iot-device', 'azure-iot-device-mqtt', 'mqtt', 'undici', 'ws'];

/** Made for a test, with these files. */
function workshop(t, files = {}) {
  const made = directory(t);
  fs.mkdirSync(path.join(made, 'node_modules'));
  fs.symlinkSync(PACKAGE, path.join(made, 'node_modules/hubtls'));
  for (const name of INSTALLED) fs.symlinkSync(path.join(PACKAGE, 'node_modules', name), path.join(made, 'node_modules', name));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(made, name), text);
  return made;
}

/** How a program ended and what it said. */
async function run(cwd, ...values) {
  const child = spawn(process.execPath, values, { cwd, timeout: 2 * PATIENCE, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = ['', ''].map((text, index) => {
    const said = { text };
    child.stdio[index + 1].setEncoding('utf8').on('data', (piece) => (said.text += piece));
    return said;
  });
  const [code] = await once(child, 'close');
  return { code, stdout: stdout.text, stderr: stderr.text };
}

module.exports = { EXAMPLES, PACKAGE, ROOT, run, workshop };
