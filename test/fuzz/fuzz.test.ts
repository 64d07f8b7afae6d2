import { expect, test } from 'vitest';
import { fuzzTarget } from './fuzz.ts';
import { fuzzTargets } from './targets.ts';

// A fixed seed: what is red today is red tomorrow. `npm run fuzz` runs as many as one has time for.
const SEED = 1;
const INPUTS = 20_000;
const MIN_READ = 0.03;
const shares = fuzzTargets.reduce((sum, { share }) => sum + share, 0);

test.each(fuzzTargets)('$name answers each input with a result or a typed error', async ({ name, share }) => {
  const inputs = Math.ceil((INPUTS * share) / shares);
  const { findings, accepted, refused, ...report } = await fuzzTarget(name, { seed: SEED, inputs });
  expect(findings).toEqual([]);
  expect(report.inputs).toBe(inputs);
  // An input that no code looked at proves nothing.
  expect(accepted + refused).toBe(inputs);
  // Nor one that is refused at the door.
  expect(accepted / inputs).toBeGreaterThan(MIN_READ);
});

test.each([
  ['planted-error', 'untyped'],
  ['planted-hang', 'hang'],
  ['planted-memory', 'memory'],
  ['planted-end', 'end'],
])('%s is found, and the inputs behind it are run', async (target, kind) => {
  const { findings, inputs } = await fuzzTarget(target, { seed: SEED, inputs: 200 });
  expect(findings.map((finding) => finding.kind)).toContain(kind);
  expect(inputs).toBe(200);
});
