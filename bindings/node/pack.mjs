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
/** Where the licences are: they go into every package. */
const root = path.join(here, '../..');
const LICENSES = ['LICENSE-MIT', 'LICENSE-APACHE'];
const main = JSON.parse(fs.readFileSync(path.join(here, 'package.json'), 'utf8'));
const staged = fs.mkdtempSync(path.join(os.tmpdir(), 'hubtls-pack-'));
const pack = (from) => execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: from, stdio: 'inherit' });
const describe = (in_, described) => fs.writeFileSync(path.join(in_, 'package.json'), `${JSON.stringify(described, null, 2)}\n`);

try {
  fs.mkdirSync(folder, { recursive: true });
  const optionalDependencies = {};
  for (const platform of fs.readdirSync(path.join(here, 'npm'))) {
    const from = path.join(here, 'npm', platform);
    const described = JSON.parse(fs.readFileSync(path.join(from, 'package.json'), 'utf8'));
    const { name, version, main: library } = described;
    if (version !== main.version) throw new Error(`${name} is ${version}, ${main.name} is ${main.version}: napi version`);
    optionalDependencies[name] = version;
    if (!fs.existsSync(path.join(here, library))) continue;
    const to = path.join(staged, platform);
    fs.cpSync(from, to, { recursive: true });
    fs.copyFileSync(path.join(here, library), path.join(to, library));
    for (const license of LICENSES) fs.copyFileSync(path.join(root, license), path.join(to, license));
    describe(to, { ...described, files: [...described.files, ...LICENSES] });
    pack(to);
  }
  const to = path.join(staged, 'main');
  fs.mkdirSync(to);
  for (const name of main.files) fs.cpSync(path.join(LICENSES.includes(name) ? root : here, name), path.join(to, name), { recursive: true });
  const { scripts: _, devDependencies: __, ...published } = main;
  describe(to, { ...published, optionalDependencies });
  pack(to);
} finally {
  fs.rmSync(staged, { recursive: true });
}
