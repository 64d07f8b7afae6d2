import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { licenseTexts, productionPackages } from '../scripts/third-party.ts';

const checkout = resolve(import.meta.dirname, '..');
const packages = productionPackages(checkout);

test('the dependencies of a release are those of package.json and what they need', () => {
  const { dependencies } = readManifest();
  for (const name of Object.keys(dependencies)) {
    expect(packages).toContainEqual(expect.objectContaining({ name, folder: `node_modules/${name}` }));
  }
  expect(packages.map(({ name }) => name)).not.toContain('vitest');
});

// A page that has one of these already gets no second copy. The runtime alone is exact: OHIF's files are built with the very
// WebAssembly that is in it.
test('a dependency is a range of the version that the tests ran with, and the WebAssembly runtime that version', () => {
  for (const [name, range] of Object.entries(readManifest().dependencies)) {
    const tested = packages.find((each) => each.name === name)?.version ?? 'not installed';
    expect(range, name).toBe(name === 'onnxruntime-web' ? tested : `^${tested}`);
  }
});

test('what only some users need is an optional peer', () => {
  const { peerDependencies, peerDependenciesMeta } = readManifest();
  const names = ['@cornerstonejs/core', '@cornerstonejs/tools', 'onnxruntime-node'];
  expect(Object.keys(peerDependencies)).toEqual(names);
  for (const name of names) expect(peerDependenciesMeta[name]).toEqual({ optional: true });
  expect(packages.map(({ name }) => name)).not.toEqual(expect.arrayContaining(['onnxruntime-node']));
});

// A new one is looked at first, then listed here and in docs/security.md with what it does.
test('the scripts that dependencies run when they are installed are the ones that docs/security.md justifies', () => {
  const withScripts = packages.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
  expect(withScripts).toEqual(['core-js-pure', 'protobufjs']);
  const page = readFileSync(resolve(checkout, 'docs/security.md'), 'utf8');
  for (const name of withScripts) expect(page).toContain(`\`${name}\``);
});

describe('the papers of a release', () => {
  beforeAll(() => {
    execFileSync('npm', ['run', '--silent', 'release-papers'], { cwd: checkout });
  }, 120_000);

  test('list every component', () => {
    const { bomFormat, metadata, components } = z
      .object({
        bomFormat: z.literal('CycloneDX'),
        metadata: z.object({ component: z.object({ name: z.string() }) }),
        components: z.array(z.object({ name: z.string(), version: z.string() })),
      })
      .parse(JSON.parse(readFileSync(resolve(checkout, 'dist/sbom.cdx.json'), 'utf8')));
    expect({ bomFormat, name: metadata.component.name }).toEqual({ bomFormat: 'CycloneDX', name: 'slicewise' });
    const listed = (all: readonly { name: string; version: string }[]): string[] =>
      [...new Set(all.map(({ name, version }) => `${name} ${version}`))].sort();
    expect(listed(components)).toEqual(listed(packages));
  });

  test('have the licence of each, with its text where the package ships one', () => {
    const notices = readFileSync(resolve(checkout, 'dist/THIRD_PARTY_NOTICES.txt'), 'utf8');
    for (const each of packages) {
      expect(each.license, each.name).not.toBe('not stated');
      expect(notices).toContain(`${each.name} ${each.version}\nLicence: ${each.license}`);
      for (const text of licenseTexts(checkout, each)) expect(notices).toContain(text);
    }
  });

  test('go with the package', () => {
    const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: checkout });
    const [{ files }] = z
      .tuple([z.object({ files: z.array(z.object({ path: z.string() })) })])
      .parse(JSON.parse(packed.toString()));
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['dist/sbom.cdx.json', 'dist/THIRD_PARTY_NOTICES.txt', 'LICENSE']));
  });
});

function readManifest() {
  return z
    .object({
      dependencies: z.record(z.string(), z.string()),
      peerDependencies: z.record(z.string(), z.string()),
      peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean() })),
    })
    .parse(JSON.parse(readFileSync(resolve(checkout, 'package.json'), 'utf8')));
}
