import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { canonicalJson, manifestSha256 } from '../../src/models/load-model.ts';
import { loadTinyModel } from '../support/models.ts';

test('the example of RFC 8785, section 3.2.2', () => {
  const value: unknown = JSON.parse(
    String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
  );
  expect(canonicalJson(value)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

test('keys are in the order of RFC 8785, section 3.2.3, which is that of UTF-16', () => {
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
  const sorted = Object.keys(JSON.parse(canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])))) as object);
  expect(sorted).toEqual(['1', '\r', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']);
});

test('a manifest has one hash, however its members are ordered, and another for another spacing', async () => {
  const { manifest } = await loadTinyModel();
  const { id, ...rest } = manifest;
  const hash = await manifestSha256(manifest);
  expect(hash).toBe(createHash('sha256').update(canonicalJson(manifest)).digest('hex'));
  expect(await manifestSha256({ ...rest, id })).toBe(hash);
  expect(await manifestSha256({ ...manifest, input: { ...manifest.input, spacing: 2 } })).not.toBe(hash);
});
