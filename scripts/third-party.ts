import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** A package that comes with an installation of Slicewise. */
export interface ThirdPartyPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as the package says. */
  readonly license: string;
  /** It runs a script of its own when it is installed. */
  readonly hasInstallScript: boolean;
  /** Its folder, from the checkout. */
  readonly folder: string;
}

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().optional(),
      link: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  ),
});

/** What `npm install slicewise` brings, by name and version: the dependencies of package-lock.json without those of
 * development. */
export function productionPackages(checkout: string): ThirdPartyPackage[] {
  const { packages } = lockSchema.parse(JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')));
  return Object.entries(packages)
    .filter(([folder, entry]) => folder !== '' && entry.dev !== true && entry.link !== true)
    .map(([folder, { version = '', license = 'not stated', hasInstallScript = false }]) => ({
      name: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      license,
      hasInstallScript,
      folder,
    }))
    .sort((a, b) => (a.name + a.version < b.name + b.version ? -1 : 1));
}

const LICENSE_FILE = /^(?:licen[cs]e|copying|notice|third.?party.?notices?)/i;

/** The licence and notice files of a package, as they are in its folder. */
export function licenseTexts(checkout: string, { folder }: ThirdPartyPackage): string[] {
  return readdirSync(join(checkout, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && LICENSE_FILE.test(entry.name))
    .map((entry) => readFileSync(join(checkout, folder, entry.name), 'utf8').trim())
    .sort();
}

/** The notices that a release carries: name, version, licence and its text of every package that it installs. */
export function thirdPartyNotices(checkout: string): string {
  const head =
    'Slicewise installs the packages below. Each has a licence of its own, which its text, as the package ships it,\n' +
    'follows. Weights of models are not among them: see the licence of each model.\n';
  const parts = productionPackages(checkout).map((each) => {
    const title = `${each.name} ${each.version}\nLicence: ${each.license}`;
    const texts = licenseTexts(checkout, each);
    return [title, ...(texts.length > 0 ? texts : [withoutText(checkout, each)])].join('\n\n');
  });
  return `${[head, ...parts].join(`\n${'-'.repeat(80)}\n\n`)}\n`;
}

const manifestSchema = z.object({
  author: z.union([z.string(), z.object({ name: z.string() })]).optional(),
  homepage: z.string().optional(),
});

/** Some packages name their licence in package.json alone. */
function withoutText(checkout: string, { folder, license }: ThirdPartyPackage): string {
  const { author, homepage } = manifestSchema.parse(
    JSON.parse(readFileSync(join(checkout, folder, 'package.json'), 'utf8')),
  );
  const by = typeof author === 'string' ? author : author?.name;
  return [
    `The package has no licence file; its package.json names ${license}.`,
    ...(by === undefined ? [] : [`Author: ${by}`]),
    ...(homepage === undefined ? [] : [`Homepage: ${homepage}`]),
  ].join('\n');
}
