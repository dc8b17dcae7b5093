// Makes src/identity/testdata/id_validator_vectors.csv: citizen numbers, right and wrong, with the
// verdict of npm id-validator (MIT), as a second opinion for citizen_number_test.cc. The numbers are
// random. That package takes any year and 31 days for every month; the test allows for it. Sequence
// numbers stay below 996: it does not know the centenarians of the 15-digit numbers.
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const require = createRequire(import.meta.url);
const Validator = require('id-validator');
const gb2260 = require('id-validator/src/GB2260.js');
const validator = new Validator(gb2260);

let state = 20170930n; // a fixed sequence: the same vectors on every machine
const random = (n) => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
  return Number((state >> 33n) % BigInt(n));
};
const pad = (v, n) => String(v).padStart(n, '0');
const provinces = [11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
  53, 54, 61, 62, 63, 64, 65];
const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const check = (body) => '10X98765432'[[...body].reduce((s, d, i) => s + d * weights[i], 0) % 11];
const body = () => {
  const day = new Date(Date.UTC(1901 + random(116), random(12), 1 + random(28)));
  return provinces[random(provinces.length)] + '0102' + day.toISOString().slice(0, 10).replace(/-/g, '') + pad(random(996), 3);
};
const lines = ['# Verdicts of npm id-validator 1.3.0 on random numbers; made by tools/generate_number_vectors.mjs.', 'number,valid'];
const add = (number) => lines.push(`${number},${validator.isValid(number) ? 1 : 0}`);
for (let i = 0; i < 250; ++i) {
  const b = body();
  const whole = b + check(b);
  add(whole);
  const at = random(18);
  add(whole.slice(0, at) + random(10) + whole.slice(at + 1)); // often wrong
  if (i % 2) add(whole.slice(0, 10) + pad(random(14), 2) + pad(random(33), 2) + whole.slice(14));
  const impossible = b.slice(0, 10) + pad(random(14), 2) + pad(random(33), 2) + b.slice(14);
  add(impossible + check(impossible)); // right check digit, the date may be impossible
  add(b.slice(0, 6) + b.slice(8)); // 15 digits
  if (i % 5 === 0) add(b.slice(0, 6) + pad(random(100), 2) + pad(random(14), 2) + pad(random(33), 2) + b.slice(14));
  if (i % 10 === 0) add(whole.slice(0, 17)), add(whole + '1');
}
// Numbers beginning with 0, 2000-style places that no province has, letters.
for (const text of ['000102198001010018', 'ABCDEFGHIJKLMNOPQR', '33010219800101001A']) add(text);
const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, '..', 'src', 'identity', 'testdata', 'id_validator_vectors.csv');
fs.mkdirSync(path.dirname(out), {recursive: true});
fs.writeFileSync(out, lines.join('\n') + '\n');
console.log(lines.length - 2, lines.filter((l) => l.endsWith(',1')).length);
