/**
 * Packs what is published: `node pack.mjs FOLDER` puts the tarballs of the package and of each platform whose library is in this folder there.
 *
 * Only a packed package has `optionalDependencies`: here they would be looked for in a registry, before they are in one.
 */

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const folder = path.resolve(process.argv[2]);
const main = JSON.parse(fs.readFileSync(path.join(here, 'package.json'), 'utf8'));
const staged = fs.mkdtempSync(path.join(os.tmpdir(), 'hubtls-pack-'));
const pack = (from) => execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: from, stdio: 'inherit' });

try {
  fs.mkdirSync(folder, { recursive: true });
  const optionalDependencies = {};
  for (const platform of fs.readdirSync(path.join(here, 'npm'))) {
    const from = path.join(here, 'npm', platform);
    const { name, version, main: library } = JSON.parse(fs.readFileSync(path.join(from, 'package.json'), 'utf8'));
    if (version !== main.version) throw new Error(`${name} is ${version}, ${main.name} is ${main.version}: napi version`);
    optionalDependencies[name] = version;
    if (!fs.existsSync(path.join(here, library))) continue;
    const to = path.join(staged, platform);
    fs.cpSync(from, to, { recursive: true });
    fs.copyFileSync(path.join(here, library), path.join(to, library));
    pack(to);
  }
  const to = path.join(staged, 'main');
  fs.mkdirSync(to);
  for (const name of main.files) fs.cpSync(path.join(here, name), path.join(to, name), { recursive: true });
  const { scripts: _, devDependencies: __, ...published } = main;
  fs.writeFileSync(path.join(to, 'package.json'), `${JSON.stringify({ ...published, optionalDependencies }, null, 2)}\n`);
  pack(to);
} finally {
  fs.rmSync(staged, { recursive: true });
}
